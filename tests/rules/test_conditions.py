"""Conditions against the rule cases of three public engines: all of them are said in the language, and decided so."""

from pathlib import Path

import pytest

from tests.conftest import REPOSITORY
from tests.rules.neutral_rules import read_neutral

OWN = (REPOSITORY / "tests" / "cases" / "neutral_rules.jsonl").read_text(encoding="utf-8").splitlines()


def test_what_their_cases_do_not_say() -> None:
    """What is missing, empty, of another type, or at the edge of numbers, letters, versions, moments and networks."""
    cases = [*map(read_neutral, OWN)]
    assert len({case.case_id for case in cases}) == len(cases) > 500
    wrong = {case.case_id: case.files for case in cases if case.answer() is not case.expected}
    assert not wrong, wrong


@pytest.mark.shared_data
def test_cases_of_public_engines_are_decided_as_recommended(shared_data: Path) -> None:
    lines = (shared_data / "conformance" / "cases.jsonl").read_text(encoding="utf-8").splitlines()
    cases = [case for case in map(read_neutral, lines) if case.must_pass]
    assert len(cases) > 450
    wrong = [case.case_id for case in cases if case.answer() is not case.expected]
    assert not wrong, wrong
