"""Values as they are kept: whatever a site, a browser or an import sends, made into one form per declared type."""

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, tzinfo
from decimal import Context, Decimal

from personalize.errors import EventRefused
from personalize.events.event import JSONValue
from personalize.events.schema import Shape, ValueType
from personalize.money import parse_amount
from personalize.problems import did_you_mean, quoted
from personalize.versions import parse_version

UNKNOWN_PROPERTY = "E302"
WRONG_TYPE = "E304"
NO_CHOICE = "E305"
TOO_LARGE = "E306"
NO_ZONE = "E308"
UNREADABLE_TEXT = "E309"

LONGEST_TEXT = 10_000
LONGEST_LIST = 1_000
DEEPEST_VALUE = 20
#: A number lies between -10^18 and 10^18, with at most 30 digits behind the point.
NUMBER_DIGITS = 18
NUMBER_DECIMALS = 30

_NUMBER = re.compile(r"[-+]?[0-9]{1,30}(?:\.[0-9]{1,30})?")
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_TIME = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}(?:[T ][0-9].*)?", re.ASCII)
_EXACT = Context(prec=100)
_TEXT = Shape(ValueType.TEXT)


@dataclass(frozen=True, slots=True)
class Reader:
    """Reads one value: `field` is its dotted name, `zone` that of moments written without one, if there is any.

    `currency_digits` is the schema's. A `private` value is never quoted in a message.
    """

    field: str
    currency_digits: int = 2
    zone: tzinfo | None = None
    private: bool = False

    def read(self, value: object, shape: Shape) -> JSONValue:
        """The value as it is kept.

        Text stays; numbers become an int, or an exact Decimal where they have decimals; money an int of the
        smallest unit; dates ISO text; moments ISO text in UTC. Raises `EventRefused` for anything else.
        """
        return _READERS[shape.type](self, value, shape)

    def refusal(self, code: str, reason: str) -> EventRefused:
        """What to raise for this field."""
        return EventRefused(code, f"{self.field}: {reason}", self.field)

    def wrong_type(self, value: object, allowed: str) -> EventRefused:
        """What to raise for a value of the wrong type, saying what is allowed."""
        return self.refusal_of(value, WRONG_TYPE, f"is not {allowed}")

    def refusal_of(self, value: object, code: str, says: str) -> EventRefused:
        """What to raise for this value of the field."""
        reason, discreet = f"{self.shown(value)} {says}", f"this value {says}"
        return EventRefused(code, f"{self.field}: {reason}", self.field, f"{self.field}: {discreet}")

    def shown(self, value: object) -> str:
        """The value for a message."""
        if self.private:
            return "this value"
        if isinstance(value, str):
            return quoted(value)
        if isinstance(value, bool):
            return quoted(str(value).lower())
        if isinstance(value, float | Decimal | date) or (isinstance(value, int) and abs(value) < 10**60):
            return quoted(str(value))
        return _KINDS.get(type(value), f"a {type(value).__name__}")

    def inside(self, name: str) -> "Reader":
        """The reader of a field of this mapping."""
        return replace(self, field=f"{self.field}.{name}")


_KINDS: Mapping[type, str] = {
    type(None): "nothing",
    int: "so large a number",
    list: "a list",
    tuple: "a list",
    dict: "a mapping",
}


def _text(reader: Reader, value: object, _shape: Shape) -> str:
    if not isinstance(value, str):
        raise reader.wrong_type(value, "text")
    text = str.__str__(value)
    if len(text) > LONGEST_TEXT:
        raise reader.refusal(TOO_LARGE, f"{len(text)} characters of text are too many: at most {LONGEST_TEXT} are kept")
    if "\x00" in text or not _is_unicode(text):
        raise reader.refusal_of(text, UNREADABLE_TEXT, "holds characters that are no text")
    return text


def _is_unicode(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _number(reader: Reader, value: object, _shape: Shape) -> int | Decimal:
    number = _as_number(value)
    if number is None:
        raise reader.wrong_type(value, 'a number such as 5, 29.33 or "29.33"')
    if isinstance(number, int):
        if abs(number) >= 10**NUMBER_DIGITS:
            raise _too_many_digits(reader, value)
        return number
    if number.adjusted() >= NUMBER_DIGITS or len(number.as_tuple().digits) > _EXACT.prec:
        raise _too_many_digits(reader, value)
    plain = number.normalize(_EXACT)
    _sign, _digits, exponent = plain.as_tuple()
    if not isinstance(exponent, int) or exponent < -NUMBER_DECIMALS:
        raise _too_many_digits(reader, value)
    return plain if exponent < 0 else int(plain)


def _as_number(value: object) -> int | Decimal | None:
    if isinstance(value, bool):
        return None
    if isinstance(value, int):
        return int(value)
    if isinstance(value, float):
        return Decimal(repr(value)) if math.isfinite(value) else None
    if isinstance(value, Decimal):
        return value if value.is_finite() else None
    return Decimal(value) if isinstance(value, str) and _NUMBER.fullmatch(value) else None


def _too_many_digits(reader: Reader, value: object) -> EventRefused:
    allowed = f"less than 10^{NUMBER_DIGITS}, with at most {NUMBER_DECIMALS} digits behind the point"
    return reader.refusal_of(value, TOO_LARGE, f"has too many digits: {allowed}")


def _money(reader: Reader, value: object, _shape: Shape) -> int:
    if not isinstance(value, str | int | float | Decimal) or isinstance(value, bool):
        raise reader.wrong_type(value, 'an amount such as 30, 29.33 or "29.33"')
    if isinstance(value, int) and abs(value) >= 10**NUMBER_DIGITS:
        raise _too_many_digits(reader, value)
    try:
        return parse_amount(value, reader.currency_digits)
    except ValueError as error:
        discreet = f"{reader.field}: this value is not an amount of money such as 29.90"
        reason = discreet if reader.private else f"{reader.field}: {error}"
        raise EventRefused(WRONG_TYPE, reason, reader.field, discreet) from None


def _bool(reader: Reader, value: object, _shape: Shape) -> bool:
    if isinstance(value, bool):
        return value
    if value in ("true", "false"):
        return value == "true"
    raise reader.wrong_type(value, "true or false")


def _date(reader: Reader, value: object, _shape: Shape) -> str:
    if isinstance(value, date) and not isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, str) and _DATE.fullmatch(value):
        try:
            return date.fromisoformat(value).isoformat()
        except ValueError:
            raise reader.wrong_type(value, "a day of the calendar") from None
    raise reader.wrong_type(value, "a date such as 2026-11-21")


