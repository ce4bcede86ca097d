"""`compact`: what was deleted is in no file any more, and what is kept is as it was."""

import re

from tests.cli.terminal import Terminal


def found_in_files(shop: Terminal, text: str) -> bool:
    return any(text.encode() in path.read_bytes() for path in (shop.folder / "var").rglob("*") if path.is_file())


def test_the_files_hold_nothing_of_who_was_erased(sold: Terminal) -> None:
    before = sold.well("segments", "--live")
    assert found_in_files(sold, "u:121")
    sold.well("erase", "--visitor", "u:121", "--yes")
    after = sold.well("segments", "--live")
    assert after != before
    said = " ".join(sold.well("compact").split())
    assert re.fullmatch(r"Compacted in [0-9.]+ s: .* before\. It was due since .* UTC\.", said)
    assert sold.well("compact", "--if-due") == "Nothing is due: nobody was erased since the last time.\n"
    assert sold.well("compact").endswith(" before.\n")
    assert not found_in_files(sold, "u:121")
    assert sold.well("segments", "--live") == after
