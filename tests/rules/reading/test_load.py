"""Broken rule files: every problem of all of them at once, each with its place, its code and a hint."""

import re
from dataclasses import dataclass

import pytest

from personalize.problems import Problems, render
from personalize.rules.proof.findings import PROVED
from personalize.rules.reading.load import read_definitions
from personalize.yaml_tree import Mapping, Scalar, Sequence, parse_yaml
from tests.conftest import REPOSITORY
from tests.rules.asking import CASES
from tests.rules.small_site import CONVENTIONS, RULES_FILE, load


@dataclass(frozen=True)
class Broken:
    """A rule file and what must be said of it, one line a problem."""

    where: str
    text: str
    says: list[str]


def read_broken() -> list[Broken]:
    path = CASES / "broken.yaml"
    problems = Problems()
    root = parse_yaml(path.read_text(encoding="utf-8"), path.name, problems)
    assert isinstance(root, Sequence) and not problems.list, problems.list
    return [broken(case) for case in root.items]


def broken(case: object) -> Broken:
    assert isinstance(case, Mapping)
    text, says = case.get("file"), case.get("says")
    assert isinstance(text, Scalar) and isinstance(says, Sequence)
    return Broken(f"line {case.place.line}", text.text, [line.text for line in says.items if isinstance(line, Scalar)])


ALL_BROKEN = read_broken()


@pytest.mark.parametrize("case", ALL_BROKEN, ids=lambda case: case.where)
def test_everything_wrong_is_said_with_its_place(case: Broken) -> None:
    rule_set, problems = load(case.text)
    assert [str(problem).removeprefix(f"{RULES_FILE}:") for problem in problems.list] == case.says
    assert (rule_set is None) is problems.has_errors


@pytest.mark.parametrize("case", ALL_BROKEN, ids=lambda case: case.where)
def test_the_caret_points_at_something(case: Broken) -> None:
    _, problems = load(case.text)
    lines = case.text.split("\n")
    for problem in problems.list:
        assert problem.line is not None and problem.column is not None
        assert problem.column <= len(lines[problem.line - 1]) + 1
        assert "^" in render(problem, case.text)


def test_every_code_that_rules_can_raise_is_among_the_cases() -> None:
    source = "".join(path.read_text() for path in (REPOSITORY / "personalize" / "rules").rglob("*.py"))
    raised = set(re.findall(r'"([EW]2[0-9]{2})"', source)) - PROVED  # with tests in tests/rules/proof/test_findings.py
    said = {re.findall(r"(?:error|warning) ([EW][0-9]{3})", line)[0] for case in ALL_BROKEN for line in case.says}
    of_whole_files = {"W203"}  # without a line, so it is not among the cases but has its own test below
    of_many = {"E283"}  # with a test below
    of_comments = {"W280"}  # with tests in tests/rules/reading/test_allowances.py
    of_code = {"E251", "E252"}  # of the site's code, with a test in tests/rules/reading/test_own_names.py
    of_packages = {"E245"}  # that are not installed, with a test in tests/rules/reading/test_placements.py
    of_size = {"E244"}  # of a file too long to read, with a test in tests/rules/reading/test_questions.py
    of_shared_pages = {"E290", "E291", "E292", "E293"}  # with tests in tests/rules/test_variants.py
    of_lists = {"E243", "W241"}  # of files of ids, with a test in tests/rules/test_id_lists.py
    others = of_whole_files | of_many | of_comments | of_code | of_lists | of_packages | of_size | of_shared_pages
    assert raised == said | others


def test_after_a_thousand_errors_the_rest_is_not_looked_at() -> None:
    wrong = "".join(f"  s{n}: {{who: {{visitor.x: {n}}}}}\n" for n in range(1_200))
    rule_set, problems = load(f"segments:\n{wrong}")
    assert rule_set is None
    assert len(problems) == 1_001
    assert str(problems.list[0]) == (
        f"{RULES_FILE}: error E283: there are more than 1,000 errors, and the rest was not looked at "
        "(mend the first ones, and check again)"
    )


def test_an_id_is_unique_over_all_files() -> None:
    files = {
        "rules/b.yaml": "segments:\n  a: {who: {page.path: /}}\nslots:\n  s: {}\n",
        "rules/a.yaml": "segments:\n\n  a: {who: {page.path: /}}\nattributes:\n  x: {type: text}\nevents:\n  e: {}\n",
        "rules/c.yaml": "slots:\n  s: {}\nattributes:\n  x: {type: bool}\nevents:\n  e: {}\npersonas:\n  p: {}\n",
        "rules/d.yaml": "personas:\n  p: {}\n",
    }
    _, problems = load(files)
    assert [str(problem) for problem in problems.list] == [
        'rules/b.yaml:2:3: error E206: there is a segment "a" already (the first stands at rules/a.yaml:3)',
        'rules/c.yaml:2:3: error E206: there is a slot "s" already (the first stands at rules/b.yaml:4)',
        'rules/c.yaml:4:3: error E206: there is an attribute "x" already (the first stands at rules/a.yaml:5)',
        'rules/c.yaml:6:3: error E206: there is an event "e" already (the first stands at rules/a.yaml:7)',
        'rules/d.yaml:2:3: error E206: there is a persona "p" already (the first stands at rules/c.yaml:8)',
    ]


