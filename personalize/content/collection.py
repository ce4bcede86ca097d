"""Collections: the kinds of content that a site has, each with a developer's template and typed fields."""

import re
from collections.abc import Collection as Several
from collections.abc import Mapping as ReadOnly
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType

from personalize.problems import Problems, did_you_mean, quoted
from personalize.yaml_tree import Mapping, Node, Scalar, Sequence, parse_yaml

#: What every item has, so that no field of a collection may be called like it.
ITEM_KEYS = ("title", "tags", "from", "until", "priority")
_RESERVED = frozenset({*ITEM_KEYS, "fields", "item_id", "body", "kind", "collection", "language"})

_NAME = re.compile(r"[a-z0-9][a-z0-9_-]*")
_FIELD_NAME = re.compile(r"[a-z][a-z0-9_]*")
_CLASS_NAME = re.compile(r"-?[A-Za-z_][A-Za-z0-9_-]*")


class FieldType(StrEnum):
    """The types a field of an item may have."""

    TEXT = "text"
    NUMBER = "number"
    MONEY = "money"
    BOOL = "bool"
    DATE = "date"
    CHOICE = "choice"
    IMAGE = "image"
    URL = "url"


@dataclass(frozen=True, slots=True)
class Field:
    """A field that the items of a collection have. `needs_alt`: an image must say what it shows."""

    name: str
    type: FieldType
    title: str = ""
    required: bool = False
    needs_alt: bool = False
    choices: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Collection:
    """Items of one sort: how they look (`template`), what they hold (`fields`), and where they fit (`kind`)."""

    name: str
    kind: str
    template: str
    fields: ReadOnly[str, Field] = field(default_factory=lambda: MappingProxyType({}))
    title: str = ""
    line: int = 1


@dataclass(frozen=True, slots=True)
class ContentRules:
    """What collections.yaml says: the collections by name, and the classes that editors may write in markup.

    `refused` are collections that are declared, but not so that they can be used.
    """

    collections: ReadOnly[str, Collection] = field(default_factory=lambda: MappingProxyType({}))
    refused: frozenset[str] = frozenset()
    classes: frozenset[str] = frozenset()


def parse_collections(text: str, file: str, problems: Problems) -> ContentRules:
    """The collections of a file. What is wrong goes to `problems`; the rest is still given."""
    before = len(problems)
    root = parse_yaml(text, file, problems)
    if not isinstance(root, Mapping):
        if len(problems) == before:
            problems.error("E410", "no collections are written here", root, _EXAMPLE, file=file)
        return ContentRules()
    check_keys(root, ("collections", "classes"), "collections.yaml", problems)
    nodes = _mapping(root.get("collections"), "collections", problems)
    found = {} if nodes is None else {key.text: _collection(key, node, problems) for key, node in nodes.entries}
    known = {name: collection for name, collection in found.items() if collection is not None}
    refused = frozenset(found.keys() - known.keys())
    return ContentRules(MappingProxyType(known), refused, _classes(root.get("classes"), problems))


_EXAMPLE = "for example: `collections: {offers: {kind: offer, template: offer.html, fields: {price: {type: money}}}}`"


def check_keys(node: Mapping, allowed: Several[str], what: str, problems: Problems, code: str = "E411") -> None:
    """Report each key that is not allowed, with the nearest one that is."""
    for key, _ in node.entries:
        if key.text not in allowed:
            hint = did_you_mean(key.text, allowed) or f"allowed: {', '.join(allowed)}"
            problems.error(code, f"{what} has no {quoted(key.text)}", key, hint)


def _collection(key: Scalar, node: Node, problems: Problems) -> Collection | None:
    if not _NAME.fullmatch(key.text):
        hint = "small letters, digits, - and _; the folder of the items has the same name"
        problems.error("E412", f"{quoted(key.text)} cannot be the name of a collection", key, hint)
        return None
    body = _mapping(node, f"the collection {quoted(key.text)}", problems)
    if body is None:
        return None
    check_keys(body, ("title", "kind", "template", "fields"), "a collection", problems)
    template = _text(body, "template", problems)
    if template is None:
        if body.get("template") is None:
            hint = f"add the name of the developer's template, such as `template: {key.text}.html`"
            problems.error("E413", f"the collection {quoted(key.text)} has no template", key, hint)
        return None
    kind = _text(body, "kind", problems) or key.text
    fields = _fields(body.get("fields"), problems)
    title = _text(body, "title", problems) or ""
    return Collection(key.text, kind, template, fields, title, key.place.line)


