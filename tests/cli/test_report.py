"""The forms in which `check` tells what it found, and what it mends."""

import json
import re
from typing import Any

import pytest

from personalize.cli.report import FORMATS
from tests.cli.terminal import Terminal
from tests.conftest import REPOSITORY
from tests.docs.blocks import code_words, table_below

NASTY = """\
segments:
  "100%: a, b\\nc": {who: {page.path: /}}
  one: {who: {purchase.cout: 3}}
  two: {who: {purchase.count: {is_not: 3}}}
"""


@pytest.fixture
def wrong(shop: Terminal) -> Terminal:
    """The record shop with a name that no format likes, a slip, and a warning."""
    (shop.folder / "rules/more.yaml").write_text(NASTY, encoding="utf-8")
    return shop


def told(terminal: Terminal, form: str, *more: str, exit_code: int = 1) -> str:
    result = terminal.run("check", "--format", form, *more)
    assert (result.exit_code, result.stderr) == (exit_code, "")
    return result.stdout


def as_object(terminal: Terminal, form: str, *more: str, exit_code: int = 1) -> Any:
    return json.loads(told(terminal, form, *more, exit_code=exit_code))


def test_concise_is_one_line_a_problem(wrong: Terminal) -> None:
    lines = told(wrong, "concise").splitlines()
    assert [line.partition(": ")[0] for line in lines] == [
        "rules/more.yaml:2:3",
        "rules/more.yaml:3:15",
        "rules/more.yaml:4:32",
        "Checked 7 rules, 8 segments, 1 persona, 4 items in " + lines[3].split(" in ")[1].partition(": ")[0],
    ]
    assert lines[1].endswith('error E211: "purchase.cout" is not a fact we know (did you mean `purchase.count`?)')


def test_concise_leaves_none_out(shop: Terminal) -> None:
    text = "segments:\n" + "".join(f"  s{n}: {{who: {{purchase.cout: {n}}}}}\n" for n in range(25))
    (shop.folder / "rules/more.yaml").write_text(text, encoding="utf-8")
    assert told(shop, "concise").count("error E211") == 25


def test_github_commands_are_escaped(wrong: Terminal) -> None:
    first, second, third, _ = told(wrong, "github").splitlines()
    assert first.startswith('::error title=personalize E205,file=rules/more.yaml,line=2,col=3::"100%25: a, b\ufffdc" ')
    assert second.endswith('::"purchase.cout" is not a fact we know%0Ahelp: did you mean `purchase.count`?')
    assert third.startswith("::warning title=personalize W201,file=rules/more.yaml,line=4,col=32::")


def test_a_file_with_a_comma_and_a_colon_does_not_break_a_command(shop: Terminal) -> None:
    (shop.folder / "rules/a,b:c%.yaml").write_text("slotz: {}\n", encoding="utf-8")
    assert "file=rules/a%2Cb%3Ac%25.yaml,line=1," in told(shop, "github")


def test_json_says_all_of_it(wrong: Terminal) -> None:
    found = as_object(wrong, "json")
    assert (found["errors"], found["warnings"], found["fixable"]) == (2, 1, 1)
    assert found["checked"] == {"rule": 7, "segment": 8, "persona": 1, "example": 0, "item": 4}
    assert found["problems"][1] == {
        "code": "E211",
        "message": '"purchase.cout" is not a fact we know',
        "file": "rules/more.yaml",
        "line": 3,
        "column": 15,
        "hint": "did you mean `purchase.count`?",
        "severity": "error",
        "length": 13,
        "fix": [{"line": 3, "column": 15, "length": 13, "text": "purchase.count"}],
        "path": "rules/more.yaml",
    }


def test_json_is_as_documented(wrong: Terminal) -> None:
    found = as_object(wrong, "json")
    page = "docs/operators.md"
    tables = {row[0]: row[1] for row in table_below(page, "Check in a pipeline")}
    assert [code_words(form)[0] for form in tables] == list(FORMATS)
    text = (REPOSITORY / page).read_text(encoding="utf-8").partition("The JSON is one object")[2].partition("\n## ")[0]
    keys = re.findall(r"^\| `(\w+)` \|", text, re.MULTILINE)
    assert keys == [*found, *found["problems"][0]]


