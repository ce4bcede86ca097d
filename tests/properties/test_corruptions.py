"""Whole sites after an accident: a file cut, swapped, retyped. Nothing is raised, and each problem has a place.

`make trust` tries more of them than the suite does.
"""

import random
import re
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import click
import pytest

from personalize.cli.report import FORMATS, Report
from personalize.decisions.context import RequestFacts
from personalize.decisions.decide import decide
from personalize.decisions.explain import explain
from personalize.errors import SettingsError
from personalize.problems import Problem, Problems, visible
from personalize.rules.ruleset import RuleSet
from personalize.runtime.draft import load_files, read_draft
from personalize.runtime.mending import mend
from personalize.settings import Settings, load_settings
from personalize.yaml_tree import read_text
from tests.conftest import REPOSITORY
from tests.decisions.visitors import context_for
from tests.trust.trials import dice, trials

HOW_MANY = trials(240, 10_000)
pytestmark = pytest.mark.trust(tries=HOW_MANY)
SITES = ("tests/docs/desk", "tests/cases/cdnow", "personalize/cli/starter")
#: Problems of a file as a whole, or of a file beside it: no line of it is wrong.
WHOLE_FILE = {"E003", "E283", "E405", "E406", "E410", "W203"}
#: Told by the names of settings, which may stand in the file, in the environment, or nowhere.
OF_SEVERAL_SETTINGS = {"E055"}
LINE_ENDS = re.compile("\r\n|\r|\n|\x85|\u2028|\u2029")
NASTY = (
    *(
        "\t",
        ":",
        ": ",
        "{",
        "}",
        "[",
        "]",
        '"',
        "'",
        "- ",
        "#",
        "&a ",
        "*a",
        "!x ",
        "|",
        ">",
        "%",
        "@",
        "`",
        "---",
        "...",
    ),
    *(
        "",
        "~",
        "true",
        "yes",
        "NO",
        "0",
        "-1",
        "1e400",
        "0x",
        "9" * 50,
        ".nan",
        "2026-02-30",
        "25:00",
        "\\",
        "\0",
        "\x1b[31m",
    ),
    *(
        "\r",
        "\u2028",
        "\ufeff",
        "\x85",
        "\ud7ff",
        "é",
        "𝒳",
        "x" * 300,
        "[" * 60,
        "{a: " * 60,
        "{{",
        "}}",
        "{{ visitor.x }}",
    ),
    *("is", "at_least", "segment", "not", "any", "all", "purchase.count", "when", "show", "examples", "sees", ">= 2"),
)


def cut(text: str, chance: random.Random) -> str:
    return text[: chance.randrange(len(text) + 1)]


def without_a_line(text: str, chance: random.Random) -> str:
    lines = text.split("\n")
    del lines[chance.randrange(len(lines))]
    return "\n".join(lines)


def swapped(text: str, chance: random.Random) -> str:
    lines = text.split("\n")
    one, other = chance.randrange(len(lines)), chance.randrange(len(lines))
    lines[one], lines[other] = lines[other], lines[one]
    return "\n".join(lines)


def doubled(text: str, chance: random.Random) -> str:
    lines = text.split("\n")
    lines.insert(chance.randrange(len(lines)), chance.choice(lines))
    return "\n".join(lines)


def moved_in(text: str, chance: random.Random) -> str:
    lines = text.split("\n")
    at = chance.randrange(len(lines))
    lines[at] = chance.choice(("", " ", "   ", "\t", "- ", "      ")) + lines[at].lstrip()
    return "\n".join(lines)


def retyped(text: str, chance: random.Random) -> str:
    """A few characters with something else typed over them."""
    at = chance.randrange(len(text) + 1)
    return text[:at] + chance.choice(NASTY) + text[at + chance.randrange(6) :]


def other_word(text: str, chance: random.Random) -> str:
    """One word of the file in the place of another."""
    words = list(re.finditer(r"[\w.-]+", text)) or list(re.finditer("", text))
    one, other = chance.choice(words), chance.choice(words)
    return text[: one.start()] + other[0] + text[one.end() :]


def other_value(text: str, chance: random.Random) -> str:
    lines = text.split("\n")
    at = chance.randrange(len(lines))
    key, sign, _ = re.match(r"([^:=]*)([:=]?)(.*)", lines[at]).groups()  # type: ignore[union-attr]
    lines[at] = f"{key}{sign} {chance.choice(NASTY)}"
    return "\n".join(lines)


ACCIDENTS: tuple[Callable[[str, random.Random], str], ...] = (
    *(cut, without_a_line, swapped, doubled, moved_in),
    *(retyped, retyped, other_word, other_word, other_value),
)


def corrupted(text: str, chance: random.Random) -> str:
    for _ in range(chance.choice((1, 1, 1, 2, 3, 5))):
        text = chance.choice(ACCIDENTS)(text, chance)
    return text


@dataclass(frozen=True)
class Site:
    settings: Settings
    files: Mapping[str, str]


