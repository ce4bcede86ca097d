"""Days in words: `today`, `this week`, `30 days ago`, `first monday of the month`. Which they are depends on today.

Weeks begin on Monday. Months and years are counted by the calendar: a month after 31 January is the last of February.
"""

import calendar
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache
from typing import TypeAlias

from personalize.problems import did_you_mean, quoted

#: The first and the last of some days in a row, both included.
Span: TypeAlias = tuple[date, date]

MONTH_NAMES = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)
DAY_NAMES = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_MONTHS = tuple(map(str.lower, MONTH_NAMES))
_WEEKDAYS = tuple(map(str.lower, DAY_NAMES))
_NAMES = re.compile(rf"\b({'|'.join((*_MONTHS, *_WEEKDAYS))})\b")
_AROUND = re.compile(r"(.+) ± (.+)")
_ORDINALS = {"first": 0, "second": 1, "third": 2, "fourth": 3, "fifth": 4, "last": -1}
_FULL = {name[:3]: name for name in (*_MONTHS, *_WEEKDAYS)}
#: How many of each unit come to 100 years, the furthest that a day may lie away.
_MOST = {"day": 36_525, "week": 5_218, "month": 1_200, "year": 100}
_DAY = timedelta(days=1)
_EXAMPLES = (
    "today",
    "yesterday",
    "tomorrow",
    "30 days ago",
    "in 2 weeks",
    "this week",
    "last month",
    "next year",
    "last 7 days",
    "next 7 days",
    "first day of the month",
    "first monday of the month",
    "day 15 of the month",
    "24 december",
    "december",
    "today ± 3 days",
)


@dataclass(frozen=True, slots=True)
class Days:
    """One day, or some in a row, in the words that `read_days` has made sure of."""

    text: str

    def span(self, today: date) -> Span | None:
        """Which days they are today; None where there are none, as there is not always a fifth Monday."""
        return _span(self.text, today)

    def __str__(self) -> str:
        """The words behind "before" and "after", as in: before the first Monday of the month."""
        text = _NAMES.sub(lambda name: name[0].capitalize(), self.text)
        return f"the {text}" if self.text.split()[0] in _ORDINALS and " of " in self.text else text

    @property
    def said(self) -> str:
        """The words behind "is", as in: purchase.last is on the first Monday of the month."""
        if (around := _AROUND.fullmatch(str(self))) is not None:
            return f"within {around[2]} of {around[1]}"
        first = self.text.split()[0]
        is_named = str(self) != self.text or first[0].isdigit() or first == "day" or first in _MONTHS
        before = "in" if self.text in _MONTHS else "on"
        return f"{before} {self}" if is_named and not self.text.endswith(" ago") else str(self)


def read_days(text: str) -> Days:
    """The days that a text names, such as `this week` or `2026-12-24`.

    Raises ValueError with a sentence for the author.
    """
    plain = re.sub(r" *(?:±|\+/-|\+-) *", " ± ", text.lower())
    plain = " ".join(_FULL.get(word, word) for word in plain.split())
    form = _form_of(plain)
    if form is None:
        guess = did_you_mean(plain, _EXAMPLES)
        raise ValueError(f"{quoted(text)} is not a day, or days, that we know{f'; {guess}' if guess else ''}")
    for count, unit in _COUNTED.findall(plain):
        if int(count) > _MOST[unit]:
            raise ValueError(f"{quoted(text)} is more than 100 years away")
    if not plain.startswith("fifth") and _span(plain, _LEAP_YEAR) is None:
        raise ValueError(f"{quoted(text)} is not a day of the calendar")
    return Days(plain)


def anniversary_in(day: date, span: Span) -> bool:
    """Whether an anniversary of the day lies in the span. That of 29 February is 28 February in common years; the day
    itself is none."""
    first, last = span
    return any(first <= in_year(day, year) <= last for year in range(max(first.year, day.year + 1), last.year + 1))


def in_year(day: date, year: int) -> date:
    """The day that a day of the calendar is in a year: 28 February for 29 February where there is none."""
    return date(year, day.month, min(day.day, calendar.monthrange(year, day.month)[1]))


# The forms ---------------------------------------------------------------------------------------------


def _moved(today: date, count: int, unit: str) -> date:
    if unit in ("day", "week"):
        return today + timedelta(**{f"{unit}s": count})
    months = today.year * 12 + today.month - 1 + count * (12 if unit == "year" else 1)
    year, month = divmod(months, 12)
    return date(year, month + 1, min(today.day, calendar.monthrange(year, month + 1)[1]))


def _single(day: date) -> Span:
    return (day, day)


