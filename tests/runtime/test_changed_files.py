"""Files that are as they were are not read again, and what comes of it is what reading all of them gives."""

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from personalize.problems import Problem, Problems
from personalize.rules.conditions import leaves
from personalize.rules.index.index import Index
from personalize.rules.reading import load as reading
from personalize.rules.ruleset import RuleSet
from personalize.runtime.changed_files import read_changed
from personalize.runtime.draft import load_files, read_draft, read_files
from personalize.settings import Settings
from tests.desk import RULES, desk_settings, write_desk
from tests.trust.trials import trials

DECLARED = RULES[: RULES.index("segments:")]
PARTS = ("version", "schema", "segments", "slots", "personas", "needed", "facts", "sources", "candidates")
#: What a file may be, `N` for its number; None where it is not there.
VARIANTS = (
    None,
    "slots: {sN: {rules: [{id: a, to: {did: purchase, times: {at_least: 2}}, show: things/tent}]}}",
    "slots: {sN: {page: home, rules: [{id: a, to: {did: purchase, times: {at_least: 20}}, show: things/gold}]}}",
    "segments: {gN: {who: {did: purchase, where: {category: tN}}}}\n"
    "slots: {sN: {rules: [{id: g, to: {segment: gN}, show: things/thanks}]}}",
    "segments: {gN: {who: {profile.tier: gold}}}\n"
    "personas: {pN: {given: {profile.tier: gold}, sees: {s1: [things/thanks]}}}",
    "slots: {sN: {rules: [{id: other, to: {segment: g1}, show: things/thanks}]}}",
    "slots: {s1: {rules: [{id: twice, show: things/thanks}]}}",
    "attributes: {aN: {type: number}}\nslots: {sN: {rules: [{id: own, to: {profile.aN: 1}, show: things/thanks}]}}",
    "slots: {sN: {rules: [{id: listed, to: {profile.first_name: {in_list: vip}}, show: things/thanks}]}}",
    "slots: {sN: {rules: [{id: none, to: {profile.nothing: 1}, show: things/nothing}]}}",
    "slots: {sN: [",
)
#: Those that are right, whatever stands in the other files.
SOUND = (*VARIANTS[:4], VARIANTS[8])
LISTS = ("Ann\nBob\n", "Ann\n")
MORE_DECLARED = ("", "  more: {type: text}\n")

Files = Mapping[str, str]


def _variant(which: int, at: int) -> str:
    text = VARIANTS[which]
    assert text is not None
    return text.replace("N", str(at))


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> tuple[Settings, Files]:
    """The settings of a desk, and its content."""
    folder = tmp_path_factory.mktemp("desk")
    write_desk(folder)
    files = read_draft(desk_settings(folder), Problems()).files
    return desk_settings(folder), {path: text for path, text in files.items() if not path.startswith("rules/")}


@st.composite
def rule_files(draw: st.DrawFn, variants: Sequence[str | None] = VARIANTS) -> Files:
    """Some rule files beside one that declares, and a list."""
    chosen = draw(st.lists(st.sampled_from(variants), min_size=3, max_size=3))
    written = {f"rules/{at}.yaml": text.replace("N", str(at)) for at, text in enumerate(chosen) if text is not None}
    declared = DECLARED.replace("events:", f"{draw(st.sampled_from(MORE_DECLARED))}events:", 1)
    return {"rules/declared.yaml": declared, "rules/lists/vip.csv": draw(st.sampled_from(LISTS)), **written}


def loaded(files: Files, site: Settings, earlier: RuleSet | None = None) -> tuple[RuleSet | None, tuple[Problem, ...]]:
    """What comes of the files, and what is wrong with them."""
    problems = Problems()
    read = read_files if earlier is None else partial(read_changed, earlier=earlier, read=read_files)
    return load_files(files, site, problems, read=read), problems.list


@settings(max_examples=trials(25, 1_000))
@given(rule_files(SOUND), rule_files(), st.sets(st.integers(0, 2)))
def test_what_has_changed_gives_what_all_of_it_gives(
    site: tuple[Settings, Files], before: Files, after: Files, kept: set[int]
) -> None:
    own, content = site
    earlier, _ = loaded({**before, **content}, own)
    assert earlier is not None
    same = {path: text for path, text in before.items() if any(path == f"rules/{at}.yaml" for at in kept)}
    files = {**after, **same, **content}
    expected, problems = loaded(files, own)
    found, told = loaded(files, own, earlier)
    if expected is None or found is None:
        assert (found, told) == (expected, problems)
        return
    assert_same(found, expected)


