"""docs/editors.md says all of the language and nothing else, and every block of it can be published."""

import re
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from personalize.content.collection import FieldType
from personalize.events.schema import Attribute, EventType, OrganizationType, Schema, Shape, ValueType
from personalize.problems import Problem, Problems
from personalize.rules.facts import Facts
from personalize.rules.operators import NEGATIVES, OPERATORS
from personalize.rules.reading.load import SECTIONS
from personalize.runtime.draft import load_files, read_draft, schema_of
from personalize.settings import load_settings
from personalize.yaml_tree import Mapping, Sequence, parse_yaml, to_data
from tests.docs.bench import Bench
from tests.docs.blocks import Block, blocks_of, code_words, folder_of_desk, table_below

PAGE = "docs/editors.md"
CODE = re.compile(r"[EW][0-9]{3}")
EVENT = EventType("<event>", {"amount": Shape(ValueType.MONEY)}, value="amount", interest="category")


def as_rule_file(block: Block) -> str:
    """A block as a file of its own: rules stand in a slot, questions in a segment, which have the block's line."""
    tree = parse_yaml(block.text, block.where, Problems())
    if isinstance(tree, Sequence):
        return f"slots:\n  line-{block.line}:\n    rules:\n{indented(block.text, 6)}"
    assert isinstance(tree, Mapping), block.where
    if set(tree.keys()) <= set(SECTIONS):
        return block.text
    return f"segments:\n  line-{block.line}:\n    who:\n{indented(block.text, 6)}"


def indented(text: str, blanks: int) -> str:
    return "".join(f"{' ' * blanks}{line}\n" for line in text.splitlines())


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    """The site that the whole page describes."""
    bench = Bench(tmp_path / "site", folder_of_desk())
    for path in (bench.folder / "rules").iterdir():
        path.unlink()
    for block in blocks_of(PAGE):
        if block.language == "yaml" and (block.file is None or CODE.fullmatch(block.file)):
            path = bench.folder / "rules" / f"line-{block.line:04}.yaml"
            path.write_text(as_rule_file(block), encoding="utf-8")
        elif block.language != "console":
            bench.write(block)
    return bench


def problems_of(folder: Path) -> tuple[Problem, ...]:
    settings = load_settings(folder / "personalize.toml", {})
    problems = Problems()
    draft = read_draft(settings, problems)
    load_files(draft.files, settings, problems)
    return problems.list


def test_every_block_can_be_published_and_warns_only_where_it_says_so(bench: Bench) -> None:
    announced = [
        (f"rules/line-{b.line:04}.yaml", word) for b in blocks_of(PAGE) for word in b.words if CODE.fullmatch(word)
    ]
    found = problems_of(bench.folder)
    unexpected = [str(problem) for problem in found if (problem.file, problem.code) not in announced]
    assert not unexpected, "\n" + "\n".join(unexpected)
    assert {(problem.file, problem.code) for problem in found} == set(announced)


def test_every_block_is_valid_by_the_schema_of_the_page(bench: Bench) -> None:
    settings = load_settings(bench.folder / "personalize.toml", {})
    files = read_draft(settings, Problems()).files
    validator = Draft202012Validator(schema_of(files, settings))
    rules = {path: parse_yaml(text, path, Problems()) for path, text in files.items() if path.startswith("rules/line-")}
    refused = {path: [error.message for error in validator.iter_errors(to_data(tree))] for path, tree in rules.items()}
    assert {path: found for path, found in refused.items() if found} == {}
    assert len(rules) > 20


def test_the_commands_print_what_the_page_shows(bench: Bench) -> None:
    for block in blocks_of(PAGE):
        for word in filter(CODE.fullmatch, block.words):
            (bench.folder / "rules" / f"line-{block.line:04}.yaml").unlink()
            assert word.startswith("W")
    for block in blocks_of(PAGE):
        if block.language == "console":
            bench.run(block)


