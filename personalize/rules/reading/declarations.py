"""Reads `attributes:` and `events:`: what a site knows of its visitors, and what can happen."""

from collections import abc
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from functools import partial
from types import MappingProxyType
from typing import TypeVar

from personalize.events.event import BUILT_IN_TYPES
from personalize.events.schema import DEFAULT_PURPOSE, Attribute, EventType, Schema, Shape, ValueType
from personalize.problems import did_you_mean, quoted
from personalize.rules.facts import BUILT_IN_ROOTS
from personalize.rules.organization import OrganizationReader
from personalize.rules.reading.gaps import Gaps, Kind
from personalize.rules.reading.keep import read_keep
from personalize.rules.reading.reading import NAME, Reading
from personalize.yaml_tree import Mapping, Node, Scalar

SHAPE_KEYS = ("type", "of", "choices", "fold")
ATTRIBUTE_KEYS = (*SHAPE_KEYS, "title", "purpose", "private", "from_browser", "searchable", "zone")
#: What an attribute of an organization says.
OWN_ATTRIBUTE_KEYS = (*SHAPE_KEYS, "title", "private")
EVENT_TYPE_KEYS = ("title", "properties", "value", "interest", "keep", "purpose", "from_browser")
WRITTEN_TYPES = tuple(str(one) for one in ValueType if one is not ValueType.MAPPING)
_ADDS_UP = (ValueType.MONEY, ValueType.NUMBER)
#: The types that a key goes with; elsewhere it would say something that nobody listens to.
_GOES_WITH = {
    "of": (ValueType.LIST,),
    "choices": (ValueType.CHOICE,),
    "fold": (ValueType.TEXT, ValueType.CHOICE, ValueType.LIST),
}

Declared = TypeVar("Declared", Attribute, EventType)
Fields = abc.Mapping[str, Shape]
Entries = Iterable[tuple[Scalar, Node]]


