"""What editors write beside an operator, read as exact values of the fact's own type."""

import re
from datetime import date, datetime, timedelta
from decimal import Decimal

from personalize.durations import parse_duration
from personalize.money import parse_amount
from personalize.problems import did_you_mean
from personalize.rules.conventions import Conventions
from personalize.rules.facts import Fact, FactType
from personalize.yaml_tree import Node, Scalar, Sequence

_CLOCK = re.compile(r"([01]?[0-9]|2[0-3]):([0-5][0-9])|24:00", re.ASCII)
_LONGEST_NUMBER = 100


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
    text = scalar.text.casefold() if fact.fold else scalar.text
    if fact.choices and text not in fact.choices:
        raise ArgumentError(
            f'"{scalar.text}" is none of {", ".join(fact.choices)}', did_you_mean(scalar.text, fact.choices)
        )
    return text


def _number(scalar: Scalar) -> int | Decimal:
    if isinstance(scalar.value, bool) or not isinstance(scalar.value, int | float):
        raise ArgumentError(f'"{scalar.text}" is not a number', "write it with digits, as in 3 or 2.5")
    exact = Decimal(str(scalar.value)) if isinstance(scalar.value, int) else Decimal(scalar.text)
    if not exact.is_finite() or len(scalar.text) > _LONGEST_NUMBER:
        raise ArgumentError(f'"{scalar.text}" is not a number that can be compared')
    return scalar.value if isinstance(scalar.value, int) else exact


def _amount(scalar: Scalar, conventions: Conventions) -> int:
    _number(scalar)
    try:
        return parse_amount(scalar.text, conventions.currency_digits)
    except ValueError as error:
        raise ArgumentError(str(error)) from error


def _bool(scalar: Scalar) -> bool:
    if not isinstance(scalar.value, bool):
        raise ArgumentError(f'"{scalar.text}" is neither true nor false', "write true or false")
    return scalar.value


def _date(scalar: Scalar) -> date:
    try:
        return date.fromisoformat(scalar.text)
    except ValueError as error:
        raise ArgumentError(f'"{scalar.text}" is not a date', "write it as 2026-12-24") from error


def _moment(scalar: Scalar, conventions: Conventions) -> datetime:
    try:
        return conventions.moment(scalar.text)
    except ValueError as error:
        raise ArgumentError(
            f'"{scalar.text}" is not a date or moment', "write it as 2026-12-24 or 2026-12-24T18:00"
        ) from error


def _clock(scalar: Scalar) -> timedelta:
    found = _CLOCK.fullmatch(scalar.text)
    if found is None:
        raise ArgumentError(f'"{scalar.text}" is not a time of day', "write it as 08:00 or 18:30")
    hours, minutes = scalar.text.split(":")
    return timedelta(hours=int(hours), minutes=int(minutes))


def read_set(node: Node, fact: Fact, conventions: Conventions) -> object:
    """One value or a list of them, as a set."""
    items = node.items if isinstance(node, Sequence) else (node,)
    if not items:
        raise ArgumentError("the list is empty, so nothing could ever be in it", "name at least one value")
    return frozenset(read_value(item, fact, conventions) for item in items)


def read_texts(node: Node, fact: Fact, conventions: Conventions) -> object:
    """One text or a list of them, any of which will do."""
    items = node.items if isinstance(node, Sequence) else (node,)
    plain = Fact(fact.name, fact.root, fact.key, FactType.TEXT, fold=fact.fold)
    texts = tuple(str(read_value(item, plain, conventions)) for item in items)
    if not texts or "" in texts:
        raise ArgumentError("an empty text is part of every text", "name at least one letter")
    return texts


def read_bound(node: Node, fact: Fact, conventions: Conventions) -> object:
    """A limit for the order operators: text may be compared with a number, too."""
    scalar = _scalar(node)
    is_number = isinstance(scalar.value, int | float) and not isinstance(scalar.value, bool)
    if fact.type is FactType.TEXT and is_number:
        return _number(scalar)
    return read_value(node, fact, conventions)


def read_pair(node: Node, fact: Fact, conventions: Conventions) -> object:
    """The two ends of a range, both included."""
    if not isinstance(node, Sequence) or len(node.items) != 2:
        raise ArgumentError("expects two values", "write them as [10, 20]; both ends are included")
    low, high = (read_bound(item, fact, conventions) for item in node.items)
    if isinstance(low, str) != isinstance(high, str):
        raise ArgumentError("expects two values of the same kind", "write them as [10, 20]")
    if low > high:  # type: ignore[operator]  # both of one ordered type, as just checked
        raise ArgumentError(
            "the first value is larger than the second, so nothing lies between them", "swap the two values"
        )
    return (low, high)


def read_duration(node: Node, fact: Fact, conventions: Conventions) -> object:
    """A length of time, such as `30 days`."""
    scalar = _scalar(node)
    try:
        return parse_duration(scalar.text)
    except ValueError as error:
        raise ArgumentError(str(error), "write it as 30 days, 2 hours or 1 week") from error


def read_flag(node: Node, fact: Fact, conventions: Conventions) -> object:
    """true or false."""
    return _bool(_scalar(node))
