"""The JSON Schema of what a site declares: its types of events and its attributes, with the type of every value."""

from collections.abc import Iterable, Mapping

from personalize.api.payloads import JSONSchema
from personalize.events.schema import Attribute, EventType, Shape, ValueType
from personalize.events.values import LONGEST_LIST, LONGEST_TEXT, NUMBER_DECIMALS
from personalize.money import LARGEST

_NUMBER_TEXT = rf"^[-+]?[0-9]{{1,18}}(?:\.[0-9]{{1,{NUMBER_DECIMALS}}})?$"
_BOUND = 10**18


def property_schema(shape: Shape, digits: int) -> JSONSchema:
    """What a value of this type is sent as; a property of null counts as not sent."""
    match shape.type:
        case ValueType.TEXT:
            return {"type": ["string", "null"], "maxLength": LONGEST_TEXT, "pattern": "^[^\\x00]*$"}
        case ValueType.NUMBER:
            return {
                "type": ["number", "string", "null"],
                "exclusiveMinimum": -_BOUND,
                "exclusiveMaximum": _BOUND,
                "pattern": _NUMBER_TEXT,
                "description": f"A number, or its text, with at most {NUMBER_DECIMALS} decimals.",
            }
        case ValueType.MONEY:
            return _money(digits)
        case ValueType.BOOL:
            return {"enum": [True, False, "true", "false", None]}
        case ValueType.DATE:
            return {"type": ["string", "null"], "format": "date"}
        case ValueType.TIME:
            return {"type": ["string", "null"], "format": "date-time"}
        case ValueType.CHOICE:
            return {"enum": [*shape.choices, None]}
        case ValueType.VERSION:
            return {"type": ["string", "null"], "pattern": r"^[0-9]{1,6}(?:\.[0-9]{1,6}){0,2}$"}
        case ValueType.LIST:
            of = shape.of or Shape(ValueType.TEXT)
            items = _present(property_schema(of, digits))
            return {"type": ["array", "null"], "items": items, "maxItems": LONGEST_LIST}
        case ValueType.MAPPING:
            return {"type": ["object", "null"], **_members(shape.fields, digits)}
    return {}


def _money(digits: int) -> JSONSchema:
    """An amount in the main unit: text, or a number with no more decimals than the currency has."""
    whole = len(str(LARGEST)) - 1 - digits
    decimals = rf"(?:\.[0-9]{{1,{digits}}})?" if digits else ""
    return {
        "type": ["string", "number", "null"],
        "pattern": rf"^[-+]?[0-9]{{1,{whole}}}{decimals}$",
        "multipleOf": 10**-digits if digits else 1,
        "minimum": -(10**whole),
        "maximum": 10**whole,
        "examples": ["29.90" if digits == 2 else "29"],
    }


def _present(schema: JSONSchema) -> JSONSchema:
    """The same without null."""
    kept = dict(schema)
    if isinstance(kept.get("type"), list):
        kinds = [kind for kind in kept["type"] if kind != "null"]
        kept["type"] = kinds[0] if len(kinds) == 1 else kinds
    if "enum" in kept:
        kept["enum"] = [value for value in kept["enum"] if value is not None]
    return kept


def _members(shapes: Mapping[str, Shape], digits: int) -> JSONSchema:
    properties = {name: property_schema(shape, digits) for name, shape in shapes.items()}
    return {"properties": properties, "additionalProperties": False}


def event_schema(event: EventType, envelope: JSONSchema, digits: int) -> JSONSchema:
    """An event of one type: what all have in common, with this type and its properties."""
    properties = {
        **envelope["properties"],
        "type": {"const": event.name},
        "properties": {"type": "object", **_members(event.properties, digits)},
    }
    told = {**envelope, "properties": properties}
    return {"title": event.title, **told} if event.title else told


def attributes_schema(attributes: Iterable[Attribute], digits: int) -> JSONSchema:
    """Values of attributes by name; null removes one."""
    properties = {
        one.name: {**property_schema(one.shape, digits), **({"title": one.title} if one.title else {})}
        for one in attributes
    }
    return {"type": "object", "properties": properties, "additionalProperties": False, "minProperties": 1}
