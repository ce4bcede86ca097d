"""Lists of ids: files of the rule set, read as values of the fact that is asked about."""

from decimal import Decimal

import pytest

from personalize.problems import Problems
from personalize.rules.facts import Fact, FactType
from personalize.rules.id_lists import IdLists, id_lists
from tests.effort import effort
from tests.rules.small_site import load, rule_set_of

RULES = "attributes: {n: {type: text}}\nsegments: {a: {who: {profile.n: {in_list: vip}}}}"


def ids(text: str, type_: FactType = FactType.TEXT, *, fold: bool = False) -> list[object]:
    fact = Fact("profile.n", "profile", "n", type_, fold=fold)
    return list(IdLists({"vip": text}).ids_for("vip", fact).ids)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("", []),
        ("\n \n\n", []),
        ("a", ["a"]),
        ("a\r\nb\r\n", ["a", "b"]),
        ("id,name\n1,Ada\n2,Olav\n", ["id", "1", "2"]),
        ("1;Ada\n2\tOlav", ["1", "2"]),
        (",x\n;y\n", []),
        ('"Oslo, N"\n"say ""hi"""\n""\n', ["Oslo, N", 'say "hi"', ""]),
        ('"broken\nx', ['"broken', "x"]),
        ("a\na\nA", ["a", "A"]),
        ("  a b  \n", ["a b"]),
    ],
)
def test_what_stands_first_in_a_line_is_an_id(text: str, found: list[str]) -> None:
    assert ids(text) == found


def test_ids_are_values_of_the_type_of_the_fact() -> None:
    assert ids('1\n1.50\nx\n"2"\n1e3', FactType.NUMBER) == [1, Decimal("1.50"), 2]
    assert ids('1\n"1"\nx', FactType.ANY) == [1, "1", "x"]
    assert ids("OSLO\noslo", fold=True) == ["oslo"]


def test_a_list_is_part_of_the_version() -> None:
    files = {"rules/a.yaml": RULES, "rules/lists/vip.csv": "1\n"}
    first, second = rule_set_of(files), rule_set_of({**files, "rules/lists/vip.csv": "2\n"})
    assert first.version != second.version


@pytest.mark.parametrize("path", ["rules/vip.csv", "rules/lists/Vip.csv", "rules/lists/v i p.csv", "rules/lists/.csv"])
def test_a_file_that_no_rule_could_name_is_an_error(path: str) -> None:
    rule_set, problems = load({"rules/a.yaml": "segments: {}", path: "1\n"})
    assert rule_set is None
    assert [problem.code for problem in problems.list] == ["E243"]


def test_two_files_of_one_name_are_an_error() -> None:
    problems = Problems()
    lists = id_lists({"rules/lists/vip.csv": "1", "rules/shop/lists/vip.csv": "2"}, problems)
    assert [problem.code for problem in problems.list] == ["E206"]
    assert lists["vip"] == "1"


def test_an_empty_list_loads_with_a_warning() -> None:
    rule_set, problems = load({"rules/a.yaml": RULES, "rules/lists/vip.csv": "\n"})
    assert rule_set is not None
    assert [problem.code for problem in problems.list] == ["W241"]


def test_a_list_that_is_not_there_is_guessed_at() -> None:
    _, problems = load({"rules/a.yaml": RULES, "rules/lists/vips.csv": "1\n"})
    assert [str(problem) for problem in problems.list] == [
        'rules/a.yaml:2:43: error E241: `profile.n`: there is no list "vip" (did you mean `vips`?)'
    ]


def test_a_hundred_thousand_ids_load_in_no_time_and_are_answered_by_hash() -> None:
    text = "".join(f"customer-{number}\n" for number in range(100_000))
    with effort() as loading:
        rule_set = rule_set_of({"rules/a.yaml": RULES, "rules/lists/vip.csv": text})
    assert loading.seconds < 2
    [leaf] = [rule_set.segments["a"].who]
    with effort() as asking:
        assert leaf.holds("customer-99999", None)  # type: ignore[union-attr, arg-type]
        assert not leaf.holds("customer-100000", None)  # type: ignore[union-attr, arg-type]
    assert asking.seconds < 0.01
