"""What operations answer when they went well: by status, in words, and as JSON Schema."""

from collections.abc import Mapping
from typing import TypeAlias

from personalize.api.payloads import JSONSchema

Outcomes: TypeAlias = Mapping[int, tuple[str, JSONSchema]]

_TEXT: JSONSchema = {"type": "string"}
_COUNT: JSONSchema = {"type": "integer", "minimum": 0}
_MOMENT: JSONSchema = {"type": ["string", "null"], "format": "date-time"}
_TEXTS: JSONSchema = {"type": "array", "items": _TEXT}
_OPEN: JSONSchema = {"type": "object"}
_PROBLEM: JSONSchema = {"$ref": "#/components/schemas/Problem"}


def _object(required: Mapping[str, JSONSchema], optional: Mapping[str, JSONSchema] | None = None) -> JSONSchema:
    properties = {**required, **(optional or {})}
    return {
        "type": "object",
        "properties": properties,
        "required": list(required),
        "additionalProperties": False,
    }


def _nullable(kind: str) -> JSONSchema:
    return {"type": [kind, "null"]}


_GRANTED: JSONSchema = {"type": ["array", "null"], "items": _TEXT}

RECORDED: Outcomes = {
    201: ("It is new, and durable.", _object({"outcome": {"const": "new"}})),
    200: ("It was there already, and counts once.", _object({"outcome": {"const": "repeated"}})),
}
RECORDED_EACH: Outcomes = {
    200: (
        "What became of each event, in the order in which they were sent.",
        _object(
            {
                "outcomes": {
                    "type": "array",
                    "items": _object(
                        {"outcome": {"enum": ["new", "repeated", "refused"]}}, {"id": _TEXT, "problem": _PROBLEM}
                    ),
                }
            }
        ),
    )
}
STREAMED: Outcomes = {
    200: (
        "The end was reached. `problems` are those of the first 1,000 lines that were refused.",
        _object(
            {
                "lines": _COUNT,
                "new": _COUNT,
                "repeated": _COUNT,
                "refused": _COUNT,
                "problems": {"type": "array", "items": {"allOf": [_PROBLEM], "properties": {"line": _COUNT}}},
            }
        ),
    )
}
PROFILE: Outcomes = {
    200: (
        "What is stored.",
        _object(
            {
                "visitor": _TEXT,
                "attributes": _OPEN,
                "totals": {
                    "type": "object",
                    "additionalProperties": _object(
                        {"count": _COUNT, "first_at": _MOMENT, "last_at": _MOMENT},
                        {"sum": {}, "first_value": {}, "last_value": {}},
                    ),
                },
                "interests": {"type": "object", "additionalProperties": {"type": "number"}},
                "segments": _TEXTS,
                "first_seen_at": _MOMENT,
                "last_seen_at": _MOMENT,
                "visit": _nullable("object"),
                "consent": _object({"granted": _GRANTED, "at": _MOMENT}),
                "joined_into": _nullable("string"),
                "events": _COUNT,
            }
        ),
    )
}
ORGANIZATION: Outcomes = {
    200: (
        "What is known of it, and what its members add up to.",
        _object(
            {
                "organization": _TEXT,
                "attributes": _OPEN,
                "members": _COUNT,
                "totals": {"type": "object", "additionalProperties": _object({"count": _COUNT}, {"sum": {}})},
            }
        ),
    )
}
SERVED: Outcomes = {
    200: (
        "What may be told of them.",
        _object(
            {
                "user_id": _TEXT,
                "may_be_used": {"type": "boolean"},
                "attributes": {"type": "array", "items": _object({"title": _TEXT, "value": _TEXT})},
                "did": {
                    "type": "array",
                    "items": _object(
                        {"title": _TEXT, "count": _COUNT, "total": _nullable("string"), "last_at": _MOMENT}
                    ),
                },
                "events": {
                    "type": "array",
                    "items": _object({"title": _TEXT, "at": _MOMENT, "channel": _TEXT, "says": _OPEN}),
                },
                "interests": {
                    "type": "array",
                    "items": _object({"tag": _TEXT, "strength": {"type": "number"}, "said": _nullable("boolean")}),
                },
                "segments": _TEXTS,
                "advice": {"type": "array", "items": _object({"slot": _TEXT, "items": _TEXTS, "why": _TEXT})},
            }
        ),
    )
}
FOUND: Outcomes = {200: ("The visitors found, perhaps none.", _object({"visitors": _TEXTS}))}
_ITEM = _object({"id": _TEXT, "collection": _TEXT, "title": _TEXT, "tags": _TEXTS, "fields": _OPEN, "markup": _TEXT})
_DECISION = _object(
    {
        "items": {"type": "array", "items": _ITEM},
        "rule": _nullable("string"),
        "reason": {"enum": ["rule", "otherwise", "default"]},
        "personal": {"type": "boolean"},
    }
)
DECIDED: Outcomes = {
    200: (
        "What each slot shows; without items, what the channel itself has there.",
        _object(
            {
                "visitor": _TEXT,
                "version": _TEXT,
                "consent": _GRANTED,
                "counted": {"type": "boolean"},
                "slots": {"type": "object", "additionalProperties": _DECISION},
            }
        ),
    )
}
EXPLAINED: Outcomes = {
    200: (
        "The decision, how each rule of the slot came out, and how something else would be shown.",
        _object(
            {
                "visitor": _TEXT,
                "stored": {"type": "boolean"},
                "at": _MOMENT,
                "consent": _GRANTED,
                "slot": _TEXT,
                "version": _TEXT,
                "items": _TEXTS,
                "rule": _nullable("string"),
                "reason": _TEXT,
                "personal": {"type": "boolean"},
                "rules": {"type": "array", "items": _OPEN},
                "instead": {"type": "array", "items": _OPEN},
            }
        ),
    )
}
CONSENT: Outcomes = {
    200: ("What is stored.", _object({"visitor": _TEXT, "granted": _GRANTED, "at": _MOMENT})),
}
PERSON: Outcomes = {
    200: (
        "What is stored, by when it happened; amounts are whole numbers of the smallest unit.",
        _object({"visitor": _TEXT, "browsers": _TEXTS, "events": {"type": "array", "items": _OPEN}}),
    )
}
ERASED: Outcomes = {
    200: (
        "It is erased. `copies` are the ids of exports and backups that may hold it still.",
        _object({"receipt": _TEXT, "at": _MOMENT, "profiles": _COUNT, "events": _COUNT, "copies": _TEXTS}),
    )
}
DESCRIPTION: Outcomes = {200: ("The description, as OpenAPI 3.1.", _OPEN)}
