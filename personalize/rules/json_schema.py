"""The JSON Schema (2020-12) of rule files, for editors that complete and check while somebody types.

It is made of what the parser itself reads by: the facts, the operators with the types that they take, and the keys of
each block. A key decides what may stand behind it, and the kind of a value what may stand in it: there are no
alternatives to choose from, of which an editor would show the wrong one. The schema never refuses what loads; where it
can't say something, it lets it stand, and `personalize check` has the last word.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping

from personalize.content.library import Library
from personalize.events.schema import EventType
from personalize.rules import arguments
from personalize.rules.casts import WRITTEN_CASTS
from personalize.rules.definitions import HOWS, KEEP, MOST_ITEMS, Definitions
from personalize.rules.facts import INTEREST_FAMILY, OPEN_FAMILIES, WEEKDAYS, Fact, Facts, FactType
from personalize.rules.operators import NEGATIVES, OPERATORS, Operator
from personalize.rules.reading.load import SECTIONS
from personalize.rules.reading.parse import DID_KEYS, DID_ORDER, GROUPS
from personalize.rules.reading.personas import EXAMPLE_KEYS, PERSONA_KEYS
from personalize.rules.reading.placements import PLACE_KEYS
from personalize.rules.reading.properties import property_fact, property_names
from personalize.rules.reading.questions import INNER_GROUPS, MODIFIERS, may_be_read_as, words_for
from personalize.rules.reading.reading import IDENTIFIER, NAME
from personalize.rules.reading.schema_declarations import (
    attribute_block,
    event_block,
    organization_block,
    property_block,
)
from personalize.rules.reading.slots import RULE_KEYS, SEGMENT_KEYS, SHOW_KEYS, SLOT_KEYS
from personalize.rules.reading.timing import WHEN_KEYS
from personalize.rules.schema_parts import (
    ANYTHING,
    FLAG,
    TEXT,
    JSONSchema,
    by_kind,
    described,
    keyed,
    named,
    nullable,
    one_or_more,
    titled,
    whole,
)

DIALECT = "https://json-schema.org/draft/2020-12/schema"

DURATION: JSONSchema = {"type": "string", "examples": ["30 minutes", "12 hours", "30 days", "2 weeks"]}
MOMENT: JSONSchema = {"type": "string", "examples": ["2026-12-24", "2026-12-24T18:00"]}
CONDITION: JSONSchema = {"$ref": "#/$defs/condition"}
GIVEN: JSONSchema = {"$ref": "#/$defs/given"}
ITEM: JSONSchema = {"$ref": "#/$defs/item"}

_WORDS_OF_GROUPS = {
    "any": "One of these is enough.",
    "all": "All of these.",
    "not": "The opposite of a condition.",
}
#: How a value of each type is written; a type that is not among them may be written in any way.
_VALUES: Mapping[FactType, JSONSchema] = {
    FactType.TEXT: TEXT,
    FactType.NUMBER: {"type": "number"},
    FactType.MONEY: {"type": "number"},
    FactType.BOOL: FLAG,
    FactType.DATE: {"type": "string", "examples": ["2026-12-24"]},
    FactType.TIME: MOMENT,
    FactType.CLOCK: {"type": "string", "examples": ["08:00", "18:30"]},
}


def rule_file_schema(definitions: Definitions, facts: Facts, library: Library) -> JSONSchema:
    """The schema of one site's rule files, with the names that they and its content define."""
    return _Site(definitions, facts, library).schema()