def _fields(node: Node | None, problems: Problems) -> ReadOnly[str, Field]:
    entries = None if node is None else _mapping(node, "fields", problems)
    if entries is None:
        return MappingProxyType({})
    fields = (_field(key, each, problems) for key, each in entries.entries)
    return MappingProxyType({each.name: each for each in fields if each is not None})


def _field(key: Scalar, node: Node, problems: Problems) -> Field | None:
    name = key.text
    if not _FIELD_NAME.fullmatch(name) or name in _RESERVED:
        hint = "every item has it already" if name in _RESERVED else "small letters, digits and _, a letter first"
        problems.error("E412", f"{quoted(name)} cannot be the name of a field", key, hint)
        return None
    body = _mapping(node, f"the field {quoted(name)}", problems, "for example: `price: {type: money}`")
    type_ = None if body is None else _type(key, body, problems)
    if body is None or type_ is None:
        return None
    extra = {FieldType.IMAGE: ("alt",), FieldType.CHOICE: ("choices",)}.get(type_, ())
    check_keys(body, ("type", "title", "required", *extra), f"a field of type {type_}", problems)
    return Field(
        name=name,
        type=type_,
        title=_text(body, "title", problems) or "",
        required=_switch(body, "required", {True: True, False: False}, problems),
        needs_alt=type_ is FieldType.IMAGE and _switch(body, "alt", {"required": True, "optional": False}, problems),
        choices=_choices(key, body, problems) if type_ is FieldType.CHOICE else (),
    )


def _type(key: Scalar, body: Mapping, problems: Problems) -> FieldType | None:
    node = body.get("type")
    allowed = tuple(FieldType)
    if node is None:
        problems.error("E413", f"the field {quoted(key.text)} has no type", key, f"allowed: {', '.join(allowed)}")
        return None
    written = node.text if isinstance(node, Scalar) else ""
    if written not in allowed:
        hint = did_you_mean(written, allowed) or f"allowed: {', '.join(allowed)}"
        problems.error("E414", f"{quoted(written)} is not the type of a field", node, hint)
        return None
    return FieldType(written)


def _choices(key: Scalar, body: Mapping, problems: Problems) -> tuple[str, ...]:
    node = body.get("choices")
    choices = texts(node)
    if not choices:
        hint = "for example: `choices: [small, large]`"
        problems.error("E413", f"the field {quoted(key.text)} has no choices", node or key, hint)
    return choices or ()


def _classes(node: Node | None, problems: Problems) -> frozenset[str]:
    if node is None:
        return frozenset()
    classes = texts(node)
    if classes is None or not all(map(_CLASS_NAME.fullmatch, classes)):
        hint = "for example: `classes: [lead, badge]`"
        problems.error("E414", "`classes` is not a list of class names", node, hint)
        return frozenset()
    return frozenset(classes)


def texts(node: Node | None) -> tuple[str, ...] | None:
    """The texts of a list as written; None when it is none, or when something else stands in it."""
    if not isinstance(node, Sequence):
        return None
    found = tuple(item.text for item in node.items if isinstance(item, Scalar) and item.text.strip())
    return found if len(found) == len(node.items) else None


def _mapping(node: Node | None, what: str, problems: Problems, hint: str = _EXAMPLE) -> Mapping | None:
    if isinstance(node, Mapping):
        return node
    if node is not None:
        problems.error("E410", f"{what} is not written as names with values", node, hint)
    return None


def _text(body: Mapping, key: str, problems: Problems) -> str | None:
    node = body.get(key)
    if node is None:
        return None
    if isinstance(node, Scalar) and node.text.strip():
        return node.text.strip()
    problems.error("E414", f"`{key}` is not a text", node)
    return None


def _switch(body: Mapping, key: str, meanings: ReadOnly[object, bool], problems: Problems) -> bool:
    """What an optional key of few words says; False when it is not there."""
    node = body.get(key)
    if node is None:
        return False
    value = node.value if isinstance(node, Scalar) else None
    if value not in meanings or (isinstance(value, int) and not isinstance(value, bool)):
        words = ", ".join(str(word).lower() for word in meanings)
        problems.error("E414", f"`{key}` is none of the words that it may be", node, f"allowed: {words}")
        return False
    return meanings[value]
