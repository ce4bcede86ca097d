"""Who was erased, and how far back the log reaches, as JSON Lines: what an import must not bring back.

Of the erased only seals leave the store (`stores.seals`), and receipts. A seal tells an id for whoever has the secret
keys of the site that made it, and is nothing to anybody else.
"""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from personalize.errors import ExportRefused
from personalize.exports.event_fields import moment_as_text
from personalize.exports.rule_set_files import objects_in
from personalize.stores.erasure import Erasure
from personalize.stores.floors import Floors, floors_from

SEALS = "erased.jsonl"
RECEIPTS = "receipts.jsonl"
FLOORS = "floors.jsonl"


def write_seals(folder: Path, sealed: Sequence[tuple[str, datetime]]) -> None:
    """Write the seals of the erased, and when each was erased last."""
    _write(folder / SEALS, ({"seal": seal, "at": moment_as_text(at)} for seal, at in sealed))


def write_receipts(folder: Path, erasures: Sequence[Erasure]) -> None:
    """Write the receipts, oldest first."""
    _write(folder / RECEIPTS, map(_receipt, erasures))


def write_floors(folder: Path, floors: Floors) -> None:
    """Write from when on the log is complete; for all events, whose type is null, and for single types."""
    rows = [] if floors.of_all is None else [(None, floors.of_all)]
    _write(
        folder / FLOORS, ({"type": type_, "at": moment_as_text(at)} for type_, at in [*rows, *floors.of_types.items()])
    )


def seals_in(path: Path) -> Iterator[tuple[str, datetime]]:
    """The seals of a file. Raises `ExportRefused` at a line that holds none."""
    for number, fields in objects_in(path):
        try:
            bytes.fromhex(fields["seal"])
            yield fields["seal"], datetime.fromisoformat(fields["at"])
        except (KeyError, TypeError, ValueError) as error:
            raise ExportRefused(f"{path}, line {number:,}, is no seal") from error


def receipts_in(path: Path) -> Iterator[Erasure]:
    """The receipts of a file. Raises `ExportRefused` at a line that holds none."""
    for number, fields in objects_in(path):
        try:
            at = datetime.fromisoformat(fields["at"])
            counts = (int(fields["profiles"]), int(fields["events"]))
            yield Erasure(str(fields["seal"]), at, str(fields["by"]), *counts, tuple(fields["copies"]))
        except (KeyError, TypeError, ValueError) as error:
            raise ExportRefused(f"{path}, line {number:,}, is no receipt of an erasure") from error


def floors_in(path: Path) -> Floors:
    """The floors of a file. Raises `ExportRefused` at a line that holds none."""
    found: list[tuple[str | None, datetime]] = []
    for number, fields in objects_in(path):
        try:
            found.append((fields["type"], datetime.fromisoformat(fields["at"])))
        except (KeyError, TypeError, ValueError) as error:
            raise ExportRefused(f"{path}, line {number:,}, does not say how far back the log reaches") from error
    return floors_from(found)


def _receipt(erasure: Erasure) -> Mapping[str, Any]:
    counts = {"profiles": erasure.profiles, "events": erasure.events}
    return {
        "seal": erasure.seal,
        "at": moment_as_text(erasure.at),
        "by": erasure.by,
        **counts,
        "copies": erasure.copies,
    }


def _write(path: Path, rows: Iterable[Mapping[str, Any]]) -> None:
    with path.open("w", encoding="utf-8") as file:
        file.writelines(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
