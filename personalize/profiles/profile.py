"""What is known of one visitor: the running result of their events."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from types import MappingProxyType
from typing import Any, Final, NamedTuple, TypeAlias

from personalize.events.event import EventName, JSONValue
from personalize.light_values import light_dataclass, mypyc_attr
from personalize.profiles.interests import Interests
from personalize.visitors.consent import UNKNOWN, Consent

_NOTHING: Final[Mapping[str, Any]] = MappingProxyType({})


class AttributeValue(NamedTuple):
    """An attribute as it was last set, and when: a late event never overwrites a newer value.

    `set_at_micros` is in microseconds since 1970. A value of None says that it was removed then; it reads like an
    attribute that was never set. `from_join` says that it came from an anonymous profile: whatever the known one was
    told itself wins.
    """

    value: JSONValue
    set_at_micros: int
    from_join: bool = False


@mypyc_attr(acyclic=True)
@light_dataclass(frozen=False, slots=True)
class Totals:
    """What all events of one type add up to. `sum`, `first_value`, `last_value` are of the declared value:
    an int of the smallest unit for money, an exact number otherwise.

    `first_value` and `last_value` belong to the events at `first_at` and `last_at`: None where those were
    sent without one. An event without a value adds nothing to `sum`.
    """

    count: Final[int]
    sum: Final[int | Decimal]
    first_at: Final[datetime]
    last_at: Final[datetime]
    first_value: Final[int | Decimal | None]
    last_value: Final[int | Decimal | None]

    def __init__(
        self,
        count: int,
        sum: int | Decimal,
        first_at: datetime,
        last_at: datetime,
        first_value: int | Decimal | None = None,
        last_value: int | Decimal | None = None,
    ) -> None:
        self.count = count
        self.sum = sum
        self.first_at = first_at
        self.last_at = last_at
        self.first_value = first_value
        self.last_value = last_value


@mypyc_attr(acyclic=True)
@light_dataclass(frozen=False, slots=True)
class Visit:
    """The newest visit: `number` counts from 1, `pages` the page views so far.

    `pages` is 0 while consent has begun the visit and no page view has come yet. `last_page_at` is the latest
    page view, or that consent. `previous_seen_at` is when the visitor was last seen before it, None on a first
    visit.
    """

    number: Final[int]
    started_at: Final[datetime]
    last_page_at: Final[datetime]
    pages: Final[int]
    landing_path: Final[str | None]
    source: Final[str | None]
    medium: Final[str | None]
    campaign: Final[str | None]
    previous_seen_at: Final[datetime | None]

    def __init__(
        self,
        number: int,
        started_at: datetime,
        last_page_at: datetime,
        pages: int,
        landing_path: str | None = None,
        source: str | None = None,
        medium: str | None = None,
        campaign: str | None = None,
        previous_seen_at: datetime | None = None,
    ) -> None:
        self.number = number
        self.started_at = started_at
        self.last_page_at = last_page_at
        self.pages = pages
        self.landing_path = landing_path
        self.source = source
        self.medium = medium
        self.campaign = campaign
        self.previous_seen_at = previous_seen_at


@dataclass(frozen=True, slots=True)
class Joined:
    """That this anonymous profile went into a known one, and when; what occurred later stays here."""

    into: str
    at: datetime


@light_dataclass(frozen=True, slots=True)
class SharedTotals:
    """What events of one type add up to, of one member or of all: how many, and the sum of their values."""

    count: int
    sum: int | Decimal


@dataclass(frozen=True, slots=True)
class Membership:
    """What a profile has brought into its organization, by event type; whoever takes it out takes out just that."""

    organization_id: str
    totals: Mapping[str, SharedTotals] = field(default_factory=lambda: MappingProxyType({}))


@light_dataclass(frozen=True, slots=True)
class Ties:
    """What an event has to mind that arrives late, or corrects others; see `profiles.in_force`.

    `claimed_by` names the logins that an anonymous profile was ever to be joined into, in order. `joins_until` is when
    the latest join of this profile occurred, or was refused. `awaits` names the events that were corrected before
    they arrived.
    """

    claimed_by: tuple[str, ...] = ()
    joins_until: datetime | None = None
    awaits: frozenset[EventName] = frozenset()


NO_TIES = Ties()

#: Fields of a profile by name, as something that happens leaves them. Several changes make one new profile.
Changes: TypeAlias = dict[str, Any]


@mypyc_attr(acyclic=True)
@light_dataclass(frozen=False, slots=True)
class Profile:
    """All that is stored of one visitor, projected from their events.

    `totals` is per event type. `recent` is per counter key (see `profiles.counters`): the latest times as
    microseconds since 1970, oldest first. `events` counts the entries of the log that are in it.
    `seen_before_at` is the latest known time that lies longer than a visit's pause before `last_seen_at`.
    `consent_at` is when `consent` was given. `joined_from` names the latest anonymous profiles that went in.
    `unit` is the id by which splits place the visitor, None for the profile's own (see `profiles.unit`), and
    `of_two_units` says that another one had placed them before a join.
    `interests` says when each tag was taught (see `profiles.interests`), `stated` what the visitor says of tags
    themselves (see `profiles.stated`). `membership` is what is counted of it in an organization by now, `ties` what
    late events have to mind.
    """

    profile_id: Final[str]
    attributes: Final[Mapping[str, AttributeValue]]
    totals: Final[Mapping[str, Totals]]
    recent: Final[Mapping[str, tuple[int, ...]]]
    visit: Final[Visit | None]
    first_seen_at: Final[datetime | None]
    last_seen_at: Final[datetime | None]
    seen_before_at: Final[datetime | None]
    consent: Final[Consent]
    consent_at: Final[datetime | None]
    joined: Final[Joined | None]
    joined_from: Final[tuple[str, ...]]
    events: Final[int]
    unit: Final[str | None]
    interests: Final[Interests]
    stated: Final[Mapping[str, AttributeValue]]
    membership: Final[Membership | None]
    ties: Final[Ties]
    of_two_units: Final[bool]

    def __init__(
        self,
        profile_id: str,
        attributes: Mapping[str, AttributeValue] = _NOTHING,
        totals: Mapping[str, Totals] = _NOTHING,
        recent: Mapping[str, tuple[int, ...]] = _NOTHING,
        visit: Visit | None = None,
        first_seen_at: datetime | None = None,
        last_seen_at: datetime | None = None,
        seen_before_at: datetime | None = None,
        consent: Consent = UNKNOWN,
        consent_at: datetime | None = None,
        joined: Joined | None = None,
        joined_from: tuple[str, ...] = (),
        events: int = 0,
        unit: str | None = None,
        interests: Interests = _NOTHING,
        stated: Mapping[str, AttributeValue] = _NOTHING,
        membership: Membership | None = None,
        ties: Ties = NO_TIES,
        of_two_units: bool = False,
    ) -> None:
        self.profile_id = profile_id
        self.attributes = attributes
        self.totals = totals
        self.recent = recent
        self.visit = visit
        self.first_seen_at = first_seen_at
        self.last_seen_at = last_seen_at
        self.seen_before_at = seen_before_at
        self.consent = consent
        self.consent_at = consent_at
        self.joined = joined
        self.joined_from = joined_from
        self.events = events
        self.unit = unit
        self.interests = interests
        self.stated = stated
        self.membership = membership
        self.ties = ties
        self.of_two_units = of_two_units


def changed(profile: Profile, changes: Changes) -> Profile:
    """The profile with these fields as they are now: a `replace` that knows them by name, since every event of the log
    goes through it."""
    return Profile(
        changes.get("profile_id", profile.profile_id),
        changes.get("attributes", profile.attributes),
        changes.get("totals", profile.totals),
        changes.get("recent", profile.recent),
        changes.get("visit", profile.visit),
        changes.get("first_seen_at", profile.first_seen_at),
        changes.get("last_seen_at", profile.last_seen_at),
        changes.get("seen_before_at", profile.seen_before_at),
        changes.get("consent", profile.consent),
        changes.get("consent_at", profile.consent_at),
        changes.get("joined", profile.joined),
        changes.get("joined_from", profile.joined_from),
        changes.get("events", profile.events),
        changes.get("unit", profile.unit),
        changes.get("interests", profile.interests),
        changes.get("stated", profile.stated),
        changes.get("membership", profile.membership),
        changes.get("ties", profile.ties),
        changes.get("of_two_units", profile.of_two_units),
    )
