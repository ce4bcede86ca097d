"""Conditions answered the plain way: by walking their trees, with the meaning of each operator written anew.

Nothing here uses what the package answers with; where the two disagree, one of them is wrong.
"""

import math
import operator
import re
import typing
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from functools import lru_cache

from personalize.rules.beside import Beside, Pair
from personalize.rules.conditions import All, Any, Condition, InSegment, Leaf, Not
from personalize.rules.days import Days
from personalize.rules.equality import Listed
from personalize.rules.facts import FactType
from personalize.rules.filters import Filter
from personalize.rules.id_lists import NamedList
from personalize.rules.networks import Networks
from personalize.rules.patterns import Pattern
from personalize.rules.times import Times
from personalize.rules.unanswerable import Unanswerable
from personalize.rules.window import Window

_ORDERS: Mapping[str, Callable[[typing.Any, typing.Any], bool]] = {
    "at_least": operator.ge,
    "more_than": operator.gt,
    "at_most": operator.le,
    "less_than": operator.lt,
    "after": operator.gt,
    "before": operator.lt,
}

_JSON_TYPES = (
    ("text", str),
    ("bool", bool),
    ("number", int | Decimal | float),
    ("list", list | tuple),
    ("mapping", Mapping),
)


def matches(
    condition: Condition, values: Mapping[str, object], segments: Mapping[str, Condition], now: datetime
) -> bool:
    """Whether a whole condition matches: it holds, and reads nothing that can't be answered."""
    return not is_unanswerable(condition, values, segments) and holds(condition, values, segments, now)


def is_unanswerable(condition: Condition, values: Mapping[str, object], segments: Mapping[str, Condition]) -> bool:
    """Whether a condition reads a fact that can't be answered, however deep inside of it."""
    match condition:
        case Leaf():
            return isinstance(values[condition.fact.name], Unanswerable)
        case InSegment():
            return is_unanswerable(segments[condition.segment_id], values, segments)
        case Not():
            return is_unanswerable(condition.part, values, segments)
        case All() | Any():
            return any(is_unanswerable(part, values, segments) for part in condition.parts)


def holds(condition: Condition, values: Mapping[str, object], segments: Mapping[str, Condition], now: datetime) -> bool:
    """Whether a condition holds for these facts."""
    match condition:
        case Leaf():
            return leaf_holds(condition, values[condition.fact.name], now)
        case InSegment():
            return holds(segments[condition.segment_id], values, segments, now)
        case Not():
            return not holds(condition.part, values, segments, now)
        case All():
            return all(holds(part, values, segments, now) for part in condition.parts)
        case Any():
            return any(holds(part, values, segments, now) for part in condition.parts)


def leaf_holds(leaf: Leaf, value: object, now: datetime) -> bool:
    """Whether one question holds: for any element of a list, never for what is missing."""
    if value is None:
        return False
    if leaf.fact.type is FactType.TIMES:
        return leaf.word == "exists" or did(value, leaf.argument, now)
    is_list = isinstance(value, list | tuple)
    if leaf.word == "exists":
        return True
    if leaf.word == "type":
        assert isinstance(leaf.argument, tuple)
        return next(name for name, types in _JSON_TYPES if isinstance(value, types)) in leaf.argument
    if leaf.word in ("any_of", "all_of", "size", "some"):
        return is_list and list_holds(leaf, list(value), now)  # type: ignore[call-overload]
    elements = list(value) if is_list else [value]  # type: ignore[call-overload]
    if leaf.word == "one_of" and is_list and any(same(value, one) for one in leaf.argument):  # type: ignore[attr-defined]
        return True
    return any(element_holds(leaf, element, now) for element in elements)


def list_holds(leaf: Leaf, elements: list[object], now: datetime) -> bool:
    """Whether a question about a whole list holds."""
    argument = leaf.argument
    if isinstance(argument, Filter):
        assert isinstance(argument.condition, Leaf)
        asked = [len(elements)] if leaf.word == "size" else elements
        return any(leaf_holds(argument.condition, one, now) for one in asked)
    assert isinstance(argument, Listed)
    folded = [fold(one) for one in elements] if leaf.fold else elements
    found = [any(same(one, element) for element in folded) for one in argument]
    return any(found) if leaf.word == "any_of" else all(found)


