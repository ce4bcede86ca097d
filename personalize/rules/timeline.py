"""The moments around the present one, to find the nearest at which the clock answers otherwise."""

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta

_QUARTER = timedelta(minutes=15)
_FINEST = timedelta(microseconds=1)
#: Steps away from the present, and how far each goes: windows of a quarter of an hour are met within eight days.
_LADDER = (
    (_QUARTER, timedelta(days=8)),
    (timedelta(hours=1), timedelta(days=60)),
    (timedelta(hours=6), timedelta(days=400)),
)


class Timeline:
    """The moments around one that is now."""

    def __init__(self, now: datetime) -> None:
        self._now = now
        self._steps = {forward: tuple(_steps(now, 1 if forward else -1)) for forward in (True, False)}

    def nearest(
        self, holds: Callable[[datetime], bool], known: frozenset[datetime], *, turns_only_there: bool = False
    ) -> datetime | None:
        """The nearest moment to come at which this holds, else the nearest in the past, else None.

        `known` are moments at which it may begin or end, however far away; no others, where it `turns_only_there`.
        Exact to the microsecond where what holds goes on for a quarter of an hour; what holds more shortly than that,
        or a year away, may be missed.
        """
        for forward in (True, False):
            found = self._nearest(holds, self._in_order(known, turns_only_there, forward=forward))
            if found is not None:
                return found
        return None

    def _nearest(self, holds: Callable[[datetime], bool], moments: Sequence[datetime]) -> datetime | None:
        before = self._now
        for moment in moments:
            if holds(moment):
                return _edge(holds, before, moment)
            before = moment
        return None

    def _in_order(self, known: frozenset[datetime], turns_only_there: bool, *, forward: bool) -> Sequence[datetime]:
        steps = () if turns_only_there else self._steps[forward]
        if not known:
            return steps
        near = {moment + number * _FINEST for moment in known for number in (-1, 0, 1)}
        around = near if turns_only_there else near.union(_around(known))
        on_side = {moment for moment in around if moment != self._now and (moment > self._now) == forward}
        return sorted(on_side.union(steps), reverse=not forward)


def _steps(now: datetime, sign: int) -> Iterator[datetime]:
    """Moments further and further away, on full quarters of an hour."""
    since_quarter = timedelta(minutes=now.minute % 15, seconds=now.second, microseconds=now.microsecond)
    start = now - since_quarter
    if sign < 0 and since_quarter:
        yield start
    reached = timedelta()
    for step, end in _LADDER:
        while reached < end:
            reached += step
            yield start + sign * reached


def _around(known: frozenset[datetime]) -> Iterator[datetime]:
    """The eight days around each known moment."""
    step, end = _LADDER[0]
    for moment in known:
        yield from (moment + number * step for number in range(-(end // step), end // step))


def _edge(holds: Callable[[datetime], bool], outside: datetime, inside: datetime) -> datetime:
    """The moment at which it begins to hold, between one at which it doesn't and one at which it does."""
    while abs(inside - outside) > _FINEST:
        middle = outside + (inside - outside) / 2
        if holds(middle):
            inside = middle
        else:
            outside = middle
    return inside
