"""The starter: what it writes can be used as it is, and it never writes over anything."""

import json
from pathlib import Path

import pytest

from personalize.cli.init import STARTER
from tests.cli.terminal import Terminal

FILES = [
    ".vscode/extensions.json",
    ".vscode/settings.json",
    "content/collections.yaml",
    "content/heroes/welcome-back.md",
    "content/heroes/welcome.md",
    "content_templates/hero.html",
    "personalize.toml",
    "rules.schema.json",
    "rules/profile.yaml",
    "rules/segments.yaml",
    "rules/slots.yaml",
]


def written(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


def test_a_new_site_has_every_file_and_says_what_comes_next(empty: Terminal) -> None:
    text = empty.well("init")
    assert written(empty.folder) == FILES
    assert text.startswith("wrote .vscode/extensions.json\n")
    for step in ("app = wrap(app)", '<section data-slot="home-hero">', "personalize publish\n", "personalize serve"):
        assert step in text
    assert "cd " not in text


def test_a_new_site_in_a_folder_says_how_to_get_there(empty: Terminal) -> None:
    text = empty.well("init", "sites/shop")
    assert written(empty.folder / "sites/shop") == FILES
    assert "         cd sites/shop\n         personalize publish\n" in text
    assert "Then change sites/shop/content/heroes/welcome-back.md and publish again." in text


def test_the_starter_passes_the_check_and_answers_the_question_that_it_names(empty: Terminal) -> None:
    empty.well("init")
    assert empty.well("check").startswith("Checked 2 rules, 2 segments, 2 personas, 2 items in 0.")
    assert empty.well("check").endswith(" s: no problems\n")
    empty.well("publish")
    regular = empty.well("explain", "--slot", "home-hero", "--visitor", "regular")
    assert regular.startswith(
        'home-hero ("Top of the home page") shows heroes/welcome-back, by the rule\n  "welcome-back".\n'
    )
    stranger = empty.well("explain", "--slot", "home-hero", "--visitor", "stranger")
    assert stranger.startswith(
        'home-hero ("Top of the home page") shows heroes/welcome, by the rule\n  "first-time".\n'
    )


def test_every_file_of_the_starter_explains_itself(empty: Terminal) -> None:
    for path in STARTER.rglob("*"):
        if path.suffix in (".yaml", ".toml", ".html"):
            assert path.read_text(encoding="utf-8").startswith(("# ", "{# ")), path.name


@pytest.mark.parametrize("name", ["personalize.toml", "rules/slots.yaml"])
def test_what_is_there_already_is_named_and_nothing_is_written(empty: Terminal, name: str) -> None:
    path = empty.folder / name
    path.parent.mkdir(exist_ok=True)
    path.write_text("mine", encoding="utf-8")
    assert empty.said("init", exit_code=2) == (
        f"Error: nothing was written, since this stands in the way already:\n  {name}\n"
    )
    assert written(empty.folder) == [name]
    assert path.read_text(encoding="utf-8") == "mine"


def test_a_file_where_a_folder_should_be_is_said(empty: Terminal) -> None:
    (empty.folder / "rules").write_text("mine", encoding="utf-8")
    said = empty.said("init", exit_code=2)
    assert said.startswith("Error: ")
    assert said.count("\n") == 1
    assert "rules" in said


def test_the_starter_is_part_of_the_package(empty: Terminal) -> None:
    assert written(STARTER) == [name for name in FILES if name != "rules.schema.json"]


def test_vs_code_finds_the_schema_of_the_rules(empty: Terminal) -> None:
    empty.well("init")
    settings = json.loads((empty.folder / ".vscode/settings.json").read_text(encoding="utf-8"))
    ((schema, patterns),) = settings["yaml.schemas"].items()
    assert (empty.folder / schema).read_text(encoding="utf-8") == empty.well("schema")
    assert {path for pattern in patterns for path in empty.folder.glob(pattern)} == set(
        (empty.folder / "rules").glob("*.yaml")
    )