def assert_same(found: RuleSet, expected: RuleSet) -> None:
    """Both say the same, in the same order, at the same places, and count the same."""
    for part in PARTS:
        assert getattr(found, part) == getattr(expected, part), part
    for part in ("slots", "segments", "personas"):
        assert list(getattr(found, part)) == list(getattr(expected, part)), part
    kept = [[(one.key, one.event_type, one.limit) for one in each.counters] for each in (found, expected)]
    assert kept[0] == kept[1]
    assert [one.place for one in found.slots.values()] == [one.place for one in expected.slots.values()]
    assert isinstance(found.index, Index)


def test_only_changed_files_are_parsed_and_the_others_give_what_they_gave(
    site: tuple[Settings, Files], monkeypatch: pytest.MonkeyPatch
) -> None:
    own, content = site
    before = {"rules/declared.yaml": DECLARED, **{f"rules/{at}.yaml": _variant(1, at) for at in range(3)}}
    earlier, _ = loaded({**before, **content}, own)
    assert earlier is not None
    parsed: list[str] = []
    real = reading.parse_yaml

    def noted(text: str, file: str, problems: Problems) -> object:
        parsed.append(file)
        return real(text, file, problems)

    monkeypatch.setattr(reading, "parse_yaml", noted)
    found, _ = loaded({**before, "rules/1.yaml": _variant(2, 1), **content}, own, earlier)
    assert parsed == ["rules/1.yaml"]
    assert found is not None and found.slots["s0"] is earlier.slots["s0"]
    assert {one.limit for one in found.counters} == {30}


USES_IT = "slots: {s1: {rules: [{id: own, to: {profile.a0: 1}, show: things/thanks}]}}"
DECLARES_IT, NAMES_LIST = _variant(7, 0), _variant(8, 1)
#: What stands beside the declarations before and after, and the error that comes of it, if one does.
CASES = {
    "a declaration goes": ({"0.yaml": DECLARES_IT, "1.yaml": USES_IT}, {"1.yaml": USES_IT}, "E211"),
    "a declaration comes": (
        {"0.yaml": _variant(1, 0), "1.yaml": ""},
        {"0.yaml": "attributes: {a0: {type: text}}", "1.yaml": ""},
        None,
    ),
    "a declaration moves": (
        {"0.yaml": DECLARES_IT, "1.yaml": USES_IT},
        {"1.yaml": USES_IT, "2.yaml": DECLARES_IT},
        None,
    ),
    "a list is another": (
        {"lists/vip.csv": "Ann", "1.yaml": NAMES_LIST},
        {"lists/vip.csv": "Bob", "1.yaml": NAMES_LIST},
        None,
    ),
    "a list goes": ({"lists/vip.csv": "Ann", "1.yaml": NAMES_LIST}, {"1.yaml": NAMES_LIST}, "E241"),
    "a list comes": (
        {"1.yaml": _variant(1, 1)},
        {"1.yaml": _variant(1, 1), "lists/vip.csv": "Ann", "2.yaml": _variant(8, 2)},
        None,
    ),
    "a name is taken": ({"1.yaml": _variant(1, 1)}, {"0.yaml": _variant(6, 0), "1.yaml": _variant(1, 1)}, "E206"),
    "a segment goes": (
        {"1.yaml": _variant(3, 1), "2.yaml": _variant(5, 2)},
        {"1.yaml": _variant(1, 1), "2.yaml": _variant(5, 2)},
        "E222",
    ),
    "nothing changes": ({"1.yaml": _variant(3, 1)}, {"1.yaml": _variant(3, 1)}, None),
    "all goes": ({"1.yaml": _variant(3, 1)}, {}, None),
}


@pytest.mark.parametrize("case", CASES)
def test_what_others_rely_on_is_never_taken_over_otherwise(site: tuple[Settings, Files], case: str) -> None:
    (own, content), (before, after, code) = site, CASES[case]
    sets = [
        {"rules/declared.yaml": DECLARED, **{f"rules/{path}": text for path, text in one.items()}, **content}
        for one in (before, after)
    ]
    earlier, _ = loaded(sets[0], own)
    assert earlier is not None
    (found, told), (expected, problems) = loaded(sets[1], own, earlier), loaded(sets[1], own)
    assert [one.code for one in problems if one.severity == "error"] == ([] if code is None else [code])
    if expected is None or found is None:
        assert (found, told) == (expected, problems)
        return
    assert_same(found, expected)
    lists = [
        [leaf.argument for slot in one.slots.values() for rule in slot.rules for leaf in leaves(rule.to)]
        for one in (found, expected)
    ]
    assert lists[0] == lists[1]


def test_own_facts_that_can_not_be_loaded_are_an_error_whatever_has_changed(tmp_path: Path) -> None:
    write_desk(tmp_path)
    files = read_draft(desk_settings(tmp_path), Problems()).files
    earlier, _ = loaded(files, desk_settings(tmp_path))
    site = desk_settings(tmp_path, own_facts="no_module_of_this_name:facts")
    found, told = loaded(files, site, earlier)
    assert found is None
    assert [problem.code for problem in told] == ["E250"]