def test_the_facts_are_those_of_the_language() -> None:
    attributes = {"company": Attribute("company", Shape(ValueType.TEXT))}
    belongs = OrganizationType("company", shares=("<event>",))
    facts = Facts(Schema(attributes=attributes, events={"<event>": EVENT}, organization=belongs))
    documented = {code_words(row[0])[0]: row[1] for row in table_below(PAGE, "Facts")}
    for declared in ("profile.<attribute>", "organization.<attribute>"):
        assert documented.pop(declared) == "as declared"
    assert set(documented) == set(facts.names()) - {"profile.company"}
    for name, kind in documented.items():
        fact = facts.get(name.replace("<name>", "size"))
        assert fact is not None
        assert kind in (str(fact.type), f"number or {fact.type}"), name


def test_words_of_a_choice_stand_beside_it() -> None:
    facts = Facts(Schema())
    for row in table_below(PAGE, "Facts"):
        fact = facts.get(code_words(row[0])[0])
        if fact is not None and fact.choices and fact.name != "now.weekday":
            assert tuple(code_words(row[2])) == fact.choices


def test_the_operators_are_those_of_the_language() -> None:
    documented = {code_words(row[0])[0]: set(row[1].split(", ")) for row in table_below(PAGE, "Operators")}
    meant = {word: operator.types for word, operator in OPERATORS.items()}
    meant |= {word: OPERATORS[positive].types for word, positive in NEGATIVES.items()}
    assert documented == {word: {str(one) for one in types} for word, types in meant.items()}


#: Where each list of keys stands on the page, and a file with a word that nothing is called like.
LISTS_OF_KEYS = {
    "What a slot says": "slots: {a: {zzz: 1}}",
    "What a rule says": "slots: {a: {rules: [{id: b, show: notes/post, zzz: 1}]}}",
    "What `show` says of a collection": "slots: {a: {rules: [{id: b, show: {in: notes, zzz: 1}}]}}",
    "What `when` says": "slots: {a: {rules: [{id: b, show: notes/post, when: {zzz: 1}}]}}",
    "What a segment says": "segments: {a: {who: {visitor.known: true}, zzz: 1}}",
    "What an attribute says": "attributes: {a: {type: text, zzz: 1}}",
    "What an event says": "events: {a: {zzz: 1}}",
    "Personas": "personas: {a: {zzz: 1}}",
    "What every item says": "---\ntitle: One\nzzz: 1\n---\n",
    "Collections": "collections: {notes: {template: note.html, zzz: 1}}",
}


@pytest.mark.parametrize("heading", LISTS_OF_KEYS)
def test_the_keys_are_those_of_the_language(heading: str, tmp_path: Path) -> None:
    bench = Bench(tmp_path / "site", folder_of_desk())
    places = {"What every item says": "content/notes/zzz.md", "Collections": "content/collections.yaml"}
    (bench.folder / places.get(heading, "rules/zzz.yaml")).write_text(LISTS_OF_KEYS[heading], encoding="utf-8")
    (hint,) = [problem.hint or "" for problem in problems_of(bench.folder) if '"zzz"' in problem.message]
    allowed = hint.rpartition(": ")[2].split(", ")
    assert [code_words(row[0])[0] for row in table_below(PAGE, heading)] == allowed


def test_the_keys_of_behaviour_and_of_groups_are_those_of_the_language() -> None:
    source = (Path(__file__).parents[2] / "personalize" / "rules" / "reading" / "parse.py").read_text(encoding="utf-8")
    for heading, name in {"What `did` says": "DID_KEYS", "Conditions": "GROUPS"}.items():
        written = re.search(rf"^{name} = \((.+)\)$", source, re.MULTILINE)
        assert written is not None
        documented = [code_words(row[0]) for row in table_below(PAGE, heading)]
        assert [words[0] for words in documented if words] == re.findall(r'"(\w+)"', written[1])


def test_the_types_of_values_and_fields_are_those_of_the_language() -> None:
    text = Path(PAGE).read_text(encoding="utf-8")
    assert [code_words(row[0])[0] for row in _second_table(text, "Collections")] == list(FieldType)
    sentence = re.search(r"The types are (.+?)\. A list", text, re.DOTALL)
    assert sentence is not None
    assert code_words(sentence[1]) == [str(one) for one in ValueType if one is not ValueType.MAPPING]


def _second_table(text: str, heading: str) -> list[list[str]]:
    section = text.partition(f"### {heading}\n")[2].partition("\n### ")[0]
    tables = re.findall(r"(?:^\|.*\n)+", section, re.MULTILINE)
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in tables[1].splitlines()[2:]]