class DeclarationReader:
    """Reads declarations into a schema; a broken one is said and left out."""

    def __init__(self, reading: Reading, currency_digits: int, gaps: Gaps) -> None:
        self._reading = reading
        self._problems = reading.problems
        self._currency_digits = currency_digits
        self._gaps = gaps
        self._zone_told_by: str | None = None

    def schema(self, attributes: Entries, events: Entries, organization: Entries = ()) -> Schema:
        """The schema that these entries declare."""
        schema = Schema(
            attributes=MappingProxyType(
                {one.name: one for one in self._each(attributes, Kind.ATTRIBUTE, self._attribute)}
            ),
            events=MappingProxyType({one.name: one for one in self._each(events, Kind.EVENT, self._event)}),
            currency_digits=self._currency_digits,
        )
        reader = OrganizationReader(self._reading, self._gaps, schema, self._own_attributes)
        return replace(schema, organization=reader.organization(organization))

    def _own_attributes(self, node: Node) -> dict[str, Attribute]:
        """The attributes of an organization itself, which are nobody's: no purpose, no browser, no zone."""
        entries = self._reading.entries(node, "`attributes` of `organization`")
        read = partial(self._attribute, allowed=OWN_ATTRIBUTE_KEYS)
        return {one.name: one for one in self._each(entries, Kind.ORGANIZATION, read)}

    def _each(
        self, entries: Entries, kind: Kind, read: Callable[[Scalar, Node], Declared | None]
    ) -> Iterable[Declared]:
        for key, node in entries:
            found_before = len(self._problems)
            declared = read(key, node)
            if len(self._problems) > found_before:
                self._gaps.add(kind, key.text)
            if declared is not None:
                yield declared

    def _attribute(self, key: Scalar, node: Node, allowed: tuple[str, ...] = ATTRIBUTE_KEYS) -> Attribute | None:
        what = f"the attribute {quoted(key.text)}"
        name = self._reading.identifier(key, "an attribute", NAME)
        mapping = self._reading.mapping(node, what)
        if mapping is None:
            return None
        self._reading.only(mapping, allowed, what)
        shape = self._attribute_shape(mapping, what)
        if name is None or shape is None:
            return None
        return Attribute(
            name=name,
            shape=shape,
            title=self._reading.text(mapping, "title", what, name),
            purpose=self._reading.text(mapping, "purpose", what, DEFAULT_PURPOSE),
            private=self._reading.flag(mapping, "private", what),
            from_browser=self._reading.flag(mapping, "from_browser", what),
            tells_zone="zone" in allowed and self._tells_zone(mapping, name, shape, what),
            searchable="searchable" in allowed and self._is_searchable(mapping, shape, what),
        )

    def _is_searchable(self, mapping: Mapping, shape: Shape, what: str) -> bool:
        """Whether visitors are found by the attribute, which is a text then."""
        if not self._reading.flag(mapping, "searchable", what):
            return False
        if shape.type is not ValueType.TEXT:
            key, hint = mapping.key_node("searchable"), "visitors are found by a text, such as an e-mail address"
            self._problems.error("E209", f'"searchable" says nothing of {what}, whose type is {shape.type}', key, hint)
        return True

    def _tells_zone(self, mapping: Mapping, name: str, shape: Shape, what: str) -> bool:
        """Whether the attribute holds the visitor's time zone, as a text; at most one does."""
        if not self._reading.flag(mapping, "zone", what):
            return False
        key = mapping.key_node("zone")
        if shape.type is not ValueType.TEXT:
            hint = "a time zone is a text, such as Europe/Oslo"
            self._problems.error("E209", f'"zone" says nothing of {what}, whose type is {shape.type}', key, hint)
        elif self._zone_told_by is not None:
            hint = f"{quoted(self._zone_told_by)} does already; one attribute is enough"
            self._problems.error("E253", f"{what} can't tell the visitor's time zone, too", key, hint)
        else:
            self._zone_told_by = name
        return True

    def _event(self, key: Scalar, node: Node) -> EventType | None:
        what = f"the event {quoted(key.text)}"
        name = self._event_name(key)
        mapping = self._reading.mapping(node, what)
        if mapping is None:
            return None
        self._reading.only(mapping, EVENT_TYPE_KEYS, what)
        properties = self._fields(mapping.get("properties"), what)
        keep, keeps_totals = read_keep(mapping.get("keep"), what, self._reading)
        event = EventType(
            name=name or "",
            properties=MappingProxyType(properties),
            title=self._reading.text(mapping, "title", what, key.text),
            value=self._value(mapping, properties, what),
            purpose=self._reading.text(mapping, "purpose", what, DEFAULT_PURPOSE),
            from_browser=self._reading.flag(mapping, "from_browser", what),
            interest=self._interest(mapping, properties, what),
            keep=keep,
            keeps_totals=keeps_totals,
        )
        return event if name is not None else None

    def _event_name(self, key: Scalar) -> str | None:
        if key.text in BUILT_IN_TYPES or key.text in BUILT_IN_ROOTS:
            hint = "choose another name for the event"
            self._problems.error("E220", f'"{key.text}" is a word of the language itself', key, hint)
            return None
        return self._reading.identifier(key, "an event", NAME)

    def _value(self, mapping: Mapping, properties: dict[str, Shape], what: str) -> str | None:
        node = mapping.get("value")
        if node is None:
            return None
        name = self._reading.text(mapping, "value", what)
        if not name:
            return None
        shape = properties.get(name)
        if shape is not None and shape.type in _ADDS_UP:
            return name
        written = mapping.get("properties")
        if shape is None and isinstance(written, Mapping) and written.get(name) is not None:
            return None
        numbers = [known for known, one in properties.items() if one.type in _ADDS_UP]
        self._problems.error(
            "E221",
            f"`value` of {what} is the property to add up, and {quoted(name)} is no number or amount of it",
            node,
            did_you_mean(name, numbers)
            or (f"it is one of {', '.join(numbers)}" if numbers else "declare a property of the type money or number"),
        )
        return None

    def _interest(self, mapping: Mapping, properties: dict[str, Shape], what: str) -> str | None:
        """The path to the texts that tell what somebody likes: into mappings, and through lists of them."""
        node = mapping.get("interest")
        path = self._reading.text(mapping, "interest", what) if node is not None else ""
        if not path:
            return None
        purpose = mapping.get("purpose")
        if isinstance(purpose, Scalar) and purpose.text != DEFAULT_PURPOSE:
            self._problems.error(
                "E257",
                f"{what} serves the purpose {quoted(purpose.text)}, and what it tells can't teach their taste",
                node,
                f"`interest` goes with the purpose {DEFAULT_PURPOSE}",
            )
            return None
        paths = tuple(_text_paths(properties))
        if path in paths or any(path.startswith(f"{name}.") for name in _open_paths(properties)):
            return path
        if self._is_broken(mapping, path, properties):
            return None
        self._problems.error(
            "E256",
            f"`interest` of {what} is the property that tells what they like, and {quoted(path)} is no text of it",
            node,
            did_you_mean(path, paths)
            or (f"it is one of {', '.join(paths)}" if paths else "declare a property of the type text"),
        )
        return None

    @staticmethod
    def _is_broken(mapping: Mapping, path: str, properties: dict[str, Shape]) -> bool:
        """Whether the path begins with a property whose own declaration has been found wrong."""
        written, name = mapping.get("properties"), path.partition(".")[0]
        return name not in properties and isinstance(written, Mapping) and written.get(name) is not None

    # Types ---------------------------------------------------------------------------------------------

    def _attribute_shape(self, mapping: Mapping, what: str) -> Shape | None:
        shape = self._shape(mapping, what)
        of = mapping.get("of")
        if shape is not None and isinstance(of, Mapping):
            self._reading.wrong_kind(of, f'"of" of {what}', f"one of {', '.join(single_types())}")
            return None
        return shape

    def _shape(self, mapping: Mapping, what: str) -> Shape | None:
        if self._reading.required(mapping, "type", what) is None:
            return None
        name = self._reading.choice(mapping, "type", WRITTEN_TYPES, what)
        if name is None:
            return None
        type_ = ValueType(name)
        self._refuse_misplaced(mapping, type_, what)
        choices = tuple(one.text for one in self._reading.scalars(mapping.get("choices"), f"`choices` of {what}"))
        if type_ is ValueType.CHOICE and not choices:
            self._problems.error("E202", f'{what} needs "choices"', mapping, "as in choices: [basic, gold]")
        fold = self._reading.flag(mapping, "fold", what)
        of = self._element(mapping, what, fold=fold) if type_ is ValueType.LIST else None
        return Shape(type=type_, of=of, choices=choices, fold=fold)

    def _refuse_misplaced(self, mapping: Mapping, type_: ValueType, what: str) -> None:
        for key, types in _GOES_WITH.items():
            written = mapping.key_node(key)
            if written is not None and type_ not in types:
                hint = f"it goes with the type {' or '.join(types)}"
                self._problems.error("E209", f'"{key}" says nothing of {what}, whose type is {type_}', written, hint)

    def _element(self, mapping: Mapping, what: str, *, fold: bool) -> Shape:
        node = mapping.get("of")
        if isinstance(node, Mapping):
            return Shape(ValueType.MAPPING, fields=MappingProxyType(self._fields(node, what)))
        name = self._reading.choice(mapping, "of", single_types(), what)
        return Shape(ValueType(name) if name is not None else ValueType.TEXT, fold=fold)

    def _fields(self, node: Node | None, what: str) -> dict[str, Shape]:
        fields: dict[str, Shape] = {}
        for key, value in self._reading.entries(node, f"`properties` of {what}"):
            name = self._reading.identifier(key, "a property", NAME)
            shape = self._field(key, value, what)
            if name is not None and shape is not None:
                fields[name] = shape
        return fields

    def _field(self, key: Scalar, node: Node, what: str) -> Shape | None:
        """A property: its type in one word (`sku: text`), or a block with `type:`."""
        part = f"the property {quoted(key.text)} of {what}"
        if isinstance(node, Scalar) and node.value is not None:
            name = self._reading.word(node, single_types(), f"the type of {part}")
            return Shape(ValueType(name)) if name is not None else None
        if not isinstance(node, Mapping):
            self._reading.wrong_kind(node, part, "a type such as text, or a block with `type:`")
            return None
        self._reading.only(node, SHAPE_KEYS, part)
        return self._shape(node, part)


def single_types() -> tuple[str, ...]:
    """The types that one word says all of."""
    return tuple(name for name in WRITTEN_TYPES if name not in (ValueType.LIST, ValueType.CHOICE))


def _text_paths(properties: Fields) -> Iterator[str]:
    """The dotted paths to every text and choice, through lists and what is in them."""
    for name, shape in properties.items():
        inner = shape.of if shape.of is not None else shape
        if inner.type in (ValueType.TEXT, ValueType.CHOICE):
            yield name
        yield from (f"{name}.{path}" for path in _text_paths(inner.fields))


def _open_paths(properties: Fields) -> Iterator[str]:
    return (name for name, shape in properties.items() if (shape.of or shape).type is ValueType.ANY)
