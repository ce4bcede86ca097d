"""`download`: what is kept of one visitor, in a file for its owner alone."""

import json
from pathlib import Path

from tests.cli.terminal import Terminal


def test_it_is_json_or_a_page(sold: Terminal) -> None:
    made = json.loads(sold.well("download", "--visitor", "u:121", "--live"))
    assert made["visitor"] == "u:121"
    assert [each["type"] for each in made["events"]] == ["purchase"] * 3
    assert {"cds": 1, "amount": 14.37} in [each["details"] for each in made["events"]]
    assert sold.well("download", "--visitor", "u:121", "--format", "html").startswith("<!doctype html>")


def test_a_file_is_made_new_and_for_its_owner_alone(sold: Terminal, tmp_path: Path) -> None:
    path = tmp_path / "u121.html"
    said = sold.well("download", "--visitor", "u:121", "--format", "html", "--output", str(path))
    assert said == f"All that is kept of u:121, with 3 events, is in {path}.\n"
    assert path.stat().st_mode & 0o077 == 0
    assert "14.37" in path.read_text(encoding="utf-8")
    again = sold.said("download", "--visitor", "u:121", "--output", str(path), exit_code=2)
    assert "is there already" in again


def test_of_somebody_unknown_it_says_that_nothing_is_kept(sold: Terminal) -> None:
    assert 'nothing is kept of "u:nobody"' in sold.said("download", "--visitor", "u:nobody", exit_code=2)
    assert "write u:ID for a login" in sold.said("download", "--visitor", "nobody", exit_code=2)
