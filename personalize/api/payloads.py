"""What bodies hold, declared once: the same fields are read by it, and told by OpenAPI."""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, TypeAlias

from personalize.api.refusal import Refused, escaped
from personalize.problems import did_you_mean, quoted

JSONSchema: TypeAlias = dict[str, Any]

LONGEST_ID = 200
#: What the ids of visitors, events and tokens' names may hold: whatever can be seen, and blanks.
_SEEN = r"[^\x00-\x1f\x7f-\x9f\ud800-\udfff]"
_MOMENT = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ][0-9:.]+(?:[Zz]|[+-][0-9]{2}:[0-9]{2})")


@dataclass(frozen=True, slots=True)
class Kind:
    """What one field takes. `read` gives its value, or raises `Refused`; it is told where the value stands."""

    schema: JSONSchema
    read: Callable[[object, str], Any]


def text(longest: int, *, pattern: str | None = None, says: str = "a text", example: str = "") -> Kind:
    """Text of at least one letter; `pattern` is one that the whole of it fits, and `says` that in words."""
    grammar = re.compile(pattern if pattern is not None else rf"{_SEEN}+")
    schema: JSONSchema = {"type": "string", "minLength": 1, "maxLength": longest}
    schema["pattern"] = f"^(?:{_ecma(grammar.pattern)})$"
    if example:
        schema["examples"] = [example]

    def read(value: object, pointer: str) -> str:
        if isinstance(value, str) and len(value) <= longest and grammar.fullmatch(value):
            return value
        raise unfit(value, f"{says} of up to {longest} letters", pointer)

    return Kind(schema, read)


def _ecma(pattern: str) -> str:
    """The pattern as JSON Schema has it: half surrogates can't be in its texts in any case."""
    return pattern.replace(r"\ud800-\udfff", "")


#: `u:` and the site's own id of somebody who is logged in, or `v:` and the id of a browser.
VISITOR = text(
    LONGEST_ID,
    pattern=rf"[uv]:{_SEEN}+",
    says="u: and the site's own id, or v: and that of a browser,",
    example="u:anna",
)
#: The two kinds of them.
LOGIN = text(LONGEST_ID, pattern=rf"u:{_SEEN}+", says="u: and the site's own id,", example="u:anna")
BROWSER = text(LONGEST_ID, pattern=rf"v:{_SEEN}+", says="v: and the id of a browser,", example="v:v0")
EVENT_ID = text(LONGEST_ID, example="receipt-2026-1187")
CHANNEL = text(40, pattern=r"[a-z][a-z0-9_-]*", says="a word in small letters, such as till,", example="till")


def _read_moment(value: object, pointer: str) -> datetime:
    if isinstance(value, str) and _MOMENT.fullmatch(value):
        try:
            return datetime.fromisoformat(value.upper()).astimezone(UTC)
        except (ValueError, OverflowError):
            pass
    raise unfit(value, "a moment with its difference from UTC, such as 2026-11-21T18:00:00+01:00", pointer)


MOMENT = Kind({"type": "string", "format": "date-time"}, _read_moment)


def _read_flag(value: object, pointer: str) -> bool:
    if isinstance(value, bool):
        return value
    raise unfit(value, "true or false", pointer)


FLAG = Kind({"type": "boolean"}, _read_flag)


def _read_object(value: object, pointer: str) -> dict[str, object]:
    if isinstance(value, dict):
        return value
    raise unfit(value, "an object", pointer)


#: Values by name, looked at by whoever knows the names.
VALUES = Kind({"type": "object"}, _read_object)


#: Whatever it is: looked at one by one, by whoever takes it.
ANYTHING = Kind({}, lambda value, pointer: value)


def list_of(one: Kind, most: int, *, fewest: int = 0) -> Kind:
    """A list of so many."""

    def read(value: object, pointer: str) -> list[Any]:
        if not isinstance(value, list) or not fewest <= len(value) <= most:
            raise unfit(value, f"a list of {fewest} to {most}", pointer)
        return [one.read(each, f"{pointer}/{place}") for place, each in enumerate(value)]

    return Kind({"type": "array", "items": one.schema, "minItems": fewest, "maxItems": most}, read)


def values_of(one: Kind, most: int) -> Kind:
    """Values of one kind by names that the caller chooses."""

    def read(value: object, pointer: str) -> dict[str, Any]:
        given = _read_object(value, pointer)
        if len(given) > most:
            raise unfit(value, f"an object of up to {most} names", pointer)
        return {name: one.read(each, f"{pointer}/{escaped(name)}") for name, each in given.items()}

    schema = {"type": "object", "additionalProperties": one.schema, "maxProperties": most}
    return Kind(schema, read)


@dataclass(frozen=True, slots=True)
class Field:
    """One field of a body, with a sentence for whoever fills it."""

    kind: Kind
    words: str
    required: bool = False
    #: Where the field stands in another place of the document: `#/components/schemas/…`.
    ref: str | None = None

    @property
    def schema(self) -> JSONSchema:
        """What it takes, for OpenAPI."""
        return {"$ref": self.ref} if self.ref is not None else {**self.kind.schema, "description": self.words}


def obj(fields: Mapping[str, Field]) -> Kind:
    """An object of these fields and no others."""
    required = [name for name, field in fields.items() if field.required]
    schema: JSONSchema = {
        "type": "object",
        "properties": {name: field.schema for name, field in fields.items()},
        "additionalProperties": False,
    }
    if required:
        schema["required"] = required

    def read(value: object, pointer: str) -> dict[str, Any]:
        given = _read_object(value, pointer)
        _refuse_unknown(given, fields, pointer)
        for name in required:
            if name not in given:
                raise Refused("invalid", f"{quoted(name)} is missing: {fields[name].words}", f"{pointer}/{name}")
        return {name: fields[name].kind.read(each, f"{pointer}/{name}") for name, each in given.items()}

    return Kind(schema, read)


def _refuse_unknown(given: Iterable[str], fields: Mapping[str, Field], pointer: str) -> None:
    for name in given:
        if name not in fields:
            allowed = ", ".join(fields)
            hint = did_you_mean(name, fields) or f"it takes {allowed}"
            raise Refused("invalid", f"{quoted(name)} is not expected here", f"{pointer}/{escaped(name)}", hint)


def unfit(value: object, allowed: str, pointer: str) -> Refused:
    """The refusal of a value that is not what its field takes."""
    return Refused("invalid", f"{shown(value)} is not {allowed}", pointer)


def shown(value: object) -> str:
    """A value for a message: short ones as they are, of others what they are."""
    if isinstance(value, str):
        return quoted(value)
    if isinstance(value, bool | None):
        return {None: "null", True: "true", False: "false"}[value]
    if isinstance(value, list):
        return f"a list of {len(value)}"
    return "an object" if isinstance(value, dict) else quoted(str(value))
