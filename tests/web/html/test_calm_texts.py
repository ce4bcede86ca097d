"""What stood between the slot tags of a page and held no written mark is not searched for one again."""

import pytest

from personalize.web.html.calm_texts import CalmTexts
from personalize.web.html.marks import close_mark, open_mark
from personalize.web.html.shells import Shells
from tests.web.html.test_shells import TOKEN, Hero

SLOT = f"{open_mark(TOKEN.decode(), 'hero')}<p>Default</p>{close_mark(TOKEN.decode())}".encode()
#: A page that is never the same twice, of which one text is.
PAGE = b"<h1>%d</h1>" + SLOT + b"<p>%b</p>" + SLOT + b"<footer></footer>"


def test_a_page_between_whose_tags_no_mark_stands_is_calm_whatever_is_new_in_it() -> None:
    texts = CalmTexts(TOKEN)
    assert [texts.may_be_marked(PAGE % (number, b"calm"), "/") for number in range(3)] == [False] * 3


@pytest.mark.parametrize(
    "mark", [b"<b data-slot=hero>x</b>", b"<B DATA-Slot=hero>x</B>", b"<!-- SLOT:hero -->", b"slot:"]
)
def test_a_mark_that_comes_later_is_seen_wherever_it_stands(mark: bytes) -> None:
    calm = PAGE % (1, b"calm")
    at_each_place = [calm[:at] + mark + calm[at:] for at in range(len(calm) + 1) if calm[at : at + 1] in (b"<", b"")]
    for marked in at_each_place:
        texts = CalmTexts(TOKEN)
        assert not texts.may_be_marked(calm, "/")
        assert texts.may_be_marked(marked, "/")
        assert texts.may_be_marked(marked, "/"), "what was found to be marked is never calm"


def test_a_path_is_known_by_its_own_pages_alone() -> None:
    texts = CalmTexts(TOKEN)
    assert not texts.may_be_marked(PAGE % (1, b"calm"), "/")
    assert texts.may_be_marked(PAGE % (1, b"<b data-slot=hero>x</b>"), "/elsewhere")
    assert not texts.may_be_marked(PAGE % (2, b"calm"), "/")


def test_a_page_without_slot_tags_is_left_to_the_scanner() -> None:
    assert CalmTexts(TOKEN).may_be_marked(b"<h1>Nothing</h1>", "/")


def test_a_written_slot_that_joins_the_tags_of_a_page_is_found() -> None:
    shells = Shells(TOKEN)
    for number in range(3):
        assert shells.shell(PAGE % (number, b"calm"), "/", "text/html", Hero()).layout.slot_ids == ("hero", "hero")
    written = PAGE % (4, b"</p><div DATA-SLOT=hero>Default</div><p>")
    assert shells.shell(written, "/", "text/html", Hero()).layout.slot_ids == ("hero", "hero", "hero")