def test_sarif_has_what_code_hosts_ask_for(wrong: Terminal) -> None:
    log = as_object(wrong, "sarif")
    (run,) = log["runs"]
    rules = run["tool"]["driver"]["rules"]
    assert (log["version"], run["tool"]["driver"]["name"], run["columnKind"]) == (
        "2.1.0",
        "personalize",
        "unicodeCodePoints",
    )
    assert [rule["id"] for rule in rules] == ["E205", "E211", "W201"]
    assert all(rule["shortDescription"]["text"] and rule["help"]["markdown"] for rule in rules)
    result = run["results"][1]
    assert rules[result["ruleIndex"]]["id"] == result["ruleId"] == "E211"
    (place,) = result["locations"]
    assert place["physicalLocation"] == {
        "artifactLocation": {"uri": "rules/more.yaml", "uriBaseId": "SRCROOT"},
        "region": {"startLine": 3, "startColumn": 15, "endColumn": 28},
    }
    (change,) = result["fixes"][0]["artifactChanges"]
    assert change["replacements"] == [
        {
            "deletedRegion": {"startLine": 3, "startColumn": 15, "endColumn": 28},
            "insertedContent": {"text": "purchase.count"},
        }
    ]


def test_sarif_addresses_are_addresses(shop: Terminal) -> None:
    (shop.folder / "rules/ä b.yaml").write_text("slotz: {}\n", encoding="utf-8")
    (result,) = as_object(shop, "sarif")["runs"][0]["results"]
    assert result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] == "rules/%C3%A4%20b.yaml"


@pytest.mark.parametrize("form", FORMATS)
def test_a_site_without_a_fault_ends_well_in_every_form(form: str, shop: Terminal) -> None:
    assert told(shop, form, "--warn-as-error", exit_code=0)


def test_files_outside_of_the_working_directory_are_named_whole(
    wrong: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir("/")
    result = wrong.run("--settings", str(wrong.folder / "personalize.toml"), "check", "--format", "json")
    path = json.loads(result.stdout)["problems"][0]["path"]
    assert path == str((wrong.folder / "rules/more.yaml").relative_to("/"))


def test_what_was_mended_is_said_and_all_is_checked_again(wrong: Terminal) -> None:
    text = told(wrong, "full", "--fix")
    assert text.startswith(
        'rules/more.yaml:3:15: fixed E211: "purchase.cout" is not a fact we know (now\n'
        "  `purchase.count`)\n\nerror[E205]"
    )
    assert re.search(r": 1 error, 1 warning in 1 file, 1 fixed\n", text)
    assert (wrong.folder / "rules/more.yaml").read_text(encoding="utf-8") == NASTY.replace("cout", "count")
    assert [one["code"] for one in as_object(wrong, "json", "--fix")["fixed"]] == []


def test_a_warning_is_an_error_where_that_is_asked_for(wrong: Terminal) -> None:
    wrong.change("rules/more.yaml", '  "100%: a, b\\nc": {who: {page.path: /}}\n', "")
    wrong.well("check", "--fix")
    assert wrong.run("check").exit_code == 0
    assert wrong.run("check", "--warn-as-error").exit_code == 1
    wrong.change("rules/more.yaml", "{is_not: 3}}}", "{is_not: 3}}}  # check: allow W201 – strangers, too")
    assert wrong.run("check", "--warn-as-error").exit_code == 0


def test_what_cannot_be_written_is_said_in_one_line(wrong: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied", "rules/more.yaml")

    monkeypatch.setattr("tempfile.NamedTemporaryFile", refuse)
    assert wrong.said("check", "--fix", exit_code=2) == "Error: rules/more.yaml cannot be written: Permission denied\n"


def test_a_misunderstood_command_ends_with_2(shop: Terminal) -> None:
    assert shop.run("check", "--format", "xml").exit_code == 2


def test_colours_are_for_terminals_and_not_where_they_are_not_wanted(
    wrong: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "\033[" in wrong.run("check", color=True).stdout
    for form in ("concise", "json", "github", "sarif"):
        assert "\033[" not in wrong.run("check", "--format", form, color=True).stdout
    monkeypatch.setenv("NO_COLOR", "1")
    assert "\033[" not in wrong.run("check", color=True).stdout
