"""Turns neutral rules of public engines into this project's own YAML, which is what is tested.

The neutral form is that of the conformance data beside the checkout. Each value of a context becomes an attribute of
the type `any`, checked and stored as a site would set it; where a type of ours fits all of them, it is asked once more
as an attribute of that type. Lists of ids become CSV files.
"""

import ipaddress
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import cached_property

from personalize.decisions.context import RequestFacts, make_context
from personalize.errors import EventRefused
from personalize.events.validate import check_attributes
from personalize.problems import Problems
from personalize.profiles.lifecycle import Lifecycle
from personalize.profiles.profile import AttributeValue, Profile
from personalize.rules.conventions import Conventions
from personalize.rules.definitions import Definitions
from personalize.rules.paths import split_path
from personalize.rules.reading.check import check_definitions
from personalize.rules.reading.load import read_definitions
from personalize.rules.ruleset import compile_rule_set
from personalize.visitors.consent import granting
from personalize.visitors.identity import Identity
from tests.rules.small_site import rule_set_of

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
LIBRARY = rule_set_of("").library

#: Neutral words and ours, for questions that say the same.
WORDS = {
    "eq": "is",
    "gte": "at_least",
    "gt": "more_than",
    "lte": "at_most",
    "lt": "less_than",
    "has_all": "all_of",
    "in_cidr": "in_network",
    "ver_eq": "version_is",
    "ver_gt": "version_more_than",
    "ver_gte": "version_at_least",
    "ver_lt": "version_less_than",
    "ver_lte": "version_at_most",
    "ver_range": "version_in",
    **{word: word for word in ("exists", "starts_with", "ends_with", "contains", "matches", "in_list")},
}
#: Neutral words for the opposite of another one.
OPPOSITES = {"ne": "eq", "not_in": "in", "not_in_list": "in_list", "ver_ne": "ver_eq"}
OPPOSITES |= {f"not_{word}": word for word in ("matches", "contains", "starts_with", "ends_with", "in_cidr")}
TYPES = {"string": "text", "number": "number", "boolean": "bool", "array": "list", "object": "mapping"}
TEXT_WORDS = ("contains", "starts_with", "ends_with", "matches")
ORDER_WORDS = ("gt", "gte", "lt", "lte")
MODIFIERS = ("ignore_case", "as")

#: Always true, in words of the language: whether a visitor is known is always answered.
ALWAYS = {"any": [{"visitor.known": True}, {"visitor.known": False}]}
#: `-7d`, as PostHog writes how long ago something was.
RELATIVE = re.compile(r"-([0-9]+)([hdwmy])")
UNITS = {"h": "hours", "d": "days", "w": "weeks", "m": "months", "y": "years"}


