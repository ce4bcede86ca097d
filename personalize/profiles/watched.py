"""Who is to be looked at, since something happened or a moment has come, and in which watched segments they are."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any

import orjson

from personalize.events.event import (
    CLICK,
    CONSENT,
    DERIVED_TYPES,
    IMPRESSION,
    JOIN,
    MARK,
    RETRACT,
    SEEN,
    SEGMENT_ENTERED,
    SEGMENT_LEFT,
    UNDO,
    Event,
    JSONValue,
    to_micros,
)
from personalize.profiles.holding import NOTHING_HELD
from personalize.profiles.organization import is_organization
from personalize.profiles.queue import queued, without_moment
from personalize.profiles.row_replay import RowReplay
from personalize.visitors.arms import is_arm

#: The projection that these rows belong to.
WATCH = "watch"
#: What changes no membership.
_IDLE = frozenset({IMPRESSION, SEEN, CLICK}) | DERIVED_TYPES
#: What may undo a join, or have it done after all, and so change others, too.
_DECIDING = frozenset({CONSENT, JOIN, UNDO, RETRACT, MARK})
#: How many of the profiles that joins tie to one are remembered with it.
PARTNERS_KEPT = 50
_SEGMENT, _NUMBER = "segment", "number"


@dataclass(frozen=True, slots=True)
class Standing:
    """Where somebody stands with a segment: whether they are in it, by its latest change, whose number this is."""

    number: int
    is_in: bool


@dataclass(frozen=True, slots=True)
class Watched:
    """One visitor, as far as segments are watched.

    `due_at_micros` is when to look at them again, in microseconds since 1970, None for never unless something happens.
    `touched` counts what happened, so that what comes while somebody looks is not missed. `partners` are the latest
    profiles that joins tie to this one: what is decided of one may change what the others are.
    """

    due_at_micros: int | None = None
    touched: int = 0
    standings: Mapping[str, Standing] = field(default_factory=lambda: MappingProxyType({}))
    partners: tuple[str, ...] = ()

    @property
    def segments(self) -> frozenset[str]:
        """The segments that they are in, by what was recorded last."""
        return frozenset(one for one, standing in self.standings.items() if standing.is_in)


def change_of(segment_id: str, number: int) -> dict[str, JSONValue]:
    """The properties of the event that says that somebody has entered or left a segment: their `number`-th change."""
    return {_SEGMENT: segment_id, _NUMBER: number}


def change_told(event: Event) -> tuple[str, JSONValue] | None:
    """The segment that such an event tells of, and which change of it."""
    segment_id = segment_of(event)
    return None if segment_id is None else (segment_id, event.properties.get(_NUMBER))


def segment_of(event: Event) -> str | None:
    """The segment that such an event tells of."""
    found = event.properties.get(_SEGMENT)
    return found if event.type in (SEGMENT_ENTERED, SEGMENT_LEFT) and isinstance(found, str) else None


class WatchProjector:
    """Keeps one `Watched` per profile id: whatever happens to a visitor makes them due at once."""

    name = WATCH
    holding = NOTHING_HELD

    def reads(self, event: Event, rows: Mapping[str, Watched | None]) -> tuple[str, ...]:
        """The rows of those whose memberships the event may change, or tells of."""
        if segment_of(event) is not None:
            return (event.profile_id,)
        return () if event.type in _IDLE else _about(event, rows)

    def project(self, event: Event, rows: Mapping[str, Watched | None]) -> Mapping[str, Watched]:
        """Those rows after the event."""
        segment_id = segment_of(event)
        if segment_id is not None:
            row = rows.get(event.profile_id) or Watched()
            return {event.profile_id: _with_change(row, segment_id, event)}
        if event.type in _IDLE:
            return {}
        at = to_micros(event.received_at)
        touched = {key: _touched(rows.get(key) or Watched(), at) for key in _about(event, rows)}
        return _with_partners(touched, event) if event.type == JOIN else touched

    def replay(self, key: str) -> RowReplay[Watched]:
        """The row of a visitor whose history has lost something: they are to be looked at, and where they stand is
        what is left of it."""
        return RowReplay(key, _after_loss)

    def encode(self, row: Watched) -> bytes:
        """The row as bytes that sort by when it is due."""
        standings = {one: [standing.number, int(standing.is_in)] for one, standing in row.standings.items()}
        return queued(row.due_at_micros, orjson.dumps([row.touched, standings, row.partners]))

    def decode(self, data: bytes) -> Watched:
        """The row that `encode` wrote."""
        due_at_micros, rest = without_moment(data)
        touched, standings, partners = orjson.loads(rest)
        found = {one: _standing(stored) for one, stored in standings.items()}
        return Watched(due_at_micros, touched, found, tuple(partners))


def _standing(stored: list[Any]) -> Standing:
    return Standing(stored[0], bool(stored[1]))


def _about(event: Event, rows: Mapping[str, Watched | None]) -> tuple[str, ...]:
    """Whose memberships an event may change: its own profile's, that of a browser which joins it, and those of all that
    joins hold together with these, where the event may undo a join."""
    if is_organization(event.profile_id) or is_arm(event.profile_id):
        return ()
    joined = _joining(event)
    found = dict.fromkeys((event.profile_id,) if joined is None else (event.profile_id, joined))
    if event.type in _DECIDING:
        waiting = list(found)
        while waiting:
            row = rows.get(waiting.pop())
            others = [one for one in (() if row is None else row.partners) if one not in found]
            found |= dict.fromkeys(others)
            waiting += others
    return tuple(found)


def _joining(event: Event) -> str | None:
    joined = event.properties.get("from") if event.type in (JOIN, UNDO) else None
    return joined if isinstance(joined, str) else None


def _with_partners(touched: Mapping[str, Watched], event: Event) -> Mapping[str, Watched]:
    joined = _joining(event)
    if joined is None or joined == event.profile_id:
        return touched
    pairs = {event.profile_id: joined, joined: event.profile_id}
    return {key: _tied(row, pairs[key]) if key in pairs else row for key, row in touched.items()}


def _tied(row: Watched, partner: str) -> Watched:
    others = [one for one in row.partners if one != partner]
    return replace(row, partners=(*others, partner)[-PARTNERS_KEPT:])


def _touched(row: Watched, at_micros: int) -> Watched:
    due_at = at_micros if row.due_at_micros is None else min(row.due_at_micros, at_micros)
    return replace(row, due_at_micros=due_at, touched=row.touched + 1)


def _after_loss(row: Watched | None, events: Sequence[Event]) -> Watched | None:
    if row is None or not events:
        return None
    left = Watched(touched=row.touched, partners=row.partners)
    for event in events:
        if (segment_id := segment_of(event)) is not None:
            left = _with_change(left, segment_id, event)
    return _touched(left, to_micros(events[-1].received_at))


def _with_change(row: Watched, segment_id: str, event: Event) -> Watched:
    """The row after a change, which follows the one before it: anything else is an old one, told again. Those before
    the first may have grown too old to be there."""
    number, is_in = event.properties.get(_NUMBER), event.type == SEGMENT_ENTERED
    before = row.standings.get(segment_id)
    if not isinstance(number, int) or (before is not None and (number != before.number + 1 or before.is_in is is_in)):
        return row
    return replace(row, standings={**row.standings, segment_id: Standing(number, is_in)})
