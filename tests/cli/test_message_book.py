"""What `check --code` prints: the page of messages itself, also where the package is installed."""

import subprocess
import sys
from pathlib import Path

from personalize.cli.message_book import as_text, message_book
from tests.cli.terminal import Terminal
from tests.conftest import REPOSITORY


def test_a_code_is_explained_as_on_the_page(empty: Terminal) -> None:
    text = empty.well("check", "--code", "e211")
    assert text.startswith("E211: a fact that is not known\n\n    segments:\n")
    assert "\n    error[E211]: " in text
    assert max(map(len, text.splitlines())) <= 84


def test_every_entry_can_be_printed() -> None:
    for entry in message_book().values():
        lines = list(as_text(entry, width=80))
        assert lines[0].startswith(f"{entry.code}: ") and "```" not in "".join(lines), entry.code
        assert len(lines) > 3, entry.code


def test_a_code_that_is_none_is_guessed(empty: Terminal) -> None:
    said = empty.said("check", "--code", "E2111", exit_code=2)
    assert said == 'Error: there is no message "E2111"; did you mean `E211`?\n'
    assert "codes look like E211" in empty.said("check", "--code", "help", exit_code=2)


def test_an_installed_package_brings_the_page_along(tmp_path: Path) -> None:
    """What a wheel is made of: the build step itself, read from a folder that has no docs beside it."""
    build = [sys.executable, "setup.py", "--quiet", "build_py", "--build-lib", str(tmp_path)]
    subprocess.run(build, cwd=REPOSITORY, check=True, capture_output=True, timeout=60)
    page = (REPOSITORY / "docs/messages.md").read_text(encoding="utf-8")
    assert (tmp_path / "personalize/messages.md").read_text(encoding="utf-8") == page
    run = [sys.executable, "-m", "personalize.cli.main", "check", "--code", "E211"]
    done = subprocess.run(run, cwd=tmp_path, check=True, capture_output=True, text=True, timeout=60)
    assert done.stdout.startswith("E211: ")
