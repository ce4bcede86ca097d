"""A page that has most in common with the one before is laid out as it was, and as it would be if it was scanned."""

from types import MappingProxyType

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from personalize.rules.definitions import Placement
from personalize.web.html.marks import close_mark, open_mark
from personalize.web.html.scanner import LONGEST_REGION
from personalize.web.html.shells import Shell, Shells
from tests.web.html.test_shells import TOKEN, Hero

OPEN, CLOSE = open_mark(TOKEN.decode(), "hero").encode(), close_mark(TOKEN.decode()).encode()
SLOT = OPEN + b"<p>Default</p>" + CLOSE
#: A page that is never the same twice, of which most texts are.
PAGE = b"<h1>%d</h1>" + SLOT + b"<p>%b</p>" + SLOT + b"<footer></footer>"


def shell_of(shells: Shells, page: bytes, content_type: str = "text/html") -> Shell:
    return shells.shell(page, "/", content_type, Hero())


def told(shell: Shell) -> object:
    """All that a shell says of a page."""
    layout = shell.layout
    filled = layout.filled(["<b>Yours</b>"] * len(layout.slot_ids), "utf-8")
    return shell.body, shell.encoding, layout.pieces, layout.slot_ids, filled, shell.unknown, shell.doubts


def read_after(before: bytes, page: bytes, content_type: str = "text/html") -> Shell:
    """The shell of a page that comes behind others of two kinds, as certainly as if it was the first."""
    shells = Shells(TOKEN)
    for earlier in (PAGE % (0, b"other"), before, before + b"!", before):
        shell_of(shells, earlier, content_type)
    shell = shell_of(shells, page, content_type)
    assert told(shell) == told(shell_of(Shells(TOKEN), page, content_type))
    return shell


def test_what_is_the_same_is_not_cut_out_of_the_page_again() -> None:
    shells = Shells(TOKEN)
    before = shell_of(shells, PAGE % (1, b"calm"))
    for number in range(2, 5):
        shell = shell_of(shells, PAGE % (number, b"calm"))
        pieces = zip(shell.layout.pieces, before.layout.pieces, strict=True)
        assert [piece is other for piece, other in pieces] == [False, True, True, True, True]
        before = shell


def test_a_page_that_comes_again_is_not_read_at_all() -> None:
    shells = Shells(TOKEN)
    first, second, third, fourth = (shell_of(shells, PAGE % (1, b"calm")) for _ in range(4))
    assert first.layout is second.layout and second is third is fourth


def test_of_pages_that_are_ever_new_what_they_have_in_common_is_kept_for_few_paths() -> None:
    shells = Shells(TOKEN)
    for number in range(100):
        shells.shell(PAGE % (number, b"calm"), f"/{number}", "text/html", Hero())
    for _ in range(2):
        shells.shell(PAGE % (1, b"calm"), "/" + "x" * 10_000, "text/html", Hero())
    for path in ("/long", "/99"):
        shells.shell(PAGE % (1, b"calm" * 100_000), path, "text/html", Hero())
    assert sum(len(text) for outline in shells._outlines.values() for text in outline._texts) < 64 * 1_000
    assert len(shells._outlines) == 64 and max(map(len, shells._outlines)) < 10 and not shells._latest


@pytest.mark.parametrize(
    "mark", [b"<b data-slot=hero>x</b>", b"<B DATA-Slot=hero>x</B>", b"<!-- SLOT:hero -->", SLOT, OPEN, CLOSE, b"new"]
)
def test_what_is_new_is_seen_wherever_it_stands(mark: bytes) -> None:
    calm = PAGE % (1, b"calm")
    for at in range(len(calm) + 1):
        if calm[at : at + 1] in (b"<", b""):
            read_after(calm, calm[:at] + mark + calm[at:])
            read_after(calm[:at] + mark + calm[at:], calm)


def test_a_slot_that_tags_of_the_page_are_joined_by_is_found() -> None:
    written = read_after(PAGE % (3, b"calm"), PAGE % (4, b"</p><div DATA-SLOT=hero>Default</div><p>"))
    assert written.layout.slot_ids == ("hero", "hero", "hero")


def test_the_first_page_from_a_path_is_compared_with_the_latest_one_beside_it() -> None:
    shells = Shells(TOKEN)
    for number in range(2_000):
        shell = shells.shell(PAGE % (number, b"calm"), f"/p/{number}", "text/html", Hero())
        assert shell.layout.slot_ids == ("hero", "hero")
    assert list(shells._news) == ["/p/0"], "no other one was searched"
    marked = shells.shell(PAGE % (1, b"<b data-slot=hero>x</b>"), "/p/x", "text/html", Hero())
    assert marked.layout.slot_ids == ("hero", "hero", "hero")


@pytest.mark.parametrize("mark", [b"<b data-slot=hero>x</b>", b"<!--   slot:hero --><!-- /slot:hero -->", SLOT])
def test_a_mark_of_which_one_letter_is_new_is_found_wherever_it_stands(mark: bytes) -> None:
    for at in (4, 11):  # behind the first letter of the word, and before its last
        for size in range(200, 264):
            begin, end = b"x" * size, b"x" * (463 - size)
            for before in (mark[:at] + b"#" + mark[at + 1 :], mark[:at] + b"#" + mark[at:]):
                assert read_after(begin + before + end, begin + mark + end).layout.slot_ids == ("hero",)


