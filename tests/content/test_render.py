"""A rendering joins markup and values, and a value stays a text."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from personalize.content.render import Placeholder, Rendering, shown_text
from tests.content.shelf import load_one, skeleton

RENDERING = Rendering(
    ('<p title="', Placeholder("a", "none", "attribute"), '">', Placeholder("b", "<nobody>"), "</p><i>x</i>")
)


def test_without_a_placeholder_it_is_one_piece_for_everybody() -> None:
    rendering = Rendering(("<b>x</b>",))
    assert not rendering.is_personal
    assert rendering.attributes == frozenset()
    assert rendering.markup({"a": "y"}) == "<b>x</b>"
    assert Rendering(()).markup({}) == ""


def test_values_stand_escaped_in_their_places_and_fallbacks_where_there_are_none() -> None:
    assert RENDERING.is_personal
    assert RENDERING.attributes == {"a", "b"}
    assert RENDERING.markup({"a": 'x" y', "b": "Tom & Jo"}) == '<p title="x&quot; y">Tom &amp; Jo</p><i>x</i>'
    assert RENDERING.markup({}) == '<p title="none">&lt;nobody&gt;</p><i>x</i>'


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("Ada", "Ada"),
        (" Ada ", " Ada "),
        ("", None),
        (" \t\n", None),
        ("\u202e", None),
        ("A\x00d\u202ea\ud800", "Ada"),
        (7, "7"),
        (Decimal("4.50"), "4.50"),
        (Decimal("1E+3"), "1000"),
        (True, None),
        (None, None),
        ({"a": 1}, None),
        (["Oslo", "", "Bergen", 3], "Oslo, Bergen, 3"),
        ([], None),
    ],
)
def test_a_value_is_shown_as_people_read_it(value: object, shown: str | None) -> None:
    assert shown_text(value) == shown


ITEM = load_one(
    'title: "{{ visitor.first_name | there }}!"\nbadge: "For {{ visitor.town }}"\n'
    'image: {src: /a.png, alt: "{{ visitor.town | x }}"}\nurl: /a',
    '<p title="{{ visitor.first_name }}">{{ visitor.first_name | you }}</p><table><tr><td>{{ visitor.town }}</table>',
    suffix="html",
)


@given(st.text(), st.text())
def test_no_text_changes_the_tree_of_the_page(first_name: str, town: str) -> None:
    markup = ITEM.rendering.markup({"first_name": first_name, "town": town})
    assert skeleton(markup) == skeleton(ITEM.rendering.markup({"first_name": "a", "town": "b"}))
    markup.encode()


@given(st.text(alphabet="<>\"'`=/ &;#-!{}abonscript\n", max_size=40))
def test_no_text_made_of_what_markup_is_made_of_changes_the_tree_either(text: str) -> None:
    markup = ITEM.rendering.markup({"first_name": text, "town": text})
    assert skeleton(markup) == skeleton(ITEM.rendering.markup({"first_name": "a", "town": "b"}))
