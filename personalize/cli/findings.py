"""What is wrong with files, printed for the people who write them."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import IO, Any

import click

from personalize.cli.tables import terminal_width
from personalize.problems import Problem, render, summary
from personalize.settings import Settings

#: What is wrong with the twentieth line is seldom news to somebody who has read nineteen.
MOST_OF_A_FILE = 20
_LARGEST_SOURCE = 2_000_000
_COLOURS = {"error": "red", "warning": "yellow"}

#: Gives the text of a file by the name that problems carry, or None.
Sources = Callable[[str], str | None]


class Failed(click.ClickException):
    """A command could not do its work: one line says why, and the exit code is 2."""

    exit_code = 2


class Findings(click.ClickException):
    """Files can't be used; every problem is shown, with its line and a caret, and the exit code is 1."""

    exit_code = 1

    def __init__(self, problems: Iterable[Problem], sources: Sources | None = None, *, then: str = "") -> None:
        self.problems = tuple(problems)
        self._sources = sources or source_on_disk
        super().__init__(f"{summary(self.problems)}. {then}".rstrip())

    def show(self, file: IO[Any] | None = None) -> None:
        """Print them, and how many there are."""
        show(self.problems, self._sources, err=file is None)
        click.echo(self.message, file=file, err=file is None)


def show(problems: Iterable[Problem], sources: Sources, *, err: bool) -> None:
    """Print problems in the order of their files and lines, the first twenty of each file."""
    for text in full_text(problems, sources, width=terminal_width()):
        click.echo(text, err=err)


def full_text(problems: Iterable[Problem], sources: Sources, *, width: int) -> Iterator[str]:
    """Each problem as a paragraph of several lines, the first twenty of each file."""
    found = tuple(problems)
    in_file = Counter(problem.file for problem in found)
    shown: Counter[str | None] = Counter()
    for problem in found:
        shown[problem.file] += 1
        if shown[problem.file] <= MOST_OF_A_FILE:
            source = sources(problem.file) if problem.file is not None else None
            yield "\n".join(_coloured(problem, render(problem, source, width=width).splitlines())) + "\n"
        if shown[problem.file] == in_file[problem.file] > MOST_OF_A_FILE:
            yield f"... and {in_file[problem.file] - MOST_OF_A_FILE} more in {problem.file}\n"


def _coloured(problem: Problem, lines: list[str]) -> Iterator[str]:
    colour = _COLOURS[problem.severity]
    label, _, rest = lines[0].partition(":")
    yield f"{click.style(label, fg=colour, bold=True)}:{click.style(rest, bold=True)}"
    for line in lines[1:]:
        mark = line.lstrip(" |")
        yield click.style(line, fg=colour) if mark and not mark.strip("^") else line


def source_on_disk(file: str) -> str | None:
    """The text of a file as it is now, by its path."""
    path = Path(file)
    try:
        if not path.is_file() or path.stat().st_size > _LARGEST_SOURCE:
            return None
        return path.read_text(encoding="utf-8-sig", errors="replace")
    except OSError:
        return None


def sources_of(settings: Settings, files: Mapping[str, str]) -> Sources:
    """The texts of a draft or a saved version, and of what lies beside them on the disk, such as templates."""

    def source(file: str) -> str | None:
        known = files.get(file)
        if known is not None:
            return known
        for beside in (settings.templates / file, settings.root / file, Path(file)):
            found = source_on_disk(str(beside))
            if found is not None:
                return found
        return None

    return source