class _Site:
    """Makes the schema from what one site defines."""

    def __init__(self, definitions: Definitions, facts: Facts, library: Library) -> None:
        self._definitions = definitions
        self._facts = facts
        self._library = library
        self._events = definitions.schema.events

    def schema(self) -> JSONSchema:
        """The whole schema: a file's sections, and the conditions that stand in them."""
        belongs = organization_block(self._definitions.schema)
        readers: Mapping[str, tuple[str, JSONSchema]] = {
            "attributes": ("What is known of visitors.", named(NAME.pattern, attribute_block())),
            "events": ("What can happen.", named(NAME.pattern, event_block())),
            "organization": ("What visitors belong to, such as a company.", belongs),
            "segments": ("Groups of visitors with a name.", named(IDENTIFIER.pattern, self._segment())),
            "slots": ("Places on the site, with their rules.", named(IDENTIFIER.pattern, self._slot())),
            "personas": ("Made-up visitors, and what they must see.", named(IDENTIFIER.pattern, self._persona())),
        }
        return {
            "$schema": DIALECT,
            "title": "Rules of personalize",
            **keyed(SECTIONS, readers),
            "$defs": {
                "condition": self._condition(),
                "property": property_block(),
                "given": self._given(),
                "item": {"type": "string", "examples": [KEEP, *sorted(self._library.items)]},
                **self._questions(),
                **self._filters(),
            },
        }

    # Blocks --------------------------------------------------------------------------------------------

    def _segment(self) -> JSONSchema:
        return keyed(
            SEGMENT_KEYS,
            {
                "title": ("For people; explanations call the segment by it.", TEXT),
                "who": ("Who is in it.", CONDITION),
                "examples": ("Made-up visitors of whom it must hold, or must not.", self._examples()),
            },
            needs=("who",),
        )

    def _slot(self) -> JSONSchema:
        kinds = sorted({collection.kind for collection in self._library.collections.values()})
        return keyed(
            SLOT_KEYS,
            {
                "title": ("For people: what the slot is.", TEXT),
                "page": ("The page it stands on; slots of one page are decided together.", TEXT),
                "place": ("Where it stands, for pages without a mark of it.", _place()),
                "holds": ("How many items fit in; 1 if left out.", whole(MOST_ITEMS)),
                "accepts": (
                    "The kinds of items that fit; any if left out.",
                    one_or_more({"enum": kinds} if kinds else TEXT),
                ),
                "rules": (
                    "The rules in order; the first that fits wins.",
                    nullable({"type": "array", "items": self._rule()}),
                ),
                "otherwise": ("An item for when no rule fits, or `keep`, the site's own markup.", ITEM),
            },
        )

    def _rule(self) -> JSONSchema:
        return keyed(
            RULE_KEYS,
            {
                "id": ("Its name, once in its slot; reports and explanations use it.", TEXT),
                "title": ("For people.", TEXT),
                "to": ("Who; everybody if left out.", CONDITION),
                "when": ("The time; always if left out.", self._when()),
                "show": ("An item, several, or some of a collection.", self._show()),
                "examples": ("Made-up visitors whom it must reach, or must not.", self._examples()),
            },
            needs=("id", "show"),
        )

    def _when(self) -> JSONSchema:
        return keyed(
            WHEN_KEYS,
            {
                "from": ("Not before this day or moment.", MOMENT),
                "until": ("Not after this day, or not from this moment on.", MOMENT),
                "weekdays": ("Some days of the week.", one_or_more({"enum": list(WEEKDAYS)})),
                "on": ("On these days only.", one_or_more(TEXT)),
                "hours": ("From a time of day to another.", {"type": "string", "examples": ["08:00-18:00"]}),
                "zone": ("Whose clock it is by.", TEXT),
            },
        )

    def _show(self) -> JSONSchema:
        collections = sorted(self._library.collections)
        tags = sorted({tag for item in self._library.items.values() for tag in item.tags})
        block = keyed(
            SHOW_KEYS,
            {
                "in": ("The collection.", {"enum": collections} if collections else TEXT),
                "tagged": (
                    "Items that carry at least one of these tags; all if left out.",
                    one_or_more({**TEXT, "examples": tags}),
                ),
                "limit": ("At most so many.", whole(MOST_ITEMS)),
            },
            needs=("in",),
        )
        return by_kind(block=block, items=ITEM, single=ITEM)

    def _persona(self) -> JSONSchema:
        sees = {slot_id: titled(slot.title, one_or_more(ITEM)) for slot_id, slot in self._definitions.slots.items()}
        return keyed(
            PERSONA_KEYS,
            {
                "title": ("For people.", TEXT),
                "given": ("Facts and their values; moments also as `100 days ago`.", GIVEN),
                "at": ("The moment at which they are here; now if left out.", MOMENT),
                "sees": ("What slots must show to them.", {"type": "object", "properties": sees}),
            },
        )

    def _examples(self) -> JSONSchema:
        example = keyed(
            EXAMPLE_KEYS,
            {
                "given": ("Facts and their values; moments also as `100 days ago`.", GIVEN),
                "at": ("The moment at which they are here; now if left out.", MOMENT),
                "matches": ("Whether it must hold for them.", FLAG),
            },
            needs=("matches",),
        )
        return {"type": "array", "items": example}

    def _given(self) -> JSONSchema:
        given = {fact.name: titled(fact.title, ANYTHING) for fact in self._listed()}
        return nullable({**self._open(ANYTHING, ANYTHING), "type": "object", "properties": given})

    def _open(self, texts: JSONSchema, interests: JSONSchema) -> JSONSchema:
        """Facts with any name behind a few beginnings, what paths lead to inside facts, and no others."""
        patterns = {f"^(?:{_either(OPEN_FAMILIES)})": texts} | _inside(self._listed()).get("patternProperties", {})
        if INTEREST_FAMILY in self._facts.open_families:
            patterns[f"^{re.escape(INTEREST_FAMILY)}(?!top$)"] = interests
        return {"patternProperties": patterns, "additionalProperties": False}

    # Conditions ----------------------------------------------------------------------------------------

    def _listed(self) -> Iterable[Fact]:
        return (fact for name in self._facts.names() if (fact := self._facts.get(name)) is not None and "<" not in name)

    def _condition(self) -> JSONSchema:
        group = {"type": "array", "items": CONDITION, "minItems": 1}
        segments = one_or_more({**TEXT, "examples": sorted(self._definitions.segments)})
        words: Mapping[str, tuple[str, JSONSchema]] = {
            "any": (_WORDS_OF_GROUPS["any"], group),
            "all": (_WORDS_OF_GROUPS["all"], group),
            "not": (_WORDS_OF_GROUPS["not"], CONDITION),
            "segment": ("In this segment; with a list, in any of them.", segments),
            "did": ("Something happened: an event.", {"enum": sorted(self._events)}),
            "percentage": ("A share of the visitors, always the same ones.", ANYTHING),
            "where": ("Which of these events count: questions about their properties.", {"type": "object"}),
            "times": ("How often; exactly so often where it is a number.", self._times()),
            "within": ("How long ago at most.", DURATION),
        }
        properties = {word: described(*words.get(word, ("", ANYTHING))) for word in (*GROUPS, *DID_KEYS)}
        for fact in self._listed():
            properties[fact.name] = titled(f"{fact.title} ({_kind(fact)})", _ref(fact))
        return {
            "type": "object",
            "minProperties": 1,
            "properties": properties,
            **self._open({"$ref": f"#/$defs/{FactType.TEXT}"}, {"$ref": f"#/$defs/{FactType.NUMBER}"}),
            "dependentRequired": {key: ["did"] for key in DID_KEYS if key != "did"},
            "allOf": [self._filter_of(event) for event in self._events.values()],
        }

    def _filter_of(self, event: EventType) -> JSONSchema:
        """What `where` may ask beside one event."""
        is_it = {"properties": {"did": {"const": event.name}}, "required": ["did"]}
        return {"if": is_it, "then": {"properties": {"where": {"$ref": f"#/$defs/where-{event.name}"}}}}

    def _filters(self) -> JSONSchema:
        return {f"where-{event.name}": self._filter(event) for event in self._events.values()}

    def _filter(self, event: EventType) -> JSONSchema:
        """What may be asked of one event: its properties, and groups of such questions."""
        own = {"$ref": f"#/$defs/where-{event.name}"}
        names = property_names(event.properties)
        found = (property_fact(name, event.properties) for name in dict.fromkeys(_with_outer(names)))
        facts = [fact for fact in found if fact is not None]
        asked = {fact.name: titled(_kind(fact), _question(fact)) for fact in facts}
        several = {"type": "array", "items": own, "minItems": 1}
        groups = {
            word: described(_WORDS_OF_GROUPS.get(word, ""), own if word == "not" else several) for word in INNER_GROUPS
        }
        return {"type": "object", "properties": {**groups, **asked}, **_inside(facts), "additionalProperties": False}

    def _times(self) -> JSONSchema:
        bounds = {word: {"type": ["integer", "array"]} for word in DID_ORDER}
        block = {"type": "object", "properties": bounds, "additionalProperties": False, "minProperties": 1}
        return by_kind(block=block, single={"type": "integer"})

    def _questions(self) -> JSONSchema:
        """What may be asked of a fact: by its type, or by its own words where it has some."""
        return {_name(fact): _question(fact) for fact in self._listed()} | {
            str(FactType.TEXT): _question(Fact("", "", "", FactType.TEXT))
        }