def fold(value: object) -> object:
    """Texts without regard to case, those in lists too."""
    if isinstance(value, str):
        return value.casefold()
    return [fold(one) for one in value] if isinstance(value, list | tuple) else value


def same(one: object, other: object) -> bool:
    """Whether two values are equal, lists and mappings by what is in them."""
    if isinstance(one, list | tuple) and isinstance(other, list | tuple):
        return len(one) == len(other) and all(map(same, one, other))
    if isinstance(one, Mapping) and isinstance(other, Mapping):
        return one.keys() == other.keys() and all(same(one[key], other[key]) for key in one)
    return (one is None and other is None) or equal(one, other)


def did(value: object, times: object, now: datetime) -> bool:
    """Whether enough of the times lie in the window, counted one by one."""
    assert isinstance(times, Times) and isinstance(value, tuple)
    epoch = datetime(1970, 1, 1, tzinfo=UTC)
    moments = [epoch + timedelta(microseconds=micros) for micros in value]
    counted = [moment for moment in moments if times.within is None or now - moment <= times.within]
    return len(counted) >= times.count


def element_holds(leaf: Leaf, element: object, now: datetime) -> bool:
    """Whether the question holds for one present value."""
    if isinstance(element, str) and leaf.fold:
        element = element.casefold()
    word, argument = leaf.word, leaf.argument
    if isinstance(argument, Beside):
        return is_beside(word, element, argument)
    if word in ("in_network", "in_list") or word.startswith("version_"):
        return text_is(word, element, argument)
    if word == "is":
        return equal(element, argument)
    if word in ("one_of", "exactly"):
        assert isinstance(argument, Listed)
        return any(equal(element, one) for one in argument)
    if word in ("like", "matches"):
        assert isinstance(argument, tuple)
        fits = is_like if word == "like" else is_found
        return isinstance(element, str) and any(fits(element, pattern) for pattern in argument)
    if word in ("contains", "starts_with", "ends_with"):
        assert isinstance(argument, tuple)
        return isinstance(element, str) and any(text_fits(word, element, part) for part in argument)
    if word in ("within", "older_than"):
        assert isinstance(argument, timedelta)
        if kind(element) != "moment":
            return False
        assert isinstance(element, datetime)
        return (element >= now - argument) if word == "within" else (element < now - argument)
    if isinstance(argument, Days):
        return fits_days(word, element, argument.text, now)
    if word == "when":
        return in_window(element, argument)
    if word == "between":
        assert isinstance(argument, tuple)
        return ordered("at_least", element, argument[0]) and ordered("at_most", element, argument[1])
    return ordered(word, element, argument)


def is_beside(word: str, element: object, beside: Beside) -> bool:
    """Whether a value stands in an order to a part of another one, with something more or less."""
    assert isinstance(element, Pair)
    limit = element.right
    if beside.percent is not None or beside.plus is not None:
        if isinstance(limit, str):
            limit = Decimal(limit) if re.fullmatch(r"-?[0-9]+(\.[0-9]+)?", limit, re.ASCII) else None
        if isinstance(limit, int | Decimal):
            limit = Decimal(limit) * Decimal(beside.percent if beside.percent is not None else 100) / 100
        try:
            limit = None if limit is None else limit + (0 if beside.plus is None else beside.plus)  # type: ignore[operator]
        except OverflowError:
            limit = None
    return equal(element.left, limit) if word == "same_as" else limit is not None and ordered(word, element.left, limit)


def text_is(word: str, element: object, argument: object) -> bool:
    """Whether a text is an address of a network, an id of a list, or a version."""
    if isinstance(argument, Networks):
        return isinstance(element, str) and any(is_in_network(element, one) for one in argument.written)
    if isinstance(argument, NamedList):
        return any(equal(element, one) for one in argument.ids)
    return is_such_version(word, element, argument)


