"""What is known of a visitor, as JSON tells it: amounts as text in the main unit, moments in UTC."""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

from personalize.events.event import JSONValue
from personalize.events.schema import Schema, Shape, ValueType
from personalize.profiles.organization import Organization
from personalize.profiles.profile import Profile, SharedTotals, Totals, Visit
from personalize.profiles.stated import interest_in
from personalize.runtime.channel_visit import ChannelVisit


def known(visit: ChannelVisit, profile: Profile) -> dict[str, Any]:
    """All that is told of a stored visitor."""
    schema = visit.rule_set.schema
    attributes = {name: one.value for name, one in profile.attributes.items() if one.value is not None}
    return {
        "visitor": profile.profile_id,
        "attributes": {name: _attribute(name, value, schema) for name, value in sorted(attributes.items())},
        "totals": {name: _totals(name, one, schema) for name, one in sorted(profile.totals.items())},
        "interests": _interests(profile, visit),
        "segments": list(visit.segments),
        "first_seen_at": moment(profile.first_seen_at),
        "last_seen_at": moment(profile.last_seen_at),
        "visit": None if profile.visit is None else _visit(profile.visit),
        "consent": consent(profile),
        "joined_into": None if profile.joined is None else profile.joined.into,
        "events": profile.events,
    }


def organization(found: Organization | None, schema: Schema) -> dict[str, Any]:
    """What is told of an organization: nothing that says which of its members brought it in."""
    stored = {} if found is None else found.attributes
    declared = {} if schema.organization is None else schema.organization.attributes
    shapes = {name: one.shape for name, one in declared.items()}
    return {
        "attributes": {
            name: shaped(one.value, shapes.get(name), schema.currency_digits)
            for name, one in sorted(stored.items())
            if one.value is not None
        },
        "members": 0 if found is None else found.members,
        "totals": {} if found is None else {name: _shared(name, one, schema) for name, one in found.totals.items()},
    }


def consent(profile: Profile | None) -> dict[str, Any]:
    """What is stored of a visitor's decision."""
    decision = None if profile is None else profile.consent
    granted = None if decision is None or decision.granted is None else sorted(decision.granted)
    return {"granted": granted, "at": None if profile is None else moment(profile.consent_at)}


def moment(at: datetime | None) -> str | None:
    """A moment as JSON tells it."""
    return None if at is None else at.isoformat()


def json_value(value: JSONValue) -> Any:
    """A value as JSON knows it. A decimal is a number where that says exactly the same, else text."""
    if isinstance(value, Decimal):
        number = float(value)
        return number if Decimal(repr(number)) == value else str(value)
    if isinstance(value, list):
        return [json_value(one) for one in value]
    if isinstance(value, Mapping):
        return {name: json_value(one) for name, one in value.items()}
    return value


def shaped(value: JSONValue, shape: Shape | None, digits: int) -> Any:
    """A value of a declared type: amounts of money, wherever they stand in it, as they would be sent."""
    if shape is None or value is None:
        return json_value(value)
    if shape.type is ValueType.MONEY and isinstance(value, int):
        return amount(value, digits)
    if shape.type is ValueType.LIST and isinstance(value, list):
        return [shaped(one, shape.of, digits) for one in value]
    if shape.type is ValueType.MAPPING and isinstance(value, Mapping):
        return {name: shaped(one, shape.fields.get(name), digits) for name, one in value.items()}
    return json_value(value)


def amount(smallest: int, digits: int) -> str:
    """An amount as text in the main unit, as it may be sent: `29.90`."""
    whole, part = divmod(abs(smallest), 10**digits)
    return ("-" if smallest < 0 else "") + (f"{whole}.{part:0{digits}d}" if digits else str(whole))


def _attribute(name: str, value: JSONValue, schema: Schema) -> Any:
    declared = schema.attributes.get(name)
    return shaped(value, None if declared is None else declared.shape, schema.currency_digits)


def _shared(name: str, totals: SharedTotals, schema: Schema) -> dict[str, Any]:
    shape = _value_shape(name, schema)
    told: dict[str, Any] = {"count": totals.count}
    return told if shape is None else {**told, "sum": shaped(totals.sum, shape, schema.currency_digits)}


def _value_shape(name: str, schema: Schema) -> Shape | None:
    """The shape of what the events of a type are added up by, if by anything."""
    declared = schema.events.get(name)
    return None if declared is None or declared.value is None else declared.properties.get(declared.value)


def _totals(name: str, totals: Totals, schema: Schema) -> dict[str, Any]:
    shape = _value_shape(name, schema)
    told: dict[str, Any] = {
        "count": totals.count,
        "first_at": moment(totals.first_at),
        "last_at": moment(totals.last_at),
    }
    if shape is not None:
        digits = schema.currency_digits
        told["sum"] = shaped(totals.sum, shape, digits)
        told["first_value"] = shaped(totals.first_value, shape, digits)
        told["last_value"] = shaped(totals.last_value, shape, digits)
    return told


def _interests(profile: Profile, visit: ChannelVisit) -> dict[str, float]:
    half_life = visit.context.lifecycle.interest_half_life
    tags = sorted({*profile.interests, *profile.stated})
    return {tag: float(interest_in(tag, profile.interests, profile.stated, visit.now, half_life)) for tag in tags}


def _visit(visit: Visit) -> dict[str, Any]:
    return {
        "number": visit.number,
        "started_at": moment(visit.started_at),
        "last_page_at": moment(visit.last_page_at),
        "pages": visit.pages,
        "landing_path": visit.landing_path,
        "source": visit.source,
        "medium": visit.medium,
        "campaign": visit.campaign,
    }
