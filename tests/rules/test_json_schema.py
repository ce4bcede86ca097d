"""The JSON Schema of rule files: it takes what loads, and refuses misspelt words where the loader does."""

from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from personalize.problems import Problems
from personalize.rules import json_schema
from personalize.rules.facts import Facts
from personalize.rules.json_schema import rule_file_schema
from personalize.rules.reading.load import read_definitions
from personalize.runtime.draft import read_draft, schema_of
from personalize.settings import load_settings
from personalize.yaml_tree import Mapping, Node, Scalar, Sequence, parse_yaml, to_data
from tests.conftest import REPOSITORY
from tests.properties.test_rule_files import SAMPLE
from tests.rules.reading.test_load import ALL_BROKEN
from tests.rules.small_site import CONVENTIONS, RULES_FILE, rule_set_of

SITES = {
    "the example": "personalize.toml",
    "the record shop": "tests/cases/cdnow/personalize.toml",
    "the desk of the docs": "tests/docs/desk/personalize.toml",
    "the starter": "personalize/cli/starter/personalize.toml",
}
LIBRARY = rule_set_of("").library
#: What the schema can tell: a key, a fact, an operator or a property that there is not.
MISSPELT = {"E201", "E211", "E214", "E217"}


def validator_for(text: str) -> Draft202012Validator:
    definitions = read_definitions({RULES_FILE: text}, CONVENTIONS, Problems())
    return Draft202012Validator(rule_file_schema(definitions, Facts(definitions.schema), LIBRARY))


def data_of(text: str) -> Any:
    return to_data(parse_yaml(text, RULES_FILE, Problems()))


SAMPLE_SCHEMA = validator_for(SAMPLE)


def said(validator: Draft202012Validator, data: Any) -> list[str]:
    return [f"{'/'.join(map(str, error.absolute_path))}: {error.message}" for error in validator.iter_errors(data)]


@pytest.mark.parametrize("site", SITES)
def test_the_rule_files_of_this_repository_are_valid(site: str) -> None:
    settings = load_settings(REPOSITORY / SITES[site], {})
    files = read_draft(settings, Problems()).files
    schema = schema_of(files, settings)
    Draft202012Validator.check_schema(schema)
    rules = [path for path in files if path.startswith("rules/") and path.endswith("yaml")]
    assert rules
    assert {path: found for path in rules if (found := said(Draft202012Validator(schema), data_of(files[path])))} == {}


def test_the_sample_is_valid() -> None:
    assert said(SAMPLE_SCHEMA, data_of(SAMPLE)) == []


def keys_of(node: Node | None) -> list[Scalar]:
    if isinstance(node, Mapping):
        return [one for key, value in node.entries for one in (key, *keys_of(value))]
    return [one for item in node.items for one in keys_of(item)] if isinstance(node, Sequence) else []


KEYS = keys_of(parse_yaml(SAMPLE, RULES_FILE, Problems()))


@pytest.mark.parametrize("key", KEYS, ids=lambda key: f"{key.place.line}-{key.text}")
def test_a_key_that_the_loader_refuses_is_refused_by_the_schema(key: Scalar) -> None:
    text = f"{SAMPLE[: key.place.start]}{key.text}zz{SAMPLE[key.place.end :]}"
    problems = Problems()
    read_definitions({RULES_FILE: text}, CONVENTIONS, problems)
    codes = {problem.code for problem in problems.list if problem.line == key.place.line}
    if codes & MISSPELT:
        assert said(SAMPLE_SCHEMA, data_of(text))


def test_most_keys_are_among_those() -> None:
    refused = 0
    for key in KEYS:
        text = f"{SAMPLE[: key.place.start]}{key.text}zz{SAMPLE[key.place.end :]}"
        refused += bool(said(SAMPLE_SCHEMA, data_of(text)))
    assert refused > len(KEYS) * 0.7


@pytest.mark.parametrize("case", ALL_BROKEN, ids=lambda case: case.where)
def test_what_is_no_error_for_the_loader_is_none_for_the_schema(case: Any) -> None:
    if not any(": error " in line for line in case.says):
        assert said(validator_for(case.text), data_of(case.text)) == []


WRONG = {
    "a fact": "segments: {a: {who: {visitor.knwn: true}}}",
    "an operator": "segments: {a: {who: {visitor.visits: {at_lest: 2}}}}",
    "an operator of another type": "segments: {a: {who: {visitor.known: {at_least: 2}}}}",
    "a property": "segments: {a: {who: {did: purchase, where: {items.colour: red}}}}",
    "an event": "segments: {a: {who: {did: purchas}}}",
    "a word of a choice": "segments: {a: {who: {visitor.state: asleep}}}",
    "where without did": "segments: {a: {who: {where: {amount: 3}}}}",
    "a value of another type": "segments: {a: {who: {visitor.visits: many}}}",
    "an empty condition": "segments: {a: {who: {}}}",
    "a segment without who": "segments: {a: {title: A}}",
    "a key of a rule": "slots: {a: {rules: [{id: x, shows: notes/hello}]}}",
    "a weekday": "slots: {a: {rules: [{id: x, show: notes/hello, when: {weekdays: [monday]}}]}}",
    "a collection": "slots: {a: {rules: [{id: x, show: {in: note}}]}}",
    "a name": "segments: {Not a name: {who: {visitor.known: true}}}",
    "an example": "segments: {a: {who: {visitor.known: true}, examples: [{given: {visitor.knwn: true}}]}}",
}


@pytest.mark.parametrize("case", WRONG)
def test_what_is_wrong_is_refused_where_it_stands(case: str) -> None:
    assert said(SAMPLE_SCHEMA, data_of(WRONG[case]))


def test_a_wrong_operator_is_told_where_it_stands_and_of_nothing_else() -> None:
    (error,) = SAMPLE_SCHEMA.iter_errors(data_of(WRONG["an operator"]))
    assert list(error.absolute_path) == ["segments", "a", "who", "visitor.visits"]
    assert "'at_lest' was unexpected" in error.message


def test_there_is_nothing_to_choose_between() -> None:
    source = Path(json_schema.__file__).read_text(encoding="utf-8")
    assert '"oneOf"' not in source and '"anyOf"' not in source


def keys_without_words(part: Any, name: str = "") -> list[str]:
    """Where a key of a block is neither titled nor described."""
    if not isinstance(part, dict):
        return []
    keys = part.get("properties", {}).items() if part.get("type") == "object" else ()
    own = [f"{name}/{key}" for key, value in keys if not {"title", "description"} & value.keys()]
    return own + [one for key, value in part.items() for one in keys_without_words(value, f"{name}/{key}")]


def test_every_key_is_described_for_whoever_completes_it() -> None:
    found = keys_without_words(SAMPLE_SCHEMA.schema)
    assert [one for one in found if "/times/" not in one] == []
