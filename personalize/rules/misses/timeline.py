"""The time around the present moment, cut where answers turn, to find the nearest at which all are as wanted.

For each question the spans in which it is answered so are worked out once, and kept; several questions are answered
so where their spans have something in common.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, time, timedelta, tzinfo
from typing import TypeAlias

from personalize.rules.misses.turns import Turns
from personalize.rules.misses.ways import Wanted

#: From a moment on, and up to another one that is not included.
Span: TypeAlias = tuple[datetime, datetime]

_DAY = timedelta(days=1)
_FINEST = timedelta(microseconds=1)
#: How far from the present clocks are looked at, week by week; beyond, only around moments that turn something.
_FURTHEST = timedelta(days=406)
_WEEK = timedelta(days=7)
#: What does not come in so many weeks never does: in one of them a clock may be put forward, and leave hours out.
_ENOUGH_WEEKS = 2
_AROUND = timedelta(days=8)
#: Nobody plans or remembers further.
_FAR = timedelta(days=300_000)
_EVER = (datetime(2, 1, 1, tzinfo=UTC), datetime(9998, 1, 1, tzinfo=UTC))


class Timeline:
    """The time around one moment that is now; `is_answered` says whether a question is answered as wanted at any."""

    def __init__(self, now: datetime, is_answered: Callable[[Wanted, datetime], bool]) -> None:
        self._now = now
        self._is_answered = is_answered
        self._spans: dict[tuple[Wanted, Span], list[Span]] = {}
        self._ticks: dict[tuple[tzinfo, frozenset[timedelta], Span], list[datetime]] = {}

    def nearest(self, asked: Mapping[Wanted, Turns]) -> datetime | None:
        """The nearest moment to come at which all of these are answered as wanted, else the nearest in the past, else
        None. By a clock, what begins more than a year away is found within eight days of a moment that turns one."""
        by_clock = {wanted: turns for wanted, turns in asked.items() if turns.clocks}
        left = self._common({wanted: turns for wanted, turns in asked.items() if not turns.clocks}, [_EVER])
        if not left:
            return None
        far = [at for turns in asked.values() for at in turns.moments if _FURTHEST < abs(at - self._now) < _FAR]
        weeks = _ENOUGH_WEEKS if by_clock and all(turns.weekly for turns in by_clock.values()) else None
        for sign in (1, -1):
            for stretch in self._stretches(far, sign) if by_clock else self._halves(sign):
                within = list(_both([stretch], left))
                found = self._common(by_clock, within, stretch) if within else within
                if found:
                    return found[0][0] if sign > 0 else found[-1][1] - _FINEST
                if weeks is not None and within == [stretch]:
                    weeks -= 1
                    if not weeks:
                        return None
        return None

    def _halves(self, sign: int) -> Iterator[Span]:
        yield (self._now, _EVER[1]) if sign > 0 else (_EVER[0], self._now)

    def _stretches(self, far: Sequence[datetime], sign: int) -> Iterator[Span]:
        """Stretches of time away from the present, the nearest first."""
        for week in range(_FURTHEST // _WEEK):
            first, last = sorted((self._now + sign * week * _WEEK, self._now + sign * (week + 1) * _WEEK))
            yield first, last
        for at in sorted(far, key=lambda at: abs(at - self._now)):
            if (at > self._now) == (sign > 0):
                yield at - _AROUND, at + _AROUND

    def _common(self, asked: Mapping[Wanted, Turns], found: list[Span], stretch: Span = _EVER) -> list[Span]:
        """Of some spans of a stretch, what is answered as wanted by all."""
        for wanted, turns in asked.items():
            if not found:
                break
            if (wanted, stretch) not in self._spans:
                self._spans[wanted, stretch] = list(self._answered(wanted, turns, stretch))
            found = list(_both(found, self._spans[wanted, stretch]))
        return found

    def _answered(self, wanted: Wanted, turns: Turns, stretch: Span) -> Iterator[Span]:
        """The spans of a stretch in which one question is answered as wanted; neighbours are one."""
        first, last = stretch
        cuts = {first, *(at for at in turns.moments if first < at < last)}
        if turns.clocks:
            cuts.update(self._ticks_of(turns, stretch))
        begun: datetime | None = None
        for at in sorted(cuts):
            if not self._is_answered(wanted, at):
                if begun is not None:
                    yield begun, at
                begun = None
            elif begun is None:
                begun = at
        if begun is not None:
            yield begun, last

    def _ticks_of(self, turns: Turns, stretch: Span) -> list[datetime]:
        """When the clock of a zone shows one of some times, or jumps."""
        key = (turns.zone, turns.clocks, stretch)
        if key not in self._ticks:
            first, last = stretch
            self._ticks[key] = [at for at in _ticks(turns.zone, turns.clocks, stretch) if first < at < last]
        return self._ticks[key]


def _both(one: Iterable[Span], other: Iterable[Span]) -> Iterator[Span]:
    """What spans in their order have in common with others."""
    ones, others = iter(one), iter(other)
    left, right = next(ones, None), next(others, None)
    while left is not None and right is not None:
        begin, end = max(left[0], right[0]), min(left[1], right[1])
        if begin < end:
            yield begin, end
        if left[1] <= right[1]:
            left = next(ones, None)
        else:
            right = next(others, None)


def _ticks(zone: tzinfo, clocks: Iterable[timedelta], stretch: Span) -> Iterator[datetime]:
    """When the clock of a zone shows one of these times, twice where it is put back; and when it is put at all."""
    times = [(datetime.min + clock).time() for clock in clocks]
    day, last = (at.astimezone(zone).date() for at in stretch)
    before = None
    while day <= last:
        midnight = datetime.combine(day, time(), zone)
        offset = midnight.utcoffset()
        is_put = before is not None and offset != before
        for clock in times:
            shown = datetime.combine(day, clock, zone)
            yield shown.astimezone(UTC)
            if shown.utcoffset() != offset:
                is_put = True
            yield shown.replace(fold=1).astimezone(UTC)
        if is_put:
            yield from _put(zone, midnight.astimezone(UTC) - _DAY, midnight.astimezone(UTC) + 2 * _DAY)
        before = offset
        day += _DAY


def _put(zone: tzinfo, begin: datetime, end: datetime) -> Iterator[datetime]:
    """The first moment at which the clock goes otherwise than at the beginning."""
    offset = begin.astimezone(zone).utcoffset()
    if end.astimezone(zone).utcoffset() == offset:
        return
    while end - begin > _FINEST:
        middle = begin + (end - begin) / 2
        if middle.astimezone(zone).utcoffset() == offset:
            begin = middle
        else:
            end = middle
    yield end
