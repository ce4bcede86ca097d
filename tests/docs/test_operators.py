"""docs/operators.md: every setting, command, failure and limit, and commands that print what it shows."""

import ast
import re
from pathlib import Path

import click

from personalize.cli.main import main
from personalize.content.files import MAX_ITEM_BYTES
from personalize.events.validate import LARGEST_EVENT
from personalize.events.values import LONGEST_LIST, LONGEST_TEXT
from personalize.problems import Problems
from personalize.rules.definitions import MOST_ITEMS
from personalize.rules.reading.parse import MOST_TIMES
from personalize.runtime.access import SCOPE_WORDS
from personalize.runtime.copies.row_mapping import read_mapping
from personalize.runtime.copies.rows import LONGEST_LINE_BYTES
from personalize.settings import describe_settings, load_settings
from personalize.web.html.rewriter import MOST_SLOTS
from personalize.web.html.scanner import LONGEST_REGION
from personalize.yaml_tree import MAX_BYTES
from tests.conftest import REPOSITORY
from tests.docs.bench import Bench
from tests.docs.blocks import blocks_of, code_words, folder_of_desk, table_below

PAGE = "docs/operators.md"


def test_every_setting_has_its_line() -> None:
    described = [
        [f"`{one.name}`", f"`{one.env}`", one.type, f"`{one.default}`" if one.default else "", one.help]
        for one in describe_settings()
    ]
    assert table_below(PAGE, "Settings") == described


def test_the_settings_that_are_shown_can_be_loaded(tmp_path: Path) -> None:
    path = tmp_path / "personalize.toml"
    loaded = []
    for block in blocks_of(PAGE):
        if block.language == "toml":
            path.write_text(block.text, encoding="utf-8")
            loaded.append(load_settings(path, {}))
    assert "NOK" in [settings.currency for settings in loaded]
    assert "fragments" in [settings.cache.mode for settings in loaded]


def test_the_commands_print_what_the_page_shows(tmp_path: Path) -> None:
    with Bench(tmp_path / "site", folder_of_desk()) as bench:
        for block in blocks_of(PAGE):
            if block.language == "console":
                bench.run(block)
            elif block.file is not None:
                bench.write(block)


def test_every_command_has_its_line_in_the_order_of_the_help() -> None:
    context = click.Context(main)
    commands = {name: main.get_command(context, name) for name in main.list_commands(context)}
    described = [[f"`personalize {name}`", command and command.short_help] for name, command in commands.items()]
    assert table_below(PAGE, "Commands") == described


def test_every_scope_of_a_token_has_its_line() -> None:
    described = [[f"`{scope}`", words] for scope, words in SCOPE_WORDS.items()]
    assert table_below(PAGE, "Tokens of the API") == described


def test_every_failure_that_is_counted_has_its_line() -> None:
    text = (REPOSITORY / PAGE).read_text(encoding="utf-8")
    rows = re.findall(r"^\| ([a-z][^|`]+) \| ", text.partition("| Failure |")[2].partition("\n\n")[0], re.MULTILINE)
    assert sorted(rows) == sorted(failures_of_package())


def failures_of_package() -> set[str]:
    """What the package counts as gone wrong: the first argument of `….failed(…)` and `_degrade(…)`, the `failure` of a
    task, and keys of `….failures[…]`."""
    found: set[str] = set()
    for path in (REPOSITORY / "personalize").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            is_call = isinstance(node, ast.Call) and getattr(node.func, "attr", "") in ("failed", "_degrade")
            if is_call and isinstance(node.args[0], ast.Constant):
                found.add(str(node.args[0].value))
            if isinstance(node, ast.keyword) and node.arg == "failure" and isinstance(node.value, ast.Constant):
                found.add(str(node.value.value))
            is_key = isinstance(node, ast.Subscript) and getattr(node.value, "attr", "") == "failures"
            if is_key and isinstance(node.slice, ast.Constant):
                found.add(str(node.slice.value))
    return found


def test_every_key_of_a_mapping_has_its_line() -> None:
    problems = Problems()
    read_mapping("zzz: 1", "map.yaml", problems)
    (hint,) = [problem.hint or "" for problem in problems.list]
    allowed = hint.rpartition(": ")[2].split(", ")
    assert sorted(code_words(row[0])[0] for row in table_below(PAGE, "Import")) == sorted(allowed)


def test_the_limits_are_those_of_the_code() -> None:
    assert {row[0]: row[1] for row in table_below(PAGE, "Limits")} == {
        "a rule file": f"{MAX_BYTES / 1_000_000:g} MB",
        "an item of content": f"{MAX_ITEM_BYTES / 1_000_000:g} MB",
        "a slot's own markup": f"{LONGEST_REGION // 1024} KB",
        "slots filled on one page": str(MOST_SLOTS),
        "items that a slot holds": str(MOST_ITEMS),
        "times that `did` counts": str(MOST_TIMES - 1),
        "a text in an event": f"{LONGEST_TEXT:,} characters",
        "elements of a list in an event": f"{LONGEST_LIST:,}",
        "all values of an event": f"{LARGEST_EVENT:,} characters",
        "a line of an imported file": f"{LONGEST_LINE_BYTES // 1_000_000} MB",
    }
