"""The plugin in a site's own suite: one test for each persona's slot and each example, told as `check` tells it."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import REPOSITORY

TRIED = """\
personas:
  olga:
    given: {purchase.count: 3, purchase.last: 100 days ago}
    sees: {home-hero: offers/three-off, corner: keep}
  ole:
    given: {visitor.known: false}
    sees: {home-hero: offers/three-off}
segments:
  tent-people:
    who: {profile.likes: tents}
    examples:
      - {given: {profile.likes: [tents, tea]}, matches: true}
      - {given: {profile.likes: [tea]}, matches: true}
slots:
  corner:
    rules:
      - id: lunch
        when: {hours: 11:00-14:00}
        show: heroes/lunch
        examples: [{at: 2026-05-05T12:00, matches: true}]
"""
INI = "[pytest]\ntestpaths = tests\npersonalize_settings = personalize.toml\npersonalize_at = 2026-12-01T10:00\n"


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """A site with a suite of one test of its own."""
    site = tmp_path / "site"
    shutil.copytree(REPOSITORY / "tests/docs/desk", site)
    (site / "rules/tried.yaml").write_text(TRIED, encoding="utf-8")
    (site / "pytest.ini").write_text(INI, encoding="utf-8")
    (site / "tests").mkdir()
    (site / "tests/test_own.py").write_text("def test_own() -> None: ...\n", encoding="utf-8")
    return site


def run(site: Path, *arguments: str) -> str:
    """What pytest prints in a process of its own, with the plugin as an installed package brings it."""
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-v", "--color=no", *arguments]
    done = subprocess.run(command, cwd=site, capture_output=True, text=True, timeout=60, check=False)
    assert done.stderr == ""
    return done.stdout


def results(printed: str) -> dict[str, str]:
    return dict(re.findall(r"^(\S+::.+?) (PASSED|FAILED|ERROR)\s", printed, re.MULTILINE))


def test_each_persona_and_example_is_a_test_beside_the_site_s_own(site: Path) -> None:
    printed = run(site)
    assert results(printed) == {
        "tests/test_own.py::test_own": "PASSED",
        "personalize.toml::the files can be loaded": "PASSED",
        "personalize.toml::persona olga sees home-hero": "PASSED",
        "personalize.toml::persona olga sees corner": "PASSED",
        "personalize.toml::persona ole sees home-hero": "FAILED",
        "personalize.toml::segment tent-people example 1": "PASSED",
        "personalize.toml::segment tent-people example 2": "FAILED",
        "personalize.toml::rule corner/lunch example 1": "PASSED",
    }
    assert (
        """\
error[E281]: the persona "ole" sees the site's own markup in home-hero, not
  offers/three-off
 --> rules/tried.yaml:7:23
  |
7 |     sees: {home-hero: offers/three-off}
  |                       ^^^^^^^^^^^^^^^^
  = help: the rule "hero-lapsed" shows it, but does not match: purchase.count is
    at least 1: no (not known); purchase.last is more than 90 days ago: no (not
    known)
"""
        in printed
    )
    assert "Traceback" not in printed


def test_who_names_what_to_run_gets_that_alone(site: Path) -> None:
    assert list(results(run(site, "tests/test_own.py"))) == ["tests/test_own.py::test_own"]
    one = "personalize.toml::persona olga sees corner"
    assert results(run(site, one)) == {one: "PASSED"}


def test_without_a_line_in_the_configuration_nothing_is_run_that_was_not_asked_for(site: Path) -> None:
    (site / "pytest.ini").write_text("[pytest]\n", encoding="utf-8")
    assert list(results(run(site))) == ["tests/test_own.py::test_own"]
    assert "personalize.toml::the files can be loaded" in results(run(site, "personalize.toml"))


def test_files_that_cannot_be_loaded_are_one_failure(site: Path) -> None:
    (site / "rules/wrong.yaml").write_text("slotz: {}\n", encoding="utf-8")
    printed = run(site, "personalize.toml")
    assert results(printed) == {"personalize.toml::the files can be loaded": "FAILED"}
    assert "error[E201]" in printed and "did you mean `slots`?" in printed


def test_settings_that_cannot_be_used_are_said_in_words(site: Path) -> None:
    (site / "personalize.toml").write_text('zone = "Europe/Olso"\n', encoding="utf-8")
    printed = run(site, "personalize.toml")
    assert "did you mean `Europe/Oslo`?" in printed and "Traceback" not in printed
