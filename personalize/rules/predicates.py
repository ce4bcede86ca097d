"""What each operator means: predicates over one present value, the argument that was read, and the moment of asking.

Each guards its type: a value that the operator says nothing about is answered with no, and nothing is raised.
Now is an aware moment; what day it is, and on which day another moment lies, its own zone says.
"""

from collections.abc import Callable, Mapping
from datetime import date, datetime, timedelta
from decimal import Decimal
from math import isfinite
from typing import Any, Protocol, cast

from personalize.events.event import from_micros
from personalize.rules.days import Days, anniversary_in
from personalize.rules.equality import Listed, equality_key
from personalize.rules.fact_values import NumberText, decimal_number
from personalize.rules.id_lists import NamedList
from personalize.rules.networks import Networks
from personalize.rules.times import Times
from personalize.rules.window import Window
from personalize.versions import Version

Predicate = Callable[[object, object, datetime], bool]

#: As a tuple: `list | tuple` would be put together anew each time a question is asked.
_LISTS = (list, tuple)


class Test(Protocol):
    """A question about an element of a list, or about how many there are."""

    def matches(self, value: object, now: datetime) -> bool:
        """Whether the value passes."""
        ...


def _compare(test: Callable[[Any, Any], bool]) -> Predicate:
    def holds(element: object, argument: object, now: datetime) -> bool:
        pair = _comparable(element, argument)
        return pair is not None and test(*pair)

    return holds


#: Order: the element beside the argument, both of one kind; a decimal number written as text is a number here.
at_least = _compare(lambda element, argument: element >= argument)
more_than = _compare(lambda element, argument: element > argument)
at_most = _compare(lambda element, argument: element <= argument)
less_than = _compare(lambda element, argument: element < argument)


def contains(element: object, argument: object, now: datetime) -> bool:
    """One of several texts stands somewhere in the text."""
    assert isinstance(argument, tuple)
    return isinstance(element, str) and any(part in element for part in argument)


def starts_with(element: object, argument: object, now: datetime) -> bool:
    """The text begins with one of several."""
    assert isinstance(argument, tuple)
    return isinstance(element, str) and element.startswith(argument)


def ends_with(element: object, argument: object, now: datetime) -> bool:
    """The text ends with one of several."""
    assert isinstance(argument, tuple)
    return isinstance(element, str) and element.endswith(argument)


def equal(element: object, argument: object, now: datetime) -> bool:
    """The element is exactly the argument."""
    if type(argument) is str:
        return isinstance(element, str) and element == argument
    key = equality_key(element)
    return key is not None and key == equality_key(argument)


def in_set(element: object, argument: object, now: datetime) -> bool:
    """The element is one of a set."""
    assert isinstance(argument, Listed)
    return element in argument


def any_of(value: object, argument: object, now: datetime) -> bool:
    """The value is a list, and one of its elements is one of these."""
    assert isinstance(argument, Listed)
    return isinstance(value, _LISTS) and any(element in argument for element in value)


def all_of(value: object, argument: object, now: datetime) -> bool:
    """The value is a list with each of these in it."""
    assert isinstance(argument, Listed)
    if not isinstance(value, _LISTS):
        return False
    elements = Listed(value)
    return all(one in elements for one in argument)


def size(value: object, argument: object, now: datetime) -> bool:
    """The value is a list whose number of elements passes a test."""
    return isinstance(value, _LISTS) and cast(Test, argument).matches(len(value), now)


def some(value: object, argument: object, now: datetime) -> bool:
    """The value is a list of whose elements one passes a test."""
    return isinstance(value, _LISTS) and any(cast(Test, argument).matches(element, now) for element in value)


def is_of_type(value: object, argument: object, now: datetime) -> bool:
    """The value is of one of these types of JSON."""
    assert isinstance(argument, tuple)
    return json_type(value) in argument


def in_version_range(element: object, argument: object, now: datetime) -> bool:
    """The version lies in one of several ranges."""
    assert isinstance(argument, tuple)
    return isinstance(element, Version) and any(element in one for one in argument)


def in_network(element: object, argument: object, now: datetime) -> bool:
    """The text is an address in one of several networks."""
    assert isinstance(argument, Networks)
    return isinstance(element, str) and element in argument


def in_list(element: object, argument: object, now: datetime) -> bool:
    """The element is an id of a list."""
    assert isinstance(argument, NamedList)
    return element in argument.ids


