"""Marks are found again, wherever they stand, and nothing else is one."""

from hypothesis import given
from hypothesis import strategies as st

from personalize.content.marks import Marks
from personalize.content.pieces import FixedPiece, VisitorPiece
from personalize.content.render import Placeholder
from personalize.yaml_tree import Place

AT = Place("x", 1, 1, 10, 30)


def visitor(name: str) -> VisitorPiece:
    return VisitorPiece(name, "", AT)


def test_markup_is_split_at_its_marks_with_the_places_they_stand_in() -> None:
    marks = Marks("seed")
    a, b = marks.put((visitor("a"),)), marks.put((visitor("b"),))
    markup = f'<b title="{a}">{b}</b>{a}'
    assert marks.split(markup) == (
        *('<b title="', Placeholder("a", "", "attribute"), '">', Placeholder("b"), "</b>", Placeholder("a")),
    )
    assert marks.split("no mark") == ("no mark",)
    assert marks.split("") == ()


def test_each_item_has_marks_of_its_own() -> None:
    one, two = Marks("one"), Marks("two")
    mark = one.put((visitor("a"),))
    two.put((visitor("b"),))
    assert two.split(mark) == (mark,)
    assert Marks("one").put((visitor("a"),)) == mark


def test_a_fixed_piece_is_filled_in_escaped_and_never_read_again() -> None:
    marks = Marks("seed")
    later = marks.put((visitor("a"),))
    filled = marks.fill_fixed(marks.put(("<", FixedPiece(f"<&{later}", AT, is_value=True))) + later)
    assert filled == f"<&lt;&amp;{later}{later}"


def test_an_index_is_told_as_it_was_before_the_marks() -> None:
    marks = Marks("seed")
    marked = marks.put(("0123456789", visitor("a"), " x"))
    assert marks.index_as_written(marked, 3) == 3
    assert marks.index_as_written(marked, 10) == 10
    assert marks.index_as_written(marked, len(marked) - 1) == 31
    assert marks.as_written(marked) == "0123456789{{ visitor.a }} x"


@given(st.text())
def test_no_text_holds_its_own_marks(text: str) -> None:
    marks = Marks(text)
    marks.put((visitor("a"),))
    assert marks.pieces_in(text) == ()