def test_the_same_id_in_two_kinds_is_no_matter() -> None:
    rule_set, problems = load("segments:\n  x: {who: {page.path: /}}\nslots:\n  x: {}\npersonas:\n  x: {}\n")
    assert rule_set is not None and not problems.list


def test_files_are_read_in_the_order_of_their_paths_and_an_object_may_stand_in_any() -> None:
    files = {
        "rules/z.yaml": "slots:\n  first-of-z: {}\nsegments:\n  one: {who: {segment: two}}\n",
        "rules/a.yaml": "slots:\n  second: {}\n  first: {}\n",
        "rules/b/two.yaml": "segments:\n  two: {who: {profile.x: 1}}\n",
        "rules/y.yaml": "attributes:\n  x: {type: number}\n",
    }
    problems = Problems()
    definitions = read_definitions(files, CONVENTIONS, problems)
    assert not problems.list
    assert list(definitions.slots) == ["second", "first", "first-of-z"]
    assert list(definitions.segments) == ["two", "one"]


@pytest.mark.parametrize("text", ["", "\n", "# nothing yet\n", "slots:\n", "slots: {}\nsegments:\nattributes: ~\n"])
def test_a_file_that_says_nothing_is_fine(text: str) -> None:
    rule_set, problems = load(text)
    assert rule_set is not None and not problems.list
    assert not rule_set.slots


def test_control_characters_of_a_file_never_reach_the_terminal() -> None:
    _, problems = load(
        'slots:\n  "a\\e[31m": {"b\\e[0m": 1}\nsegments:\n  s: {who: {"c\\e": 1, "page.path": {"d\\e": 1}}}\n'
    )
    assert len(problems.list) >= 4
    for problem in problems.list:
        assert "\x1b" not in str(problem)


NAMES_OF_ALL_KINDS = """
segments:
  a: {who: {segment: elsewhere}}
  b: {who: {profile.elsewhere: 1}}
  c: {who: {elsewhere.count: 1}}
  d: {who: {did: elsewhere}}
personas:
  p: {given: {profile.elsewhere: 1, elsewhere.last: 3 days ago}}
"""


@pytest.mark.parametrize(
    "unreadable",
    [
        "segments:\n  elsewhere: 'It's who\n",
        "segments:\n  x: {who: {page.path: /}}\n  x: {who: {page.path: /}}\n",
        "a\t: :\n b",
    ],
)
def test_names_are_not_compared_with_a_file_that_cannot_be_read_and_that_is_said_once(unreadable: str) -> None:
    _, problems = load({"rules/names.yaml": NAMES_OF_ALL_KINDS, "rules/broken.yaml": unreadable})
    assert {problem.file for problem in problems.list} == {"rules/broken.yaml"}
    [left_out] = [problem for problem in problems.list if problem.code == "W203"]
    assert left_out.message.startswith("names in other files were not compared with this file")
    _, alone = load({"rules/names.yaml": NAMES_OF_ALL_KINDS})
    assert sorted(problem.code for problem in alone.list) == ["E211", "E211", "E211", "E211", "E216", "E222"]


def test_a_name_that_no_file_could_define_is_unknown_whatever_cannot_be_read() -> None:
    _, problems = load({"rules/a.yaml": "segments:\n  a: {who: {visitor.vists: 1, contry: NO}}\n", "rules/b.yaml": "'"})
    assert [problem.code for problem in problems.list if problem.file == "rules/a.yaml"] == ["E211", "E211"]
    assert "W203" not in {problem.code for problem in problems.list}


@pytest.mark.parametrize(
    ("broken", "code"),
    [
        ("segments: {elsewhere: {title: No who}}", "E202"),
        ("segments: {elsewhere: [1]}", "E203"),
        ("segments: {elsewhere: {who: {page.pth: /}}}", "E211"),
        ("attributes: {elsewhere: {type: numbr}}", "E204"),
        ("events: {elsewhere: {properties: {x: numbr}, value: x}}", "E204"),
    ],
)
def test_what_is_defined_and_broken_is_told_of_where_it_stands_and_nowhere_else(broken: str, code: str) -> None:
    kind = broken.partition(":")[0]
    names = {
        "segments": "segments: {a: {who: {segment: elsewhere}}}",
        "attributes": "segments: {a: {who: {profile.elsewhere: 1}}}",
        "events": "segments: {a: {who: {elsewhere.total: 1, did: elsewhere, where: {x: 1}}}}",
    }[kind]
    _, problems = load({"rules/a.yaml": f"{names}\n", "rules/b.yaml": f"{broken}\n"})
    assert [(problem.file, problem.code) for problem in problems.list] == [("rules/b.yaml", code)]


def test_a_segment_with_a_name_that_cannot_be_is_told_of_once() -> None:
    _, problems = load("segments:\n  kjøpere: {who: {page.path: /}}\n  a: {who: {segment: kjøpere}}\n")
    assert [problem.code for problem in problems.list] == ["E205"]


def test_what_is_read_in_spite_of_a_warning_is_compared_with_all_names() -> None:
    _, problems = load({"rules/a.yaml": "segments:\n  a: {title: “x”, who: {segment: nowhere}}\n"})
    assert [problem.code for problem in problems.list] == ["W001", "E222"]
