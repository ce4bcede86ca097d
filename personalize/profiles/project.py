"""Projection: how events, one after the other, become profiles."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from personalize.events.event import (
    CLICK,
    CONSENT,
    IMPRESSION,
    INTEREST,
    JOIN,
    PAGE_VIEW,
    SET,
    Event,
    JSONValue,
    to_micros,
)
from personalize.events.schema import Schema
from personalize.profiles.counters import Counter, with_event
from personalize.profiles.encoding import decode_profile, encode_profile
from personalize.profiles.holding import holding_for
from personalize.profiles.interests import taught
from personalize.profiles.join import joined, newer
from personalize.profiles.lifecycle import Lifecycle
from personalize.profiles.profile import AttributeValue, Joined, Profile
from personalize.profiles.seen import last_seen_before, seen_at
from personalize.profiles.stated import statement_of
from personalize.profiles.totals import amount_of, with_one_more
from personalize.profiles.visits import PageFacts, visit_with_page
from personalize.visitors.consent import Consent, granting, stricter

ANONYMOUS_PREFIX = "v:"
KNOWN_PREFIX = "u:"


class ProfileProjector:
    """Keeps one `Profile` per visitor; the keys are profile ids.

    Projecting the log in its order always gives the same rows. Totals, counters, interests, attributes, consent,
    first and last seen are the same in whatever order a visitor's events arrive; of events at the same moment the
    order of arrival decides. Visits take in late page views as `visit_with_page` says. A join takes what
    arrived before it; events that occurred before it and arrive later follow into the known profile.

    Types that are no longer declared are counted without a value, so old logs can always be read. `holding` is
    what the rows hold once the whole log was projected so.
    """

    name = "profiles"

    def __init__(
        self,
        schema: Schema | None = None,
        counters: Sequence[Counter] = (),
        lifecycle: Lifecycle | None = None,
    ) -> None:
        self.holding = holding_for(schema or Schema(), counters)
        self._value_names = dict(self.holding.values)
        self._teaches = {type_: tuple(path.split(".")) for type_, path in self.holding.interests}
        self._counters = _by_type(counters)
        self._ends_after = (lifecycle or Lifecycle()).visit_ends_after
        self._steps: Mapping[str, Callable[[Profile, Event, Joined | None], Profile]] = {
            PAGE_VIEW: self._with_page_view,
            IMPRESSION: self._with_count,
            CLICK: self._with_count,
            SET: self._with_attributes,
            INTEREST: self._with_statement,
            CONSENT: self._with_consent,
        }

    def reads(self, event: Event, rows: Mapping[str, Profile | None]) -> tuple[str, ...]:
        """The event's own row, and the known one that it was joined into or is to be joined into."""
        if event.type == JOIN:
            anonymous_id = _joined_id(event)
            return () if anonymous_id is None else (event.profile_id, anonymous_id)
        through = _followed(event, rows.get(event.profile_id))
        return (event.profile_id,) if through is None else (event.profile_id, through.into)

    def project(self, event: Event, rows: Mapping[str, Profile | None]) -> Mapping[str, Profile]:
        """The profiles that this event changes, as they are after it."""
        if event.type == JOIN:
            return self._joined(event, rows)
        through = _followed(event, rows.get(event.profile_id))
        owner_id = event.profile_id if through is None else through.into
        profile = rows.get(owner_id) or Profile(owner_id)
        step = self._steps.get(event.type, self._with_declared)
        changed = step(profile, event, through)
        recent = with_event(changed.recent, self._counters.get(event.type, ()), event)
        return {owner_id: replace(changed, recent=recent, events=profile.events + 1)}

    def encode(self, row: Profile) -> bytes:
        """The profile as bytes; see `profiles.encoding`."""
        return encode_profile(row)

    def decode(self, data: bytes) -> Profile:
        """The profile that `encode` wrote."""
        return decode_profile(data)

    def _joined(self, event: Event, rows: Mapping[str, Profile | None]) -> Mapping[str, Profile]:
        anonymous_id = _joined_id(event)
        if anonymous_id is None:
            return {}
        known = rows.get(event.profile_id) or Profile(event.profile_id)
        anonymous = rows.get(anonymous_id) or Profile(anonymous_id)
        if anonymous.joined is not None:
            return {}
        if known.consent.refused or anonymous.consent.refused:
            return _refusing(known, anonymous)
        return {
            known.profile_id: joined(known, anonymous, limits=self.holding.counters, ends_after=self._ends_after),
            anonymous_id: Profile(anonymous_id, joined=Joined(known.profile_id, event.occurred_at), events=1),
        }

    def _with_page_view(self, profile: Profile, event: Event, _through: Joined | None) -> Profile:
        return self._with_page(profile, event, pages=1)

    def _with_page(self, profile: Profile, event: Event, pages: int) -> Profile:
        at = event.occurred_at
        before = last_seen_before(profile, at, self._ends_after)
        page = _page_facts(event.properties)
        visit = visit_with_page(profile.visit, page, at, before, self._ends_after, pages=pages)
        return seen_at(replace(profile, visit=visit), at, self._ends_after)

    def _with_count(self, profile: Profile, event: Event, _through: Joined | None) -> Profile:
        return _counted(profile, event, None)

    def _with_declared(self, profile: Profile, event: Event, _through: Joined | None) -> Profile:
        value = event.properties.get(self._value_names.get(event.type, ""))
        counted = _counted(profile, event, value)
        if (path := self._teaches.get(event.type)) is not None:
            interests = taught(profile.interests, event.properties, path, event.occurred_at)
            counted = replace(counted, interests=interests)
        return seen_at(counted, event.occurred_at, self._ends_after)

    def _with_attributes(self, profile: Profile, event: Event, through: Joined | None) -> Profile:
        attributes, set_at_micros = dict(profile.attributes), to_micros(event.occurred_at)
        for name, value in event.properties.items():
            attributes[name] = newer(attributes.get(name), AttributeValue(value, set_at_micros, through is not None))
        return replace(profile, attributes=attributes)

    def _with_statement(self, profile: Profile, event: Event, through: Joined | None) -> Profile:
        statement = statement_of(event.properties)
        if statement is None:
            return profile
        tag, likes = statement
        said = AttributeValue(likes, to_micros(event.occurred_at), through is not None)
        return replace(profile, stated={**profile.stated, tag: newer(profile.stated.get(tag), said)})

    def _with_consent(self, profile: Profile, event: Event, through: Joined | None) -> Profile:
        given = _consent_of(event.properties)
        if given is None:
            return profile
        consent, at = _consent_after(profile, given, event.occurred_at, through)
        decided = replace(profile, consent=consent, consent_at=at)
        if given.refused:
            return decided
        # The form's own page is shown again when the answer has been taken, and counts then.
        return self._with_page(decided, event, pages=0)


