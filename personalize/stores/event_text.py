"""Events as tables keep them. Properties are text, and lose nothing: decimals stay so, whole numbers have any size."""

import json
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

import orjson

from personalize.events.event import Event, JSONValue, from_micros

_OPTIONS = orjson.OPT_PASSTHROUGH_DATETIME | orjson.OPT_PASSTHROUGH_DATACLASS
_SMALLEST, _LARGEST = -(2**63), 2**64 - 1
_decoder = json.JSONDecoder(parse_float=Decimal)


def event_from_values(values: Sequence[Any]) -> Event:
    """The event of its nine values: id, sender, type, profile id, both moments as microseconds since 1970, channel,
    version, and properties as text."""
    event_id, sender, type_, profile_id, occurred_at, received_at, channel, version, properties = values
    return Event(
        event_id=event_id,
        sender=sender,
        type=type_,
        profile_id=profile_id,
        occurred_at=from_micros(occurred_at),
        received_at=from_micros(received_at),
        properties=properties_from_text(properties),
        channel=channel,
        version=version,
    )


def properties_as_text(properties: Mapping[str, JSONValue]) -> str:
    """JSON text that `properties_from_text` turns into an equal mapping.

    Raises TypeError or ValueError for what is no JSON value, such as a datetime or a decimal that is no number.
    """
    try:
        return orjson.dumps(properties, default=_written, option=_OPTIONS).decode()
    except TypeError:
        # orjson knows neither whole numbers beyond 64 bits nor half a surrogate pair; such events are rare.
        return orjson.dumps(_spelt_out(properties), default=_written, option=_OPTIONS).decode()


def properties_from_text(text: str) -> dict[str, JSONValue]:
    """The properties that were written; every number with a fraction or exponent is a Decimal."""
    read: dict[str, JSONValue] = _decoder.decode(text)
    return read


def _written(value: object) -> Any:
    if isinstance(value, Decimal):
        return orjson.Fragment(_number(value))
    if isinstance(value, Mapping):
        return dict(value)
    raise TypeError(f"{type(value).__name__} is no JSON value")


def _number(value: Decimal) -> str:
    if not value.is_finite():
        raise ValueError(f"{value} is no JSON number")
    text = str(value)
    # Without point and exponent it would come back as an int.
    return text if "." in text or "E" in text else f"{text}E0"


def _spelt_out(value: Any) -> Any:
    """The value with everything that orjson refuses already written as JSON."""
    if isinstance(value, Mapping):
        return {key: _spelt_out(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_spelt_out(each) for each in value]
    if isinstance(value, str):
        return orjson.Fragment(json.dumps(value))
    if isinstance(value, int) and not _SMALLEST <= value <= _LARGEST:
        return orjson.Fragment(str(value))
    return value
