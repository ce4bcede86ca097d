"""What editors write beside an operator, read as exact values of the fact's own type."""

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from functools import partial

from personalize.durations import parse_duration
from personalize.events.values import NUMBER_DIGITS
from personalize.guesses import Guess
from personalize.money import parse_amount
from personalize.problems import did_you_mean, quoted
from personalize.rules import days
from personalize.rules.conventions import Conventions
from personalize.rules.equality import Listed
from personalize.rules.fact_values import NumberText, decimal_number
from personalize.rules.facts import WEEKDAYS, Fact, FactType
from personalize.rules.networks import networks
from personalize.rules.patterns import Pattern, PatternError, expression, like
from personalize.rules.reading.dates_meant import date_meant, month_meant
from personalize.rules.reading.operators_meant import order_meant, switch_meant
from personalize.versions import Version, VersionRange, parse_version, parse_version_range
from personalize.yaml_tree import Mapping, Node, Scalar, Sequence

#: `1 000`, `29,90`, `3000 kr`, `€ 5`.
_LOOSE_NUMBER = re.compile(
    r"(?:[^\W\d]{1,3}\.?|[$€£])? ?([0-9]{1,3}(?:[ \u00a0'_][0-9]{3})+|[0-9]+)"
    r"(?:[.,]([0-9]+))? ?(?:[^\W\d]{1,6}\.?|[$€£]|,-|:-)?"
)
#: What `type` calls the values of JSON.
JSON_TYPES = ("text", "number", "bool", "list", "mapping")
#: How many patterns one question may try.
MOST_PATTERNS = 50
#: How many texts it may look for inside of another one.
MOST_PARTS = 200
_LEADING_ZERO = re.compile(r"0+[1-9][0-9]{0,17}", re.ASCII)
_PLAIN_WHOLE = re.compile(r"0|[1-9][0-9]{0,17}", re.ASCII)
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_DAY_OF_DIGITS = re.compile(r"[0-9]{8}", re.ASCII)
_BEGINS_WITH_YEAR = re.compile(r"[0-9]{4}")
_DAYS_ALLOWED = "write a day such as 2026-12-24, or today, 30 days ago, this week, first monday of the month"
_CLOCK = re.compile(r"([01]?[0-9]|2[0-3]):([0-5][0-9])|24:00", re.ASCII)


class ArgumentError(ValueError):
    """What was written beside an operator is not what it takes; `hint` says what is, `code` is the problem's."""

    def __init__(self, message: str, hint: str | None = None, code: str = "E215") -> None:
        super().__init__(message)
        self.hint = hint
        self.code = code


def _scalar(node: Node) -> Scalar:
    if not isinstance(node, Scalar) or node.value is None:
        raise ArgumentError("expects one value here", "write a single word, number or date")
    return node


def read_value(node: Node, fact: Fact, conventions: Conventions) -> object:
    """One value of the fact's own type; text stays as it was written (`NO` and `0150` too).

    Of the type `any` it may be a list or a mapping, too, and is what YAML makes of it.
    """
    if fact.type is FactType.ANY and not isinstance(node, Scalar):
        return _structure(node, fact, conventions)
    scalar = _scalar(node)
    match fact.type:
        case FactType.NUMBER:
            return _number(scalar, month_meant(scalar.text) if fact.name == "now.month" else None)
        case FactType.MONEY:
            return _amount(scalar, conventions)
        case FactType.BOOL:
            return _bool(scalar)
        case FactType.DATE:
            return _date(scalar)
        case FactType.TIME | FactType.INSTANT:
            return _moment(scalar, conventions)
        case FactType.CLOCK:
            return _clock(scalar)
        case FactType.VERSION:
            return _version(scalar)
        case FactType.ANY if not isinstance(scalar.value, str):
            return scalar.value if isinstance(scalar.value, bool) else _number(scalar)
        case _:
            return _text(scalar, fact)


