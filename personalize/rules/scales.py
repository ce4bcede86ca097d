"""Scales: along which order of values an operator's answer changes, and at which points.

Most answers are the same for long stretches of values: `at_least: 5` says yes to whatever is 5 or more. An operator
that declares its cuts promises just that: all values between two neighbouring points get the same answer, whatever
the moment. So the index finds the stretch of a value by bisection, and asks the operator's own predicate once for
all values in it. Of an operator that declares none, every value is asked.
"""

import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from functools import lru_cache
from math import inf, isfinite
from typing import Any

from personalize.rules.times import Times
from personalize.rules.window import Window

#: The place of a value on a scale, at a moment that is given as such and as microseconds since 1970; None off it.
Measure = Callable[[Any, datetime, int], Any]

#: Since then no zone is apart from another by seconds.
_CLOCKS_GO_BY_MINUTES = 1972
_MICROSECOND = timedelta(microseconds=1)
#: A set of more values is looked up by its operator: so many points would cost more than they save.
MOST_POINTS = 1000
#: The same for beginnings of texts, which are asked about all at once.
MOST_BEGINNINGS = 100
#: Longer ago than anything that ever happened.
_EVER = sys.float_info.max


@dataclass(frozen=True, slots=True)
class Scale:
    """An order of values. Values of the class `plain` are their own places. On a scale that `moves`, the place of a
    value changes as time goes by. One with a `few` values that come again and again is best remembered by value. On one
    of `steps` there are no points: each place is a stretch of its own."""

    name: str
    measure: Measure = field(compare=False)
    plain: type | None = None
    moves: bool = False
    few: bool = False
    steps: bool = False


@dataclass(frozen=True, slots=True)
class Cuts:
    """Where on a scale an answer can change: just before a point is reached, and just after it was passed.

    Without a scale there are no points: every present value gets the same answer.
    """

    scale: Scale | None
    before: tuple[Any, ...] = ()
    after: tuple[Any, ...] = ()


def _number(value: Any, now: datetime, micros: int) -> Any:
    kind = value.__class__
    if kind is int or (kind is Decimal and value.is_finite()) or (kind is float and isfinite(value)):
        return value
    return None


def _moment(value: Any, now: datetime, micros: int) -> Any:
    return value if value.__class__ is datetime and value.tzinfo is not None else None


def _age(value: Any, now: datetime, micros: int) -> Any:
    return now - value if value.__class__ is datetime and value.tzinfo is not None else None


def _of_class(kind: type) -> Measure:
    return lambda value, now, micros: value if value.__class__ is kind else None


def _folded(value: Any, now: datetime, micros: int) -> Any:
    return value.casefold() if value.__class__ is str else None


def _minute(value: Any, now: datetime, micros: int) -> Any:
    if value.__class__ is not datetime or value.tzinfo is None:
        return None
    # In earlier years clocks of some zones went by seconds beside those of others. The fold tells the minutes apart
    # that a clock shows twice, which Python holds for equal.
    minute = value.replace(second=0, microsecond=0) if value.year > _CLOCKS_GO_BY_MINUTES else value
    return (minute, value.fold, value.tzinfo)


NUMBERS = Scale("numbers", _number, plain=int)
TEXTS = Scale("texts", _of_class(str), plain=str, few=True)
FOLDED_TEXTS = Scale("texts without regard to case", _folded, few=True)
FLAGS = Scale("flags", _of_class(bool), few=True)
DATES = Scale("dates", _of_class(date), few=True)
CLOCKS = Scale("clocks", _of_class(timedelta), few=True)
MOMENTS = Scale("moments", _moment)
AGES = Scale("ages", _age, moves=True)
MINUTES = Scale("minutes of a clock", _minute, steps=True)

_SCALES = {
    int: NUMBERS,
    Decimal: NUMBERS,
    float: NUMBERS,
    str: TEXTS,
    bool: FLAGS,
    date: DATES,
    timedelta: CLOCKS,
    datetime: MOMENTS,
}


@dataclass(frozen=True, slots=True)
class Latest(Scale):
    """How long ago the `count` latest of a counter's times began, in microseconds; endlessly, where it has fewer."""

    count: int = 1


@lru_cache
def latest(count: int) -> Latest:
    """The scale of the so many latest times."""

    def measure(value: Any, now: datetime, micros: int) -> Any:
        if value.__class__ is not tuple:
            return None
        return micros - value[-count] if len(value) >= count else inf

    return Latest(f"the latest {count}", measure, moves=True, count=count)


def from_argument_on(argument: object) -> Cuts | None:
    """For what says something else of the argument, and of all above it, than of what is below."""
    return _cuts(before=(argument,))


def above_argument(argument: object) -> Cuts | None:
    """For what says something else of all above the argument than of itself and of what is below."""
    return _cuts(after=(argument,))


def at_argument(argument: object) -> Cuts | None:
    """For what says something else of the argument alone."""
    return _cuts(before=(argument,), after=(argument,))


def at_each(argument: Any) -> Cuts | None:
    """For what says something else of each value of a set."""
    return _cuts(before=tuple(argument), after=tuple(argument)) if len(argument) <= MOST_POINTS else None


def at_ends(argument: Any) -> Cuts | None:
    """For what says something else of all from one value to another, both included."""
    low, high = argument
    return _cuts(before=(low,), after=(high,))


def at_beginnings(argument: Any) -> Cuts | None:
    """For what asks how a text begins: those that begin alike stand together in the order of texts."""
    if len(argument) > MOST_BEGINNINGS:
        return None
    ends = [behind for text in argument if (behind := _behind_all(text)) is not None]
    return _cuts(before=(*argument, *ends))


def at_age(argument: object) -> Cuts:
    """For what asks whether a moment was longer ago than the argument."""
    return Cuts(AGES, after=(argument,))


def at_window(argument: object) -> Cuts:
    """For what asks whether something happened so often within a length of time, or ever."""
    assert isinstance(argument, Times)
    within = _EVER if argument.within is None else argument.within // _MICROSECOND
    return Cuts(latest(argument.count), after=(within,))


def each_minute(argument: object) -> Cuts | None:
    """For what asks about days and hours of a moment: nobody writes seconds."""
    assert isinstance(argument, Window)
    written = (argument.from_at, argument.until_at)
    is_by_minutes = all(at is None or (at.second, at.microsecond) == (0, 0) for at in written)
    return Cuts(MINUTES) if is_by_minutes else None


def nowhere(argument: object) -> Cuts:
    """For what says the same of every present value."""
    return Cuts(None)


def _cuts(before: tuple[Any, ...] = (), after: tuple[Any, ...] = ()) -> Cuts | None:
    found = {_SCALES.get(type(point)) for point in (*before, *after)}
    scale = found.pop() if len(found) == 1 else None
    return None if scale is None else Cuts(scale, before, after)


def _behind_all(beginning: str) -> str | None:
    """The first text behind all those that begin so; None where they are the last there are."""
    kept = beginning.rstrip(chr(sys.maxunicode))
    return kept[:-1] + chr(ord(kept[-1]) + 1) if kept else None
