"""Values read as another type than they have: a number as text, a text as a number, a version or a moment."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from decimal import Decimal
from math import isfinite

from personalize.rules.fact_values import decimal_number, fact_value
from personalize.rules.facts import FactType
from personalize.versions import Version, parse_version

#: The words that `as` takes.
WRITTEN_CASTS = (FactType.TEXT, FactType.NUMBER)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MOST_DIGITS = 100


@dataclass(frozen=True, slots=True)
class Cast:
    """How a question reads values: as this type. A moment without a zone is one of `zone`."""

    type: FactType
    zone: tzinfo = UTC

    def read(self, value: object) -> object | None:
        """The value as this type, None where it can't be read so; of a list each element."""
        if isinstance(value, list | tuple):
            return [self.read(one) for one in value]
        return _CASTS[self.type](value, self.zone)


def _text(value: object, _zone: tzinfo) -> str | None:
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    number = _finite(value)
    if number is None or max(abs(number.adjusted()), _decimals(number)) > _MOST_DIGITS:
        return None
    digits = format(number, "f")
    return digits.rstrip("0").rstrip(".") if "." in digits else digits


def _finite(value: object) -> Decimal | None:
    if isinstance(value, bool):
        return None
    if isinstance(value, float):
        return Decimal(repr(value)) if isfinite(value) else None
    if isinstance(value, Decimal):
        return value if value.is_finite() else None
    return Decimal(value) if isinstance(value, int) else None


def _decimals(number: Decimal) -> int:
    exponent = number.as_tuple().exponent
    return -exponent if isinstance(exponent, int) else 0


def _number(value: object, _zone: tzinfo) -> Decimal | None:
    return decimal_number(value) if isinstance(value, str) else _finite(value)


def _version(value: object, _zone: tzinfo) -> Version | None:
    """A version as text, or one that was read already, as what a persona is given."""
    return parse_version(value) if isinstance(value, str) else value if isinstance(value, Version) else None


def _time(value: object, zone: tzinfo) -> object | None:
    """An ISO date or moment, or milliseconds since 1970."""
    milliseconds = _finite(value)
    if milliseconds is None:
        return value if isinstance(value, datetime) else fact_value(value, FactType.TIME, zone)
    try:
        return _EPOCH + timedelta(milliseconds=float(milliseconds))
    except OverflowError:
        return None


_CASTS: Mapping[FactType, Callable[[object, tzinfo], object | None]] = {
    FactType.TEXT: _text,
    FactType.NUMBER: _number,
    FactType.VERSION: _version,
    FactType.TIME: _time,
}
