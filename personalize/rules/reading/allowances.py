"""Warnings that the author of a file has seen and means: `# check: allow W201 – strangers are welcome here`.

The comment stands at the end of the line that is warned of, or on a line of its own above it. Errors can't be allowed.
"""

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass

from personalize.problems import Problem, Problems

_SAYS = "check: allow"
_COMMENT = re.compile(r"(?:^|(?<=\s))#\s*check: allow\s+([EW][0-9]{3}(?:\s*,\s*[EW][0-9]{3})*)")
_CODE = re.compile(r"[EW][0-9]{3}")
_LINE_END = re.compile(r"\r\n|\r|\n")


@dataclass(frozen=True, slots=True)
class Allowance:
    """One code of one comment: `line` is that of the comment, `meant_line` the one whose warning it allows."""

    code: str
    file: str
    line: int
    column: int
    length: int
    meant_line: int

    def covers(self, problem: Problem) -> bool:
        """Whether the problem is a warning that this comment allows."""
        found = (problem.severity, problem.code, problem.file, problem.line)
        return found == ("warning", self.code, self.file, self.meant_line)


def apply_allowances(
    files: Mapping[str, str], problems: Problems, not_looked_for: Collection[str] = frozenset()
) -> None:
    """Forget the warnings that the files allow; where nothing else hides any, say which comments allow nothing.

    Nothing is said of comments that allow a code which was `not_looked_for`.
    """
    allowances = [one for file, text in files.items() if _SAYS in text for one in _allowances(file, text)]
    used = {one for problem in problems.list for one in allowances if one.covers(problem)}
    problems.drop(lambda problem: any(one.covers(problem) for one in used))
    for one in allowances:
        if one.code.startswith("E"):
            _warn(one, f"{one.code} is an error, and errors can't be allowed", problems)
        elif one not in used and one.code not in not_looked_for and not problems.has_errors:
            hint = "delete the comment, or move it to the line that is warned of, or to the one above it"
            _warn(one, f"nothing to allow: {one.code} is not told of line {one.meant_line}", problems, hint)


def _warn(one: Allowance, message: str, problems: Problems, hint: str = "mend what is wrong instead") -> None:
    problems.add(Problem("W280", message, one.file, one.line, one.column, hint, severity="warning", length=one.length))


def _allowances(file: str, text: str) -> Iterator[Allowance]:
    lines = _LINE_END.split(text)
    for number, line in enumerate(lines, 1):
        comment = _COMMENT.search(line)
        if comment is None:
            continue
        meant = number if line[: comment.start()].strip() else _next_line(lines, number)
        for code in _CODE.finditer(comment[1]):
            begin = comment.start(1) + code.start()
            yield Allowance(code[0], file, number, begin + 1, len(code[0]), meant)


def _next_line(lines: list[str], number: int) -> int:
    """The number of the first line below that says anything."""
    below = enumerate(lines[number:], number + 1)
    return next((at for at, line in below if line.strip() and not line.lstrip().startswith("#")), number)
