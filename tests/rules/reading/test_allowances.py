"""Warnings that a comment allows, and comments that allow nothing."""

import pytest

from personalize.problems import Problem, Problems
from personalize.rules.reading.allowances import apply_allowances


def left(text: str, *found: Problem) -> list[str]:
    problems = Problems()
    problems.extend(found)
    apply_allowances({"rules/a.yaml": text, "rules/b.yaml": "a: 1\n"}, problems)
    return [str(problem) for problem in problems.list]


def warning(line: int, code: str = "W201") -> Problem:
    return Problem(code, "perhaps", "rules/a.yaml", line, 3, severity="warning")


@pytest.mark.parametrize(
    "text",
    [
        "who: x  # check: allow W201 – strangers are welcome",
        "who: x  # check: allow W201",
        "who: x  # check: allow W202, W201: both are meant",
        "who: x  #check: allow W201 - why not",
    ],
)
def test_a_comment_behind_the_line_allows_its_warning(text: str) -> None:
    assert [one for one in left(text, warning(1)) if "W201" in one] == []


def test_a_comment_above_allows_the_next_line_that_says_anything() -> None:
    assert left("# check: allow W201 – so it is meant\n\n# more\nwho: x", warning(4)) == []


def test_other_lines_codes_and_files_are_told_all_the_same() -> None:
    text = "who: x  # check: allow W201 – here"
    elsewhere = Problem("W201", "perhaps", "rules/b.yaml", 1, 3, severity="warning")
    found = left(f"{text}\nwho: y", warning(1), warning(2), warning(1, "W202"), elsewhere)
    assert [one.partition(": ")[0] for one in found] == ["rules/a.yaml:1:3", "rules/a.yaml:2:3", "rules/b.yaml:1:3"]


def test_an_error_is_never_allowed() -> None:
    error = Problem("E211", "no fact", "rules/a.yaml", 1, 3)
    assert left("who: x  # check: allow E211", error) == [
        "rules/a.yaml:1:3: error E211: no fact",
        "rules/a.yaml:1:24: warning W280: E211 is an error, and errors can't be allowed (mend what is wrong instead)",
    ]


def test_a_comment_that_allows_nothing_is_told_of() -> None:
    (said,) = left("who: x\n  # check: allow W201 – once\nwho: y")
    assert said.startswith("rules/a.yaml:2:18: warning W280: nothing to allow: W201 is not told of line 3 (delete")


def test_while_errors_may_hide_warnings_no_comment_is_blamed() -> None:
    error = Problem("E211", "no fact", "rules/b.yaml", 1, 1)
    assert left("who: x  # check: allow W201", error) == [str(error)]
