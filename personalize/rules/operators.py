"""The one table of operators: the words editors write, the types each takes, and what each means.

A positive operator holds or doesn't; a missing value or one of the wrong type never holds. A negative word
(`is_not`, `none_of`) is exactly the `not` of its positive one. Serving, explaining and counting ask the same
predicate, so there is nothing to drift apart.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from math import isfinite
from types import MappingProxyType
from typing import Any

from personalize.events.event import from_micros
from personalize.rules.arguments import (
    read_bound,
    read_duration,
    read_flag,
    read_pair,
    read_set,
    read_texts,
    read_value,
)
from personalize.rules.conventions import Conventions
from personalize.rules.fact_values import decimal_number
from personalize.rules.facts import Fact, FactType
from personalize.rules.window import Window
from personalize.yaml_tree import Node

TEXTS = frozenset({FactType.TEXT, FactType.CHOICE})
NUMBERS = frozenset({FactType.NUMBER, FactType.MONEY})
DAYS = frozenset({FactType.DATE, FactType.TIME})
TIME_ONLY = frozenset({FactType.TIME})
ORDERED = NUMBERS | {FactType.TEXT, FactType.CLOCK}
EQUAL = TEXTS | NUMBERS | {FactType.BOOL, FactType.DATE, FactType.CLOCK}
ANYTHING = EQUAL | DAYS

Predicate = Callable[[object, object, datetime], bool]
Reader = Callable[[Node, Fact, Conventions], object]


@dataclass(frozen=True, slots=True)
class Operator:
    """One positive operator.

    `read` turns what an editor wrote into the argument, or raises ArgumentError. `holds(element, argument, now)`
    is asked for one present element and guards its type. `phrase` says it in words, `denied` says its opposite,
    both with `{}` for the argument. `uses_now` operators change their answer as time goes by.
    """

    word: str
    types: frozenset[FactType]
    read: Reader
    holds: Predicate
    phrase: str
    denied: str
    uses_now: bool = False


@dataclass(frozen=True, slots=True)
class Times:
    """The argument of `did`: at least `count` times, the latest `count` of them within the duration."""

    count: int
    within: timedelta | None = None


def _is_number(value: object) -> bool:
    if isinstance(value, Decimal):
        return value.is_finite()
    return (isinstance(value, int) and not isinstance(value, bool)) or (isinstance(value, float) and isfinite(value))


def _equal(element: object, argument: object, now: datetime) -> bool:
    return _same_kind(element, argument) and element == argument


def _in_set(element: object, argument: object, now: datetime) -> bool:
    assert isinstance(argument, frozenset)
    return isinstance(element, str | int | float | Decimal | date | timedelta) and any(
        _same_kind(element, one) and element == one for one in argument
    )


def _same_kind(element: object, argument: object) -> bool:
    """Whether two values may be equal at all: True is not 1, and a date is not an instant."""
    if _is_number(argument):
        return _is_number(element)
    return type(element) is type(argument) and not _is_naive(element)


def _is_naive(element: object) -> bool:
    """Whether it is a moment of no known zone, which is before or after no other."""
    return isinstance(element, datetime) and element.tzinfo is None


def _compare(test: Callable[[Any, Any], bool]) -> Predicate:
    def holds(element: object, argument: object, now: datetime) -> bool:
        comparable = _comparable(element, argument)
        return comparable is not None and test(comparable, argument)

    return holds


def _comparable(element: object, argument: object) -> object | None:
    """The element as something that can be ordered beside the argument; a decimal number written as text counts."""
    if _is_number(argument) and isinstance(element, str):
        return decimal_number(element)
    return element if _same_kind(element, argument) else None


def _between(element: object, argument: object, now: datetime) -> bool:
    assert isinstance(argument, tuple)
    low, high = argument
    comparable = _comparable(element, low)
    return comparable is not None and low <= comparable <= high


def _texts(test: Callable[[str, str], bool]) -> Predicate:
    def holds(element: object, argument: object, now: datetime) -> bool:
        assert isinstance(argument, tuple)
        return isinstance(element, str) and any(test(element, part) for part in argument)

    return holds


def _age_at_most(element: object, argument: object, now: datetime) -> bool:
    assert isinstance(argument, timedelta)
    age = _age(element, now)
    return age is not None and age <= argument


def _age_more_than(element: object, argument: object, now: datetime) -> bool:
    assert isinstance(argument, timedelta)
    age = _age(element, now)
    return age is not None and age > argument


def _age(element: object, now: datetime) -> timedelta | None:
    return now - element if isinstance(element, datetime) and element.tzinfo is not None else None


def _exists(element: object, argument: object, now: datetime) -> bool:
    return True


def _happened(element: object, argument: object, now: datetime) -> bool:
    """`element` is a counter's latest times as microseconds, oldest first; the k-th latest must be in the window."""
    assert isinstance(argument, Times)
    if not isinstance(element, tuple) or len(element) < argument.count:
        return False
    if argument.within is None:
        return True
    return now - from_micros(element[-argument.count]) <= argument.within