@dataclass
class NeutralCase:
    """One case of the conformance data."""

    case_id: str
    rule: object
    context: Mapping[str, object]
    segments: Mapping[str, object]
    expected: bool
    must_pass: bool
    now: datetime = NOW

    def answer(self) -> bool:
        """Whether the rule matches; a rule that the loader refuses doesn't."""
        problems = Problems()
        conventions = Conventions()
        definitions = read_definitions(self.files, conventions, problems)
        check_definitions(definitions, LIBRARY, problems)
        return not problems.has_errors and self._holds(definitions, conventions)

    @cached_property
    def names(self) -> Mapping[str, str]:
        """Our name for each first step of a path that the rule or the context has."""
        steps = dict.fromkeys([*self.context, *(path[0] for path in _paths([self.rule, *self.segments.values()]))])
        return {step: f"a{number}" for number, step in enumerate(steps)}

    @cached_property
    def files(self) -> Mapping[str, str]:
        """The rule as files of this project: the segment `asked`, those that it names, attributes, lists of ids."""
        who = {"asked": {"who": self._translated(self.rule)}}
        who |= {
            self.ids[name]: {"who": self._translated(self.segments[name])} for name in self._segments_named(self.rule)
        }
        declared = {name: {"type": "any"} for name in self.names.values()}
        files = {"rules/case.yaml": yaml_of({"attributes": declared, "segments": who})}
        for name in _lists_named([self.rule, *self.segments.values()]):
            ids = (self.segments.get(name) or {}).get("list", ())  # type: ignore[attr-defined]
            files[f"rules/lists/{self.ids[name]}.csv"] = "".join(f"{csv_of(one)}\n" for one in ids)
        return files

    @cached_property
    def ids(self) -> Mapping[str, str]:
        """Our id for each segment and list of ids that is named; unknown ones stay unknown."""
        named = [*self.segments, *_lists_named([self.rule, *self.segments.values()])]
        return {name: f"n{number}" for number, name in enumerate(dict.fromkeys(named))}

    def _segments_named(self, rule: object) -> Iterator[str]:
        """Segments that are there, each once, though they may go in a circle."""
        named: dict[str, None] = {}
        waiting = [rule]
        while waiting:
            one = waiting.pop()
            if isinstance(one, Mapping):
                waiting += one.values()
                inner = str(one.get("segment"))
                if inner in self.segments and inner not in named:
                    named[inner] = None
                    waiting.append(self.segments[inner])
            elif isinstance(one, list):
                waiting += one
        yield from named

    # Questions -----------------------------------------------------------------------------------------

    def _translated(self, rule: object, inside: bool = False) -> object:
        """A rule; `inside` an element of a list its paths begin there."""
        assert isinstance(rule, Mapping)
        if rule in ({"all": []}, {}):
            return {"not": never(None)} if inside else ALWAYS
        if rule == {"any": []}:
            return never(None) if inside else {"not": ALWAYS}
        parts = [self._part(key, value, inside) for key, value in rule.items()]
        return parts[0] if len(parts) == 1 else {"all": parts}

    def _part(self, key: str, value: object, inside: bool) -> object:
        if key in ("all", "any"):
            assert isinstance(value, list)
            return {key: [self._translated(part, inside) for part in value]}
        if key == "not":
            return {"not": self._translated(value, inside)}
        if key == "segment":
            return {"segment": self.ids.get(str(value), "unknown")}
        assert isinstance(value, Mapping)
        return self._asked(self._fact(key, inside), value)

    def _fact(self, path: str, inside: bool) -> str:
        first, *rest = split_path(path) or (path,)
        if inside:
            return ".".join("\\" + step.replace("\\", "\\\\").replace(".", "\\.") for step in (first, *rest))
        return ".".join(["profile", self.names[first], *(_escaped(step) for step in rest)])

    def _asked(self, fact: str | None, operators: Mapping[str, object]) -> object:
        """All that operators ask of a fact, or of an element itself where there is none."""
        modifiers = {key: value for key, value in operators.items() if key in MODIFIERS}
        asked = [
            self._one(fact, word, argument, modifiers) for word, argument in operators.items() if word not in MODIFIERS
        ]
        return asked[0] if len(asked) == 1 else {"all": asked}

    def _one(self, fact: str | None, word: str, argument: object, modifiers: Mapping[str, object]) -> object:
        if word in OPPOSITES:
            return {"not": self._one(fact, OPPOSITES[word], argument, modifiers)}
        if word == "not":
            assert isinstance(argument, Mapping)
            return {"not": self._asked(fact, {**argument, **modifiers})}
        if word == "in":
            return self._among(fact, argument, modifiers)
        if word == "exists":
            return _of(fact, {"exists": argument})
        if argument == [] and word in ("has_all", "in_cidr"):
            return _of(fact, {"type": "list"}) if word == "has_all" else never(fact)
        if word in TEXT_WORDS[:3] and "" in (argument if isinstance(argument, list) else [argument]):
            return self._any_text(fact, modifiers)
        asked = self._operator(word, argument, modifiers)
        return never(fact) if asked is None else _of(fact, asked)

    def _any_text(self, fact: str | None, modifiers: Mapping[str, object]) -> object:
        """That it is a text, or a list with one: an empty text is part of every text."""
        types = ["text", "number", "bool"] if modifiers.get("as") == "string" else "text"
        return {"any": [_of(fact, {"type": types}), _of(fact, {"some": {"type": types}})]}

    def _among(self, fact: str | None, argument: object, modifiers: Mapping[str, object]) -> object:
        """One of several values, of which null says that it is missing."""
        if not isinstance(argument, list):
            return _of(fact, {"one_of": argument})
        values = [one for one in argument if one is not None]
        if modifiers.get("as") == "string":
            values = [text_of(one) for one in values]
        parts = [_of(fact, {"one_of": values, **_manner(modifiers)})] if values else []
        parts += [_of(fact, {"exists": False})] if None in argument else []
        if not parts:
            return never(fact)
        return parts[0] if len(parts) == 1 else {"any": parts}

    def _operator(self, word: str, argument: object, modifiers: Mapping[str, object]) -> object:
        """What is asked in our words; None for what never holds, since it compares what can't be compared."""
        manner = _manner(modifiers)
        if argument is None:
            return {"exists": False} if word == "eq" else None
        match word:
            case "some":
                assert isinstance(argument, Mapping)
                inner = argument.get("rule")
                return {"some": self._asked(None, argument) if inner is None else self._translated(inner, inside=True)}
            case "size":
                return {"size": self._asked(None, argument) if isinstance(argument, Mapping) else argument}
            case "type":
                return {"exists": False} if argument == "null" else {"type": TYPES.get(str(argument), argument)}
            case "num_eq":
                return {"is": argument, "as": "number"}
            case "before" | "after":
                return _beside_moment(word, argument)
            case "in_list":
                return {"in_list": self.ids[str(argument)], **manner}
            case "in_cidr":
                return {"in_network": _networks(argument)}
        if word in TEXT_WORDS and "as" not in manner:
            texts = [one for one in (argument if isinstance(argument, list) else [argument]) if isinstance(one, str)]
            return {WORDS[word]: texts, **manner} if texts else None
        if word in ORDER_WORDS and (isinstance(argument, bool | list | dict)):
            return None
        if "as" in manner:
            argument = [text_of(one) for one in argument] if isinstance(argument, list) else text_of(argument)
        return {WORDS.get(word, word): argument, **({} if word in ORDER_WORDS and "as" not in manner else manner)}

    # The visitor ---------------------------------------------------------------------------------------

    def _holds(self, definitions: Definitions, conventions: Conventions) -> bool:
        rule_set = compile_rule_set("v", definitions, LIBRARY, conventions)
        stored = {}
        for name, short in self.names.items():
            try:
                stored |= check_attributes({short: self.context.get(name)}, rule_set.schema, zone=UTC)
            except EventRefused:
                continue
        context = make_context(
            rule_set.ground,
            Lifecycle(),
            identity=Identity(profile_id="u:1", consent=granting(["personalize"])),
            profile=Profile("u:1", {name: AttributeValue(value, 0) for name, value in stored.items()}),
            facts=RequestFacts(),
            now=self.now,
        )
        return rule_set.index.answers(rule_set.index.reach((), ["asked"]), context, self.now).in_segment("asked")


