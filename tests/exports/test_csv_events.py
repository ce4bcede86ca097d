"""Cells of a CSV: none is a formula to a spreadsheet, and each comes back as it was."""

from hypothesis import given
from hypothesis import strategies as st

from personalize.exports.csv_events import cell, text_of


@given(st.none() | st.text() | st.text(alphabet="'=+-@\t\r\n＝ a"))
def test_a_cell_comes_back_as_it_was_and_is_no_formula(text: str | None) -> None:
    written = cell(text)
    assert text_of(written) == text
    assert not written.startswith(("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠"))


def test_what_a_spreadsheet_would_work_out_stands_behind_an_apostrophe() -> None:
    assert [cell(text) for text in ("=cmd()", "'quoted", "", "u:7", None)] == ["'=cmd()", "''quoted", "'", "u:7", ""]