@pytest.fixture(scope="module")
def sites(tmp_path_factory: pytest.TempPathFactory) -> list[Site]:
    """Copies of the sites of this repository, read."""
    found = []
    for number, name in enumerate(SITES):
        folder = tmp_path_factory.mktemp("sites") / str(number)
        shutil.copytree(REPOSITORY / name, folder)
        settings = load_settings(folder / "personalize.toml", {})
        found.append(Site(settings, read_draft(settings, Problems()).files))
    return found


def every_problem_has_a_place(found: tuple[Problem, ...], file: str, text: str, told: str) -> None:
    lines = len(LINE_ENDS.split(text))
    for problem in found:
        assert problem.file is not None or problem.code in OF_SEVERAL_SETTINGS, f"{told}\n{problem}"
        if problem.file == file and problem.code not in WHOLE_FILE:
            assert problem.line is not None and 1 <= problem.line <= lines, f"{told}\n{problem}"
        assert "\n" not in str(problem) and problem.message, f"{told}\n{problem}"


def every_form_can_tell_them(found: tuple[Problem, ...], files: Mapping[str, str]) -> None:
    report = Report(found, (), {"rule": 1}, 0.1, files.get, Path, 80)
    for form in ("full", "concise", "json", "github"):
        for text in map(click.unstyle, FORMATS[form](report)):
            assert visible(text.replace("\n", "")) == text.replace("\n", ""), text
            assert "\n" not in text or form in ("full", "json"), text


def every_page_is_decided(rule_set: RuleSet) -> None:
    context = context_for(rule_set, facts=RequestFacts(path="/", query={"x": ("abc",)}))
    for slot_id, page in rule_set.pages.items():
        assert explain(slot_id, context, rule_set, misses=False).decision == decide(page, context, rule_set)[slot_id]


def loaded(files: Mapping[str, str], settings: Settings) -> tuple[RuleSet | None, tuple[Problem, ...]]:
    problems = Problems()
    rule_set = load_files(files, settings, problems)
    assert (rule_set is None) == problems.has_errors
    return rule_set, problems.list


@pytest.mark.timeout(1_200)
def test_files_after_an_accident_are_refused_with_places_or_work(sites: list[Site]) -> None:
    refused = 0
    for seed in dice(HOW_MANY):
        chance = random.Random(seed)
        site = chance.choice(sites)
        kind = chance.choice(("rules/", "content/"))
        file = chance.choice([name for name in site.files if name.startswith(kind)])
        text = corrupted(site.files[file], chance)
        files = {**site.files, file: text}
        told = f"seed {seed}: {file}\n{text}"
        rule_set, found = loaded(files, site.settings)
        every_problem_has_a_place(found, file, text, told)
        every_form_can_tell_them(found, files)
        if rule_set is not None:
            every_page_is_decided(rule_set)
        refused += rule_set is None
    assert HOW_MANY / 4 < refused < HOW_MANY


@pytest.mark.trust(tries=HOW_MANY // 10)
@pytest.mark.timeout(1_200)
def test_what_is_mended_after_an_accident_is_no_worse(sites: list[Site]) -> None:
    for seed in dice(HOW_MANY // 10):
        chance = random.Random(seed)
        site = chance.choice(sites)
        file = chance.choice(list(site.files))
        draft = read_draft(site.settings, Problems())
        broken = type(draft)({**site.files, file: corrupted(site.files[file], chance)})
        mended = mend(broken, lambda files, site=site: loaded(files, site.settings)[1])  # type: ignore[misc]
        untouched = {name for name in site.files if name != file}
        assert all(mended.draft.files[name] == site.files[name] for name in untouched) or mended.fixed
        assert (mended.draft.files == broken.files) == (not mended.fixed)


def test_settings_after_an_accident_are_refused_with_places_or_work(sites: list[Site]) -> None:
    for seed in dice(HOW_MANY):
        chance = random.Random(seed)
        path = chance.choice(sites).settings.root / "personalize.toml"
        before = SETTINGS.replace("'", '"')
        text = corrupted(before, chance)
        try:
            broken = path.with_name("broken.toml")
            broken.write_text(text, encoding="utf-8", newline="")
            load_settings(broken, {})
        except SettingsError as error:
            every_problem_has_a_place(error.problems, str(broken), text, f"seed {seed}\n{text}")


SETTINGS = """\
# A site's settings, with most of what may stand in them.
store = "sqlite:var/personalize.db"
currency = "NOK"
currency_digits = 2
zone = "Europe/Oslo"
language = "nb"
reload = "save"

[visits]
ends_after = "30 minutes"
cooling_after = "30 days"
lapsed_after = "90 days"

[cookie]
name = "pz"

[privacy]
purposes = ["measure", "personalize"]
"""


def test_bytes_that_are_no_text_are_refused_with_a_place(tmp_path: Path) -> None:
    data = (REPOSITORY / "tests/docs/desk/rules/profile.yaml").read_bytes()
    for seed in dice(HOW_MANY):
        chance = random.Random(seed)
        at = chance.randrange(len(data))
        path = tmp_path / "broken.yaml"
        path.write_bytes(data[:at] + chance.randbytes(chance.randrange(1, 4)) + data[at + chance.randrange(3) :])
        problems = Problems()
        text = read_text(path, "rules/broken.yaml", problems)
        assert (text is None) == problems.has_errors
        assert all(problem.line is not None and problem.column is not None for problem in problems.list)
