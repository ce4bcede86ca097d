"""The moments that tell questions about now apart: of the clock, the calendar, and the windows of rules."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from functools import lru_cache
from itertools import pairwise

from personalize.rules.conditions import Leaf
from personalize.rules.days import Days, Span
from personalize.rules.misses.turns import clocks_of
from personalize.rules.proof.samples import SOME_MOMENT, arguments, is_plain
from personalize.rules.window import Window

_DAY = timedelta(days=1)
#: All months lie in so many days.
_A_YEAR = timedelta(days=370)
_FAR = timedelta(days=300_000)
#: The words whose questions about now these moments tell apart.
MOMENT_WORDS = frozenset(
    {"is", "one_of", "at_least", "more_than", "at_most", "less_than", "between", "before", "after"}
) | {"on", "exists", "when"}


def moment_samples(leaves: Sequence[Leaf], zone: tzinfo) -> list[datetime] | None:
    """Moments, in UTC, that tell these questions about now apart; None where some are too far off to be told.

    The limits that questions name cut time into stretches. In each one stand all days of the week, all months, and
    all parts of the day that any question tells apart, as far as the stretch is long enough for them.
    """
    leaves = [leaf for leaf in leaves if is_plain(leaf) or isinstance(leaf.argument, Days)]
    windows = [leaf.argument for leaf in leaves if isinstance(leaf.argument, Window)]
    cuts = sorted({*_limits(windows, zone), *_midnights(leaves, zone)})
    if any(abs(cut - SOME_MOMENT) > _FAR for cut in cuts):
        return None
    days = _Days.asked(leaves, windows)
    clocks = sorted({clock for leaf in leaves for clock in clocks_of(leaf)})
    has_parts = any(leaf.fact.key == "time" for leaf in leaves)
    early, late = min(cuts, default=SOME_MOMENT), max(cuts, default=SOME_MOMENT)
    found: list[datetime] = []
    for begin, end in pairwise([early - days.reach, *cuts, late + days.reach]):
        found.append(begin)
        if days.weekdays or days.months or days.called or clocks:
            found += _inside(begin, end, days.of(begin, end, zone), clocks, zone, has_parts=has_parts)
    return list(dict.fromkeys(found))


#: In so many days each date falls on each day of the week; 29 February does in so many.
_ROUND, _LEAP_ROUND = 12 * 366, 28 * 366


@dataclass(frozen=True, slots=True)
class _Days:
    """Which days questions tell apart: by the day of the week, by the month, and by words that they are called."""

    weekdays: bool
    months: bool
    called: tuple[Days, ...] = ()

    @classmethod
    def asked(cls, leaves: Iterable[Leaf], windows: Iterable[Window]) -> "_Days":
        keys = {leaf.fact.key for leaf in leaves}
        called = {leaf.argument: None for leaf in leaves if isinstance(leaf.argument, Days)}
        called |= {days: None for window in windows for days in window.on}
        by_week = "weekday" in keys or any(window.weekdays for window in windows)
        return cls(by_week, "month" in keys, tuple(called))

    def of(self, begin: datetime, end: datetime, zone: tzinfo) -> list[date]:
        """Days of a stretch among which stand all that are told apart; all of a short one."""
        first, last = begin.astimezone(zone).date(), end.astimezone(zone).date()
        if self.called:
            return self._one_of_each(first, last)
        near = 7 if self.weekdays else 1
        if (last - first).days <= near + 1:
            return [first + step * _DAY for step in range((last - first).days + 1)]
        found = [first + step * _DAY for step in range(1, near + 1)]
        if self.months:
            span = [first + step * _DAY for step in range(min((last - first).days, _A_YEAR.days) + 1)]
            found += [
                first,
                *(day for day in span if day.day <= near),
                *(last - step * _DAY for step in range(near + 1)),
            ]
        return list(dict.fromkeys(found))

    @property
    def reach(self) -> timedelta:
        """How far before and behind all limits every day that is told apart has come."""
        if not self.called:
            return 2 * _A_YEAR
        is_leap = any(word in days.text for days in self.called for word in ("29", "february", "fifth", "day"))
        return (_LEAP_ROUND if is_leap else _ROUND) * _DAY

    def _one_of_each(self, first: date, last: date) -> list[date]:
        """A day for each way in which a day and the one before it are told from others, the first and last ones too:
        what a night is part of, the evening before says."""
        found: dict[object, date] = {}
        before: object = None
        for step in range(min((last - first).days, self.reach // _DAY) + 1):
            day = first + step * _DAY
            called = [_places(days, day.year)[day.timetuple().tm_yday - 1] for days in self.called]
            told = (*called, day.weekday() if self.weekdays else 0, day.month if self.months else 0)
            found.setdefault((before, told), day)
            before = told
        return [*found.values(), *(last - step * _DAY for step in range(2) if last > first)]


@lru_cache(maxsize=1_024)
def _places(days: Days, year: int) -> tuple[int, ...]:
    """Where each day of a year lies to some days: before, among or behind them, or there are none."""
    first = date(year, 1, 1)
    return tuple(
        _place(days.span(day), day) for day in (first + step * _DAY for step in range(366)) if day.year == year
    )


def _place(span: Span | None, day: date) -> int:
    return 2 if span is None else (day > span[1]) - (day < span[0])


def _limits(windows: Iterable[Window], zone: tzinfo) -> Iterator[datetime]:
    for window in windows:
        yield from window.bounds(SOME_MOMENT.astimezone(zone))


def _midnights(leaves: Iterable[Leaf], zone: tzinfo) -> Iterator[datetime]:
    """When the days that questions name begin and end."""
    days = arguments((leaf for leaf in leaves if leaf.fact.key == "date"), *MOMENT_WORDS - {"exists", "when"})
    for day in days:
        if isinstance(day, date) and date.min < day < date.max - _DAY:
            yield from (datetime.combine(one, time(), zone).astimezone(UTC) for one in (day, day + _DAY))


def _inside(
    begin: datetime, end: datetime, days: Iterable[date], clocks: Sequence[timedelta], zone: tzinfo, *, has_parts: bool
) -> Iterator[datetime]:
    """On each day when its parts begin and, where that may make a difference, a moment within each part."""
    edges = [moment.astimezone(zone) for moment in (begin, end)]
    for day in days:
        own = {_clock_of(edge) for edge in edges if edge.date() == day}
        for low, high in pairwise([*sorted({timedelta(), *clocks, *own}), _DAY]):
            for clock in (low, low + (high - low) / 2) if has_parts else (low,):
                moment = (datetime.combine(day, time(), zone) + clock).astimezone(UTC)
                if begin <= moment < end:
                    yield moment


def _clock_of(local: datetime) -> timedelta:
    return timedelta(hours=local.hour, minutes=local.minute, seconds=local.second, microseconds=local.microsecond)
