"""What is wrong with a file that somebody wrote: where, what was found, what is allowed, the nearest guess.

Knows nothing of YAML, rules or settings; they collect into `Problems` and the terminal prints with `render`.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Literal, Protocol

from personalize.guesses import Guess
from personalize.guesses import did_you_mean as did_you_mean
from personalize.guesses import nearest as nearest

TAB_WIDTH = 4
USUAL_COLUMNS = 80
LONGEST_QUOTE = 60
#: A piece of code in a message, which is kept on one line where it fits.
_CODE = re.compile(r"`[^`]*`")
_FILLER = "\ue000"


class Position(Protocol):
    """A spot in a file: 1-based line and column, and how many characters are meant."""

    @property
    def file(self) -> str: ...
    @property
    def line(self) -> int | None: ...
    @property
    def column(self) -> int | None: ...
    @property
    def length(self) -> int: ...


class Positioned(Protocol):
    """Something that was written in a file, such as a node of a YAML tree."""

    @property
    def place(self) -> Position: ...


@dataclass(frozen=True, slots=True)
class Edit:
    """A change of a file: `length` characters from a 1-based line and column on become `text`."""

    line: int
    column: int
    length: int
    text: str


@dataclass(frozen=True, slots=True)
class Problem:
    """One finding. `line` and `column` are 1-based; `length` is how many characters the caret underlines.

    `code` is stable and documented; `message` says what was found; `hint` says what to do. `fix` are the edits that
    mend it, where these are beyond doubt: a machine may make them.
    As text it is one line: `rules/home.yaml:14:11: error R105: segment "memebers" does not exist`.
    """

    code: str
    message: str
    file: str | None = None
    line: int | None = None
    column: int | None = None
    hint: str | None = None
    severity: Literal["error", "warning"] = "error"
    length: int = 1
    fix: tuple[Edit, ...] = ()

    @property
    def where(self) -> str:
        """`file:line:column`, as far as it is known; empty when the problem has no place."""
        return ":".join(str(part) for part in (self.file, self.line, self.column) if part is not None)

    def __str__(self) -> str:
        place = f"{self.where}: " if self.where else ""
        hint = f" ({self.hint})" if self.hint else ""
        return f"{place}{self.severity} {self.code}: {self.message}{hint}"


class TooManyProblems(Exception):  # noqa: N818
    """So much is wrong that nobody would read on; whoever has set the limit stops here."""


class Problems:
    """Collects findings while a file is read, so that the author sees all of them at once.

    With `most`, the error after so many raises `TooManyProblems`, so that a file that is not what it seems to be costs
    no more time than one that is.
    """

    def __init__(self, most: int | None = None) -> None:
        self._found: list[Problem] = []
        self._most = most
        self._errors = 0

    def error(
        self,
        code: str,
        message: str,
        at: Position | Positioned | None = None,
        hint: str | None = None,
        *,
        file: str | None = None,
    ) -> None:
        """Add an error at a place or node; `file` alone serves when there is no line to point at."""
        self.add(_placed(Problem(code, message, file=file, hint=hint), at))

    def warning(
        self,
        code: str,
        message: str,
        at: Position | Positioned | None = None,
        hint: str | None = None,
        *,
        file: str | None = None,
    ) -> None:
        """Add a warning: worth saying, and no reason to refuse the file."""
        self.add(_placed(Problem(code, message, file=file, hint=hint, severity="warning"), at))

    def add(self, problem: Problem) -> None:
        """Add a finding made elsewhere."""
        if problem.severity == "error":
            if self._errors == self._most:
                raise TooManyProblems
            self._errors += 1
        self._found.append(problem)

    def extend(self, problems: Iterable[Problem]) -> None:
        """Add findings made elsewhere."""
        for problem in problems:
            self.add(problem)

    def drop(self, is_dropped: Callable[[Problem], bool]) -> None:
        """Forget the findings of which this is true."""
        self._found = [problem for problem in self._found if not is_dropped(problem)]
        self._errors = sum(problem.severity == "error" for problem in self._found)

    @property
    def list(self) -> tuple[Problem, ...]:
        """All findings, by file, line and column; those of one place stay in the order they were found."""
        return tuple(sorted(self._found, key=lambda p: (p.file or "", p.line or 0, p.column or 0)))

    @property
    def has_errors(self) -> bool:
        """Whether anything worse than a warning was found."""
        return self._errors > 0

    def __len__(self) -> int:
        return len(self._found)


def _placed(problem: Problem, at: Position | Positioned | None) -> Problem:
    if at is None:
        return problem
    spot: Position = at.place if hasattr(at, "place") else at
    return Problem(
        code=problem.code,
        message=problem.message,
        file=spot.file,
        line=spot.line,
        column=spot.column,
        hint=problem.hint,
        severity=problem.severity,
        length=max(1, spot.length),
        fix=_edits(spot, problem.hint),
    )


def _edits(spot: Position, hint: str | None) -> tuple[Edit, ...]:
    """The guess in place of the word, where nothing but the word is underlined, with its quotes or without."""
    if not isinstance(hint, Guess) or hint.instead is None or spot.line is None or spot.column is None:
        return ()
    if spot.length not in (len(hint.word), len(hint.word) + 2):
        return ()
    return (Edit(spot.line, spot.column, spot.length, hint.instead),)


def render(problem: Problem, source: str | None = None, *, width: int = USUAL_COLUMNS) -> str:
    """The problem in several lines, as rustc prints it: the place, the line of `source`, a caret, the help.

    No line is wider than `width`, if its words allow it. Tabs, wide and combining characters keep the caret under
    the right place; a very long line is cut around it; control characters are shown as a mark, so that a file
    cannot steer the terminal.
    """
    gutter = " " * len(str(problem.line or ""))
    lines = [*wrapped(f"{problem.severity}[{problem.code}]: {problem.message}", "", "  ", width)]
    if problem.where:
        lines.append(f"{gutter}--> {problem.where}")
    lines += _excerpt(problem, source, gutter, width)
    if problem.hint:
        lines += wrapped(problem.hint, f"{gutter} = help: ", f"{gutter}   ", width)
    return "\n".join(lines)


def wrapped(text: str, first: str, rest: str, width: int) -> Iterator[str]:
    """The lines of a text, `first` before the first and `rest` before the others.

    What stands in backticks is not broken, unless it fills a line by itself.
    """
    room = width - columns_of(rest)
    whole = _CODE.sub(lambda code: code[0].replace(" ", _FILLER) if columns_of(code[0]) <= room else code[0], text)
    line, is_begun = first, False
    for word in whole.split(" "):
        if is_begun and columns_of(line) + 1 + columns_of(word) > width:
            yield line.replace(_FILLER, " ")
            line, is_begun = rest, False
        line += f" {word}" if is_begun else word
        is_begun = True
    yield line.replace(_FILLER, " ")


def _excerpt(problem: Problem, source: str | None, gutter: str, width: int) -> list[str]:
    line = None if source is None or problem.line is None else _line_of(source, problem.line)
    if line is None:
        return []
    shown = [f"{gutter} |", f"{problem.line} | {visible(line)}".rstrip()]
    if problem.column is not None:
        begin = min(max(problem.column - 1, 0), len(line))
        end = max(begin, min(begin + problem.length, len(line)))
        parts = (visible(line[:begin]), visible(line[begin:end]), visible(line[end:]))
        before, marked, after = _window(*parts, width - len(gutter) - len(" | "))
        shown[1] = f"{problem.line} | {before}{marked}{after}".rstrip()
        carets = "^" * max(1, columns_of(marked))
        shown.append(f"{gutter} | {' ' * columns_of(before)}{carets}")
    return shown


def _line_of(source: str, number: int) -> str | None:
    lines = source.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    return lines[number - 1] if 1 <= number <= len(lines) else None


def _window(before: str, marked: str, after: str, room: int) -> tuple[str, str, str]:
    """The three parts of a line, cut with an ellipsis to so many columns."""
    if columns_of(before + marked + after) <= room:
        return before, marked, after
    half = room // 2
    kept_before = before if columns_of(before) <= half else "…" + _last(before, half - 1)
    kept_marked = _first(marked, half)
    rest = marked[len(kept_marked) :] + after
    left = room - columns_of(kept_before + kept_marked)
    return kept_before, kept_marked, rest if columns_of(rest) <= left else _first(rest, left - 1) + "…"


def _first(text: str, room: int) -> str:
    """As much of the beginning of a text as fits into so many columns."""
    end, used = 0, 0
    for end, character in enumerate(text):
        used += _width(character)
        if used > room:
            return text[:end]
    return text


def _last(text: str, room: int) -> str:
    return _first(text[::-1], room)[::-1]


def visible(text: str) -> str:
    """The text with tabs as blanks, and a mark in place of what a terminal obeys instead of showing."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(_shown(character) for character in text)


