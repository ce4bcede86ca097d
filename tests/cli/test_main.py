"""The command as a whole: its help, its exit codes, and errors that end as words."""

import subprocess
import sys
from pathlib import Path

import click
import pytest

from personalize.cli.main import main
from personalize.compiled import IS_COMPILED
from tests.cli.conftest import CDNOW
from tests.cli.terminal import Terminal
from tests.conftest import REPOSITORY

COMMANDS = [
    "init",
    "check",
    "fmt",
    "schema",
    "plan",
    "publish",
    "rollback",
    "purge-keys",
    "switch",
    "serve",
    "proxy",
    "api",
    "describe",
    "explain",
    "preview",
    "simulate",
    "segments",
    "import",
    "export",
    "backup",
    "restore",
    "rebuild",
    "migrate-store",
    "download",
    "undo-join",
    "erase",
    "erase-again",
    "compact",
    "token",
    "openapi",
    "webhooks",
]


def test_the_help_names_the_commands_in_the_order_in_which_a_site_needs_them(empty: Terminal) -> None:
    text = empty.well("--help")
    listed = [line.split()[0] for line in text.partition("Commands:")[2].splitlines() if line[2:3].strip()]
    assert listed == COMMANDS


def test_the_help_reads_no_rules_and_no_commands() -> None:
    """It answers at once: what a command needs is imported with that command."""
    asked = "from personalize.cli.main import main; main(['--help'], standalone_mode=False)"
    listed = f"import sys; {asked}; print(*sys.modules)"
    said = subprocess.run([sys.executable, "-c", listed], capture_output=True, text=True, check=True).stdout
    loaded = set(said.splitlines()[-1].split())
    assert "personalize.cli.main" in loaded
    assert not {"personalize.cli.check", "personalize.rules.ruleset", "personalize.cli.site", "jinja2"} & loaded


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_says_in_sentences_what_it_does(empty: Terminal, name: str) -> None:
    command = main.get_command(click.Context(main), name)
    assert command is not None
    assert command.help
    assert command.help.split("\n\n")[0].endswith(".")
    assert command.short_help
    assert command.short_help[0].isupper()
    assert command.short_help.endswith(".")
    for option in command.params:
        assert isinstance(option, click.Argument) or getattr(option, "help", None), option.name
    text = empty.well(name, "--help")
    assert all(len(line) <= 80 for line in text.splitlines())
    assert empty.well(name, "-h") == text


def test_the_version_is_that_of_the_package(empty: Terminal) -> None:
    compiled = "yes" if IS_COMPILED else "no"
    assert empty.well("--version") == f"personalize 0.1.0 (compiled: {compiled})\n"


def test_a_misspelt_command_or_option_is_a_usage_error(empty: Terminal) -> None:
    assert "No such command 'chek'. (Did you mean one of: 'check'" in empty.said("chek", exit_code=2)
    assert "No such option '--lve'" in empty.said("segments", "--lve", exit_code=2)
    assert "'nowhere.toml' does not exist" in empty.said("--settings", "nowhere.toml", "check", exit_code=2)


def test_settings_named_behind_the_command_are_told_where_they_belong(empty: Terminal) -> None:
    assert "personalize --settings PATH check" in empty.said("check", "--settings", "other.toml", exit_code=2)


def test_a_command_loads_neither_another_one_nor_the_web_framework(shop: Terminal) -> None:
    program = "import sys; from personalize.cli.main import main; main(['check'], standalone_mode=False)"
    program += "; print(*sorted(sys.modules))"
    done = subprocess.run([sys.executable, "-c", program], cwd=shop.folder, capture_output=True, text=True, check=True)
    loaded = done.stdout.splitlines()[-1].split()
    assert "personalize.cli.check" in loaded
    refused = {"personalize.cli.publish", "personalize.web", "personalize.pages", "starlette", "sqlite3"}
    assert sorted(refused & set(loaded)) == []


