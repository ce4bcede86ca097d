"""Days and moments that tell questions apart of which some are in words, such as `this week` or `30 days ago`.

What words mean depends on the day that is today, so a sample is a day beside a today. Days that questions name cut the
calendar into stretches. In one that is long, all that words can say of a day comes up within 28 years, when each date
has fallen on each day of the week; of one that is short, each today is looked at from which words reach into it.
"""

import calendar
import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from functools import cached_property, lru_cache
from itertools import chain, product
from typing import TypeAlias

from personalize.rules.conditions import Leaf
from personalize.rules.days import Days, in_year
from personalize.rules.facts import FactType
from personalize.rules.proof.samples import SOME_MOMENT, Sample, arguments

#: The words of questions about days and moments that these samples tell apart.
DAY_WORDS = frozenset({"on", "anniversary", "is", "one_of", "between", "before", "after", "within", "older_than"})
#: Days are counted, as `date.toordinal` does.
Ends: TypeAlias = tuple[int | None, ...]

_DAY, _TICK = timedelta(days=1), timedelta(microseconds=1)
_FIRST = SOME_MOMENT.date().toordinal()
#: In so many days all days of the week fall on all days of the year; leap years go by 28, until 2100.
_ROUND = 28 * 365 + 7
_A_YEAR = 366
#: Days from about the years 1200 to 2800 can be told from any other that is some decades away.
_FAR = 300_000
#: Words that count days and weeks alone mean as many days whatever day it is, but for the day of the week.
_BY_DAYS = re.compile(r"today|yesterday|tomorrow|(this|last|next) week|today ± .*|.*[0-9]+ (day|week)s?( ago)?")
_NAMED_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_BY_THE_DAY = re.compile(r"today|yesterday|tomorrow|week|ago|^in |^(last|next) [0-9]|±")
#: Days that are as near have no more than one anniversary of a day among them.
_MOST_OF_A_YEAR = 150
_ASIDE = (-1, 0, 1)
#: A stretch of more days, of which each has anniversaries of its own, is not looked at day by day.
_FEW_DAYS = 3
_MOST_ASKED, _MOST_OF_ALL = 200_000, 300_000


class DayWork:
    """How much may be looked at for the days of a whole site: many questions in many words take their time."""

    __slots__ = ("left", "todays", "turns")

    def __init__(self) -> None:
        self.left = _MOST_OF_ALL
        self.turns: dict[tuple[Days, int], Sequence[int]] = {}
        self.todays: dict[tuple[object, ...], Sequence[tuple[int, Ends]]] = {}


class _TooMuchError(Exception):
    """More would have to be looked at than is worth it."""


def day_samples(type_: FactType, leaves: Sequence[Leaf], zone: tzinfo, work: DayWork) -> list[Sample] | None:
    """A day, or a moment, for each mixture of answers that there is on some day that is today, by the clocks of a zone;
    None where there is too much to look at."""
    looked = _Looked(type_, leaves, zone, work)
    if any(abs(day - _FIRST) > _FAR for day in looked.cuts):
        return None
    try:
        for first, last in _stretches(looked.cuts):
            looked.look(first, last)
    except _TooMuchError:
        return None
    return list(looked.found.values())


def _stretches(days: Sequence[int]) -> Iterator[tuple[int | None, int | None]]:
    """The days that are named, one by one, and those before, between and behind them."""
    before: int | None = None
    for day in days:
        if before is None or before + 1 < day:
            yield (None if before is None else before + 1), day - 1
        yield day, day
        before = day
    yield (None if before is None else before + 1), None


