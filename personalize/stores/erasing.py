"""What erasing a person means, whatever keeps them: who belongs to the person, and what is refused afterwards."""

import json
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from personalize.errors import TakenOver
from personalize.events.event import CONSENT, JOIN, UNDO, Event, JSONValue, to_micros
from personalize.profiles.encoding import (
    decode_organization,
    decode_profile,
    encode_organization,
    encode_profile,
    holds_organization,
)
from personalize.profiles.in_force import ANONYMOUS_PREFIX, Decided, consent_of, newest
from personalize.profiles.members import parting
from personalize.profiles.profile import Profile, Ties
from personalize.profiles.searched import SEARCH, term_keys
from personalize.profiles.watched import WATCH, WatchProjector
from personalize.stores.floors import NO_FLOORS, Floors
from personalize.stores.projecting import PROFILES
from personalize.stores.protocols import Export, Trimming
from personalize.stores.refusing import Refusal, Refused
from personalize.visitors.consent import UNKNOWN

#: Who says that somebody goes on refusing.
SENDER = "erasure"
_WATCHED = WatchProjector()


def person_of(
    profile_id: str, row: Callable[[str], Profile | None], joining: Callable[[str], Iterable[str]]
) -> tuple[str, ...]:
    """The ids of one person: this one, and the anonymous ones that went into it.

    `row` reads a profile, `joining` gives what the joins of an id name. One that is not projected yet counts, too;
    one that has joined somebody else does not. Raises `TakenOver` for an anonymous id that belongs to a known one.
    """
    own = row(profile_id)
    if own is not None and own.joined is not None:
        raise TakenOver(profile_id, own.joined.into)
    return (profile_id, *(each for each in dict.fromkeys(joining(profile_id)) if _went_into(profile_id, row(each))))


def _went_into(profile_id: str, row: Profile | None) -> bool:
    return row is None or row.joined is None or row.joined.into == profile_id


def organization_without(row: bytes | None, read: Callable[[str], bytes | None]) -> tuple[str, bytes | None] | None:
    """The key and the bytes of the organization that a profile belongs to, as it is once the profile of these bytes is
    gone; None where it belongs to none. `read` gives the bytes of a row of the same projection."""
    membership = None if row is None else decode_profile(row).membership
    if row is None or membership is None:
        return None
    key = membership.organization_id
    data = read(key)
    organization = decode_organization(data) if data is not None and holds_organization(data) else None
    left = parting(decode_profile(row), organization)
    return key, None if left is None else encode_organization(left)


def named_in(history: Iterable[Event]) -> set[str]:
    """The browsers that a history joins, or parts: held together with its login once, whoever they are of by now."""
    return {joined_id for event in history if (joined_id := joined_by(event)) is not None}


def forgetting(projection: str, row: bytes, gone: Collection[str]) -> bytes | None:
    """The bytes of a row of somebody who stays, without the names of those who are gone; None where nothing is left."""
    if projection == WATCH:
        watched = _WATCHED.decode(row)
        partners = tuple(each for each in watched.partners if each not in gone)
        return row if partners == watched.partners else _WATCHED.encode(replace(watched, partners=partners))
    if projection != PROFILES or holds_organization(row):
        return row
    profile = decode_profile(row)
    claimed_by = tuple(each for each in profile.ties.claimed_by if each not in gone)
    if claimed_by == profile.ties.claimed_by:
        return row
    ties = replace(profile.ties, claimed_by=claimed_by) if claimed_by else Ties(awaits=profile.ties.awaits)
    left = replace(profile, ties=ties)
    return None if left == Profile(left.profile_id) else encode_profile(left)


def names_any(mark: bytes, gone: Iterable[str]) -> bool:
    """Whether the mark of a job names any of those who are gone; then the job begins anew."""
    return any(json.dumps(each)[1:-1].encode() in mark for each in gone)


