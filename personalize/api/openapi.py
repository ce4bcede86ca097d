"""The description of the API (OpenAPI 3.1), made of the operations and of what the site declares."""

from collections.abc import Mapping, Sequence
from typing import Any

from personalize.api.consent import SET as SET_CONSENT
from personalize.api.deciding import DECIDE, EXPLAIN
from personalize.api.declared_schema import attributes_schema, event_schema
from personalize.api.events import ATTRIBUTES, BROWSER_ATTRIBUTES, BROWSER_EVENT, EVENT
from personalize.api.operation import Operation, Role
from personalize.api.organizations import SET_ORGANIZATION
from personalize.api.payloads import JSONSchema, Kind
from personalize.api.profiles import SEARCH, SEARCHES
from personalize.api.reading import JSON, NDJSON
from personalize.api.refusal import KINDS, MEDIA_TYPE
from personalize.events.schema import Schema
from personalize.rules.ruleset import RuleSet
from personalize.runtime.access import SCOPE_WORDS, AccessScope
from personalize.settings import Settings

VERSION = "1"
_PROBLEM: JSONSchema = {
    "type": "object",
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "code": {"type": "string", "description": f"Stable: {', '.join(KINDS)}, or of a declaration (E301 and on)."},
        "detail": {"type": "string"},
        "pointer": {"type": "string", "description": "The part of the body at fault, as a JSON pointer."},
        "hint": {"type": "string"},
    },
    "required": ["type", "title", "status", "code", "detail"],
}
#: Each line is read by itself, so that one that does not fit leaves the others as they are.
_LINES: JSONSchema = {"description": "Lines of JSON: an event each, as `record_event` takes one."}


def description(operations: Sequence[Operation], rule_set: RuleSet | None, settings: Settings) -> dict[str, Any]:
    """The description of these operations for a site with these rules."""
    bodies = _Bodies(rule_set, settings)
    paths: dict[str, dict[str, Any]] = {}
    for operation in operations:
        paths.setdefault(operation.path, {})[operation.method.lower()] = _operation(operation, bodies)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "personalize",
            "version": VERSION,
            "description": "What other channels than the site's own pages ask and tell. Ids of visitors stand in bodies"
            " alone, for addresses end up in logs.",
        },
        "servers": [{"url": f"{settings.prefix}/api/v1"}],
        "paths": paths,
        "components": {
            "schemas": {"Problem": _PROBLEM, **bodies.schemas},
            "securitySchemes": {
                "token": {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "Made by `personalize token create`. Scopes: "
                    + "; ".join(f"{scope}: {words}" for scope, words in SCOPE_WORDS.items())
                    + ".",
                },
                "visitor": _cookie(settings.cookie.name, "The signed id of the browser, sent by a page of the site."),
                "consent": _cookie(settings.cookie.consent_name, "What its visitor has agreed to."),
            },
        },
    }


def _cookie(name: str, words: str) -> dict[str, str]:
    return {
        "type": "apiKey",
        "in": "cookie",
        "name": name,
        "description": f"{words} On https its name is __Host-{name}.",
    }


def _operation(operation: Operation, bodies: "_Bodies") -> dict[str, Any]:
    told: dict[str, Any] = {
        "operationId": operation.name,
        "summary": operation.words,
        "security": [_security(operation.who)],
        "responses": {
            **{
                str(status): {"description": words, "content": {JSON: {"schema": schema}}}
                for status, (words, schema) in operation.outcomes.items()
            },
            **{status: _refused(status) for status in ("4XX", "5XX")},
        },
    }
    if operation.takes is not None:
        media_type, body = (NDJSON, _LINES) if operation.streams else (JSON, bodies.of(operation.takes))
        told["requestBody"] = {"required": True, "content": {media_type: {"schema": body}}}
    return told


def _refused(status: str) -> dict[str, Any]:
    words = "Refused; the code says why." if status == "4XX" else "Not just now; the same call may be made again."
    return {"description": words, "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}}


def _security(who: AccessScope | Role) -> dict[str, list[str]]:
    if who is Role.BROWSER:
        return {"visitor": [], "consent": []}
    return {"token": [str(who)] if isinstance(who, AccessScope) else []}


class _Bodies:
    """The schemas of bodies, with what the site declares in the places where values are looked at by name."""

    def __init__(self, rule_set: RuleSet | None, settings: Settings) -> None:
        self._declared = rule_set.schema if rule_set is not None else Schema()
        self._slots = sorted(rule_set.slots) if rule_set is not None else []
        self._purposes = settings.privacy.purposes
        self.schemas: dict[str, JSONSchema] = {}

    def of(self, kind: Kind) -> JSONSchema:
        """The schema of what an operation takes."""
        if kind is EVENT:
            return self._events("Event", EVENT, self._declared.events)
        if kind is BROWSER_EVENT:
            allowed = {name: one for name, one in self._declared.events.items() if one.from_browser}
            return self._events("BrowserEvent", BROWSER_EVENT, allowed)
        if kind in (ATTRIBUTES, BROWSER_ATTRIBUTES):
            return self._attributes(kind, from_browser=kind is BROWSER_ATTRIBUTES)
        if kind is SET_ORGANIZATION:
            own = {} if self._declared.organization is None else self._declared.organization.attributes
            values = attributes_schema(own.values(), self._declared.currency_digits)
            return _with(kind, attributes=values) if own else kind.schema
        if kind is SET_CONSENT:
            return _with(kind, granted={**_field(kind, "granted"), "items": {"enum": list(self._purposes)}})
        if kind is DECIDE:
            slots = _field(kind, "slots")
            return _with(kind, slots={**slots, "items": {**slots["items"], "examples": self._slots}})
        if kind is EXPLAIN:
            return _with(kind, slot={**_field(kind, "slot"), "examples": self._slots})
        return self._searches() if kind is SEARCH else kind.schema

    def _searches(self) -> JSONSchema:
        """A login, or an attribute that visitors are found by and its value."""
        names = sorted(self._declared.searchable)
        known = _with(SEARCH, attribute={**_field(SEARCH, "attribute"), "enum": names})
        ways = SEARCHES if names else SEARCHES[:1]
        told = [{name: known["properties"][name] for name in way} for way in ways]
        return {"oneOf": [{**known, "properties": fields, "required": list(fields)} for fields in told]}

    def _events(self, prefix: str, envelope: Kind, types: Mapping[str, Any]) -> JSONSchema:
        """One of the declared types, told apart by the field `type`."""
        digits = self._declared.currency_digits
        names = {}
        for name, declared in types.items():
            names[name] = f"{prefix}.{name}"
            self.schemas[names[name]] = event_schema(declared, envelope.schema, digits)
        if not names:
            return {"not": {}, "description": "The site declares no such event."}
        mapping = {name: f"#/components/schemas/{schema}" for name, schema in names.items()}
        return {
            "oneOf": [{"$ref": ref} for ref in mapping.values()],
            "discriminator": {"propertyName": "type", "mapping": mapping},
        }

    def _attributes(self, kind: Kind, *, from_browser: bool) -> JSONSchema:
        attributes = [one for one in self._declared.attributes.values() if one.from_browser or not from_browser]
        values = attributes_schema(attributes, self._declared.currency_digits)
        return _with(kind, attributes=values)


def _field(kind: Kind, name: str) -> JSONSchema:
    schema: JSONSchema = kind.schema["properties"][name]
    return schema


def _with(kind: Kind, **fields: JSONSchema) -> JSONSchema:
    """What an operation takes, with more said of some of its fields."""
    return {**kind.schema, "properties": {**kind.schema["properties"], **fields}}