@pytest.mark.parametrize("name", ["check", "publish", "rollback", "segments", "rebuild"])
def test_where_there_is_no_site_nothing_is_written_and_the_way_is_shown(empty: Terminal, name: str) -> None:
    assert empty.said(name, exit_code=2) == (
        f"Error: there is no site here: {empty.folder} has no personalize.toml.\n"
        'Go to the folder of your site, name its file with --settings, or begin one with "personalize init".\n'
    )
    assert list(empty.folder.iterdir()) == []


def test_the_settings_are_found_by_option_by_variable_and_in_the_folder(
    empty: Terminal, shop: Terminal, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    assert shop.well("check").startswith("Checked 7 rules")
    monkeypatch.chdir(elsewhere)
    settings = str(shop.folder / "personalize.toml")
    assert shop.well("--settings", settings, "check").startswith("Checked 7 rules")
    monkeypatch.setenv("PERSONALIZE_SETTINGS", settings)
    assert shop.well("check").startswith("Checked 7 rules")


def test_settings_that_cannot_be_used_are_all_said_with_their_lines(empty: Terminal) -> None:
    (empty.folder / "personalize.toml").write_text('zone = "Europe/Olso"\ncurency = "EUR"\n', encoding="utf-8")
    assert empty.said("check", exit_code=1) == (
        'error[E053]: `zone`: "Europe/Olso" is not a time zone; did you mean\n  `Europe/Oslo`?\n'
        " --> personalize.toml:1\n"
        "  |\n"
        '1 | zone = "Europe/Olso"\n'
        "\n"
        'error[E052]: "curency" is not a setting\n'
        " --> personalize.toml:2\n"
        "  |\n"
        '2 | curency = "EUR"\n'
        "  = help: did you mean `currency`?\n"
        "\n"
        "2 errors in 1 file.\n"
    )


def test_a_store_that_cannot_be_used_is_one_line(shop: Terminal) -> None:
    (shop.folder / "var").write_text("not a folder", encoding="utf-8")
    for name in ("publish", "segments", "rebuild", "rollback"):
        said = shop.said(name, exit_code=2)
        assert said.startswith("Error: ")
        assert said.count("\n") == 1
        assert f"{shop.folder}/var" in said


def test_a_store_that_is_no_store_is_one_line(shop: Terminal) -> None:
    (shop.folder / "var").mkdir()
    (shop.folder / "var/personalize.db").write_bytes(b"this is a letter to my aunt" * 100)
    for name in ("publish", "segments", "rebuild", "rollback"):
        said = shop.said(name, exit_code=2)
        assert said.startswith("Error: ")
        assert said.count("\n") == 1
        assert "personalize.db" in said


def test_a_store_of_no_kind_is_said_without_what_may_be_a_password(
    shop: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PERSONALIZE_STORE", "sqlit:secret")
    said = shop.said("segments", exit_code=1)
    assert said.startswith('error[E053]: store: "sqlit" is no kind of store\n')
    assert "secret" not in said


def test_colours_are_for_terminals_and_not_where_they_are_not_wanted(
    shop: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop.change("rules/slots.yaml", "segment: recent-buyers", "segment: recent-buyer")
    assert "\033[31m" in shop.run("check", color=True).stdout
    assert "\033" not in shop.run("check").stdout
    monkeypatch.setenv("NO_COLOR", "1")
    assert "\033" not in shop.run("check", color=True).stdout


@pytest.mark.parametrize(
    "program",
    [[sys.executable, "-m", "personalize.cli.main"], [str(Path(sys.executable).with_name("personalize"))]],
    ids=["module", "script"],
)
def test_the_command_runs_as_a_program(program: list[str]) -> None:
    if not Path(program[0]).exists():
        pytest.skip("the package is not installed as a command here")
    arguments = ["--settings", str(CDNOW / "personalize.toml"), "check"]
    done = subprocess.run([*program, *arguments], cwd=REPOSITORY, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("Checked 7 rules, 6 segments, 1 persona, 4 items in ")