def _text(scalar: Scalar, fact: Fact) -> str:
    text = _folded(scalar.text, fact)
    if fact.choices and text not in (_folded(choice, fact) for choice in fact.choices):
        allowed = ", ".join(fact.choices)
        hint = _days_meant(scalar.text) if fact.choices == WEEKDAYS else None
        hint = hint or order_meant(scalar.text) or did_you_mean(scalar.text, fact.choices)
        raise ArgumentError(f"{quoted(scalar.text)} is none of {allowed}", hint)
    return text


def _structure(node: Node, fact: Fact, conventions: Conventions) -> object:
    if isinstance(node, Sequence):
        return [_part(item, fact, conventions) for item in node.items]
    assert isinstance(node, Mapping)
    return {key.text: _part(value, fact, conventions) for key, value in node.entries}


def _part(node: Node, fact: Fact, conventions: Conventions) -> object:
    is_null = isinstance(node, Scalar) and node.value is None
    return None if is_null else read_value(node, fact, conventions)


def _days_meant(text: str) -> Guess | None:
    """A hint that lists the days from one to another, as in `mon-fri`."""
    first, dash, last = (part.strip().casefold()[:3] for part in re.sub("–| to ", "-", text).partition("-"))
    if not (dash and first in WEEKDAYS and last in WEEKDAYS):
        return None
    begin, end = WEEKDAYS.index(first), WEEKDAYS.index(last)
    days = WEEKDAYS[begin : end + 1] if begin <= end else (*WEEKDAYS[begin:], *WEEKDAYS[: end + 1])
    listed = f"[{', '.join(days)}]"
    return Guess(f"list them: {listed}", text, listed)


def _folded(text: str, fact: Fact) -> str:
    return text.casefold() if fact.fold else text


def _number(scalar: Scalar, meant: str | None = None, *, is_amount: bool = False) -> int | Decimal:
    if isinstance(scalar.value, bool) or not isinstance(scalar.value, int | float):
        hint = meant or order_meant(scalar.text) or _digits_meant(scalar.text) or "write it with digits, as in 3 or 2.5"
        raise ArgumentError(f"{quoted(scalar.text)} is not a number", hint)
    number = scalar.value if isinstance(scalar.value, int) else Decimal(scalar.text)
    if abs(number) >= 10**NUMBER_DIGITS and not is_amount:
        hint = "an id is better declared as text, and written in quotes"
        raise ArgumentError(f"{quoted(scalar.text)} has more than the {NUMBER_DIGITS} digits that are kept", hint)
    return number


def _digits_meant(text: str) -> str | None:
    """A hint for a number with blanks, a comma or a currency, as people write it elsewhere."""
    found = _LOOSE_NUMBER.fullmatch(text.strip())
    if found is None:
        return None
    if text.isdecimal():
        if _LEADING_ZERO.fullmatch(text):
            return Guess(f"write {int(text)}: a number begins with no 0", text, str(int(text)))
        return Guess("write it without quotes", text, text if _PLAIN_WHOLE.fullmatch(text) else None)
    grouped, cents = re.sub(r"[\s'_]", "", found[1]), found[2]
    if cents and len(cents) == 3 and len(grouped) < 4:
        return f"write {grouped}{cents}, or {grouped}.{cents} where a fraction is meant: no comma and no currency"
    number = f"{grouped}.{cents}" if cents else grouped
    return f"write {number}: digits alone, with a point, and no blank, comma or currency"


def _amount(scalar: Scalar, conventions: Conventions) -> int:
    _number(scalar, is_amount=True)
    try:
        return parse_amount(scalar.text, conventions.currency_digits)
    except ValueError as error:
        raise ArgumentError(str(error)) from error


def _bool(scalar: Scalar) -> bool:
    if not isinstance(scalar.value, bool):
        hint = switch_meant(scalar.text) or "write true or false"
        raise ArgumentError(f"{quoted(scalar.text)} is neither true nor false", hint)
    return scalar.value


def _date(scalar: Scalar) -> date:
    try:
        return date.fromisoformat(scalar.text)
    except ValueError as error:
        hint = date_meant(scalar.text) or "write it as 2026-12-24"
        raise ArgumentError(f"{quoted(scalar.text)} is not a date", hint) from error


