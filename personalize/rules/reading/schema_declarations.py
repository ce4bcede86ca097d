"""The JSON Schema of what a site declares: attributes, events, and what visitors belong to."""

from collections.abc import Mapping

from personalize.events.schema import Schema
from personalize.rules.organization import ORGANIZATION_KEYS_WRITTEN
from personalize.rules.reading.declarations import (
    ATTRIBUTE_KEYS,
    EVENT_TYPE_KEYS,
    OWN_ATTRIBUTE_KEYS,
    SHAPE_KEYS,
    WRITTEN_TYPES,
    single_types,
)
from personalize.rules.reading.keep import KEEP_KEYS, TOTALS
from personalize.rules.reading.reading import NAME
from personalize.rules.schema_parts import ANYTHING, FLAG, TEXT, JSONSchema, by_kind, keyed, named, one_or_more

PROPERTY: JSONSchema = {"$ref": "#/$defs/property"}
_SAID_OF_ATTRIBUTES: Mapping[str, tuple[str, JSONSchema]] = {
    "type": ("The type of its values.", {"enum": list(WRITTEN_TYPES)}),
    "of": ("What a list holds; text if left out.", ANYTHING),
    "choices": ("The words of a choice.", one_or_more(TEXT)),
    "fold": ("Compared without regard to large and small letters.", FLAG),
    "title": ("For people.", TEXT),
    "purpose": ("What the visitor has to have agreed to; personalize if left out.", TEXT),
    "private": ("Never quoted in a message or log.", FLAG),
    "from_browser": ("A browser may send it.", FLAG),
    "searchable": ("Visitors are found by it, at the till and by the API.", FLAG),
    "zone": ("It is the visitor's time zone.", FLAG),
}


def attribute_block() -> JSONSchema:
    """An attribute of visitors."""
    return keyed(ATTRIBUTE_KEYS, _SAID_OF_ATTRIBUTES, needs=("type",))


def event_block() -> JSONSchema:
    """A type of event."""
    keep = keyed(
        KEEP_KEYS,
        {
            "for": ("How old a single event may become, such as 90 days.", TEXT),
            "then": ("What stays of it: what all of them add up to.", {"enum": [TOTALS]}),
        },
    )
    return keyed(
        EVENT_TYPE_KEYS,
        {
            "title": ("For people; explanations use it.", TEXT),
            "properties": ("What is told about it, each with a type.", named(NAME.pattern, PROPERTY)),
            "value": ("The property that totals and averages are made of.", TEXT),
            "interest": ("The property that tells what they like, such as items.category.", TEXT),
            "keep": (
                "For how long, such as 90 days; totals where these stay.",
                by_kind(block=keep, single=TEXT),
            ),
            "purpose": ("What the visitor has to have agreed to; personalize if left out.", TEXT),
            "from_browser": ("A browser may send it.", FLAG),
        },
    )


def organization_block(schema: Schema) -> JSONSchema:
    """What visitors belong to, by the attributes and events that there are."""
    own = keyed(OWN_ATTRIBUTE_KEYS, {key: _SAID_OF_ATTRIBUTES[key] for key in OWN_ATTRIBUTE_KEYS}, needs=("type",))
    return keyed(
        ORGANIZATION_KEYS_WRITTEN,
        {
            "title": ("For people: Company.", TEXT),
            "by": ("The attribute that names the one that somebody belongs to.", {"enum": list(schema.attributes)}),
            "shares": ("Events that are added up over all members.", one_or_more({"enum": list(schema.events)})),
            "attributes": ("What is known of the organization itself.", named(NAME.pattern, own)),
        },
        needs=("by",),
    )


def property_block() -> JSONSchema:
    """A property of an event: its type in one word, or a block."""
    of = by_kind(block=named(NAME.pattern, PROPERTY), single={"enum": list(single_types())})
    block = keyed(
        SHAPE_KEYS,
        {
            "type": ("The type of its values.", {"enum": list(WRITTEN_TYPES)}),
            "of": ("What a list holds: a type, or several values with a type each.", of),
            "choices": ("The words of a choice.", one_or_more(TEXT)),
            "fold": ("Compared without regard to large and small letters.", FLAG),
        },
        needs=("type",),
    )
    return by_kind(block=block, single={"enum": list(single_types())})
