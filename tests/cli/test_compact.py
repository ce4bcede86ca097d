"""`compact`: what was deleted is in no file any more, and what is kept is as it was."""

from tests.cli.terminal import Terminal


def found_in_files(shop: Terminal, text: str) -> bool:
    return any(text.encode() in path.read_bytes() for path in (shop.folder / "var").rglob("*") if path.is_file())


def test_the_files_hold_nothing_of_who_was_erased(sold: Terminal) -> None:
    before = sold.well("segments", "--live")
    assert found_in_files(sold, "u:121")
    sold.well("erase", "--visitor", "u:121", "--yes")
    after = sold.well("segments", "--live")
    assert after != before
    assert sold.well("compact").startswith("Compacted in ")
    assert not found_in_files(sold, "u:121")
    assert sold.well("segments", "--live") == after
