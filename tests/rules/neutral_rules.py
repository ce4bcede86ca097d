"""Turns neutral rules of public engines into this project's own YAML, which is what is tested.

The neutral form is that of the conformance data beside the checkout. A context becomes attributes of matching types,
checked and stored as a site would set them. What the language has no words for yet is said by `NotExpressible`.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal

from personalize.decisions.context import RequestFacts, make_context
from personalize.errors import EventRefused
from personalize.events.validate import check_attributes
from personalize.problems import Problems
from personalize.profiles.lifecycle import Lifecycle
from personalize.profiles.profile import AttributeValue, Profile
from personalize.rules.check import check_definitions
from personalize.rules.conventions import Conventions
from personalize.rules.definitions import Definitions
from personalize.rules.load import read_definitions
from personalize.rules.ruleset import compile_rule_set
from personalize.visitors.consent import granting
from personalize.visitors.identity import Identity
from tests.rules.small_site import rule_set_of

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
LIBRARY = rule_set_of("").library

WORDS = {
    "eq": "is",
    "ne": "is_not",
    "in": "one_of",
    "not_in": "none_of",
    "gte": "at_least",
    "gt": "more_than",
    "lte": "at_most",
    "lt": "less_than",
    **{word: word for word in ("exists", "starts_with", "ends_with", "contains", "before", "after", "ignore_case")},
}
#: Operators of the neutral form that the language has no word for yet.
LATER = {
    "as": "casts",
    "has_all": "lists as wholes",
    "in_cidr": "networks",
    "in_list": "named lists",
    "matches": "patterns",
    "not_in_list": "named lists",
    "not_matches": "patterns",
    "num_eq": "casts",
    "size": "lists as wholes",
    "some": "lists as wholes",
    "type": "types",
}

#: Always true, in words of the language: whether a visitor is known is always answered.
ALWAYS = {"any": [{"visitor.known": True}, {"visitor.known": False}]}


class NotExpressible(Exception):  # noqa: N818 (it says what the case is, and nothing went wrong)
    """The language has no words for this yet; the message says for what."""


@dataclass
class NeutralCase:
    """One case of the conformance data."""

    case_id: str
    rule: object
    context: Mapping[str, object]
    segments: Mapping[str, object]
    expected: bool
    must_pass: bool
    _names: dict[str, str] = field(default_factory=dict)

    def answer(self) -> bool:
        """Whether the rule matches; a rule that the loader refuses doesn't. Raises NotExpressible."""
        text = self._file()
        problems = Problems()
        conventions = Conventions()
        definitions = read_definitions({"case.yaml": text}, conventions, problems)
        check_definitions(definitions, LIBRARY, problems)
        return not problems.has_errors and self._holds(definitions, conventions)

    def _file(self) -> str:
        who = {"asked": {"who": self._translated(self.rule)}}
        who |= {name: {"who": self._translated(self.segments[name])} for name in self._segments_named(self.rule)}
        declared = {short: self._declaration(name) for name, short in self._names.items()}
        return yaml_of({"attributes": declared, "segments": who})

    def _segments_named(self, rule: object) -> Iterator[str]:
        if isinstance(rule, Mapping):
            for key, value in rule.items():
                if key == "segment" and value in self.segments:
                    yield str(value)
                yield from self._segments_named(value)
        elif isinstance(rule, list):
            for part in rule:
                yield from self._segments_named(part)

    def _translated(self, rule: object) -> object:
        assert isinstance(rule, Mapping)
        if rule == {"all": []}:
            return ALWAYS
        parts = [self._part(key, value) for key, value in rule.items()]
        return parts[0] if len(parts) == 1 else {"all": parts}

    def _part(self, key: str, value: object) -> object:
        if key in ("all", "any"):
            assert isinstance(value, list)
            return {key: [self._translated(part) for part in value]}
        if key == "not":
            return {"not": self._translated(value)}
        if key == "segment":
            return {"segment": value}
        assert isinstance(value, Mapping)
        return ALWAYS if value == {"not_in": []} else self._question(key, value)

    def _question(self, path: str, operators: Mapping[str, object]) -> object:
        if "." in path:
            raise NotExpressible("paths into values")
        if "not" in operators:
            denied = operators["not"]
            assert isinstance(denied, Mapping) and len(operators) == 1
            return {"not": self._question(path, denied)}
        for word, argument in operators.items():
            if word in LATER or word.startswith("ver_"):
                raise NotExpressible(LATER.get(word, "versions"))
            if word in ("eq", "ne") and isinstance(argument, list | dict):
                raise NotExpressible("lists as wholes")
        name = self._names.setdefault(path, f"a{len(self._names)}")
        asked: dict[str, object] = {}
        for word, argument in operators.items():
            if argument is None:
                asked["exists"] = word == "ne"
            else:
                asked[WORDS.get(word, word)] = argument
        return {f"profile.{name}": asked}

    # Attributes ----------------------------------------------------------------------------------------

    def _declaration(self, name: str) -> dict[str, object]:
        value = self.context.get(name)
        if isinstance(value, list):
            return {"type": "list", "of": type_of(value[0]) if value else self._asked_type(name)}
        if {"before", "after"} & set(self._operators(self.rule, name)):
            return {"type": "time"}
        return {"type": self._asked_type(name) if value is None else type_of(value)}

    def _asked_type(self, name: str) -> str:
        """The type that the rule's own arguments have, for an attribute of which the context says nothing."""
        for argument in self._operators(self.rule, name).values():
            one = argument[0] if isinstance(argument, list) and argument else argument
            if one is not None and not isinstance(one, list):
                return type_of(one)
        return "text"

    def _operators(self, rule: object, name: str) -> dict[str, object]:
        found: dict[str, object] = {}
        if isinstance(rule, list):
            for part in rule:
                found |= self._operators(part, name)
        elif isinstance(rule, Mapping):
            for key, value in rule.items():
                found |= dict(value) if key == name and isinstance(value, Mapping) else self._operators(value, name)
        return found

    def _holds(self, definitions: Definitions, conventions: Conventions) -> bool:
        rule_set = compile_rule_set("v", definitions, LIBRARY, conventions)
        stored = {}
        for name, short in self._names.items():
            try:
                stored |= check_attributes({short: self.context.get(name)}, rule_set.schema, zone=UTC)
            except EventRefused:
                continue
        context = make_context(
            identity=Identity(profile_id="u:1", consent=granting(["personalize"])),
            profile=Profile("u:1", {name: AttributeValue(value, NOW) for name, value in stored.items()}),
            facts=RequestFacts(),
            now=NOW,
            zone=UTC,
            lifecycle=Lifecycle(),
            catalogue=rule_set.facts,
        )
        return rule_set.index.answers(rule_set.index.reach((), ["asked"]), context.values, NOW).in_segment("asked")


def read_neutral(line: str) -> NeutralCase:
    """The case of one line of the conformance data, with exact numbers."""
    told = json.loads(line, parse_float=Decimal)
    return NeutralCase(
        case_id=f"{told['suite']} {told['id']}",
        rule=told["rule"],
        context=told["context"],
        segments=told.get("segments") or {},
        expected=told["expected"],
        must_pass=told["must_pass"],
    )


def type_of(value: object) -> str:
    """The declared type that a value of a context has."""
    if isinstance(value, bool):
        return "bool"
    if isinstance(value, int | Decimal):
        return "number"
    if isinstance(value, list | dict):
        raise NotExpressible("values of any shape")
    return "text"


def yaml_of(value: object) -> str:
    """A value as YAML on one line; texts in quotes, numbers as they are."""
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{yaml_of(key)}: {yaml_of(one)}" for key, one in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(yaml_of, value)) + "]"
    if isinstance(value, Decimal):
        return str(value)
    return json.dumps(value, ensure_ascii=False)