def is_such_version(word: str, element: object, argument: object) -> bool:
    """Whether a text is a version in an order to another one, or in a range."""
    written = element if isinstance(element, str) else ""
    version = version_key(written)
    if version is None:
        return False
    if isinstance(argument, tuple):
        return any(range_key(one.text)[0] <= version < range_key(one.text)[1] for one in argument)
    other = version_key(str(argument))
    assert other is not None
    return bool(_ORDERS[word.removeprefix("version_")](version, other))


def version_key(text: str) -> tuple[object, ...] | None:
    """What orders versions: the numbers, filled up with zeros, then what comes before a release, then the release."""
    found = re.fullmatch(r"v?([0-9]+(?:\.[0-9]+)*)(?:-([0-9a-z.]+))?", text)
    if found is None:
        return None
    numbers = [int(one) for one in found[1].split(".")]
    before = [(not one.isdecimal(), int(one) if one.isdecimal() else one) for one in (found[2] or "").split(".") if one]
    return (*numbers, *[0] * (5 - len(numbers)), not before, before)


def range_key(text: str) -> tuple[tuple[object, ...], tuple[object, ...]]:
    """Where a range begins, and where it is over: what comes before the release there is not in it either."""
    plain = text.strip("^~*").rstrip(".")
    numbers = [int(one) for one in plain.partition("-")[0].split(".")]
    kept = len(numbers) if text.endswith("*") else min(2, len(numbers)) if text.startswith("~") else 1
    upper = [*numbers[: kept - 1], numbers[kept - 1] + 1]
    low = version_key(plain)
    assert low is not None
    return low, (*upper, *[0] * (5 - len(upper)), False, [])


def is_in_network(text: str, network: str) -> bool:
    """Whether the digits of an address begin as those of a network, both in binary."""
    address, (start, length) = binary(text), network_in_binary(network)
    return len(address) == len(start) and bool(address) and address[:length] == start[:length]


def network_in_binary(network: str) -> tuple[str, int]:
    """The address of a network in binary, and how many of its digits count."""
    text, _, length = network.partition("/")
    start = binary(text)
    return start, int(length or len(start))


def binary(text: str) -> str:
    """An address in binary digits, 32 or 128; none for a text that is no address."""
    mapped = re.fullmatch(r"::ffff:([0-9.]+)", text.lower())
    parts = (mapped[1] if mapped else text).split(".")
    if len(parts) == 4:
        return "".join(f"{int(part):08b}" for part in parts)
    if ":" not in text:
        return ""
    before, _, after = text.partition("::")
    ahead, behind = ([part for part in side.split(":") if part] for side in (before, after))
    groups = [*ahead, *["0"] * (8 - len(ahead) - len(behind)), *behind]
    return "".join(f"{int(part, 16):016b}" for part in groups)


#: What some words mean, asked of one day beside today.
_IN_WORDS: Mapping[str, Callable[[date, date], bool]] = {
    "today": lambda day, today: day == today,
    "this week": lambda day, today: day.isocalendar()[:2] == today.isocalendar()[:2],
    "last month": lambda day, today: day.year * 12 + day.month + 1 == today.year * 12 + today.month,
    "next 7 days": lambda day, today: 1 <= (day - today).days <= 7,
    "first monday of the month": lambda day, today: _is_same_month(day, today) and day.weekday() == 0 and day.day <= 7,
    "first day of the month": lambda day, today: _is_same_month(day, today) and day.day == 1,
    "december": lambda day, today: day.year == today.year and day.month == 12,
    "yesterday": lambda day, today: (today - day).days == 1,
    "last 7 days": lambda day, today: 1 <= (today - day).days <= 7,
    "today ± 3 days": lambda day, today: abs((day - today).days) <= 3,
    "2026-11-20": lambda day, today: f"{day}" == "2026-11-20",
}


def _is_same_month(one: date, other: date) -> bool:
    return (one.year, one.month) == (other.year, other.month)


