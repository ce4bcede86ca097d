"""What editors write beside an operator, read as exact values of the fact's own type."""

import re
from datetime import date, datetime, timedelta
from decimal import Decimal

from personalize.durations import parse_duration
from personalize.guesses import Guess
from personalize.money import parse_amount
from personalize.problems import did_you_mean, quoted
from personalize.rules import days
from personalize.rules.conventions import Conventions
from personalize.rules.equality import Listed
from personalize.rules.fact_values import decimal_number
from personalize.rules.facts import WEEKDAYS, Fact, FactType
from personalize.rules.operators_meant import order_meant, switch_meant
from personalize.yaml_tree import Node, Scalar, Sequence

#: `1 000`, `29,90`, `3000 kr`, `€ 5`.
_LOOSE_NUMBER = re.compile(
    r"(?:[^\W\d]{1,3}\.?|[$€£])? ?([0-9]{1,3}(?:[ \u00a0'][0-9]{3})+|[0-9]+)"
    r"(?:[.,]([0-9]+))? ?(?:[^\W\d]{1,6}\.?|[$€£]|,-|:-)?"
)
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_DAY_OF_DIGITS = re.compile(r"[0-9]{8}", re.ASCII)
_BEGINS_WITH_YEAR = re.compile(r"[0-9]{4}")
_DAYS_ALLOWED = "write a day such as 2026-12-24, or today, 30 days ago, this week, first monday of the month"
_CLOCK = re.compile(r"([01]?[0-9]|2[0-3]):([0-5][0-9])|24:00", re.ASCII)


class ArgumentError(ValueError):
    """What was written beside an operator is not what it takes; `hint` says what is."""

    def __init__(self, message: str, hint: str | None = None) -> None:
        super().__init__(message)
        self.hint = hint


def _scalar(node: Node) -> Scalar:
    if not isinstance(node, Scalar) or node.value is None:
        raise ArgumentError("expects one value here", "write a single word, number or date")
    return node


def read_value(node: Node, fact: Fact, conventions: Conventions) -> object:
    """One value of the fact's own type; text stays as it was written (`NO` and `0150` too)."""
    scalar = _scalar(node)
    match fact.type:
        case FactType.NUMBER:
            return _number(scalar)
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


def _number(scalar: Scalar) -> int | Decimal:
    if isinstance(scalar.value, bool) or not isinstance(scalar.value, int | float):
        hint = order_meant(scalar.text) or _digits_meant(scalar.text) or "write it with digits, as in 3 or 2.5"
        raise ArgumentError(f"{quoted(scalar.text)} is not a number", hint)
    return scalar.value if isinstance(scalar.value, int) else Decimal(scalar.text)


def _digits_meant(text: str) -> str | None:
    """A hint for a number with blanks, a comma or a currency, as people write it elsewhere."""
    found = _LOOSE_NUMBER.fullmatch(text.strip())
    if found is None:
        return None
    if text.isdecimal():
        return Guess("write it without quotes", text, text if text == str(int(text)) else None)
    grouped, cents = re.sub(r"[\s']", "", found[1]), found[2]
    number = f"{grouped}.{cents}" if cents else grouped
    return f"write {number}: digits alone, with a point, and no blank, comma or currency"


def _amount(scalar: Scalar, conventions: Conventions) -> int:
    _number(scalar)
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
        raise ArgumentError(f"{quoted(scalar.text)} is not a date", "write it as 2026-12-24") from error


def _moment(scalar: Scalar, conventions: Conventions) -> datetime:
    try:
        return conventions.moment(scalar.text)
    except ValueError as error:
        hint = "write it as 2026-12-24 or 2026-12-24T18:00"
        raise ArgumentError(f"{quoted(scalar.text)} is not a date or moment", hint) from error


def _clock(scalar: Scalar) -> timedelta:
    found = _CLOCK.fullmatch(scalar.text)
    if found is None:
        hint = order_meant(scalar.text) or "write it as 08:00 or 18:30"
        raise ArgumentError(f"{quoted(scalar.text)} is not a time of day", hint)
    hours, minutes = scalar.text.split(":")
    return timedelta(hours=int(hours), minutes=int(minutes))


def read_set(node: Node, fact: Fact, conventions: Conventions) -> object:
    """A list of values, as a set."""
    if not isinstance(node, Sequence):
        raise ArgumentError("expects a list of values", "write them as [one, two]")
    if not node.items:
        raise ArgumentError("the list is empty, so nothing could ever be in it", "name at least one value")
    return Listed(read_value(item, fact, conventions) for item in node.items)


def read_texts(node: Node, fact: Fact, conventions: Conventions) -> object:
    """One text or a list of them, any of which will do."""
    items = node.items if isinstance(node, Sequence) else (node,)
    plain = Fact(fact.name, fact.root, fact.key, FactType.TEXT, fold=fact.fold)
    texts = tuple(str(read_value(item, plain, conventions)) for item in items)
    if not texts or "" in texts:
        raise ArgumentError("an empty text is part of every text", "name at least one letter")
    return texts


def read_bound(node: Node, fact: Fact, conventions: Conventions) -> object:
    """A limit for the order operators: text may be compared with a number, and a number be written as text."""
    scalar = _scalar(node)
    if fact.type is FactType.TEXT and not isinstance(scalar.value, str | bool):
        return _number(scalar)
    number = decimal_number(scalar.text) if fact.type is FactType.NUMBER and isinstance(scalar.value, str) else None
    return read_value(node, fact, conventions) if number is None else number


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
            hint = "for hours that cross midnight write `when: {hours: 22:00-06:00}`"
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
        raise ArgumentError(str(error), order_meant(text) or _DAYS_ALLOWED) from error


def read_day_or_moment(node: Node, fact: Fact, conventions: Conventions) -> object:
    """A date or moment as the fact has it, or days in words."""
    if _BEGINS_WITH_YEAR.match(_scalar(node).text):
        return read_value(node, fact, conventions)
    return read_days(node, fact, conventions)


def read_flag(node: Node, fact: Fact, conventions: Conventions) -> object:
    """true or false."""
    return _bool(_scalar(node))
