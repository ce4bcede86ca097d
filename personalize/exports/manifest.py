"""The list of what an export holds, by which a file that was cut or altered is found."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path, PurePosixPath
from typing import Any, BinaryIO, Literal, TypeAlias

from personalize.errors import ExportRefused
from personalize.exports.blocks import block_digests
from personalize.profiles.holding import Holding
from personalize.stores.holding_text import holding_as_text, holding_from_text

MANIFEST = "manifest.json"
#: The shape of the folder. It changes when an older personalize could not read it any more.
LAYOUT = 1

Content: TypeAlias = Literal["events", "profiles", "rule sets", "lives", "erased", "receipts", "floors"]


@dataclass(frozen=True, slots=True)
class ExportedFile:
    """One file of an export: where it lies in the folder, what its rows are, and what its bytes were."""

    path: str
    content: Content
    rows: int
    size_bytes: int
    blocks: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Manifest:
    """What an export holds. `format` is how its events are written, `holding` what its profiles count: None where
    there are none. `begun_at` is when the export was begun, and `by` who asked for it. `as_of` is the moment of which
    its profiles are, that is, of what had occurred before it; None where they are those of the export."""

    format: str
    begun_at: datetime
    by: str
    files: tuple[ExportedFile, ...]
    holding: Holding | None = None
    as_of: datetime | None = None

    def of(self, content: Content) -> tuple[ExportedFile, ...]:
        """The files with such rows, in their order."""
        return tuple(file for file in self.files if file.content == content)

    def rows(self, content: Content) -> int:
        """How many such rows there are."""
        return sum(file.rows for file in self.of(content))


def exported_file(folder: Path, path: str, content: Content, rows: int) -> ExportedFile:
    """The entry of a file that has been written."""
    with (folder / path).open("rb") as source:
        blocks = tuple(block.digest for block in block_digests(source))
    return ExportedFile(path, content, rows, (folder / path).stat().st_size, blocks)


def write_manifest(folder: Path, manifest: Manifest) -> None:
    """Put the manifest into the folder of an export: its last file."""
    parts = {
        "personalize_export": LAYOUT,
        "format": manifest.format,
        "begun_at": manifest.begun_at.isoformat(),
        "by": manifest.by,
        "holding": None if manifest.holding is None else json.loads(holding_as_text(manifest.holding)),
        "as_of": None if manifest.as_of is None else manifest.as_of.isoformat(),
        "files": [asdict(file) for file in manifest.files],
    }
    text = json.dumps({**parts, "digest": _digest(parts)}, indent=1, ensure_ascii=False)
    (folder / MANIFEST).write_text(text + "\n", encoding="utf-8")


def read_manifest(folder: Path) -> Manifest:
    """The manifest of an export. Raises `ExportRefused` where the folder holds none that can be trusted."""
    try:
        read: Any = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ExportRefused(f"{folder} is no export: it has no {MANIFEST}") from None
    except ValueError:
        raise ExportRefused(f"{folder / MANIFEST} is cut or altered: it is no JSON any more") from None
    if not isinstance(read, dict) or "personalize_export" not in read:
        raise ExportRefused(f"{folder / MANIFEST} was not written by personalize")
    if read["personalize_export"] != LAYOUT:
        raise ExportRefused(f"{folder} was exported by a newer version of personalize: import it with that one")
    if read.pop("digest", None) != _digest(read):
        raise ExportRefused(f"{folder / MANIFEST} was altered: what it says is not what was exported")
    return _manifest_from(read)


def check_files(folder: Path, files: Sequence[ExportedFile]) -> None:
    """Read the files once, and raise `ExportRefused` at the first that is missing, cut or altered, with the place."""
    for file in files:
        path = folder / file.path
        if not path.is_file():
            raise ExportRefused(f"{path} is missing")
        with path.open("rb") as source:
            _check(file, path, source)


def _check(file: ExportedFile, path: Path, source: BinaryIO) -> None:
    found = path.stat().st_size
    if found < file.size_bytes:
        raise ExportRefused(f"{path} is cut: it ends after {found:,} of {file.size_bytes:,} bytes")
    if found > file.size_bytes:
        raise ExportRefused(f"{path} was altered: it has {found - file.size_bytes:,} bytes more than were exported")
    line, at = 1, 0
    for block, digest in zip(block_digests(source), file.blocks, strict=True):
        if block.digest != digest:
            lines = "" if path.suffix == ".parquet" else f", in the lines {line:,} to {line + block.line_ends:,}"
            raise ExportRefused(f"{path} was altered between its bytes {at + 1:,} and {at + block.size_bytes:,}{lines}")
        line, at = line + block.line_ends, at + block.size_bytes


def _manifest_from(read: Mapping[str, Any]) -> Manifest:
    held = read["holding"]
    return Manifest(
        format=read["format"],
        begun_at=datetime.fromisoformat(read["begun_at"]),
        by=read["by"],
        files=tuple(_file_from(each) for each in read["files"]),
        holding=None if held is None else holding_from_text(json.dumps(held)),
        # Manifests of older versions know no past.
        as_of=None if read.get("as_of") is None else datetime.fromisoformat(read["as_of"]),
    )


def _file_from(read: Mapping[str, Any]) -> ExportedFile:
    path = PurePosixPath(read["path"])
    if path.is_absolute() or ".." in path.parts:
        raise ExportRefused(f"the manifest names {path}, which lies outside of the export")
    return ExportedFile(str(path), read["content"], read["rows"], read["size_bytes"], tuple(read["blocks"]))


def _digest(parts: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()