def read_neutral(line: str) -> NeutralCase:
    """The case of one line of the conformance data, with exact numbers."""
    told = json.loads(line, parse_float=Decimal)
    return NeutralCase(
        case_id=f"{told['suite']} {told['id']}",
        rule=told["rule"],
        context=told["context"],
        segments=told.get("segments") or {},
        expected=told["expected"],
        must_pass=told.get("must_pass", True),
        now=datetime.fromisoformat(told["now"]).astimezone(UTC) if told.get("now") else NOW,
    )


def never(fact: str | None) -> object:
    """What holds for nobody."""
    return {"all": [_of(fact, {"exists": True}), _of(fact, {"exists": False})]}


def text_of(value: object) -> object:
    """A number or truth value as the text that `as: text` makes of it."""
    if isinstance(value, bool):
        return str(value).lower()
    return format(value.normalize(), "f") if isinstance(value, Decimal) else str(value)


def _of(fact: str | None, asked: object) -> object:
    return asked if fact is None else {fact: asked}


def _manner(modifiers: Mapping[str, object]) -> dict[str, object]:
    ours = {"ignore_case": True} if modifiers.get("ignore_case") else {}
    return {**ours, "as": "text"} if modifiers.get("as") == "string" else ours


def _escaped(step: str) -> str:
    return step.replace("\\", "\\\\").replace(".", "\\.")


def _beside_moment(word: str, argument: object) -> object:
    """Before or after a moment: ISO text, milliseconds since 1970, or how long ago."""
    relative = RELATIVE.fullmatch(argument) if isinstance(argument, str) else None
    if relative is not None and relative[2] in "hdw":
        length = f"{relative[1]} {UNITS[relative[2]]}"
        return {"older_than": length} if word == "before" else {"within": length}
    if relative is not None:
        return {word: f"{relative[1]} {UNITS[relative[2]]} ago"}
    if isinstance(argument, bool) or not isinstance(argument, int | Decimal):
        return {word: argument}
    return {word: (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=float(argument))).isoformat()}


def _networks(argument: object) -> object:
    """Networks without those that are none: the neutral operator passes over them. Where all are none, all stay."""
    written = argument if isinstance(argument, list) else [argument]
    networks = [one for one in written if _is_network(one)]
    return networks or written


def _is_network(text: object) -> bool:
    try:
        return bool(ipaddress.ip_network(str(text), strict=False))
    except ValueError:
        return False


def _paths(rules: object) -> Iterator[tuple[str, ...]]:
    """The paths of questions about the context, not those about elements of its lists."""
    if isinstance(rules, list):
        for rule in rules:
            yield from _paths(rule)
    elif isinstance(rules, Mapping):
        for key, value in rules.items():
            if key in ("all", "any", "not"):
                yield from _paths(value)
            elif key not in ("segment", "list"):
                yield split_path(key) or (key,)


def _lists_named(rules: object) -> Iterator[str]:
    if isinstance(rules, Mapping):
        yield from (str(value) for key, value in rules.items() if key in ("in_list", "not_in_list"))
    for part in rules.values() if isinstance(rules, Mapping) else rules if isinstance(rules, list) else ():
        yield from _lists_named(part)


def csv_of(value: object) -> str:
    """An id as a line of CSV; texts in quotes, numbers as they are."""
    return '"' + value.replace('"', '""') + '"' if isinstance(value, str) else yaml_of(value)


def yaml_of(value: object) -> str:
    """A value as YAML on one line; texts in quotes, numbers as they are."""
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{yaml_of(key)}: {yaml_of(one)}" for key, one in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(yaml_of, value)) + "]"
    if isinstance(value, Decimal):
        return str(value)
    return json.dumps(value, ensure_ascii=False)
