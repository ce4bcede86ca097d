"""A report as SARIF 2.1.0 (docs.oasis-open.org/sarif/sarif/v2.1.0), which code hosts and editors show."""

from __future__ import annotations

from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from personalize.cli.message_book import message_book
from personalize.problems import Edit, Problem

if TYPE_CHECKING:
    from personalize.cli.report import Report

_SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
_ROOT = "SRCROOT"

Object = dict[str, Any]


def sarif_log(report: Report) -> Object:
    """The log of one run. Lines and columns count from 1, columns in characters."""
    codes = sorted({problem.code for problem in report.problems})
    driver = {
        "name": "personalize",
        "semanticVersion": version("personalize"),
        "rules": [_rule(code) for code in codes],
    }
    run = {
        "tool": {"driver": driver},
        "columnKind": "unicodeCodePoints",
        "originalUriBaseIds": {_ROOT: {"uri": f"{Path.cwd().as_uri()}/"}},
        "results": [_result(problem, codes.index(problem.code), report) for problem in report.problems],
    }
    return {"$schema": _SCHEMA, "version": "2.1.0", "runs": [run]}


def _rule(code: str) -> Object:
    entry = message_book()[code]
    return {
        "id": code,
        "shortDescription": {"text": entry.title},
        "help": {"text": entry.markdown, "markdown": entry.markdown},
        "defaultConfiguration": {"level": "warning" if code.startswith("W") else "error"},
    }


def _result(problem: Problem, rule: int, report: Report) -> Object:
    hint = f" ({problem.hint})" if problem.hint else ""
    result: Object = {
        "ruleId": problem.code,
        "ruleIndex": rule,
        "level": problem.severity,
        "message": {"text": f"{problem.message}{hint}"},
    }
    if problem.file is not None:
        file = _artifact(report.path_of(problem.file))
        location: Object = {"artifactLocation": file}
        if problem.line is not None:
            location["region"] = _region(problem.line, problem.column, problem.length, report.sources(problem.file))
        result["locations"] = [{"physicalLocation": location}]
        if problem.fix:
            result["fixes"] = [_fix(problem, file)]
    return result


def _artifact(path: Path) -> Object:
    """A file by its address: below the working directory where it lies there, else whole."""
    if path.is_absolute():
        return {"uri": path.as_uri()}
    return {"uri": quote(path.as_posix()), "uriBaseId": _ROOT}


def _region(line: int, column: int | None, length: int, source: str | None) -> Object:
    """From a place to its end, which is on the same line: what is underlined of a longer text is its first line."""
    if column is None:
        return {"startLine": line}
    lines = [] if source is None else source.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    rest = len(lines[line - 1]) - column + 1 if line <= len(lines) else length
    return {"startLine": line, "startColumn": column, "endColumn": column + max(0, min(length, rest))}


def _fix(problem: Problem, file: Object) -> Object:
    return {
        "description": {"text": problem.hint or problem.message},
        "artifactChanges": [{"artifactLocation": file, "replacements": [_replacement(edit) for edit in problem.fix]}],
    }


def _replacement(edit: Edit) -> Object:
    region = {"startLine": edit.line, "startColumn": edit.column, "endColumn": edit.column + edit.length}
    return {"deletedRegion": region, "insertedContent": {"text": edit.text}}