def _in_window(element: object, argument: object, now: datetime) -> bool:
    assert isinstance(argument, Window)
    return isinstance(element, datetime) and argument.holds(element)


def _not_written(node: Node, fact: Fact, conventions: Conventions) -> object:
    raise AssertionError("made by `did` and `when`, never written as an operator")


_TABLE = (
    Operator("is", EQUAL, read_value, _equal, "is {}", "is not {}"),
    Operator("one_of", EQUAL, read_set, _in_set, "is one of {}", "is none of {}"),
    Operator("at_least", ORDERED, read_bound, _compare(lambda a, b: a >= b), "is at least {}", "is not at least {}"),
    Operator(
        "more_than",
        ORDERED,
        read_bound,
        _compare(lambda a, b: a > b),
        "is more than {}",
        "is not more than {}",
    ),
    Operator("at_most", ORDERED, read_bound, _compare(lambda a, b: a <= b), "is at most {}", "is not at most {}"),
    Operator(
        "less_than",
        ORDERED,
        read_bound,
        _compare(lambda a, b: a < b),
        "is less than {}",
        "is not less than {}",
    ),
    Operator("between", ORDERED | {FactType.DATE}, read_pair, _between, "is between {}", "is not between {}"),
    Operator("contains", TEXTS, read_texts, _texts(lambda a, b: b in a), "contains {}", "does not contain {}"),
    Operator("starts_with", TEXTS, read_texts, _texts(str.startswith), "starts with {}", "does not start with {}"),
    Operator("ends_with", TEXTS, read_texts, _texts(str.endswith), "ends with {}", "does not end with {}"),
    Operator("exists", ANYTHING, read_flag, _exists, "is known", "is not known"),
    Operator(
        "within",
        TIME_ONLY,
        read_duration,
        _age_at_most,
        "is at most {} ago",
        "is not within {}",
        uses_now=True,
    ),
    Operator(
        "older_than",
        TIME_ONLY,
        read_duration,
        _age_more_than,
        "is more than {} ago",
        "is not older than {}",
        uses_now=True,
    ),
    Operator("before", DAYS, read_value, _compare(lambda a, b: a < b), "is before {}", "is not before {}"),
    Operator("after", DAYS, read_value, _compare(lambda a, b: a > b), "is after {}", "is not after {}"),
)

#: Made by `did:` and by the `when:` of a rule; editors never write these two as operators.
HAPPENED = Operator("did", frozenset({FactType.TIMES}), _not_written, _happened, "{}", "not {}", uses_now=True)
IN_WINDOW = Operator("when", frozenset({FactType.INSTANT}), _not_written, _in_window, "{}", "not {}")

#: The positive operators by their word.
OPERATORS: Mapping[str, Operator] = MappingProxyType({operator.word: operator for operator in _TABLE})
#: A negative word and the positive one whose `not` it is.
NEGATIVES: Mapping[str, str] = MappingProxyType({"is_not": "is", "none_of": "one_of"})
