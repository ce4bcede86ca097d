"""A run of trust that was stopped goes on where it stopped, and never counts for another commit, scale or seed."""

from dataclasses import replace
from pathlib import Path

import pytest

from tests.trust.reporting import Record, Tried, begun

DONE = Tried("trust/test_a.py::test_one", "passed", 3.5, 100, False, "")
FAILED = Tried("trust/test_a.py::test_other", "failed", 1.0, 100, False, "it broke")


NEW = Record(revision="abc123")


def test_what_has_passed_is_not_tried_again_and_what_has_failed_is(tmp_path: Path) -> None:
    stopped = replace(NEW, tests=[DONE, FAILED], seconds=60, begun_at="2026-11-22T12:00:00+00:00")
    stopped.write(tmp_path / "trust.json")
    goes_on = begun(NEW, tmp_path / "trust.json")
    assert (goes_on.tests, goes_on.seconds, goes_on.begun_at) == ([DONE], 60, stopped.begun_at)


@pytest.mark.parametrize(
    "other", [{"is_whole": True}, {"seed": 7}, {"scale": 0.25}, {"revision": "def456"}, {"machine": "another one"}]
)
def test_a_run_of_something_else_or_one_that_came_to_its_end_is_begun_anew(
    tmp_path: Path, other: dict[str, object]
) -> None:
    replace(NEW, tests=[DONE], **other).write(tmp_path / "trust.json")  # type: ignore[arg-type]
    assert begun(NEW, tmp_path / "trust.json").tests == []


def test_a_checkout_with_changes_has_no_commit_to_go_on_with(tmp_path: Path) -> None:
    changed = replace(NEW, revision="abc123-dirty")
    replace(changed, tests=[DONE]).write(tmp_path / "trust.json")
    assert begun(changed, tmp_path / "trust.json").tests == []
