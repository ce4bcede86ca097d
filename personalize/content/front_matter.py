"""What stands above the body of an item: its title, tags and dates, and the fields of its collection."""

from collections.abc import Mapping as ReadOnly
from dataclasses import dataclass
from datetime import datetime, tzinfo
from types import MappingProxyType

from personalize.content.collection import ITEM_KEYS, Collection, Field, FieldType, check_keys, texts
from personalize.content.validity import read_validity
from personalize.content.values import Currency, read_value
from personalize.events.event import JSONValue
from personalize.problems import Problems, quoted
from personalize.yaml_tree import Mapping, Node, Scalar

HIGHEST_PRIORITY = 1_000_000

_TITLE = Field("title", FieldType.TEXT, required=True)


@dataclass(frozen=True, slots=True)
class FrontMatter:
    """The typed values of an item. `values` holds the fields that were filled in; times are aware UTC datetimes."""

    title: str
    values: ReadOnly[str, JSONValue]
    tags: frozenset[str] = frozenset()
    priority: int = 0
    from_at: datetime | None = None
    until_at: datetime | None = None


def read_front_matter(
    node: Mapping, collection: Collection, zone: tzinfo, currency: Currency, problems: Problems
) -> FrontMatter:
    """The values of a front matter. What is wrong goes to `problems`, and the rest is still given."""
    check_keys(node, (*ITEM_KEYS, *collection.fields), f"an item of {collection.name}", problems, "E423")
    title = _value(_TITLE, node, currency, problems)
    values = {name: _value(field, node, currency, problems) for name, field in collection.fields.items()}
    from_at, until_at = read_validity(node, zone, problems)
    return FrontMatter(
        title=title if isinstance(title, str) else "",
        values=MappingProxyType({name: value for name, value in values.items() if value is not None}),
        tags=_tags(node.get("tags"), problems),
        priority=_priority(node.get("priority"), problems),
        from_at=from_at,
        until_at=until_at,
    )


def _value(field: Field, front: Mapping, currency: Currency, problems: Problems) -> JSONValue:
    node = front.get(field.name)
    before = len(problems)
    value = None if node is None else read_value(field, node, currency, problems)
    if value is None and field.required and len(problems) == before:
        hint = f"add `{field.name}: …` between the lines of ---"
        problems.error("E424", f"{quoted(field.name)} is missing", front.key_node(field.name) or front, hint)
    return value


def _tags(node: Node | None, problems: Problems) -> frozenset[str]:
    if node is None or (isinstance(node, Scalar) and node.value is None):
        return frozenset()
    tags = (node.text,) if isinstance(node, Scalar) else texts(node)
    if isinstance(node, Scalar) and "," in node.text:
        several = ", ".join(filter(None, map(str.strip, node.text.split(","))))
        problems.warning("W428", f"{quoted(node.text)} is one tag", node, f"several stand in brackets: [{several}]")
    if tags is None:
        problems.error("E428", "`tags` is not a list of words", node, "for example: `tags: [outdoor, winter]`")
        return frozenset()
    return frozenset(tag.strip() for tag in tags)


def _priority(node: Node | None, problems: Problems) -> int:
    if node is None or (isinstance(node, Scalar) and node.value is None):
        return 0
    value = node.value if isinstance(node, Scalar) else None
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) <= HIGHEST_PRIORITY:
        return value
    hint = f"the higher, the earlier, from -{HIGHEST_PRIORITY:,} to {HIGHEST_PRIORITY:,}; without one it is 0"
    problems.error("E428", "`priority` is not a whole number", node, hint)
    return 0