def _shown(character: str) -> str:
    if character == "\t":
        return " " * TAB_WIDTH
    if character == "\u200d" or unicodedata.category(character) not in ("Cc", "Cf", "Cs", "Zl", "Zp"):
        return character
    return "\ufffd"


def columns_of(text: str) -> int:
    """How many terminal columns a visible text takes."""
    return sum(_width(character) for character in text)


def _width(character: str) -> int:
    if character == "\u200d" or unicodedata.category(character) in ("Mn", "Me"):
        return 0
    return 2 if unicodedata.east_asian_width(character) in ("W", "F") else 1


def summary(problems: Iterable[Problem]) -> str:
    """How many of which, such as `2 errors, 1 warning in 2 files`."""
    found = tuple(problems)
    if not found:
        return "no problems"
    errors = sum(problem.severity == "error" for problem in found)
    counts = [_counted(errors, "error"), _counted(len(found) - errors, "warning")]
    files = len({problem.file for problem in found if problem.file is not None})
    where = f" in {_counted(files, 'file')}" if files else ""
    return ", ".join(count for count in counts if not count.startswith("0 ")) + where


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def quoted(text: str) -> str:
    """The text in quotes for a message: without control characters, not too long.

    Double quotes; backticks where the text has double quotes itself.
    """
    short = text if len(text) <= LONGEST_QUOTE else text[: LONGEST_QUOTE - 1] + "…"
    mark = "`" if '"' in short else '"'
    return f"{mark}{visible(short)}{mark}"
