"""When the clock alone may change what a condition answers: the moments and times of day to look out for."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from functools import reduce

from personalize.rules.conditions import Leaf
from personalize.rules.facts import PAIR_ROOT, Fact
from personalize.rules.now_facts import NOW
from personalize.rules.window import Window

_DAY = timedelta(days=1)
_SECOND = timedelta(seconds=1)
_FINEST = timedelta(microseconds=1)
_MIDNIGHT = timedelta()
#: Bounds are told to somebody in a zone, at whatever moment.
_SOME_MOMENT = datetime(2026, 1, 1, tzinfo=UTC)
_HOURS = frozenset(timedelta(hours=hour) for hour in range(24))
#: Operators that are asked how long ago something is.
_AGES = frozenset({"within", "older_than", "did"})


@dataclass(frozen=True, slots=True)
class ClockEdges:
    """The only moments at which the clock may change some answers.

    `moments` come once, `clocks` are times of day, as time since midnight. Where it can't be told when, or is too
    often to be worth telling, it is `always`.
    """

    moments: frozenset[datetime] = frozenset()
    clocks: frozenset[timedelta] = frozenset()
    always: bool = False

    def __or__(self, other: "ClockEdges") -> "ClockEdges":
        return ClockEdges(self.moments | other.moments, self.clocks | other.clocks, self.always or other.always)

    def next_after(self, now: datetime, zone: tzinfo) -> datetime | None:
        """The first moment after now at which an answer may change, by the clock of a zone; None where none ever will.

        Until then no answer changes. At that moment none has to: what comes is a time to look again. It is now itself
        where answers may change at any moment.
        """
        if self.always:
            return now
        coming = [moment for moment in self.moments if moment > now]
        if self.clocks:
            coming.append(_next_clock(self.clocks, now, zone))
        return min(coming, default=None)


NEVER = ClockEdges()


def edges_of(leaves: Iterable[Leaf], zone: tzinfo) -> ClockEdges:
    """When the clock may change what any of these questions answers, on a site of this zone."""
    return reduce(ClockEdges.__or__, (_of_leaf(leaf, zone) for leaf in leaves), NEVER)


def _of_leaf(leaf: Leaf, zone: tzinfo) -> ClockEdges:
    if isinstance(leaf.argument, Window):
        return _of_window(leaf.argument, zone)
    found = NEVER
    if leaf.uses_now:
        found |= ClockEdges(clocks=frozenset({_MIDNIGHT}), always=leaf.word in _AGES)
    is_pair = leaf.fact.root == PAIR_ROOT
    for fact in leaf.fact.parts if is_pair else (leaf.fact,):
        if fact.root == NOW:
            found |= _of_fact(fact, None if is_pair else leaf)
    return found


def _of_window(window: Window, zone: tzinfo) -> ClockEdges:
    has_days = bool(window.weekdays or window.on)
    clocks = frozenset(window.hours or ()) | (frozenset({_MIDNIGHT}) if has_days or window.hours else frozenset())
    return ClockEdges(frozenset(window.bounds(_SOME_MOMENT.astimezone(zone))), clocks)


def _of_fact(fact: Fact, leaf: Leaf | None) -> ClockEdges:
    """When a fact of the moment changes; of the time of day only where the question about it minds."""
    match fact.key:
        case "hour":
            return ClockEdges(clocks=_HOURS)
        case "time":
            cuts = leaf.cuts() if leaf is not None else None
            if cuts is None:
                return ClockEdges(always=True)
            return ClockEdges(clocks=frozenset({_MIDNIGHT, *cuts.before, *(point + _SECOND for point in cuts.after)}))
    return ClockEdges(clocks=frozenset({_MIDNIGHT}))


def _next_clock(clocks: Iterable[timedelta], now: datetime, zone: tzinfo) -> datetime:
    """When a clock on the wall next shows one of these times, or is put forward or back before."""
    today = now.astimezone(zone).date()
    first = min(at for clock in clocks for day in (today, today + _DAY) for at in _shown(day, clock, zone) if at > now)
    if now.astimezone(zone).utcoffset() == first.astimezone(zone).utcoffset():
        return first
    return _clock_change(now, first, zone)


def _shown(day: date, clock: timedelta, zone: tzinfo) -> Iterator[datetime]:
    """The moments at which a clock shows this time of a day; where it is put back, there may be two."""
    local = datetime.combine(day, time()) + clock
    for fold in (0, 1):
        yield local.replace(tzinfo=zone, fold=fold).astimezone(UTC)


def _clock_change(before: datetime, after: datetime, zone: tzinfo) -> datetime:
    """When the zone's clock is changed between two moments."""
    offset = before.astimezone(zone).utcoffset()
    while after - before > _FINEST:
        middle = before + (after - before) / 2
        if middle.astimezone(zone).utcoffset() == offset:
            before = middle
        else:
            after = middle
    return after