def _place() -> JSONSchema:
    return keyed(
        PLACE_KEYS,
        {
            "css": ("A selector, as in a style sheet; the first element that it finds counts.", {"type": "string"}),
            "how": ("Fill the element (if left out), take its place, or stand beside it.", {"enum": list(HOWS)}),
        },
        needs=("css",),
    )


def _name(fact: Fact) -> str:
    """Where the question about a fact stands: facts of one type share it."""
    if fact.takes is not None or fact.choices:
        return f"of-{fact.name}"
    return f"list-of-{fact.type}" if fact.many else str(fact.type)


def _ref(fact: Fact) -> JSONSchema:
    return {"$ref": f"#/$defs/{_name(fact)}"}


def _kind(fact: Fact) -> str:
    return f"list of {fact.type}" if fact.many else str(fact.type)


def _question(fact: Fact) -> JSONSchema:
    """A value, a list of values, or operators with what each takes."""
    if fact.takes is not None:
        return ANYTHING
    own = _operators(words_for(fact), fact)
    casts = [cast for cast in WRITTEN_CASTS if may_be_read_as(fact, cast)]
    read_as = {word: asked for cast in casts for word, asked in _operators(words_for(fact, cast), None).items()}
    modifiers = {
        "ignore_case": described("Without regard to large and small letters.", FLAG),
        "as": described("Reads the value as this type.", {"enum": [str(cast) for cast in casts]}),
    }
    beside = {word: modifiers.get(word, ANYTHING) for word in MODIFIERS}
    block: JSONSchema = {"type": "object", "minProperties": 1, **_only({**own, **beside})}
    if casts:
        block = {"if": {"required": ["as"]}, "then": _only({**read_as, **beside}), "else": block}
    items = ANYTHING if fact.many or fact.type is FactType.ANY else _value(fact)
    return by_kind(block=block, items=items, single=_value(fact))