def refusal_of(row: Profile | None, own: Iterable[Event], at: datetime) -> Event | None:
    """The event by which a login goes on refusing, where it does so only since a browser had that is erased; `own` is
    its history."""
    if row is None or not row.consent.forbids_identifier or row.consent_at is None:
        return None
    decided: Decided = (UNKNOWN, None)
    for event in own:
        if event.type == CONSENT and (given := consent_of(event.properties)) is not None:
            decided = newest(decided, given, event.occurred_at)
    if decided[0].forbids_identifier:
        return None
    told: dict[str, JSONValue] = {"granted": [*sorted(row.consent.granted or ())]}
    event_id = f"{row.profile_id} {to_micros(row.consent_at)}"
    return Event(event_id, SENDER, CONSENT, row.profile_id, row.consent_at, at, told, channel=SENDER)


def keys_about(profile_id: str, projection: str, row: bytes | None) -> Sequence[str]:
    """The keys of all rows of a projection that are about one visitor, given the bytes of the one under their id."""
    return (profile_id, *(term_keys(profile_id, row) if projection == SEARCH else ()))


def left_of(event: Event, trimmed: Trimming) -> Event | None:
    """What a trimming leaves of an event. Joins stay, and their undoing: they say whose all the others are."""
    return event if event.type in (JOIN, UNDO) else trimmed(event)


def gone_of(events: Iterable[Event], trimmed: Trimming) -> Sequence[Event]:
    """Those of which a trimming leaves nothing."""
    return [event for event in events if left_of(event, trimmed) is None]


def copies_holding(exports: Iterable[Export], received_at: Iterable[datetime]) -> tuple[str, ...]:
    """The ids of the copies that may hold any of the events that were received at these moments."""
    first = min(received_at, default=None)
    return () if first is None else tuple(each.export_id for each in exports if each.may_hold(first))


def joining(events: Iterable[Event]) -> tuple[str, ...]:
    """The anonymous ids that the events of one id join to it, but for those that were parted from it again: whether
    they were joined anew, their rows know."""
    named = [(joined_id, event.type) for event in events if (joined_id := joined_by(event)) is not None]
    parted = {joined_id for joined_id, type_ in named if type_ == UNDO}
    return tuple(dict.fromkeys(joined_id for joined_id, _ in named if joined_id not in parted))


def joined_by(event: Event) -> str | None:
    """The anonymous id that an event joins to its own, or parts from it, if it does."""
    joined_id = event.properties.get("from") if event.type in (JOIN, UNDO) else None
    return joined_id if isinstance(joined_id, str) and joined_id.startswith(ANONYMOUS_PREFIX) else None


@dataclass(frozen=True, slots=True)
class Sifted:
    """The events that may enter the log, those that may not, and who has to follow the erased: by anonymous id,
    whose late join says that they were the same person, when that was erased."""

    taken: Sequence[Event]
    refused: tuple[Refused, ...] = ()
    following: tuple[tuple[str, datetime], ...] = ()


def sifted(events: Sequence[Event], erased_at: Callable[[str], datetime | None], floors: Floors = NO_FLOORS) -> Sifted:
    """Sets apart what tells of somebody who was erased, and what is older than the log.

    An anonymous id never comes back: who returns with the old cookie gets a fresh one. A login does, and what
    occurs after the erasure counts. `erased_at` is asked once for each id. `floors` say how far back the log reaches:
    whether something older is told again, nobody could say.
    """
    moments: dict[str, datetime | None] = {}

    def is_gone(profile_id: str, event: Event) -> bool:
        if profile_id not in moments:
            moments[profile_id] = erased_at(profile_id)
        at = moments[profile_id]
        return at is not None and (profile_id.startswith(ANONYMOUS_PREFIX) or event.occurred_at <= at)

    taken, refused, following = [], [], {}
    for event in events:
        joined_id = joined_by(event)
        if floors.refuse(event):
            refused.append(Refused(event, Refusal.TOO_OLD))
        elif is_gone(event.profile_id, event):
            refused.append(Refused(event, Refusal.ERASED))
            at = moments[event.profile_id]
            if joined_id is not None and at is not None:
                following[joined_id] = at
        elif joined_id is not None and is_gone(joined_id, event):
            refused.append(Refused(event, Refusal.ERASED))
        else:
            taken.append(event)
    return Sifted(taken, tuple(refused), tuple(following.items()))