def matches(element: object, argument: object, now: datetime) -> bool:
    """One of several patterns is found in the text."""
    assert isinstance(argument, tuple)
    return isinstance(element, str) and any(pattern.found_in(element) for pattern in argument)


def between(element: object, argument: object, now: datetime) -> bool:
    """The element lies between two ends, or is one of them."""
    assert isinstance(argument, tuple)
    low, high = argument
    return at_least(element, low, now) and at_most(element, high, now)


def exists(element: object, argument: object, now: datetime) -> bool:
    """The element is there, or nobody would ask."""
    return True


def age_at_most(element: object, argument: object, now: datetime) -> bool:
    """The moment is at most so long ago."""
    assert isinstance(argument, timedelta)
    age = _age(element, now)
    return age is not None and age <= argument


def age_more_than(element: object, argument: object, now: datetime) -> bool:
    """The moment is longer ago."""
    assert isinstance(argument, timedelta)
    age = _age(element, now)
    return age is not None and age > argument


def before(element: object, argument: object, now: datetime) -> bool:
    """The day or moment is earlier; than all of them, where the argument are days."""
    if not isinstance(argument, Days):
        return less_than(element, argument, now)
    day, span = _day(element, now), argument.span(now.date())
    return day is not None and span is not None and day < span[0]


def after(element: object, argument: object, now: datetime) -> bool:
    """The day or moment is later; than all of them, where the argument are days."""
    if not isinstance(argument, Days):
        return more_than(element, argument, now)
    day, span = _day(element, now), argument.span(now.date())
    return day is not None and span is not None and day > span[1]


def on(element: object, argument: object, now: datetime) -> bool:
    """The day is one of these days."""
    assert isinstance(argument, Days)
    day, span = _day(element, now), argument.span(now.date())
    return day is not None and span is not None and span[0] <= day <= span[1]


def anniversary(element: object, argument: object, now: datetime) -> bool:
    """An anniversary of the day is one of these days."""
    assert isinstance(argument, Days)
    day, span = _day(element, now), argument.span(now.date())
    return day is not None and span is not None and anniversary_in(day, span)


def happened(element: object, argument: object, now: datetime) -> bool:
    """`element` is a counter's latest times as microseconds, oldest first; the k-th latest must be in the window."""
    assert isinstance(argument, Times)
    if not isinstance(element, tuple) or len(element) < argument.count:
        return False
    if argument.within is None:
        return True
    return now - from_micros(element[-argument.count]) <= argument.within


def in_window(element: object, argument: object, now: datetime) -> bool:
    """The moment lies in the window of a rule."""
    assert isinstance(argument, Window)
    return isinstance(element, datetime) and argument.holds(element)


def json_type(value: object) -> str | None:
    """What editors call the type of a value of JSON; None where it is none of them."""
    if isinstance(value, bool):
        return "bool"
    if isinstance(value, str):
        return "text"
    if isinstance(value, _LISTS):
        return "list"
    if isinstance(value, Mapping):
        return "mapping"
    return "number" if _is_number(value) else None


def _is_number(value: object) -> bool:
    if isinstance(value, Decimal):
        return value.is_finite()
    return (isinstance(value, int) and not isinstance(value, bool)) or (isinstance(value, float) and isfinite(value))


def _same_kind(element: object, argument: object) -> bool:
    """Whether two values may be equal at all: True is not 1, and a date is not an instant."""
    if _is_number(argument):
        return _is_number(element)
    return type(element) is type(argument) and not _is_naive(element)


def _is_naive(element: object) -> bool:
    """Whether it is a moment of no known zone, which is before or after no other."""
    return isinstance(element, datetime) and element.tzinfo is None


def _comparable(element: object, argument: object) -> tuple[Any, Any] | None:
    """The element and the argument as two values that can be ordered; a decimal number written as text counts."""
    if isinstance(argument, NumberText) and _is_number(element):
        return element, Decimal(argument)
    if isinstance(element, str) and _is_number(argument):
        number = decimal_number(element)
        return None if number is None else (number, argument)
    is_text = isinstance(element, str) and isinstance(argument, str)
    return (element, argument) if is_text or _same_kind(element, argument) else None


def _day(element: object, now: datetime) -> date | None:
    """The day of a date, or that of a moment in the zone of now."""
    if not isinstance(element, datetime):
        return element if isinstance(element, date) else None
    try:
        return element.astimezone(now.tzinfo).date() if element.tzinfo is not None else None
    except OverflowError:
        return None


def _age(element: object, now: datetime) -> timedelta | None:
    return now - element if isinstance(element, datetime) and element.tzinfo is not None else None
