"""The closing words of a test run, and the run in which nothing may be skipped."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import CHROMIUM_ARGUMENTS, REPOSITORY

A_SUITE = """
import pytest

def test_passes():
    pass

@pytest.mark.skip(reason="the moon is not full")
def test_waits():
    pass

def test_reads_the_data(shared_data):
    pass

@pytest.mark.shared_data
def test_reads_the_data_in_its_own_way():
    pytest.skip("no data here")
"""
A_MODULE_THAT_SKIPS = "import pytest\npytest.skip('wrong planet', allow_module_level=True)\n"
BROWSER_TEST = """
def test_opens_a_page(browser):
    page = browser.new_page()
    page.set_content("<title>Tents</title>")
    assert page.title() == "Tents"
"""


@pytest.fixture
def suite(tmp_path: Path) -> Path:
    """A small project with our conftest and no data set beside it."""
    tests = tmp_path / "project" / "tests"
    tests.mkdir(parents=True)
    (tests / "conftest.py").write_bytes((REPOSITORY / "tests" / "conftest.py").read_bytes())
    (tests / "test_a.py").write_text(A_SUITE)
    (tests.parent / "pytest.ini").write_text("[pytest]\nmarkers = shared_data\nfilterwarnings = error\n")
    return tests


def run(tests: Path, **settings: str) -> subprocess.CompletedProcess[str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PERSONALIZE_", "PYTEST_"))}
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "--color=no", "-ra"],
        cwd=tests.parent,
        env=kept | settings,
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_summary_says_what_ran_and_what_was_left_out_and_why(suite: Path) -> None:
    result = run(suite)
    assert result.returncode == 0
    lines = result.stdout.splitlines()
    assert "what ran: 1 test in 1 file" in lines
    assert "left out: the moon is not full (1)" in lines
    assert "left out: no data here (1)" in lines
    assert any(line.startswith("left out: the public data sets are absent") for line in lines)
    assert "1 passed, 3 skipped in" in lines[-1]


def test_the_summary_says_so_when_nothing_was_left_out(suite: Path) -> None:
    (suite / "test_a.py").write_text("def test_passes():\n    pass\n\n\ndef test_too():\n    pass\n")
    assert "what ran: 2 tests in 1 file\nleft out: nothing\n" in run(suite).stdout


def test_where_skips_fail_only_what_needs_absent_data_is_left_out(suite: Path) -> None:
    result = run(suite, PERSONALIZE_TEST_NO_SKIPS="1")
    assert result.returncode == 1
    assert "test_waits may not be left out in this run. the moon is not full" in result.stdout
    assert "1 passed, 2 skipped, 1 error in" in result.stdout.splitlines()[-1]


def test_where_skips_fail_data_that_is_there_excuses_nothing(suite: Path, tmp_path: Path) -> None:
    result = run(suite, PERSONALIZE_TEST_NO_SKIPS="1", PERSONALIZE_TEST_SHARED_DATA=str(tmp_path))
    assert "1 failed, 2 passed, 1 error in" in result.stdout.splitlines()[-1]


def test_where_skips_fail_a_module_that_skips_itself_fails(suite: Path) -> None:
    (suite / "test_a.py").write_text(A_MODULE_THAT_SKIPS)
    assert run(suite).returncode == 5  # nothing to run is all that was wrong
    result = run(suite, PERSONALIZE_TEST_NO_SKIPS="1")
    assert result.returncode == 2
    assert "may not be left out in this run. wrong planet" in result.stdout


def test_a_browser_test_runs_where_there_is_a_browser(suite: Path, chromium: str) -> None:
    (suite / "test_a.py").write_text(BROWSER_TEST)
    result = run(suite, PERSONALIZE_TEST_CHROMIUM=chromium)
    assert "1 passed in" in result.stdout.splitlines()[-1], result.stdout
    assert "--no-sandbox" in CHROMIUM_ARGUMENTS
