"""The cut of markup into tags and text agrees with the standard, and with a browser's parser."""

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from personalize.content.markup import Tag, tokens
from tests.content.shelf import CASES, parsed

PLACES = yaml.safe_load((CASES / "places.yaml").read_text(encoding="utf-8"))


def place_of_mark(markup: str) -> str:
    index = markup.find("@")
    token = next((each for each in tokens(markup) if each.start <= index < each.end), None)
    if index == -1:
        return "none"
    if token is None:
        return "text"
    if not isinstance(token, Tag):
        return token.what
    attribute = token.attribute_at(index)
    return "inside" if attribute is None else f"{attribute.name} {attribute.quote or 'unquoted'}"


@pytest.mark.parametrize(("markup", "place"), PLACES, ids=[markup for markup, _ in PLACES])
def test_a_mark_stands_where_the_standard_says(markup: str, place: str) -> None:
    assert place_of_mark(markup) == place


@given(st.text(alphabet="<>/!-='\" abp\n", max_size=40))
def test_cutting_ends_goes_forward_and_stays_inside(markup: str) -> None:
    done = 0
    for token in tokens(markup):
        assert done <= token.start < token.end or (token.start == token.end and not isinstance(token, Tag))
        assert token.end <= len(markup)
        done = token.end


PIECES = ("<b>", "</b>", "<i title='", "'", '"', ">", "<u a=", " ", "x", "=", "<!--", "-->", "/")


@given(st.lists(st.sampled_from(PIECES)))
def test_start_tags_are_those_that_a_browser_finds(pieces: list[str]) -> None:
    markup = "".join(pieces)
    tags = [token for token in tokens(markup) if isinstance(token, Tag) and not token.closing]
    ours = {(tag.name, each.name, each.value) for tag in tags for each in tag.attributes}
    nodes = parsed(markup).traverse()
    theirs = {(node.tag, name, value or "") for node in nodes for name, value in node.attributes.items()}
    # Of an attribute written twice the browser keeps the first; an element opened again is a copy.
    assert theirs <= ours


@pytest.mark.parametrize("piece", ["<", "<!--", "<p ", "<p a='", "</", "<script>", "<title>", "<a b=c ", "<p/"])
def test_a_long_row_of_beginnings_is_cut_in_one_go(piece: str) -> None:
    assert list(tokens(piece * 20_000)) is not None
