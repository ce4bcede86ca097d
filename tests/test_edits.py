"""Edits by line and column: what they name is changed, every other character stays."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from personalize.edits import edited
from personalize.problems import Edit

LINES = st.lists(st.text("ab: #é😀", max_size=6), min_size=1, max_size=5)


@given(LINES, st.sampled_from(["\n", "\r\n", "\r"]), st.data())
def test_an_edit_changes_its_span_and_nothing_else(lines: list[str], end: str, data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(lines) - 1))
    begin = data.draw(st.integers(0, len(lines[at])))
    length = data.draw(st.integers(0, len(lines[at]) - begin))
    after = edited(end.join(lines), [Edit(at + 1, begin + 1, length, "XY")])
    lines[at] = lines[at][:begin] + "XY" + lines[at][begin + length :]
    assert after == end.join(lines)


def test_several_edits_don_t_move_one_another_and_one_that_overlaps_is_left_out() -> None:
    edits = [Edit(1, 6, 2, "Z"), Edit(1, 1, 3, "looong"), Edit(1, 3, 2, "no"), Edit(2, 1, 0, "+")]
    assert edited("abc deghi\nx", edits) == "looong dZhi\n+x"


@pytest.mark.parametrize("edit", [Edit(0, 1, 1, ""), Edit(3, 1, 1, ""), Edit(2, 2, 5, "")])
def test_a_place_that_is_not_there_is_an_error(edit: Edit) -> None:
    with pytest.raises(ValueError, match=r"line|span"):
        edited("a\nb", [edit])
