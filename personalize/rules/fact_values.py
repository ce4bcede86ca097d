"""Stored values as the operators want them; whatever is of the wrong type is missing."""

import re
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, tzinfo
from decimal import Decimal

from personalize.rules.facts import FactType
from personalize.versions import parse_version

_DECIMAL = re.compile(r"-?[0-9]{1,100}(\.[0-9]{1,100})?", re.ASCII)


class NumberText(str):
    """A number that a rule writes as text: among texts it is ordered as text, among numbers as that number."""

    __slots__ = ()


def fact_value(value: object, type_: FactType, zone: tzinfo = UTC) -> object | None:
    """The value of a fact of this type, or None where it is none, as after a change of the declaration.

    Dates and moments are kept as ISO text; a moment without a zone is one of `zone`. A decimal number written as
    text stays text: the order operators read it. A value of the type `any` is what it is.
    """
    return reader_of_type(type_)(value, zone)


def reader_of_type(type_: FactType) -> Callable[[object, tzinfo], object | None]:
    """What reads the value of a fact of this type, in a time zone; see `fact_value`."""
    return _READERS.get(type_, _any)


def decimal_number(text: str) -> Decimal | None:
    """The number that a text is, by a strict grammar: no blanks, no plus, no exponent, no comma."""
    return Decimal(text) if _DECIMAL.fullmatch(text) else None


def _any(value: object, _zone: tzinfo) -> object:
    return value


def _text(value: object, _zone: tzinfo) -> str | None:
    return value if isinstance(value, str) else None


def _number(value: object, _zone: tzinfo) -> object | None:
    if value.__class__ is int:
        return value  # as most numbers are
    if isinstance(value, str):
        return value if decimal_number(value) is not None else None
    return _amount(value, _zone)


def _amount(value: object, _zone: tzinfo) -> int | Decimal | None:
    if isinstance(value, bool):
        return None
    if isinstance(value, Decimal):
        return value if value.is_finite() else None
    return value if isinstance(value, int) else None


def _bool(value: object, _zone: tzinfo) -> bool | None:
    return value if isinstance(value, bool) else None


def _date(value: object, _zone: tzinfo) -> date | None:
    try:
        return date.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        return None


def _time(value: object, zone: tzinfo) -> datetime | None:
    try:
        moment = datetime.fromisoformat(value) if isinstance(value, str) else None
        return moment if moment is None or moment.tzinfo is not None else moment.replace(tzinfo=zone).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def _version(value: object, _zone: tzinfo) -> str | None:
    return value if isinstance(value, str) and parse_version(value) is not None else None


def _mapping(value: object, _zone: tzinfo) -> object | None:
    return value if isinstance(value, Mapping) else None


_READERS: Mapping[FactType, Callable[[object, tzinfo], object | None]] = {
    FactType.TEXT: _text,
    FactType.CHOICE: _text,
    FactType.NUMBER: _number,
    FactType.MONEY: _amount,
    FactType.BOOL: _bool,
    FactType.DATE: _date,
    FactType.TIME: _time,
    FactType.VERSION: _version,
    FactType.MAPPING: _mapping,
}