def _moment(scalar: Scalar, conventions: Conventions) -> datetime:
    try:
        return conventions.moment(scalar.text)
    except ValueError as error:
        hint = date_meant(scalar.text) or "write it as 2026-12-24 or 2026-12-24T18:00"
        raise ArgumentError(f"{quoted(scalar.text)} is not a date or moment", hint) from error


def _clock(scalar: Scalar) -> timedelta:
    found = _CLOCK.fullmatch(scalar.text)
    if found is None:
        hint = order_meant(scalar.text) or "write it as 08:00 or 18:30"
        raise ArgumentError(f"{quoted(scalar.text)} is not a time of day", hint)
    hours, minutes = scalar.text.split(":")
    return timedelta(hours=int(hours), minutes=int(minutes))


def _version(scalar: Scalar) -> Version:
    found = parse_version(scalar.text)
    if found is None:
        raise ArgumentError(f"{quoted(scalar.text)} is not a version", "write it as 2.1 or 2.0.0-rc.1")
    return found


def read_set(node: Node, fact: Fact, conventions: Conventions) -> object:
    """A list of values, as a set."""
    if not isinstance(node, Sequence):
        raise ArgumentError("expects a list of values", "write them as [one, two]")
    return Listed(read_value(item, fact, conventions) for item in node.items)


def read_some_values(node: Node, fact: Fact, conventions: Conventions) -> object:
    """A list of values with at least one in it, as a set."""
    listed = read_set(node, fact, conventions)
    if not listed:
        raise ArgumentError("the list is empty", "name at least one value")
    return listed


def read_texts(node: Node, fact: Fact, conventions: Conventions) -> object:
    """One text or a list of them, any of which will do."""
    texts = _texts(node, fact)
    if "" in texts:
        raise ArgumentError("an empty text is part of every text", "name at least one letter")
    return texts


def read_parts(node: Node, fact: Fact, conventions: Conventions) -> object:
    """Texts to be looked for inside of another one."""
    texts = read_texts(node, fact, conventions)
    assert isinstance(texts, tuple)
    if len(texts) > MOST_PARTS:
        raise ArgumentError(f"{len(texts)} texts are too many to be looked for", f"write at most {MOST_PARTS}", "E242")
    return texts


def read_exact_texts(node: Node, fact: Fact, conventions: Conventions) -> object:
    """One text or a list of them, as a set, with large and small letters as written."""
    return Listed(_texts(node, replace(fact, fold=False)))


def _texts(node: Node, fact: Fact) -> tuple[str, ...]:
    items = node.items if isinstance(node, Sequence) else (node,)
    if not items:
        raise ArgumentError("the list is empty", "name at least one text")
    return tuple(_folded(_scalar(item).text, fact) for item in items)


def read_patterns(node: Node, fact: Fact, conventions: Conventions) -> object:
    """One regular expression or a list of them."""
    return _patterns(node, replace(fact, fold=False), partial(expression, ignore_case=fact.fold))


def read_likenesses(node: Node, fact: Fact, conventions: Conventions) -> object:
    """One text with `*` and `?` in it, or a list of them."""
    return _patterns(node, fact, like)


def _patterns(node: Node, fact: Fact, compiled: Callable[[str], Pattern]) -> tuple[Pattern, ...]:
    texts = _texts(node, fact)
    if len(texts) > MOST_PATTERNS:
        raise ArgumentError(f"{len(texts)} patterns are too many to be quick", f"write at most {MOST_PATTERNS}", "E242")
    patterns: list[Pattern] = []
    for text in texts:
        try:
            patterns.append(compiled(text))
        except PatternError as error:
            raise ArgumentError(
                f"{quoted(text)} is no pattern that can be used: {error}", error.hint, "E242"
            ) from error
    return tuple(patterns)


