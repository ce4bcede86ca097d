"""YAML trees: what is read, what is refused and how it is said, and edits that touch nothing else."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from hypothesis import assume, example, given
from hypothesis import strategies as st

from personalize import yaml_tree
from personalize.edits import splice
from personalize.problems import Problem, Problems
from personalize.yaml_tree import (
    Mapping,
    Node,
    Scalar,
    Sequence,
    parse_yaml,
    read_text,
    replace_value,
    to_data,
)

CASES = Path(__file__).parent / "cases" / "yaml"


def cases(name: str) -> list[object]:
    lines = (CASES / name).read_text(encoding="utf-8").splitlines()
    return [pytest.param(case, id=case["why"]) for case in map(json.loads, lines)]


def parsed(text: str) -> Node:
    problems = Problems()
    node = parse_yaml(text, "rules/home.yaml", problems)
    assert problems.list == ()
    assert node is not None
    return node


def mapping(text: str) -> Mapping:
    node = parsed(text)
    assert isinstance(node, Mapping)
    return node


def typed(data: object) -> object:
    """The data with the type beside each value, since 1 == True == 1.0."""
    if isinstance(data, dict):
        return {key: typed(value) for key, value in data.items()}
    if isinstance(data, list):
        return [typed(item) for item in data]
    return (type(data).__name__, data)


def walk(node: Node) -> Iterator[Node]:
    yield node
    if isinstance(node, Mapping):
        for key, value in node.entries:
            yield key
            yield from walk(value)
    elif isinstance(node, Sequence):
        for item in node.items:
            yield from walk(item)


@pytest.fixture(params=["C", "Python"])
def parser(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    if request.param == "Python":
        monkeypatch.setattr(yaml_tree, "LOADER", yaml.SafeLoader)
    elif not yaml.__with_libyaml__:
        pytest.skip("PyYAML was built without its parser in C")
    return str(request.param)


# --- what is read


@pytest.mark.usefixtures("parser")
@pytest.mark.parametrize("case", cases("read.jsonl"))
def test_a_text_is_read_as_its_author_meant_it(case: dict[str, object]) -> None:
    node = parsed(str(case["text"]))
    assert typed(to_data(node)) == typed(case["data"])


@pytest.mark.parametrize("text", ["", "\n\n", "# only a note\n", "---\n...\n# end\n", "\ufeff"])
def test_a_text_without_a_value_gives_no_tree_and_no_problem(text: str) -> None:
    problems = Problems()
    node = parse_yaml(text, "empty.yaml", problems)
    assert node is None or to_data(node) is None
    assert len(problems) == 0


def test_a_tab_may_stand_between_a_name_and_its_value() -> None:
    assert to_data(parsed("a:\tb\t# note\n")) == {"a": "b"}


def test_a_decimal_number_keeps_its_text_so_that_money_stays_exact() -> None:
    price = mapping("price: 29.330\n").get("price")
    assert isinstance(price, Scalar)
    assert price.value == 29.33
    assert price.text == "29.330"


def test_a_mapping_gives_nodes_and_keys_by_name() -> None:
    node = mapping("b: 1\na: [x]\n")
    assert node.keys() == ("b", "a")
    assert to_data(node.get("a")) == ["x"]
    assert node.get("c") is None
    key = node.key_node("a")
    assert key is not None and (key.place.line, key.place.column) == (2, 1)
    assert node.key_node("c") is None


def test_a_key_is_text_also_as_a_node() -> None:
    key = mapping("404: x\n").key_node("404")
    assert key is not None
    assert key.value == key.text == "404"


# --- places


def test_places_count_lines_and_columns_from_one() -> None:
    node = mapping("# note\nslots:\n  - id: héro\n    to: memebers\n")
    slots = node.get("slots")
    assert isinstance(slots, Sequence)
    rule = slots.items[0]
    assert isinstance(rule, Mapping)
    to = rule.get("to")
    assert to is not None
    assert (to.place.file, to.place.line, to.place.column, to.place.length) == ("rules/home.yaml", 4, 9, 8)


def test_a_byte_order_mark_moves_spans_and_not_columns() -> None:
    text = "\ufeffa: one\n"
    value = mapping(text).get("a")
    assert value is not None
    assert value.place.column == 4
    assert text[value.place.start : value.place.end] == "one"


@pytest.mark.parametrize(("text", "line", "column"), [("? a", 1, 4), ("a: 1\n? b", 2, 4)])
def test_a_missing_value_at_the_very_end_is_in_the_last_line(text: str, line: int, column: int) -> None:
    value = mapping(text).get(text[-1])
    assert value is not None
    assert (value.place.line, value.place.column) == (line, column)


@pytest.mark.parametrize(
    ("text", "span"),
    [
        ("a:\n  b: 1\n  c: 2\n\n# note\nd: 3\n", "b: 1\n  c: 2"),
        ("a:\n- 1\n- 2   # note\n\nd: 3\n", "- 1\n- 2"),
        ("a: |\n  one\n  two\n\n# note\nd: 3\n", "|\n  one\n  two"),
        ("a: {b: 1, c: [2]} # note\nd: 3\n", "{b: 1, c: [2]}"),
        ("a: 'it''s'\nd: 3\n", "'it''s'"),
        ("a: two\n  lines\nd: 3\n", "two\n  lines"),
        ("a:\nd: 3\n", ""),
    ],
)
def test_a_span_ends_with_the_value_not_with_the_notes_behind_it(text: str, span: str) -> None:
    value = mapping(text).get("a")
    assert value is not None
    assert text[value.place.start : value.place.end] == span


# --- what is refused


@pytest.mark.parametrize("case", cases("refused.jsonl"))
def test_what_cannot_be_read_is_told_with_its_place_and_a_way_out(case: dict[str, object], parser: str) -> None:
    problems = Problems()
    node = parse_yaml(str(case["text"]), "rules/home.yaml", problems)
    found = [problem for problem in problems.list if problem.code == case["code"]]
    assert found, problems.list
    first = found[0]
    assert (first.file, first.line) == ("rules/home.yaml", case["line"])
    if parser == "C":
        assert first.column == case["column"]
    says = case["says"]
    assert isinstance(says, list)
    assert all(words in first.message for words in says), first.message
    hint = case["hint"]
    assert first.hint is None if hint is None else str(hint) in (first.hint or ""), first.hint
    others = sorted(problem.code for problem in problems.list if problem.code != case["code"])
    assert others == case.get("also", [])
    if "data" in case:
        assert node is not None
        assert to_data(node) == case["data"]


def test_an_open_bracket_is_not_blamed_on_a_tab_that_may_stand_inside_it() -> None:
    problems = Problems()
    assert parse_yaml("a: [1,\n\t2\nb: 3\n", "f.yaml", problems) is None
    assert [(problem.code, problem.line) for problem in problems.list] == [("E010", 1)]


def test_all_problems_of_a_file_are_told_at_once() -> None:
    problems = Problems()
    parse_yaml("a: !x 1\na: 2\nb: .inf\nc: {d: 1, d: 2}\n", "f.yaml", problems)
    assert [(problem.code, problem.line) for problem in problems.list] == [
        ("E015", 1),
        ("E012", 2),
        ("E019", 3),
        ("E012", 4),
    ]


def test_a_file_full_of_mistakes_is_left_after_fifty() -> None:
    problems = Problems()
    assert parse_yaml("a: 1\n" * 1000, "f.yaml", problems) is None
    assert len(problems) == yaml_tree.MAX_PROBLEMS


def test_a_text_above_two_megabytes_is_refused_whether_counted_in_characters_or_bytes() -> None:
    for text in ("a" * (yaml_tree.MAX_BYTES + 1), "å" * (yaml_tree.MAX_BYTES // 2 + 1)):
        problems = Problems()
        assert parse_yaml(text, "big.yaml", problems) is None
        assert [problem.code for problem in problems.list] == ["E003"]
        assert "2 MB" in problems.list[0].message


def test_twenty_thousand_brackets_are_one_problem_and_no_recursion() -> None:
    problems = Problems()
    assert parse_yaml("[" * 20_000, "f.yaml", problems) is None
    assert [problem.code for problem in problems.list] == ["E016"]


# --- files


def test_a_file_is_read_with_its_line_ends_and_without_its_byte_order_mark(tmp_path: Path) -> None:
    path = tmp_path / "home.yaml"
    path.write_bytes(b"\xef\xbb\xbfa: 1\r\nb: \xc3\xb8\r\n")
    problems = Problems()
    assert read_text(path, "home.yaml", problems) == "a: 1\r\nb: ø\r\n"
    assert len(problems) == 0


def refused(path: Path, max_bytes: int = yaml_tree.MAX_BYTES) -> Problem:
    problems = Problems()
    assert read_text(path, "rules/home.yaml", problems, max_bytes) is None
    assert len(problems) == 1
    return problems.list[0]


def test_a_file_in_another_encoding_is_told_with_line_column_and_the_likely_letter(tmp_path: Path) -> None:
    path = tmp_path / "home.yaml"
    path.write_bytes("a: 1\r\ntitle: på bær\n".encode("cp1252"))
    problem = refused(path)
    assert (problem.code, problem.file, problem.line, problem.column) == ("E002", "rules/home.yaml", 2, 9)
    assert "E5" in problem.message and '"å"' in problem.message
    assert problem.hint is not None and "UTF-8" in problem.hint


def test_a_bad_byte_behind_wide_letters_is_placed_in_characters(tmp_path: Path) -> None:
    path = tmp_path / "home.yaml"
    path.write_bytes("\ufeffå: ".encode() + b"\xff")
    problem = refused(path)
    assert (problem.line, problem.column) == (1, 4)


def test_utf_16_is_called_by_its_name(tmp_path: Path) -> None:
    path = tmp_path / "home.yaml"
    path.write_bytes("a: 1\n".encode("utf-16"))
    assert "UTF-16" in refused(path).message


def test_a_huge_file_is_refused_by_its_size_before_it_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "home.yaml"
    with path.open("wb") as file:
        file.truncate(100_000_000_000)
    monkeypatch.delattr(Path, "open")
    problem = refused(path)
    assert problem.code == "E003"
    assert problem.hint is not None and "split" in problem.hint


def test_a_file_that_is_larger_than_it_says_is_not_read_to_its_end() -> None:
    grown = Path("/proc/self/status")
    if not grown.exists():
        pytest.skip("only Linux has files whose size reads as 0")
    assert refused(grown, max_bytes=10).code == "E003"


def test_the_limit_is_the_callers_and_includes_its_last_byte(tmp_path: Path) -> None:
    path = tmp_path / "home.yaml"
    path.write_text("a: 12345\n")
    assert read_text(path, "f", Problems(), max_bytes=9) == "a: 12345\n"
    assert "8 bytes" in refused(path, max_bytes=8).message


def test_a_missing_file_a_folder_and_a_pipe_are_told_and_not_waited_for(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    for path in (tmp_path / "missing.yaml", tmp_path, pipe):
        problem = refused(path)
        assert problem.code == "E001"
        assert "rules/home.yaml" in problem.message


# --- edits


def test_an_edit_leaves_notes_quotes_and_blanks_of_all_other_lines_alone() -> None:
    text = "# our hero\r\nslots:\r\n  hero:   {holds: 1}   # one\r\n\r\n  note:\t'x'\r\n"
    slots = mapping(text).get("slots")
    assert isinstance(slots, Mapping)
    hero = slots.get("hero")
    assert isinstance(hero, Mapping)
    holds = hero.get("holds")
    assert holds is not None
    assert replace_value(text, holds, "3") == text.replace("holds: 1", "holds: 3")


def test_a_value_can_be_put_where_nothing_stood() -> None:
    text = "a:\nb: 1\n"
    value = mapping(text).get("a")
    assert value is not None
    assert replace_value(text, value, "new") == "a: new\nb: 1\n"


def test_an_item_can_be_put_behind_a_bare_dash() -> None:
    text = "-\n- b\n"
    node = parsed(text)
    assert isinstance(node, Sequence)
    assert replace_value(text, node.items[0], "a") == "- a\n- b\n"


def test_a_block_of_text_can_be_replaced_by_one_line() -> None:
    text = "a: |\n  one\n  two\n\n# note\nb: 1\n"
    value = mapping(text).get("a")
    assert value is not None
    assert replace_value(text, value, "three") == "a: three\n\n# note\nb: 1\n"


def test_several_lines_are_moved_in_to_where_the_old_ones_stood() -> None:
    text = "rules:\n  - id: a   # first\n    show: x\n\n  - id: b\n"
    rules = mapping(text).get("rules")
    assert isinstance(rules, Sequence)
    changed = replace_value(text, rules.items[0], "id: a\nshow: y\nholdout: 10%")
    assert changed == "rules:\n  - id: a\n    show: y\n    holdout: 10%\n\n  - id: b\n"


def test_lines_that_are_put_into_a_windows_file_end_as_its_own_do() -> None:
    text = "a:\r\n  b: 1\r\n"
    value = mapping(text).get("a")
    assert value is not None
    assert replace_value(text, value, "b: 2\nc: 3") == "a:\r\n  b: 2\r\n  c: 3\r\n"


def test_a_list_whose_dashes_stand_under_its_name_can_become_a_value_or_another_list() -> None:
    text = "a:\n- 1\n- 2\nb: 3\n"
    value = mapping(text).get("a")
    assert value is not None
    assert replace_value(text, value, "new") == "a:\n  new\nb: 3\n"
    assert replace_value(text, value, "- 4\n- 5") == "a:\n- 4\n- 5\nb: 3\n"


def test_edits_are_put_in_whatever_order_they_come() -> None:
    assert splice("abcdef", [(4, 5, "E"), (0, 1, "A"), (2, 2, "-")]) == "Ab-cdEf"


@pytest.mark.parametrize("edits", [[(0, 3, ""), (2, 4, "")], [(0, 7, "")], [(-1, 2, "")], [(3, 2, "")]])
def test_edits_that_overlap_or_lie_outside_are_refused(edits: list[tuple[int, int, str]]) -> None:
    with pytest.raises(ValueError, match="overlaps another one, or lies outside"):
        splice("abcdef", edits)


# --- laws

#: Pieces that meet often in rule files, and others that never should.
PIECES = st.one_of(
    st.sampled_from("\n\n\n:-#,[]{}'\"|>&*!%@`?~\\\t\r0aé😀"),
    st.sampled_from(["  ", "    ", ": ", "- ", "a: ", "b:\n", "---\n", "...\n", "1.5", "? ", " #n\n", "|2-\n"]),
    st.sampled_from(["\ufeff", "\0", "\xa0", "\u2028", "\\x", "\\u", "%YAML 1.1\n", "!!str ", "<<: "]),
)
YAMLISH = st.lists(PIECES, max_size=40).map("".join)
ANY_TEXT = st.one_of(YAMLISH, st.text(), st.text(st.characters(categories=["Cs", "Cc", "Zl", "Po", "Ll"])))


@given(text=ANY_TEXT)
def test_parsing_never_raises_and_a_missing_tree_has_a_reason(text: str) -> None:
    problems = Problems()
    node = parse_yaml(text, "f.yaml", problems)
    for problem in problems.list:
        assert problem.line is None or 1 <= problem.line <= len(text.split("\n")) + text.count("\r")
        assert problem.column is None or problem.column >= 1
    if node is None and not problems.has_errors:
        lines = [line.split("#")[0].strip("\ufeff \t\r") for line in text.splitlines()]
        assert all(line in ("", "...", "---") or line.startswith("%") for line in lines)


@given(text=ANY_TEXT)
def test_the_parser_in_python_never_raises_either_and_reads_the_same(text: str) -> None:
    ours, other = Problems(), Problems()
    node = parse_yaml(text, "f.yaml", ours)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(yaml_tree, "LOADER", yaml.SafeLoader)
        same = parse_yaml(text, "f.yaml", other)
    if not ours.has_errors and not other.has_errors:
        assert typed(to_data(node)) == typed(to_data(same))


@given(text=YAMLISH)
def test_every_span_lies_in_the_text_where_line_and_column_say(text: str) -> None:
    node = parse_yaml(text, "f.yaml", Problems())
    for each in walk(node) if node is not None else ():
        place = each.place
        assert 0 <= place.start <= place.end <= len(text)
        before = text[: place.start].removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")
        assert place.line == before.count("\n") + 1
        assert place.column == len(before) - (before.rfind("\n") + 1) + 1


@given(text=YAMLISH)
def test_putting_every_value_back_where_it_stood_changes_nothing(text: str) -> None:
    assert splice(text, []) == text
    node = parse_yaml(text, "f.yaml", Problems())
    for each in walk(node) if node is not None else ():
        own = text[each.place.start : each.place.end]
        assert splice(text, [(each.place.start, each.place.end, own)]) == text


PLAIN_TEXT = st.text(st.characters(min_codepoint=32, max_codepoint=0x2000, exclude_categories=["Cc", "Cs"]))
VALUES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(10**30), 10**30),
    st.floats(allow_nan=False, allow_infinity=False),
    PLAIN_TEXT,
)
KEYS = PLAIN_TEXT.filter(lambda text: 0 < len(text) < 50)
DOCUMENTS = st.recursive(
    VALUES, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=4), max_leaves=20
)


@given(data=DOCUMENTS)
def test_whatever_json_says_is_read_the_same(data: object) -> None:
    node = parsed(json.dumps(data, ensure_ascii=False))
    assert typed(to_data(node)) == typed(data)


def with_paths(node: Node, path: tuple[str | int, ...] = ()) -> Iterator[tuple[tuple[str | int, ...], Node]]:
    yield path, node
    if isinstance(node, Mapping):
        for key, value in node.entries:
            yield from with_paths(value, (*path, key.text))
    elif isinstance(node, Sequence):
        for place, item in enumerate(node.items):
            yield from with_paths(item, (*path, place))


def changed_at(data: object, path: tuple[str | int, ...], new: object) -> object:
    if not path:
        return new
    if isinstance(data, dict):
        return {key: changed_at(value, path[1:], new) if key == path[0] else value for key, value in data.items()}
    assert isinstance(data, list)
    return [changed_at(item, path[1:], new) if place == path[0] else item for place, item in enumerate(data)]


@given(data=st.dictionaries(KEYS, DOCUMENTS, min_size=2, max_size=5), flow=st.booleans(), pick=st.integers(0, 99))
@example(data={"0": None, "»»": None}, flow=False, pick=0)
def test_replacing_one_value_changes_that_value_alone(data: dict[str, object], flow: bool, pick: int) -> None:
    dumped = yaml.safe_dump(data, default_flow_style=flow, allow_unicode=True, width=40, sort_keys=False)
    problems = Problems()
    node = parse_yaml(dumped, "f.yaml", problems)
    assume(node is not None and not problems.list)  # such as a warning of curly quotes, which stays
    assert node is not None
    inner = list(with_paths(node))[1:]
    path, value = inner[pick % len(inner)]
    after = parsed(replace_value(dumped, value, '"new value"'))
    assert typed(to_data(after)) == typed(changed_at(to_data(node), path, "new value"))
