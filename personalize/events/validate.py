"""Checking what is recorded and set against what the site declares, before anything reaches the log."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta, tzinfo
from decimal import Decimal

from personalize.errors import EventRefused
from personalize.events.event import BUILT_IN_TYPES, JSONValue
from personalize.events.schema import Schema
from personalize.events.values import NO_ZONE, TOO_LARGE, UNKNOWN_PROPERTY, Reader, unknown
from personalize.problems import quoted

UNKNOWN_TYPE = "E301"
UNKNOWN_ATTRIBUTE = "E303"
NOT_FROM_BROWSER = "E307"
#: Of an event that fits what is declared, and that the log refuses all the same.
NOT_TAKEN = "E310"

FROM_THE_FUTURE = "E311"

#: How far ahead of ours the clock of whoever tells of an event may be.
FURTHEST_AHEAD = timedelta(minutes=5)
#: How much all values of one event may come to, in characters.
LARGEST_EVENT = 100_000


def check_moment(occurred_at: datetime, now: datetime) -> None:
    """Raises `EventRefused` for an event that says it is yet to occur, or does not say in which time zone.

    A clock that goes somewhat ahead is nobody's fault; one that is wrong would bend what is first, last and recent.
    """
    if occurred_at.utcoffset() is None:
        reason = f"{quoted(str(occurred_at))} does not say in which time zone: give it a tzinfo, such as datetime.UTC"
        raise EventRefused(NO_ZONE, reason, "occurred_at")
    if occurred_at - now > FURTHEST_AHEAD:
        minutes, days = (occurred_at - now) // timedelta(minutes=1), (occurred_at - now).days
        ahead = f"{days} days" if days > 1 else f"{minutes} minutes"
        reason = f"it is yet to occur, {ahead} from now: is a clock wrong, or a time zone?"
        raise EventRefused(FROM_THE_FUTURE, reason, "occurred_at")


def check_event(
    type_: str,
    properties: Mapping[str, object],
    schema: Schema,
    *,
    zone: tzinfo | None = None,
    from_browser: bool = False,
) -> dict[str, JSONValue]:
    """The properties of a declared event, each in the one form in which it is kept.

    A property of None counts as not sent. `zone` is that of moments written without one; without it they are
    refused. `from_browser` lets only types through that are declared so. Raises `EventRefused`.
    """
    declared = schema.events.get(type_)
    if type_ in BUILT_IN_TYPES:
        raise EventRefused(UNKNOWN_TYPE, f"{quoted(type_)} is recorded by personalize itself", type_)
    if declared is None:
        raise unknown(UNKNOWN_TYPE, "there is no event", type_, schema.events)
    if from_browser and not declared.from_browser:
        raise EventRefused(NOT_FROM_BROWSER, f"a browser may not record {quoted(type_)}", type_)
    kept: dict[str, JSONValue] = {}
    for name, value in properties.items():
        shape = declared.properties.get(name)
        if shape is None:
            raise unknown(UNKNOWN_PROPERTY, f"{quoted(type_)} has no property", name, declared.properties)
        if value is not None:
            kept[name] = Reader(name, schema.currency_digits, zone).read(value, shape)
    return _of_fair_size(kept, type_)


def check_organization(
    values: Mapping[str, object], schema: Schema, *, zone: tzinfo | None = None
) -> dict[str, JSONValue]:
    """The values of attributes of an organization itself, kept and refused as by `check_attributes`."""
    own = {} if schema.organization is None else schema.organization.attributes
    return check_attributes(values, replace(schema, attributes=own, organization=None), zone=zone)


def check_attributes(
    values: Mapping[str, object], schema: Schema, *, zone: tzinfo | None = None, from_browser: bool = False
) -> dict[str, JSONValue]:
    """The values of declared attributes, each in the one form in which it is kept; None removes an attribute.

    `from_browser` lets only attributes through that are declared so. `zone` is as for `check_event`. Raises
    `EventRefused`.
    """
    kept: dict[str, JSONValue] = {}
    for name, value in values.items():
        declared = schema.attributes.get(name)
        if declared is None:
            raise unknown(UNKNOWN_ATTRIBUTE, "there is no attribute", name, schema.attributes)
        if from_browser and not declared.from_browser:
            raise EventRefused(NOT_FROM_BROWSER, f"a browser may not set {quoted(name)}", name)
        reader = Reader(name, schema.currency_digits, zone, declared.private)
        kept[name] = None if value is None else reader.read(value, declared.shape)
    return _of_fair_size(kept, "set")


def _of_fair_size(kept: dict[str, JSONValue], type_: str) -> dict[str, JSONValue]:
    size = _size(kept.values())
    if size > LARGEST_EVENT:
        reason = f"{quoted(type_)} comes to {size} characters: at most {LARGEST_EVENT} are kept"
        raise EventRefused(TOO_LARGE, reason, type_)
    return kept


def _size(values: Iterable[JSONValue]) -> int:
    return sum(_size_of(value) for value in values)


def _size_of(value: JSONValue) -> int:
    if isinstance(value, str):
        return len(value)
    if isinstance(value, list):
        return _size(value)
    if isinstance(value, dict):
        return _size(value) + _size(value.values())
    return len(str(value)) if isinstance(value, int | Decimal) else 1