def _only(properties: JSONSchema) -> JSONSchema:
    return {"properties": properties, "additionalProperties": False}


def _operators(words: Iterable[str], fact: Fact | None) -> JSONSchema:
    """What stands beside each word; without a fact, since the value is read as another type, anything."""
    found: JSONSchema = {}
    for word in words:
        operator = OPERATORS[NEGATIVES.get(word, word)]
        said = operator.denied if word in NEGATIVES else operator.phrase
        found[word] = described(_said(said), ANYTHING if fact is None else _argument(operator, fact))
    return found


def _with_outer(names: Iterable[str]) -> Iterator[str]:
    """Dotted names, each with the lists that it lies in: `items.sku` lies in `items`."""
    for name in names:
        steps = name.split(".")
        yield from (".".join(steps[:end]) for end in range(1, len(steps) + 1))


def _said(phrase: str) -> str:
    """The words of an operator as a sentence of its own."""
    text = phrase.replace("{}", "…").strip()
    return f"{text[:1].upper()}{text[1:]}."


def _value(fact: Fact) -> JSONSchema:
    if fact.choices:
        return {**TEXT, "examples": list(fact.choices)} if fact.fold else {"enum": list(fact.choices)}
    return _VALUES.get(fact.type, ANYTHING)


def _argument_value(fact: Fact) -> JSONSchema:
    """A value, or a block that names another fact to compare with."""
    return by_kind(block=ANYTHING, single=_value(fact))


def _bound(fact: Fact) -> JSONSchema:
    limit = {"type": ["number", "string"]} if fact.type in (FactType.TEXT, FactType.NUMBER) else _value(fact)
    return by_kind(block=ANYTHING, single=limit)


#: What stands beside an operator, by how it is read; beside any other anything may stand.
_ARGUMENTS: Mapping[Callable[..., object], Callable[[Fact], JSONSchema]] = {
    arguments.read_value: _argument_value,
    arguments.read_set: lambda fact: by_kind(block=ANYTHING, items=_value(fact), single={"type": "array"}),
    arguments.read_bound: _bound,
    arguments.read_pair: lambda fact: {"type": "array", "items": _bound(fact), "minItems": 2, "maxItems": 2},
    arguments.read_texts: lambda fact: one_or_more(TEXT),
    arguments.read_likenesses: lambda fact: one_or_more(TEXT),
    arguments.read_patterns: lambda fact: one_or_more(TEXT),
    arguments.read_exact_texts: lambda fact: one_or_more(TEXT),
    arguments.read_networks: lambda fact: one_or_more(TEXT),
    arguments.read_json_types: lambda fact: one_or_more({"enum": list(arguments.JSON_TYPES)}),
    arguments.read_duration: lambda fact: DURATION,
    arguments.read_flag: lambda fact: FLAG,
}


def _argument(operator: Operator, fact: Fact) -> JSONSchema:
    """What an operator takes; a list or a mapping as such can be asked for where the fact may be one."""
    make = _ARGUMENTS.get(operator.read)
    is_one = operator.read is arguments.read_value and (fact.many or fact.type is FactType.ANY)
    return ANYTHING if make is None or is_one or operator.reads_as is not None else make(fact)


def _inside(facts: Iterable[Fact]) -> JSONSchema:
    """What paths lead to inside facts of the type `any`, of which nothing is known beforehand."""
    outer = [f"{fact.name}." for fact in facts if fact.type is FactType.ANY and not fact.many]
    return {"patternProperties": {f"^(?:{_either(outer)})": ANYTHING}} if outer else {}


def _either(beginnings: Iterable[str]) -> str:
    return "|".join(map(re.escape, beginnings))