def fits_days(word: str, element: object, words: str, now: datetime) -> bool:
    """Whether a day is among days in words, before or after all of them, or comes round among them."""
    if kind(element) not in ("day", "moment"):
        return False
    day = element.astimezone(now.tzinfo).date() if isinstance(element, datetime) else element
    assert isinstance(day, date)
    meant = days_meant(words, now.date())
    match word:
        case "on":
            return day in meant
        case "before":
            return all(day < one for one in meant)
        case "after":
            return all(day > one for one in meant)
    return any(f"{one:%m-%d}" == f"{day:%m-%d}" and one.year > day.year for one in meant)


@lru_cache(maxsize=10_000)
def days_meant(words: str, today: date) -> list[date]:
    """The days that words mean, of those around today."""
    middle = date.fromisoformat(words) if words[:1].isdigit() else today
    around = [middle + timedelta(days=distance) for distance in range(-70, 70)]
    return [one for one in around if _IN_WORDS[words](one, today)]


def in_window(element: object, window: object) -> bool:
    """Whether a moment is in a window: after its beginning, before its end, on one of its days, in its hours."""
    assert isinstance(window, Window) and isinstance(element, datetime)
    local = element.astimezone(window.zone)
    clock, start, end = local.time(), *(_clock(hours) for hours in window.hours or (timedelta(), timedelta()))
    day = local - timedelta(days=1) if clock < end < start else local
    fits = [
        window.from_at is None or element >= window.from_at,
        window.until_at is None or element < window.until_at,
        not window.on or any(_IN_WORDS[days.text](day.date(), day.date()) for days in window.on),
        not window.weekdays or f"{day:%a}".lower() in window.weekdays,
        start == end or (start <= clock < end) or (start > end and not end <= clock < start),
    ]
    return all(fits)


def _clock(since_midnight: timedelta) -> time:
    return (datetime.min + since_midnight).time()


def text_fits(word: str, text: str, part: str) -> bool:
    """Whether the part stands where the operator says."""
    at = {"contains": r"[\s\S]*", "starts_with": "", "ends_with": r"[\s\S]*"}[word]
    pattern = at + re.escape(part) + ("" if word == "ends_with" else r"[\s\S]*")
    return re.fullmatch(pattern, text) is not None


def is_like(text: str, pattern: Pattern) -> bool:
    """Whether `*` and `?` can be filled so that the pattern becomes the text."""
    return is_filled(text, pattern.text)


def is_filled(text: str, signs: str) -> bool:
    """The same, tried sign by sign."""
    if not signs:
        return not text
    if signs[0] == "*":
        return any(is_filled(text[at:], signs[1:]) for at in range(len(text) + 1))
    return bool(text) and signs[0] in ("?", text[0]) and is_filled(text[1:], signs[1:])


def is_found(text: str, pattern: Pattern) -> bool:
    """Whether an expression is found in a text by Python's own engine."""
    return re.search(pattern.text, text, re.IGNORECASE if pattern.ignore_case else re.NOFLAG) is not None


def equal(element: object, argument: object) -> bool:
    """Whether two values are equal and of one kind."""
    return kind(element) == kind(argument) != "nothing" and element == argument


def ordered(word: str, element: object, argument: object) -> bool:
    """Whether an order holds between two values of one kind; a number may be written as text."""
    if kind(argument) == "number" and isinstance(element, str):
        if not re.fullmatch(r"-?[0-9]+(\.[0-9]+)?", element, re.ASCII):
            return False
        element = Decimal(element)
    return kind(element) == kind(argument) != "nothing" and _ORDERS[word](element, argument)


def kind(value: object) -> str:
    """Of which kind a value is; what compares with no other is nothing."""
    if isinstance(value, bool):
        return "truth"
    if isinstance(value, int):
        return "number"
    if isinstance(value, float | Decimal):
        is_finite = value.is_finite() if isinstance(value, Decimal) else math.isfinite(value)
        return "number" if is_finite else "nothing"
    if isinstance(value, datetime):
        return "moment" if value.tzinfo is not None else "nothing"
    return {str: "text", date: "day", timedelta: "clock"}.get(type(value), "nothing")