class _Looked:
    """What was found of days and todays so far: a sample for each mixture of answers."""

    def __init__(self, type_: FactType, leaves: Sequence[Leaf], zone: tzinfo, work: DayWork) -> None:
        self._leaves = leaves
        self._zone = zone
        self._is_day = type_ is FactType.DATE
        words = dict.fromkeys(leaf.argument for leaf in leaves if isinstance(leaf.argument, Days))
        self._words = [days for days in words if not _NAMED_DAY.fullmatch(days.text)]
        self._is_yearly = any(leaf.word == "anniversary" for leaf in leaves)
        self._is_direct = any(leaf.word != "anniversary" and isinstance(leaf.argument, Days) for leaf in leaves)
        self._ages = sorted(arguments(leaves, "within", "older_than"))
        named = (leaf for leaf in leaves if not isinstance(leaf.argument, Days))
        self._limits = arguments(named, "is", "one_of", "between", "before", "after")
        named_in_words = (date.fromisoformat(days.text) for days in words if _NAMED_DAY.fullmatch(days.text))
        self.cuts = sorted({self._day_of(limit) for limit in (*self._limits, *named_in_words)})
        self._work, self._spent = work, 0
        self.found: dict[tuple[bool, ...], Sample] = {}

    def look(self, first: int | None, last: int | None) -> None:
        """Look at all that may be so of the days of a stretch."""
        if first is None or last is None or last - first >= _ROUND:
            self._look_anywhere(first, last)
        elif self._is_yearly:
            self._look_at_each(first, last)
        else:
            self._look_around(first, last)

    def _look_anywhere(self, first: int | None, last: int | None) -> None:
        """Look at one long stretch: whatever there is comes up in it after some rounds."""
        for today, ends in self._different:
            for day in {*self._near(ends), *self._born(ends)} or {today}:
                rounds = _rounds_into(day, first, last) * _ROUND
                self._ask(day + rounds, today + rounds)

    def _look_around(self, first: int, last: int) -> None:
        """Look at a short stretch from all todays from which words mean days of it, and from both sides of these."""
        seen = set[object]()
        if any(None in ends for _, ends in self._todays):
            raise _TooMuchError
        for today in self._calendar(first - 2 - self._far[-1], last + 2 - self._far[0]):
            ends = self._ends(today)
            near = (None if end is None else min(max(end, first - 2), last + 2) for end in ends)
            told = (*near, *self._clock(today, ends))
            if told not in seen:
                seen.add(told)
                for day in {first, last, *self._near(ends)}:
                    if first <= day <= last:
                        self._ask(day, today)

    def _look_at_each(self, first: int, last: int) -> None:
        """Look at days of which anniversaries are asked, one by one; a week of them tells all that counts by days."""
        days = range(first, min(last, first + (6 if self._is_weekly else 0 if self._by_days else last)) + 1)
        if self._ages or (not self._by_days and len(days) > _FEW_DAYS):
            raise _TooMuchError
        for day in days:
            seen = set[object]()
            for today in self._todays_of(day):
                ends = self._ends(today)
                beside = tuple(None if end is None else _beside(end, day) for end in ends)
                if beside not in seen:
                    seen.add(beside)
                    self._ask(day, today)

    def _todays_of(self, day: int) -> Iterable[int]:
        """Todays that tell a day and its anniversaries apart from others."""
        if not self._by_days:
            return sorted({turn for days in self._words for turn in self._turns_of(days, day)})
        born = date.fromordinal(day)
        # Within 11 years a day has an anniversary on each day of the week, and within 4 one of a leap year.
        meant = (day, *(_ordinal_in(born, born.year + years) for years in range(1, 12 if self._is_weekly else 5)))
        return [one - far - step for one in meant for far in self._far for step in _ASIDE]

    def _turns_of(self, days: Days, day: int) -> Sequence[int]:
        known = self._work.turns.get((days, day))
        if known is None:
            self._spend(2 * _ROUND)
            known = self._work.turns[days, day] = _turns(days, day)
        return known

    # Todays --------------------------------------------------------------------------------------------

    @cached_property
    def _by_days(self) -> bool:
        """Whether the calendar does not matter, but for the days of the week."""
        if not all(_BY_DAYS.fullmatch(days.text) for days in self._words):
            return False
        ends = [end for today in range(_FIRST, _FIRST + 7) for end in self._ends(today) if end is not None]
        return not self._is_yearly or all(abs(end - _FIRST) < _MOST_OF_A_YEAR for end in ends)

    @cached_property
    def _is_weekly(self) -> bool:
        """Whether days of the week are told apart, and else nothing of the calendar."""
        return self._by_days and len({tuple(end - today for end in ends if end) for today, ends in self._todays}) > 1

    @cached_property
    def _different(self) -> Sequence[tuple[int, Ends]]:
        """Todays from which the days in words lie differently to one another, and those days."""
        seen: dict[object, tuple[int, Ends]] = {}
        for today, ends in self._todays:
            origin = next((end for end in ends if end is not None), 0)
            aside = tuple(None if end is None else end - origin for end in ends)
            seen.setdefault((aside, *self._clock(today, ends)), (today, ends))
        return list(seen.values())

    @cached_property
    def _todays(self) -> Sequence[tuple[int, Ends]]:
        """Todays among which stand all that are told apart, and the days that words mean there."""
        count = (_A_YEAR if self._ages else 7) if self._by_days else _ROUND
        key = (tuple(self._words), tuple(self._ages), count)
        if key not in self._work.todays:
            calendar = self._calendar(_FIRST, _FIRST + count - 1)
            self._work.todays[key] = [(today, self._ends(today)) for today in calendar]
        return self._work.todays[key]

    def _calendar(self, first: int, last: int) -> Iterator[int]:
        """The days from one to another; where words mean the same throughout each month, the first of each."""
        is_monthly = not self._ages and not any(_BY_THE_DAY.search(days.text) for days in self._words)
        day = first
        while day <= last:
            yield day
            day = day - date.fromordinal(day).day + 32 if is_monthly else day + 1
            day = day - date.fromordinal(day).day + 1 if is_monthly else day

    @cached_property
    def _far(self) -> Sequence[int]:
        """How many days behind today the ends of words may lie."""
        return sorted({end - today for today, ends in self._todays for end in ends if end is not None}) or [0]

    def _ends(self, today: int) -> Ends:
        """The first and the last days of all words, and those that are as long ago as questions say."""
        self._spend(len(self._words) + len(self._ages))
        far = chain.from_iterable(_far(days, (today - _FIRST) % _ROUND) for days in self._words)
        ages = (today + step - age // _DAY for age in self._ages for step in (-1, 0))
        return (*(None if days is None else today + days for days in far), *ages)

    def _clock(self, today: int, ends: Ends) -> Iterator[object]:
        """How clocks are moved between now and then, and within these days, where lengths of time are asked for."""
        if self._ages:
            now = self._offset(today)
            yield from (self._offset(day + step) - now for day in (today, *filter(None, ends)) for step in (0, 1))

    def _near(self, ends: Ends) -> Iterator[int]:
        """The days at both sides of each end."""
        yield from (end + step for end in ends if end is not None for step in (-1, 0, 1))

    def _born(self, ends: Ends) -> Iterator[int]:
        """Days whose anniversaries lie there, of about those years and of long ago."""
        if not self._is_yearly:
            return
        near = {date.fromordinal(day) for day in self._near(ends)}
        years = {day.year for day in near}
        beside = {year + step for year in years for step in (-1, 0, 1)} if self._is_direct else years
        for day, year in product(near, {*beside, min(years) - 28}):
            yield _ordinal_in(day, year)
            if (day.month, day.day) == (2, 28) and calendar.isleap(year):
                yield _ordinal_in(day, year) + 1

    # Samples -------------------------------------------------------------------------------------------

    def _ask(self, day: int, today: int) -> None:
        """Note what is answered of a day, or of its moments, today."""
        for value, now in self._moments(day, today):
            self._spend(len(self._leaves))
            self.found.setdefault(tuple(leaf.holds(value, now) for leaf in self._leaves), Sample(value, now))

    def _spend(self, steps: int) -> None:
        self._spent += steps
        self._work.left -= steps
        if self._spent > _MOST_ASKED or self._work.left < 0:
            raise _TooMuchError

    def _moments(self, day: int, today: int) -> Iterator[tuple[date | datetime, datetime]]:
        noon = datetime.combine(date.fromordinal(today), time(12), self._zone)
        if self._is_day:
            yield date.fromordinal(day), noon
            return
        begin, end = self._begin(day), self._begin(day + 1) - _TICK
        limits = {limit + step for limit in self._limits for step in (-_TICK, timedelta(), _TICK)}
        for value in (begin, end, *(limit for limit in limits if begin <= limit <= end)):
            turns = (value + age + step for age in self._ages for step in (timedelta(), _TICK))
            nows = (self._begin(today), *turns, self._begin(today + 1) - _TICK) if self._ages else (noon,)
            yield from ((value, now.astimezone(self._zone)) for now in nows if self._day_of(now) == today)

    def _offset(self, day: int) -> timedelta:
        found = datetime.combine(date.fromordinal(day), time(), self._zone).utcoffset()
        assert found is not None
        return found

    def _begin(self, day: int) -> datetime:
        return datetime.combine(date.fromordinal(day), time(), self._zone).astimezone(UTC)

    def _day_of(self, limit: date | datetime) -> int:
        return (limit.astimezone(self._zone) if isinstance(limit, datetime) else limit).toordinal()


@lru_cache(maxsize=2**15)
def _far(days: Days, place: int) -> tuple[int, int] | tuple[None, None]:
    """How far from a day the first and the last of some days lie, by the place of that day in a round."""
    today = date.fromordinal(_FIRST + place)
    span = days.span(today)
    return (None, None) if span is None else ((span[0] - today).days, (span[1] - today).days)


def _turns(days: Days, day: int) -> Sequence[int]:
    """The todays from which some days lie differently to a day and its anniversaries than from the day before."""
    far = [distance for place in range(_ROUND) for distance in _far(days, place) if distance is not None]
    found, before = [], None
    for today in range(day - 2 - max(far), day + _ROUND + 2 * _A_YEAR - min(far)):
        ends = _far(days, (today - _FIRST) % _ROUND)
        told = [None if end is None else _beside(today + end, day) for end in ends]
        if told != before:
            found.append(today)
            before = told
    return found


def _rounds_into(day: int, first: int | None, last: int | None) -> int:
    """So many rounds of the calendar further a day lies in a stretch."""
    if first is not None and day < first:
        return -((day - first) // _ROUND)
    return -((day - last + _ROUND - 1) // _ROUND) if last is not None and day > last else 0


def _ordinal_in(day: date, year: int) -> int:
    return in_year(day, year).toordinal()


def _beside(end: int, day: int) -> tuple[int, int, int]:
    """Where an end lies to a day, and to its anniversary of the same year."""
    born, year = date.fromordinal(day), date.fromordinal(end).year
    near = min(max(end - day, -2), 2)
    return near, min(max(year - born.year, -1), 2), min(max(end - _ordinal_in(born, year), -2), 2)
