"""Conditions against the rule cases of three public engines, as far as the language has words for them."""

from collections import Counter
from pathlib import Path

import pytest

from tests.rules.neutral_rules import NotExpressible, read_neutral

#: How many cases the language can express by now; it may only grow.
EXPRESSED = 183


@pytest.mark.shared_data
def test_cases_of_public_engines_are_decided_as_recommended(
    shared_data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lines = (shared_data / "conformance" / "cases.jsonl").read_text(encoding="utf-8").splitlines()
    passed, failed, left_out = 0, [], Counter[str]()
    for case in filter(lambda case: case.must_pass, map(read_neutral, lines)):
        try:
            answer = case.answer()
        except NotExpressible as reason:
            left_out[str(reason)] += 1
            continue
        passed += answer is case.expected
        if answer is not case.expected:
            failed.append(case.case_id)
    reasons = ", ".join(f"{reason} {count}" for reason, count in left_out.most_common())
    with capsys.disabled():
        print(f"\nrule cases of public engines: {passed} pass, {left_out.total()} wait for words ({reasons})")
    assert not failed, failed
    assert passed >= EXPRESSED
