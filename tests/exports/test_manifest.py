"""The manifest of an export: what was cut, altered or lost is found, and its place told."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from personalize.errors import ExportRefused
from personalize.exports import blocks
from personalize.exports.manifest import (
    MANIFEST,
    Manifest,
    check_files,
    exported_file,
    read_manifest,
    write_manifest,
)
from personalize.profiles.holding import Holding

NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)
LINES = "".join(f"line {number}\n" for number in range(1, 101))


@pytest.fixture
def manifest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Manifest:
    monkeypatch.setattr(blocks, "BLOCK_BYTES", 100)
    (tmp_path / "events.jsonl").write_text(LINES)
    (tmp_path / "lives.jsonl").write_text("")
    files = (
        exported_file(tmp_path, "events.jsonl", "events", 100),
        exported_file(tmp_path, "lives.jsonl", "lives", 0),
    )
    made = Manifest("jsonl", NOON, "Ingrid", files, Holding({"bought": 3}))
    write_manifest(tmp_path, made)
    return made


def refused(folder: Path) -> str:
    with pytest.raises(ExportRefused) as caught:
        check_files(folder, read_manifest(folder).files)
    return caught.value.reason.removeprefix(f"{folder}/")


def test_a_manifest_comes_back_as_it_was_written(tmp_path: Path, manifest: Manifest) -> None:
    found = read_manifest(tmp_path)
    assert found == manifest
    assert (found.rows("events"), found.rows("lives"), found.rows("profiles")) == (100, 0, 0)
    check_files(tmp_path, found.files)


def test_an_altered_file_is_found_by_its_bytes_and_lines(tmp_path: Path, manifest: Manifest) -> None:
    (tmp_path / "events.jsonl").write_text(LINES.replace("line 50", "line 5O"))
    assert refused(tmp_path) == "events.jsonl was altered between its bytes 301 and 400, in the lines 39 to 52"


def test_a_cut_file_a_longer_one_and_a_lost_one_are_found(tmp_path: Path, manifest: Manifest) -> None:
    path = tmp_path / "events.jsonl"
    path.write_text(LINES[:-4])
    assert refused(tmp_path) == "events.jsonl is cut: it ends after 788 of 792 bytes"
    path.write_text(LINES + "more")
    assert refused(tmp_path) == "events.jsonl was altered: it has 4 bytes more than were exported"
    path.unlink()
    assert refused(tmp_path) == "events.jsonl is missing"


def test_a_manifest_that_was_altered_is_refused(tmp_path: Path, manifest: Manifest) -> None:
    path = tmp_path / MANIFEST
    text = path.read_text()
    path.write_text(text.replace('"rows": 100', '"rows": 99'))
    assert refused(tmp_path) == "manifest.json was altered: what it says is not what was exported"
    path.write_text(text[:-10])
    assert refused(tmp_path) == "manifest.json is cut or altered: it is no JSON any more"
    path.write_text("{}")
    assert refused(tmp_path) == "manifest.json was not written by personalize"
    path.write_text(json.dumps({"personalize_export": 99}))
    assert "by a newer version of personalize" in refused(tmp_path)
    path.unlink()
    assert refused(tmp_path) == f"{tmp_path} is no export: it has no manifest.json"


def test_a_manifest_may_not_name_files_outside_of_its_folder(tmp_path: Path, manifest: Manifest) -> None:
    outside = Manifest(
        "jsonl", NOON, "Ingrid", (exported_file(tmp_path, "../" + tmp_path.name + "/lives.jsonl", "lives", 0),)
    )
    write_manifest(tmp_path, outside)
    assert "lies outside of the export" in refused(tmp_path)
