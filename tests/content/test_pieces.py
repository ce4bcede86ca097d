"""Placeholders are looked up once, in the names that stand open to them."""

from personalize.content.pieces import MOST_PLACEHOLDERS, FixedPiece, Names, VisitorPiece, plain_text, read_pieces
from personalize.problems import Problems
from personalize.yaml_tree import Place


def at(index: int, length: int) -> Place:
    return Place("x", 1, index + 1, index, index + length)


NAMES = Names({"town"}, {"price": ("NOK 5",), "url": (), "title": ("For ", VisitorPiece("town", "you", at(0, 1)))})


def test_stretches_between_placeholders_stay_as_they_are() -> None:
    problems = Problems()
    pieces = read_pieces("a {{ visitor.town | b }}{{ item.price }} c", at, NAMES, problems)
    assert not problems.list
    assert pieces == (
        *("a ", VisitorPiece("town", "b", at(2, 22)), FixedPiece("NOK 5", at(24, 16), is_value=True), " c"),
    )
    assert plain_text(pieces) is None


def test_a_field_stands_with_all_its_pieces_where_it_is_named() -> None:
    pieces = read_pieces("{{ item.title }}", at, NAMES, Problems())
    assert pieces == (FixedPiece("For ", at(0, 16), is_value=True), VisitorPiece("town", "you", at(0, 16)))


def test_what_is_known_is_a_plain_text() -> None:
    pieces = read_pieces("{{ item.price }}, {{ item.url | x }}, {{ 7*7 }}", at, NAMES, Problems())
    assert plain_text(pieces) == "NOK 5, x, {{ 7*7 }}"
    assert plain_text(()) == ""


def test_a_text_of_too_many_placeholders_is_refused_as_a_whole() -> None:
    problems = Problems()
    text = "{x}" * MOST_PLACEHOLDERS
    assert len(read_pieces(text, at, NAMES, problems)) == MOST_PLACEHOLDERS
    assert not problems.list
    assert read_pieces(text + "{x}", at, NAMES, problems) == (text + "{x}",)
    assert [problem.code for problem in problems.list] == ["E437"]
