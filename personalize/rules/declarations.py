"""Reads `attributes:` and `events:`: what a site knows of its visitors, and what can happen."""

from collections.abc import Iterable
from types import MappingProxyType

from personalize.events.event import BUILT_IN_TYPES
from personalize.events.schema import DEFAULT_PURPOSE, Attribute, EventType, Schema, Shape, ValueType
from personalize.problems import did_you_mean
from personalize.rules.facts import BUILT_IN_ROOTS
from personalize.rules.reading import NAME, Reading
from personalize.yaml_tree import Mapping, Node, Scalar

_SHAPE_KEYS = ("type", "of", "choices", "fold")
_ATTRIBUTE_KEYS = (*_SHAPE_KEYS, "title", "purpose", "private", "from_browser")
_EVENT_KEYS = ("title", "properties", "value", "purpose", "from_browser")
_WRITTEN_TYPES = tuple(str(one) for one in ValueType if one is not ValueType.MAPPING)
_ADDS_UP = (ValueType.MONEY, ValueType.NUMBER)

Entries = Iterable[tuple[Scalar, Node]]


class DeclarationReader:
    """Reads declarations into a schema; a broken one is said and left out."""

    def __init__(self, reading: Reading, currency_digits: int) -> None:
        self._reading = reading
        self._problems = reading.problems
        self._currency_digits = currency_digits

    def schema(self, attributes: Entries, events: Entries) -> Schema:
        """The schema that these entries declare."""
        return Schema(
            attributes=MappingProxyType({one.name: one for one in self._attributes(attributes)}),
            events=MappingProxyType({one.name: one for one in self._events(events)}),
            currency_digits=self._currency_digits,
        )

    def _attributes(self, entries: Entries) -> Iterable[Attribute]:
        for key, node in entries:
            what = f'the attribute "{key.text}"'
            name = self._reading.identifier(key, "an attribute", NAME)
            mapping = self._reading.mapping(node, what)
            if name is None or mapping is None:
                continue
            self._reading.only(mapping, _ATTRIBUTE_KEYS, what)
            shape = self._shape(mapping, what)
            if shape is not None:
                yield Attribute(
                    name=name,
                    shape=shape,
                    title=self._reading.text(mapping, "title", what, name),
                    purpose=self._reading.text(mapping, "purpose", what, DEFAULT_PURPOSE),
                    private=self._reading.flag(mapping, "private", what),
                    from_browser=self._reading.flag(mapping, "from_browser", what),
                )

    def _events(self, entries: Entries) -> Iterable[EventType]:
        for key, node in entries:
            what = f'the event "{key.text}"'
            name = self._event_name(key)
            mapping = self._reading.mapping(node, what)
            if name is None or mapping is None:
                continue
            self._reading.only(mapping, _EVENT_KEYS, what)
            properties = self._fields(mapping.get("properties"), what)
            yield EventType(
                name=name,
                properties=MappingProxyType(properties),
                title=self._reading.text(mapping, "title", what, name),
                value=self._value(mapping, properties, what),
                purpose=self._reading.text(mapping, "purpose", what, DEFAULT_PURPOSE),
                from_browser=self._reading.flag(mapping, "from_browser", what),
            )

    def _event_name(self, key: Scalar) -> str | None:
        if key.text in BUILT_IN_TYPES or key.text in BUILT_IN_ROOTS:
            self._problems.error(
                "E220",
                f'"{key.text}" is a word of the language itself',
                key,
                "choose another name for the event",
            )
            return None
        return self._reading.identifier(key, "an event", NAME)

    def _value(self, mapping: Mapping, properties: dict[str, Shape], what: str) -> str | None:
        node = mapping.get("value")
        if node is None:
            return None
        name = self._reading.text(mapping, "value", what)
        shape = properties.get(name)
        if shape is not None and shape.type in _ADDS_UP:
            return name
        numbers = [known for known, one in properties.items() if one.type in _ADDS_UP]
        self._problems.error(
            "E221",
            f'`value` of {what} is the property to add up, and "{name}" is no number or amount of it',
            node,
            did_you_mean(name, numbers) or f"it is one of {', '.join(numbers) or 'the properties of type money'}",
        )
        return None

    # Types ---------------------------------------------------------------------------------------------

    def _shape(self, mapping: Mapping, what: str) -> Shape | None:
        if self._reading.required(mapping, "type", what) is None:
            return None
        name = self._reading.choice(mapping, "type", _WRITTEN_TYPES, what)
        if name is None:
            return None
        type_ = ValueType(name)
        choices = tuple(one.text for one in self._reading.scalars(mapping.get("choices"), f"`choices` of {what}"))
        if type_ is ValueType.CHOICE and not choices:
            self._problems.error("E202", f'{what} needs "choices"', mapping, "as in choices: [basic, gold]")
        of = self._element(mapping, what) if type_ is ValueType.LIST else None
        fold = self._reading.flag(mapping, "fold", what)
        if fold:
            choices = tuple(choice.casefold() for choice in choices)
        return Shape(type=type_, of=of, choices=choices, fold=fold)

    def _element(self, mapping: Mapping, what: str) -> Shape:
        node = mapping.get("of")
        if isinstance(node, Mapping):
            return Shape(ValueType.MAPPING, fields=MappingProxyType(self._fields(node, what)))
        if node is None:
            return Shape(ValueType.TEXT)
        name = self._reading.choice(mapping, "of", _single_types(), what)
        return Shape(ValueType(name)) if name is not None else Shape(ValueType.TEXT)

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
        part = f'the property "{key.text}" of {what}'
        if isinstance(node, Scalar):
            if node.text in _single_types():
                return Shape(ValueType(node.text))
            self._problems.error(
                "E204",
                f'the type of {part} can\'t be "{node.text}"',
                node,
                did_you_mean(node.text, _single_types()) or f"it is one of {', '.join(_single_types())}",
            )
            return None
        mapping = self._reading.mapping(node, part)
        if mapping is None:
            return None
        self._reading.only(mapping, _SHAPE_KEYS, part)
        return self._shape(mapping, part)


def _single_types() -> tuple[str, ...]:
    return tuple(name for name in _WRITTEN_TYPES if name not in (ValueType.LIST, ValueType.CHOICE))
