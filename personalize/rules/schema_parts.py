"""Parts of a JSON Schema in which a key, or the kind of a value, decides what may stand there: no alternatives."""

from collections.abc import Iterable, Mapping
from typing import Any, TypeAlias

JSONSchema: TypeAlias = dict[str, Any]

ANYTHING: JSONSchema = {}
TEXT: JSONSchema = {"type": ["string", "number", "boolean"]}
FLAG: JSONSchema = {"type": "boolean"}


def keyed(
    keys: Iterable[str], words: Mapping[str, tuple[str, JSONSchema]], *, needs: tuple[str, ...] = ()
) -> JSONSchema:
    """A block of the keys that the parser reads; `words` say what each is for, and what may stand behind it."""
    properties = {key: described(*words.get(key, ("", ANYTHING))) for key in keys}
    block: JSONSchema = {"type": "object", "properties": properties, "additionalProperties": False}
    return {**block, "required": list(needs)} if needs else block


def named(grammar: str, entry: JSONSchema) -> JSONSchema:
    """Entries under names of their own."""
    return nullable({"type": "object", "patternProperties": {f"^(?:{grammar})$": entry}, "additionalProperties": False})


def by_kind(*, block: JSONSchema, single: JSONSchema, items: JSONSchema | None = None) -> JSONSchema:
    """One thing for a block, one for a list, one for a single value."""
    rest = single if items is None else {"if": {"type": "array"}, "then": {"items": items}, "else": single}
    return {"if": {"type": "object"}, "then": block, "else": rest}


def one_or_more(one: JSONSchema) -> JSONSchema:
    """One of these, or a list of them."""
    return {"if": {"type": "array"}, "then": {"items": one}, "else": one}


def nullable(schema: JSONSchema) -> JSONSchema:
    """The schema, for a key behind which nothing may stand as well."""
    return {"if": {"type": "null"}, "else": schema}


def whole(most: int) -> JSONSchema:
    """A whole number from 1 to `most`."""
    return {"type": "integer", "minimum": 1, "maximum": most}


def described(text: str, schema: JSONSchema) -> JSONSchema:
    """The schema with a sentence for whoever completes it."""
    return {"description": text, **schema} if text else schema


def titled(text: str, schema: JSONSchema) -> JSONSchema:
    """The schema with a title for whoever completes it."""
    return {"title": text, **schema} if text else schema