def _time(reader: Reader, value: object, _shape: Shape) -> str:
    moment = value if isinstance(value, datetime) else _written_moment(value)
    if moment is None:
        raise reader.wrong_type(value, "a moment such as 2026-11-21T18:00:00+01:00")
    if moment.utcoffset() is None:
        if reader.zone is None:
            allowed = "write it with its difference from UTC, such as 2026-11-21T18:00:00+01:00"
            raise reader.refusal_of(value, NO_ZONE, f"does not say in which time zone: {allowed}")
        moment = moment.replace(tzinfo=reader.zone)
    try:
        return moment.astimezone(UTC).isoformat()
    except OverflowError:
        raise reader.wrong_type(value, "a moment that can be told in UTC") from None


def _written_moment(value: object) -> datetime | None:
    if not isinstance(value, str) or not _TIME.fullmatch(value):
        return None
    try:
        return datetime.fromisoformat(value)
    except ValueError:
        return None


def _choice(reader: Reader, value: object, shape: Shape) -> str:
    if isinstance(value, str) and value in shape.choices:
        return str.__str__(value)
    allowed = ", ".join(quoted(choice) for choice in shape.choices)
    guess = did_you_mean(value, shape.choices) if isinstance(value, str) and not reader.private else None
    ending = f" ({guess})" if guess else ""
    raise reader.refusal_of(value, NO_CHOICE, f"is none of {allowed}{ending}")


def _version(reader: Reader, value: object, _shape: Shape) -> str:
    if isinstance(value, str) and parse_version(value) is not None:
        return str.__str__(value)
    raise reader.wrong_type(value, 'a version such as "1.2.3"')


def _any(reader: Reader, value: object, _shape: Shape) -> JSONValue:
    return _json(reader, value, DEEPEST_VALUE)


def _json(reader: Reader, value: object, deepest: int) -> JSONValue:
    """A value of JSON in which values lie at most so deep."""
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, str):
        return _text(reader, value, _TEXT)
    if isinstance(value, int | float | Decimal):
        return _number(reader, value, _TEXT)
    if not isinstance(value, list | tuple | Mapping):
        raise reader.wrong_type(value, "a value of JSON: text, a number, true, false, a list or a mapping")
    if not deepest or len(value) > LONGEST_LIST:
        allowed = f"at most {LONGEST_LIST} parts, each in at most {DEEPEST_VALUE} others"
        raise reader.refusal(TOO_LARGE, f"the value is too large: {allowed}, are kept")
    if not isinstance(value, Mapping):
        return [_json(reader, item, deepest - 1) for item in value]
    return {
        _text(reader, name, _TEXT): _json(reader.inside(str(name)), item, deepest - 1) for name, item in value.items()
    }


def _list(reader: Reader, value: object, shape: Shape) -> list[JSONValue]:
    if not isinstance(value, list | tuple):
        raise reader.wrong_type(value, "a list")
    if len(value) > LONGEST_LIST:
        raise reader.refusal(TOO_LARGE, f"a list of {len(value)} is too long: at most {LONGEST_LIST} are kept")
    of = shape.of or Shape(ValueType.TEXT)
    return [reader.read(item, of) for item in value]


def _mapping(reader: Reader, value: object, shape: Shape) -> dict[str, JSONValue]:
    if not isinstance(value, Mapping):
        raise reader.wrong_type(value, "a mapping")
    kept: dict[str, JSONValue] = {}
    for name, item in value.items():
        field = shape.fields.get(name) if isinstance(name, str) else None
        if field is None:
            raise unknown(UNKNOWN_PROPERTY, f"{reader.field} has no field", str(name), shape.fields)
        if item is not None:
            kept[name] = reader.inside(name).read(item, field)
    return kept


_READERS: Mapping[ValueType, Callable[[Reader, object, Shape], JSONValue]] = {
    ValueType.TEXT: _text,
    ValueType.NUMBER: _number,
    ValueType.MONEY: _money,
    ValueType.BOOL: _bool,
    ValueType.DATE: _date,
    ValueType.TIME: _time,
    ValueType.CHOICE: _choice,
    ValueType.VERSION: _version,
    ValueType.ANY: _any,
    ValueType.LIST: _list,
    ValueType.MAPPING: _mapping,
}


def unknown(code: str, what: str, name: str, declared: Mapping[str, object]) -> EventRefused:
    """The refusal of a name that nobody declared: the nearest that is, or all where there are few."""
    guess = did_you_mean(name, declared)
    few = f"declared: {', '.join(quoted(one) for one in declared)}" if 0 < len(declared) <= 10 else None
    hint = guess or few or ("none is declared" if not declared else None)
    return EventRefused(code, f"{what} {quoted(name)}{f' ({hint})' if hint else ''}", name)
