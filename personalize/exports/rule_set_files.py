"""Rule sets and their lives as JSON Lines: under which rules events happened, and what is live."""

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from personalize.errors import ExportRefused
from personalize.exports.event_fields import moment_as_text
from personalize.stores.protocols import Live

RULE_SETS = "rule_sets.jsonl"
LIVES = "lives.jsonl"


def write_rule_set(folder: Path, version: str, files: Mapping[str, str]) -> None:
    """Add the files of a version behind those written so far."""
    with (folder / RULE_SETS).open("a", encoding="utf-8") as file:
        file.write(json.dumps({"version": version, "files": dict(files)}, ensure_ascii=False) + "\n")


def write_lives(folder: Path, lives: Sequence[Live]) -> None:
    """Write which versions were live, oldest first."""
    with (folder / LIVES).open("w", encoding="utf-8") as file:
        for live in lives:
            fields = {"version": live.version, "at": moment_as_text(live.at), "by": live.by}
            file.write(json.dumps(fields, ensure_ascii=False) + "\n")


def rule_sets(path: Path) -> Iterator[tuple[str, Mapping[str, str]]]:
    """The versions of a file, each with its files. Raises `ExportRefused` at a line that holds none."""
    for number, fields in objects_in(path):
        if not isinstance(fields.get("version"), str) or not isinstance(fields.get("files"), dict):
            raise ExportRefused(f"{path}, line {number:,}, is no exported rule set")
        yield fields["version"], fields["files"]


def lives(path: Path) -> Iterator[Live]:
    """The lives of a file, oldest first. Raises `ExportRefused` at a line that holds none."""
    for number, fields in objects_in(path):
        try:
            yield Live(fields["version"], datetime.fromisoformat(fields["at"]), fields["by"])
        except (KeyError, TypeError, ValueError) as error:
            raise ExportRefused(f"{path}, line {number:,}, does not say what was live") from error


def objects_in(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    """The objects of a file of JSON Lines, with the numbers of their lines. Raises `ExportRefused` at what is none."""
    with path.open(encoding="utf-8") as source:
        for number, line in enumerate(source, 1):
            try:
                found = json.loads(line)
            except ValueError as error:
                raise ExportRefused(f"{path}, line {number:,}, is no JSON") from error
            if not isinstance(found, dict):
                raise ExportRefused(f"{path}, line {number:,}, is no object")
            yield number, found