def _period(today: date, which: str) -> Span:
    """The days of `this week`, `the month`, `next year`, `december`."""
    if which in _MONTHS:
        return _month(today.year, _MONTHS.index(which) + 1)
    word, _, unit = which.partition(" ")
    day = _moved(today, {"last": -1, "next": 1}.get(word, 0), unit)
    match unit:
        case "week":
            monday = day - timedelta(days=day.weekday())
            return (monday, monday + timedelta(days=6))
        case "month":
            return _month(day.year, day.month)
    return (date(day.year, 1, 1), date(day.year, 12, 31))


def _month(year: int, month: int) -> Span:
    return (date(year, month, 1), date(year, month, calendar.monthrange(year, month)[1]))


def _end(today: date, which: str, period: str) -> Span:
    return _single(_period(today, period)[0 if which == "first" else 1])


def _weekday(today: date, ordinal: str, weekday: str, period: str) -> Span | None:
    first, last = _period(today, period)
    earliest = first + timedelta(days=(_WEEKDAYS.index(weekday) - first.weekday()) % 7)
    found = [earliest + timedelta(weeks=number) for number in range((last - earliest).days // 7 + 1)]
    place = _ORDINALS[ordinal]
    return _single(found[place]) if place < len(found) else None


def _numbered(today: date, number: str, period: str) -> Span | None:
    first, last = _period(today, period)
    day = first + timedelta(days=int(number) - 1)
    return _single(day) if first <= day <= last else None


def _around(today: date, middle: str, count: str, unit: str) -> Span | None:
    """Of a day that comes every year the nearest one is meant: on 2 January, 31 December is two days ago."""
    comes_yearly = any(month in middle for month in _MONTHS)
    spans = [_span(middle, _moved(today, years, "year")) for years in ((0, -1, 1) if comes_yearly else (0,))]
    near = min((span for span in spans if span is not None), key=lambda span: _distance(span, today), default=None)
    return None if near is None else (_moved(near[0], -int(count), unit), _moved(near[1], int(count), unit))


def _distance(span: Span, day: date) -> timedelta:
    return max(span[0] - day, day - span[1], timedelta())


_UNIT = r"(day|week|month|year)s?"
_MONTH = "|".join(_MONTHS)
_MONTHLY = rf"((?:this|last|next|the) month|{_MONTH})"
_WHOLE = rf"((?:this|last|next|the) (?:week|month|year)|{_MONTH})"
_Form: TypeAlias = Callable[..., Span | None]
#: What may be written, and which days it is: called with today and the groups of the pattern.
_FORMS: tuple[tuple[re.Pattern[str], _Form], ...] = tuple(
    (re.compile(pattern, re.ASCII), form)
    for pattern, form in (
        (r"today", _single),
        (r"yesterday", lambda today: _single(today - _DAY)),
        (r"tomorrow", lambda today: _single(today + _DAY)),
        (r"([0-9]{4}-[0-9]{2}-[0-9]{2})", lambda today, day: _single(date.fromisoformat(day))),
        (rf"([0-9]{{1,5}}) {_UNIT} ago", lambda today, count, unit: _single(_moved(today, -int(count), unit))),
        (rf"in ([0-9]{{1,5}}) {_UNIT}", lambda today, count, unit: _single(_moved(today, int(count), unit))),
        (rf"last ([0-9]{{1,5}}) {_UNIT}", lambda today, n, unit: (_moved(today, -int(n), unit), today - _DAY)),
        (rf"next ([0-9]{{1,5}}) {_UNIT}", lambda today, n, unit: (today + _DAY, _moved(today, int(n), unit))),
        (_WHOLE, _period),
        (rf"(first|last) day of {_WHOLE}", _end),
        (rf"({'|'.join(_ORDINALS)}) ({'|'.join(_WEEKDAYS)}) of {_MONTHLY}", _weekday),
        (rf"day ([1-9]|[12][0-9]|3[01]) of {_MONTHLY}", _numbered),
        (rf"([1-9]|[12][0-9]|3[01]) ({_MONTH})", _numbered),
        (rf"({_MONTH}) ([1-9]|[12][0-9]|3[01])", lambda today, month, number: _numbered(today, number, month)),
        (r"([^±]+) ± ([0-9]{1,3}) (day|week)s?", _around),
    )
)
_COUNTED = re.compile(rf"([0-9]{{1,5}}) {_UNIT}", re.ASCII)
#: A day from which all days can be told that ever are.
_LEAP_YEAR = date(2024, 1, 1)


@lru_cache(maxsize=256)
def _form_of(plain: str) -> tuple[_Form, tuple[str, ...]] | None:
    for pattern, form in _FORMS:
        found = pattern.fullmatch(plain)
        if found is not None:
            return form, found.groups()
    return None


@lru_cache(maxsize=4_096)
def _span(plain: str, today: date) -> Span | None:
    form = _form_of(plain)
    try:
        return None if form is None else form[0](today, *form[1])
    except (ValueError, OverflowError):  # no such day of the calendar, or one beyond it
        return None