def _by_type(counters: Sequence[Counter]) -> Mapping[str, tuple[Counter, ...]]:
    """The counters by event type; of those with one key the one that keeps most."""
    widest: dict[str, Counter] = {}
    for counter in counters:
        present = widest.get(counter.key)
        if present is None or present.limit < counter.limit:
            widest[counter.key] = counter
    types = {counter.event_type for counter in widest.values()}
    return {type_: tuple(c for c in widest.values() if c.event_type == type_) for type_ in types}


def _joined_id(event: Event) -> str | None:
    """The anonymous profile that a join names; None for a join that nothing follows from."""
    anonymous_id = event.properties.get("from")
    if not isinstance(anonymous_id, str) or not anonymous_id.startswith(ANONYMOUS_PREFIX):
        return None
    return anonymous_id if event.profile_id.startswith(KNOWN_PREFIX) else None


def _followed(event: Event, row: Profile | None) -> Joined | None:
    """The join that an event goes through to another profile: one that did not occur before it."""
    joined = None if row is None else row.joined
    return joined if joined is not None and event.occurred_at <= joined.at else None


def _refusing(known: Profile, anonymous: Profile) -> Mapping[str, Profile]:
    """What a join leaves where one side has refused: no data moves, and the refusal holds for the login."""
    consent = stricter(known.consent, anonymous.consent)
    if consent == known.consent:
        return {}
    at = anonymous.consent_at if known.consent_at is None else known.consent_at
    return {known.profile_id: replace(known, consent=consent, consent_at=at, events=known.events + 1)}


def _consent_after(
    profile: Profile, given: Consent, at: datetime, through: Joined | None
) -> tuple[Consent, datetime | None]:
    """The decision that holds: the newest, and the stricter of two as old.

    One that comes through a join cannot loosen what holds, nor touch what was decided after the join.
    """
    present, present_at = profile.consent, profile.consent_at
    if present_at is None:
        return given, at
    if through is not None:
        since = present_at > through.at
        return (present, present_at) if since else (stricter(present, given), max(at, present_at))
    if at == present_at:
        return stricter(present, given), at
    return (given, at) if at > present_at else (present, present_at)


def _counted(profile: Profile, event: Event, value: JSONValue) -> Profile:
    total = with_one_more(profile.totals.get(event.type), event.occurred_at, amount_of(value))
    return replace(profile, totals={**profile.totals, event.type: total})


def _consent_of(properties: Mapping[str, JSONValue]) -> Consent | None:
    purposes = properties.get("granted")
    if not isinstance(purposes, list):
        return None
    return granting(purpose for purpose in purposes if isinstance(purpose, str))


def _page_facts(properties: Mapping[str, JSONValue]) -> PageFacts:
    return PageFacts(
        path=_text(properties, "landing_path") or _text(properties, "path"),
        source=_text(properties, "source"),
        medium=_text(properties, "medium"),
        campaign=_text(properties, "campaign"),
    )


def _text(properties: Mapping[str, JSONValue], name: str) -> str | None:
    value = properties.get(name)
    return value if isinstance(value, str) else None
