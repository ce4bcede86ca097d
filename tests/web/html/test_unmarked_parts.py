"""Pages in parts that are not filled: no mark of a slot tag leaves, wherever it is cut."""

import pytest

from personalize.web.html.unmarked_parts import UnmarkedParts
from tests.web.house import House, body, saying, scope_of, start, tell

TOKEN = b"0123456789abcdef0123"
PAGE = b"<p>a<!--slot %b hero-->D<!-- c --><!--/slot %b-->b<!--/slot %b--><!--slot %b" % (TOKEN, TOKEN, TOKEN, TOKEN)
LEFT = b"<p>aD<!-- c -->b<!--slot " + TOKEN


@pytest.mark.parametrize("size", [*range(1, 12), 1_000])
def test_marks_are_taken_out_however_the_page_is_cut(size: int) -> None:
    parts = UnmarkedParts(TOKEN)
    cut = [PAGE[at : at + size] for at in range(0, len(PAGE), size)]
    left = [parts.without_marks(part, is_last=False) for part in cut]
    assert b"".join(left) + parts.without_marks(b"", is_last=True) == LEFT
    begun = UnmarkedParts(TOKEN)
    assert b"".join(begun.without_marks(part, is_last=False) for part in cut) + begun.rest() == LEFT


@pytest.mark.parametrize("status", [404, 422, 500])
def test_an_error_page_in_parts_carries_no_mark(house: House, status: int) -> None:
    token = house.wrap(saying())._token
    page = PAGE.replace(TOKEN, token)
    told = house.ask(saying(start(status=status), body(page[:20], more=True), body(page[20:])))
    assert told.body == LEFT.replace(TOKEN, token)


def test_half_a_slot_tag_leaves_no_mark_in_a_page_in_parts_either(house: House) -> None:
    """As `{% continue %}` inside of a slot writes it."""
    mark = b"<!--slot %b hero-->" % house.wrap(saying())._token
    head = start((b"content-length", b"%d" % len(b"<p>a" + mark + b"b")))
    for part in (b"<p>", b"<p>a", b"<p>a" + mark):
        told = house.ask(saying(head, body(part, more=True), body((b"<p>a" + mark + b"b")[len(part) :])))
        assert (told.body, told.header("content-length")) == (b"<p>ab", b"5")


def test_one_that_holds_no_mark_is_the_sites_own(house: House) -> None:
    site = saying(start((b"x-a", b"1"), status=404), body(b"<p>a</p><!-- sl", more=True), body(b"ot --><p>"))
    told, bare = house.ask(site), house.run(tell(site, scope_of("/")))
    assert (told.headers, told.body) == (bare.headers, bare.body)