@pytest.mark.parametrize("mark", [b"<b data-slot=hero>x</b>", b"<!-- slot:hero --><!-- /slot:hero -->", SLOT])
def test_where_pages_were_new_before_is_not_the_only_place_that_is_looked_at(mark: bytes) -> None:
    shells, calm = Shells(TOKEN), b"<p>calm</p>" * 300
    for at in (0, 1_100, len(calm)):
        marked = calm[:at] + mark + calm[at:]
        for begin, news, end in ((calm, b"a", calm), (calm, b"b", calm), (marked, b"c", calm), (calm, b"d", marked)):
            page = b"%b<i>%b</i>%b" % (begin, news, end)
            assert told(shell_of(shells, page)) == told(shell_of(Shells(TOKEN), page))


def test_a_page_without_slots_is_compared_with_the_last_one_too() -> None:
    shells = Shells(TOKEN)
    for number in range(100):
        assert shell_of(shells, b"<h1>%d</h1>" % number + b"<p>Text</p>" * 30).is_plain
    assert list(shells._outlines) == ["/"] and not shells._kept
    for page in (b"", b"", b"<p>", b""):
        assert shell_of(shells, page).is_plain


def test_another_default_is_that_of_the_slot() -> None:
    other = read_after(SLOT + b"<p>1</p>", OPEN + b"<p>Another</p>" + CLOSE + b"<p>2</p>")
    assert other.layout.filled((), "utf-8") == b"<p>Another</p><p>2</p>"


@pytest.mark.parametrize(
    ("before", "page"),
    [
        (b"<p>" + SLOT, SLOT),
        (SLOT, OPEN + b"d<!--slot %b-->" % TOKEN),
        (CLOSE + b"<p>1" + SLOT, CLOSE + b"<p>2" + SLOT),
    ],
    ids=["a text less", "what is almost a mark", "half a slot"],
)
def test_a_page_of_other_pieces_is_read_anew(before: bytes, page: bytes) -> None:
    read_after(before, page)


def test_a_slot_that_a_selector_finds_is_looked_for_in_every_page() -> None:
    class Placed(Hero):
        placements = MappingProxyType({"hero": Placement("main", "inside")})

    class PlacedLater(Placed):
        version = "v2"

    shells = Shells(TOKEN)
    for slots in (Placed(), Hero(), PlacedLater()):
        for page in (b"<p>1</p>" + SLOT, b"<p>2</p>" + SLOT, b"<main>3</main>" + SLOT):
            slot_ids = shells.shell(page, "/", "text/html", slots).layout.slot_ids
        assert slot_ids == (("hero",) if slots.version == "v1" and not slots.placements else ("hero", "hero"))


def test_a_default_that_has_become_too_long_stays() -> None:
    longer = read_after(SLOT, OPEN + b"x" * (LONGEST_REGION + 1) + CLOSE)
    assert longer.layout.slot_ids == () and longer.doubts


def test_a_page_that_says_its_encoding_later_than_the_last_one_keeps_the_slots_before_it() -> None:
    declared = b"<meta charset=latin-1>"
    late = read_after(b"<title>1</title>%b%b<p>%b" % (declared, SLOT, SLOT), b"<title>2</title>%b%b<p>" % (SLOT, SLOT))
    assert late.encoding == "utf-8"
    assert read_after(b"<p>1" + SLOT + b"<p>", b"<p>2" + SLOT + declared).doubts
    assert read_after(b"<p>1" + declared + SLOT, b"<p>2" + declared + SLOT).encoding == "iso8859-1"
    assert read_after(b"<p>1" + SLOT, b"\xfe\xff<p>1" + SLOT).encoding is None


def test_the_same_page_of_another_content_type_is_read_anew() -> None:
    shells = Shells(TOKEN)
    for content_type, encoding in (("text/html", "utf-8"), ("text/html; charset=latin-1", "iso8859-1")) * 2:
        assert shell_of(shells, PAGE % (1, b"calm"), content_type).encoding == encoding


@pytest.mark.parametrize("length", [0, 10, 120, 160, 290])
def test_a_text_that_has_become_shorter_than_what_stayed_the_same_is_read_anew(length: int) -> None:
    shells = Shells(TOKEN)
    for text in (b"x" * 300, b"x" * 150 + b"y" + b"x" * 149, b"x" * length, b"x" * 299):
        page = text + SLOT
        assert told(shell_of(shells, page)) == told(shell_of(Shells(TOKEN), page))


_PARTS = st.sampled_from(
    [
        b"<p>%b</p>" % (b"text" * 50),
        b"data-",
        OPEN,
        CLOSE,
        SLOT,
        b"<p>",
        b"slot ",
        b"slot:",
        b"<!--",
        b"<b data-SLOT=hero>x</b>",
        TOKEN,
    ]
)


@settings(deadline=None, max_examples=100)
@given(st.lists(st.tuples(st.lists(st.booleans(), min_size=4, max_size=4), _PARTS, _PARTS), max_size=7))
def test_whatever_pages_came_before_each_is_read_as_if_it_was_the_first(
    parts: list[tuple[list[bool], bytes, bytes]],
) -> None:
    shells = Shells(TOKEN)
    for number in range(4):
        page = b"".join(other if is_new[number] else one for is_new, one, other in parts)
        assert told(shell_of(shells, page)) == told(shell_of(Shells(TOKEN), page))


@settings(deadline=None, max_examples=200)
@given(st.lists(st.tuples(st.booleans(), _PARTS, _PARTS), max_size=7))
def test_whatever_came_before_a_page_is_read_as_if_it_was_the_first(parts: list[tuple[bool, bytes, bytes]]) -> None:
    before = b"".join(one for _, one, _ in parts)
    read_after(before, b"".join(other if is_new else one for is_new, one, other in parts))