def read_networks(node: Node, fact: Fact, conventions: Conventions) -> object:
    """One network or a list of them."""
    texts = _texts(node, fact)
    try:
        return networks(texts)
    except ValueError as error:
        hint = "write a network as 10.0.0.0/8 or 2001:db8::/32, or an address alone"
        raise ArgumentError(str(error), hint) from error


def read_version_ranges(node: Node, fact: Fact, conventions: Conventions) -> object:
    """One range of versions or a list of them."""
    ranges: list[VersionRange] = []
    for text in _texts(node, fact):
        found = parse_version_range(text)
        if found is None:
            hint = "write ^1.2 (up to 2), ~1.2 (up to 1.3) or 1.2.*"
            raise ArgumentError(f"{quoted(text)} is not a range of versions", hint)
        ranges.append(found)
    return tuple(ranges)


def read_json_types(node: Node, fact: Fact, conventions: Conventions) -> object:
    """One type of a value of JSON or a list of them."""
    texts = _texts(node, fact)
    for text in texts:
        if text not in JSON_TYPES:
            hint = did_you_mean(text, JSON_TYPES)
            raise ArgumentError(f"{quoted(text)} is none of {', '.join(JSON_TYPES)}", hint)
    return texts


def read_bound(node: Node, fact: Fact, conventions: Conventions) -> object:
    """A limit for the order operators: text may be compared with a number, and a number be written as text."""
    scalar = _scalar(node)
    if fact.type in (FactType.TEXT, FactType.ANY) and not isinstance(scalar.value, str | bool):
        return _number(scalar)
    if fact.type is FactType.ANY and isinstance(scalar.value, bool):
        raise ArgumentError(f"{quoted(scalar.text)} is neither more nor less than anything", "compare it with `is`")
    number = decimal_number(scalar.text) if isinstance(scalar.value, str) else None
    if fact.type is FactType.ANY and number is not None:
        return NumberText(scalar.text)
    is_number = fact.type is FactType.NUMBER and number is not None
    return number if is_number else read_value(node, fact, conventions)


def read_pair(node: Node, fact: Fact, conventions: Conventions) -> object:
    """The two ends of a range, both included."""
    if not isinstance(node, Sequence) or len(node.items) != 2:
        raise ArgumentError("expects two values", "write them as [10, 20]; both ends are included")
    low, high = (read_bound(item, fact, conventions) for item in node.items)
    if isinstance(low, str) != isinstance(high, str):
        raise ArgumentError("expects two values of the same kind", "write them as [10, 20]")
    if low > high:  # type: ignore[operator]  # both of one ordered type, as just checked
        hint = "swap the two values"
        if fact.type is FactType.CLOCK:
            hint = "hours that cross midnight are written in a rule: `when: {hours: 22:00-06:00}`"
        raise ArgumentError("the first value is larger than the second, so nothing lies between them", hint)
    return (low, high)


def read_duration(node: Node, fact: Fact, conventions: Conventions) -> object:
    """A length of time, such as `30 days`."""
    scalar = _scalar(node)
    try:
        return parse_duration(scalar.text)
    except ValueError as error:
        hint = (
            f"for a day write before: {scalar.text}, or after: {scalar.text}" if _DAY.fullmatch(scalar.text) else None
        )
        raise ArgumentError(str(error), hint) from error


def read_days(node: Node, fact: Fact, conventions: Conventions) -> object:
    """A day, or some days in words, such as `this week`."""
    text = _scalar(node).text
    try:
        return days.read_days(date.fromisoformat(text).isoformat() if _DAY_OF_DIGITS.fullmatch(text) else text)
    except ValueError as error:
        raise ArgumentError(str(error), order_meant(text) or date_meant(text) or _DAYS_ALLOWED) from error


def read_day_or_moment(node: Node, fact: Fact, conventions: Conventions) -> object:
    """A date or moment as the fact has it, or days in words."""
    if _BEGINS_WITH_YEAR.match(_scalar(node).text):
        return read_value(node, fact, conventions)
    return read_days(node, fact, conventions)


def read_flag(node: Node, fact: Fact, conventions: Conventions) -> object:
    """true or false."""
    return _bool(_scalar(node))
