"""What `personalize check` found, and the forms in which it is printed."""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from types import MappingProxyType

from personalize.cli.findings import Sources, full_text
from personalize.cli.tables import counted
from personalize.problems import Problem, summary, visible, wrapped

#: The shape of the JSON; it becomes another number when a program that reads this one would fail.
JSON_VERSION = 1
#: What is counted in the last line even where there is none.
_ALWAYS = ("rule", "segment", "item")


@dataclass(frozen=True, slots=True)
class Report:
    """One run: what was found, what was mended before, how much was checked, and how long it took.

    `path_of` gives the file on disk, from the working directory, for the name that a problem carries.
    """

    problems: tuple[Problem, ...]
    fixed: tuple[Problem, ...]
    counts: Mapping[str, int]
    seconds: float
    sources: Sources
    path_of: Callable[[str], Path]
    width: int

    @property
    def fixable(self) -> int:
        """How many problems a machine could mend."""
        return sum(bool(problem.fix) for problem in self.problems)

    def count(self, severity: str) -> int:
        """How many errors, or how many warnings."""
        return sum(problem.severity == severity for problem in self.problems)


def full(report: Report) -> Iterator[str]:
    """For people: each problem with its line and a caret, and one line that sums up."""
    for problem in report.fixed:
        yield "\n".join(wrapped(_fixed(problem), "", "  ", report.width))
    if report.fixed:
        yield ""
    yield from full_text(report.problems, report.sources, width=report.width)
    yield _summary(report)
    if report.count("error"):
        code = next(problem.code for problem in report.problems if problem.severity == "error")
        yield f"More about a code: personalize check --code {code}"


def concise(report: Report) -> Iterator[str]:
    """One line a problem, as editors and `grep` like it, and one that sums up."""
    yield from map(_fixed, report.fixed)
    yield from (visible(str(problem)) for problem in report.problems)
    yield _summary(report)


def _fixed(problem: Problem) -> str:
    edits = ", ".join(f"`{visible(edit.text.strip())}`" for edit in problem.fix if edit.text.strip())
    written = f" (now {edits})" if edits else ""
    return visible(f"{problem.where}: fixed {problem.code}: {problem.message}") + written


def _summary(report: Report) -> str:
    shown = {thing: number for thing, number in report.counts.items() if number or thing in _ALWAYS}
    much = ", ".join(counted(number, thing) for thing, number in shown.items())
    fixed = f", {len(report.fixed)} fixed" if report.fixed else ""
    fixable = f" ({report.fixable} fixable with --fix)" if report.fixable else ""
    return f"Checked {much} in {report.seconds:.2f} s: {summary(report.problems)}{fixable}{fixed}"


def as_json(report: Report) -> Iterator[str]:
    """For programs."""
    shape = {
        "version": JSON_VERSION,
        "errors": report.count("error"),
        "warnings": report.count("warning"),
        "fixable": report.fixable,
        "seconds": round(report.seconds, 3),
        "checked": dict(report.counts),
        "problems": [_as_data(problem, report) for problem in report.problems],
        "fixed": [_as_data(problem, report) for problem in report.fixed],
    }
    yield json.dumps(shape, indent=2)


def _as_data(problem: Problem, report: Report) -> dict[str, object]:
    data = asdict(problem)
    data["fix"] = list(data["fix"])
    data["path"] = None if problem.file is None else report.path_of(problem.file).as_posix()
    return data


def github(report: Report) -> Iterator[str]:
    """Workflow commands, which GitHub shows beside the lines of a pull request."""
    for problem in report.problems:
        properties = {"title": f"personalize {problem.code}"}
        if problem.file is not None:
            properties["file"] = report.path_of(problem.file).as_posix()
        if problem.line is not None:
            properties["line"] = str(problem.line)
        if problem.column is not None:
            properties["col"] = str(problem.column)
        written = ",".join(f"{name}={_property(value)}" for name, value in properties.items())
        hint = f"\nhelp: {problem.hint}" if problem.hint else ""
        yield f"::{problem.severity} {written}::{_message(visible_lines(problem.message + hint))}"
    yield _summary(report)


def visible_lines(text: str) -> str:
    """The text without what a terminal obeys, line ends kept."""
    return "\n".join(map(visible, text.split("\n")))


def _message(text: str) -> str:
    """As a workflow command takes its message: https://docs.github.com/actions, `@actions/core` command.ts."""
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _message(visible(text)).replace(":", "%3A").replace(",", "%2C")


def as_sarif(report: Report) -> Iterator[str]:
    """SARIF 2.1.0, which code hosts and editors show."""
    from personalize.cli.sarif import sarif_log  # noqa: PLC0415  # few runs need it

    yield json.dumps(sarif_log(report), indent=2)


FORMATS: Mapping[str, Callable[[Report], Iterator[str]]] = MappingProxyType(
    {"full": full, "concise": concise, "json": as_json, "github": github, "sarif": as_sarif}
)
