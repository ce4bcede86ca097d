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

    def nearest(self, holds: Callable[[datetime], bool], known: frozenset[datetime]) -> list[datetime]:
        """The nearest moment after now and the nearest before it at which this holds, where they are found.

        `known` are moments at which it may begin or end, however far away. Exact to the microsecond where what holds
        goes on for a quarter of an hour; what holds more shortly than that, or a year away, may be missed.
        """
        found = (self._nearest(holds, known, forward=forward) for forward in (True, False))
        return [moment for moment in found if moment is not None]

    def _nearest(
        self, holds: Callable[[datetime], bool], known: frozenset[datetime], *, forward: bool
    ) -> datetime | None:
        before = self._now
        for moment in self._in_order(known, forward=forward):
            if holds(moment):
                return _edge(holds, before, moment)
            before = moment
        return None

    def _in_order(self, known: frozenset[datetime], *, forward: bool) -> Sequence[datetime]:
        if not known:
            return self._steps[forward]
        around = {moment for moment in _around(known) if moment != self._now and (moment > self._now) == forward}
        return sorted(around.union(self._steps[forward]), reverse=not forward)


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
    """Known moments, the ones next to them, and the eight days around each."""
    step, end = _LADDER[0]
    for moment in known:
        yield from (moment - _FINEST, moment, moment + _FINEST)
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
