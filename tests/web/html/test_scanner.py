"""What the scanner finds, what it leaves alone, and that neither depends on how the page is cut into chunks."""

import asyncio
import time
from collections.abc import Iterator, Sequence
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from personalize.web.html.charset import page_encoding
from personalize.web.html.marks import close_mark, open_mark
from personalize.web.html.open_elements import DEEPEST
from personalize.web.html.pieces import Copy, Piece, Slot, Stray
from personalize.web.html.rewriter import Rewriter
from personalize.web.html.scanner import LONGEST_REGION, Scanner
from tests.trust.trials import trials

CASES = Path(__file__).parents[2] / "cases" / "html"
SOURCES = sorted(CASES.glob("*.src.html"))
TOKEN = "0123456789abcdef0123"
FILLS = {
    "hero": "<b>filled</b>",
    "accents": "é €",
    "echo": "<div data-slot=hero>again</div>",
    "empty": None,
}


def scanner(**options: int) -> Scanner:
    return Scanner(token=TOKEN.encode(), known=FILLS.__contains__, **options)


async def fill(slot_ids: Sequence[str]) -> list[str | None]:
    return [FILLS.get(slot_id) for slot_id in slot_ids]


def filled(chunks: list[bytes]) -> bytes:
    """The page with its slots filled, from these chunks."""
    whole = b"".join(chunks)
    encoding = page_encoding("text/html", whole)
    assert encoding is not None

    async def pass_by() -> bytes:
        rewriter = Rewriter(scanner(), fill, encoding)
        parts = [await rewriter.feed(chunk) for chunk in chunks]
        return b"".join([*parts, await rewriter.close()])

    return asyncio.run(pass_by())


def pieces_of(page: bytes, cuts: list[int] | None = None) -> list[Piece]:
    found = scanner()
    chunks = cut(page, cuts or [])
    return [piece for chunk in chunks for piece in found.feed(chunk)] + found.close()


def cut(page: bytes, cuts: list[int]) -> list[bytes]:
    edges = [0, *sorted(min(at, len(page)) for at in cuts), len(page)]
    return [page[start:end] for start, end in pairwise(edges)]


def without_edges(pieces: list[Piece]) -> list[Slot | Stray | bytes]:
    """The pieces with neighbouring copies joined: what has to be the same however the page was cut."""
    joined: list[Slot | Stray | bytes] = []
    for piece in pieces:
        if not isinstance(piece, Copy):
            joined.append(piece)
        elif joined and isinstance(joined[-1], bytes):
            joined[-1] += piece.data
        else:
            joined.append(piece.data)
    return [piece for piece in joined if piece != b""]


@pytest.fixture(params=SOURCES, ids=lambda path: path.name.removesuffix(".src.html"))
def case(request: pytest.FixtureRequest) -> Iterator[tuple[bytes, bytes]]:
    source: Path = request.param
    expected = source.with_name(source.name.replace(".src.", ".expected."))
    yield source.read_bytes(), expected.read_bytes()


def test_there_are_cases_for_every_trap_of_html() -> None:
    traps = {path.name[:2] for path in SOURCES}
    assert traps >= {str(number) for number in range(32, 52) if number not in (47, 48, 49)}


def test_a_page_is_filled_as_its_case_says(case: tuple[bytes, bytes]) -> None:
    source, expected = case
    assert filled([source]) == expected


def test_behind_other_text_a_page_is_filled_the_same(case: tuple[bytes, bytes]) -> None:
    """A short page is read tag by tag, in a longer one most is leapt over."""
    source, expected = case
    before = b"<p>Some text that is long enough.</p>\n" * 3
    assert filled([before + source]) == before + expected
    much = before * 20
    slots = [piece for piece in pieces_of(source) if not isinstance(piece, Copy)]
    for pieces in (pieces_of(much + source), scanner().last(much + source)):
        assert [piece for piece in pieces if not isinstance(piece, Copy)] == slots
        assert b"".join(piece.data for piece in pieces) == much + source


def test_a_page_in_single_bytes_is_filled_as_its_case_says(case: tuple[bytes, bytes]) -> None:
    source, expected = case
    assert filled([source[at : at + 1] for at in range(len(source))]) == expected


def test_a_page_cut_once_anywhere_has_the_same_pieces(case: tuple[bytes, bytes]) -> None:
    source, _ = case
    whole = without_edges(pieces_of(source))
    step = 1 + len(source) // 500
    for at in range(0, len(source), step):
        assert without_edges(pieces_of(source, [at])) == whole, at


def test_the_last_chunk_needs_no_other_way(case: tuple[bytes, bytes]) -> None:
    source, _ = case
    assert without_edges(scanner().last(source)) == without_edges(pieces_of(source))


FRAGMENTS = st.sampled_from(
    [path.read_bytes() for path in SOURCES if path.stat().st_size < 500]
    + [open_mark(TOKEN, "hero").encode(), close_mark(TOKEN).encode(), b"<div data-slot=hero>", b"</div>"]
    + b"< <! <!- <!-- --> <a </a ' \" = > </ <script> </script> <svg> </svg> <table> <td> <p> <select> &".split()
    + [b"<![CDATA[", b"]]>", b" slot:hero ", b"data-slot", b"\x00", b"\r\n", "é€🙂".encode()]
)
PAGES = st.lists(FRAGMENTS | st.binary(max_size=6), max_size=12).map(b"".join)
#: Pieces of more than 1 KB are read in other steps than short ones.
MUCH = b"<p>Some text that is long enough.</p>\n" * 40
EXAMPLES = trials(120, 20_000)
TOKEN_BEGINS = open_mark(TOKEN, "hero").encode()


@pytest.mark.trust(tries=EXAMPLES)
@given(
    page=PAGES | st.lists(PAGES, min_size=2, max_size=4).map(MUCH.join), cuts=st.lists(st.integers(0, 5000), max_size=8)
)
@example(page=b"<iframe><div data-slot=hero>D</div></iframe>", cuts=[2, 2])
@example(page=MUCH + b'<div class="a">' + TOKEN_BEGINS + b"</div><div data-slot=hero>D</div>", cuts=[1])
@example(page=MUCH + b"<!-- slot:hero -->D<!-- /slot:hero -->" + TOKEN_BEGINS, cuts=[1])
@example(page=MUCH + b"a <b>text</b> " + TOKEN_BEGINS + b"D" + close_mark(TOKEN).encode(), cuts=[len(MUCH) + 16])
@example(page=MUCH + b'<a title="<b><div data-slot=hero>D</div>">', cuts=[len(MUCH) + 13])
@example(page=MUCH + b'<a title="<b><!-- "><i title="--><div data-slot=hero>D</div>">', cuts=[])
@example(page=MUCH + b"<a title=\"<b> it's ><div data-slot=hero>D</div>", cuts=[len(MUCH) + 13, len(MUCH) + 60])
@settings(max_examples=EXAMPLES, deadline=None)
def test_no_cut_and_no_byte_changes_what_is_found(page: bytes, cuts: list[int]) -> None:
    whole = pieces_of(page)
    assert b"".join(piece.data for piece in whole) == page
    assert without_edges(pieces_of(page, cuts)) == without_edges(whole)
    if page:
        assert without_edges(scanner().last(page)) == without_edges(pieces_of(page, [*range(1, len(page))]))


WHOLE = st.sampled_from(
    [
        *(
            b'<section class="a b" data-slot="hero" id="x"><p>D</p></section>',
            b"<div data-slot=hero >D<b>x</b> y</div>",
        ),
        *(b'<div data-slot="hero" data-slot="echo">D</div>', b'<div data-slot="A" data-slot="hero">D</div>'),
        *(b'<table class=x><tr><td>"a" it\'s</table>', b"<table><tr><td><!-- x --></table>", b"<table><p>x</table >"),
        *(b"<script>if (a < b && \"</b>\") '<div data-slot=hero>'</script>", b"<script><!-- <script></script> -->"),
        *(
            b"<style>a > b { }</style >",
            b"<!-- a -- b --->",
            b"<!-- a --!> -->",
            b"<title>a < b</title>",
            b"<!-- slot:hero -->",
        ),
        *(b"<svg viewBox='0'><g><path d=''/></g></svg>", b"<form><input>", b"</form>", b"<textarea><p></textareas>"),
        *(b"<a title=\"it's\" href='x>y'>z</a>", b'<p class="', b'">', b"</table>", b"<td>", b'text " ', b" ' "),
    ]
)


@given(page=st.lists(WHOLE | FRAGMENTS, max_size=14).map(b"".join))
@settings(max_examples=EXAMPLES, deadline=None)
def test_what_is_read_in_one_step_is_read_byte_by_byte_the_same(page: bytes) -> None:
    page = b"<p>Some text that is long enough to be leapt over, and then some.</p>" + page
    at_once, in_bytes = scanner(), scanner()
    whole = at_once.last(page)
    pieces = [piece for at in range(len(page)) for piece in in_bytes.feed(page[at : at + 1])] + in_bytes.close()
    assert without_edges(whole) == without_edges(pieces)
    assert at_once.doubts.by_slot == in_bytes.doubts.by_slot


@given(page=st.binary())
@example(page=b"<slots")
@example(page=b"<p>Book one of the <b class=slot>slots</b></p>")
def test_a_page_without_marks_is_copied(page: bytes) -> None:
    if b"slot:" not in page.lower() and b"data-slot" not in page.lower():
        assert all(isinstance(piece, Copy) for piece in pieces_of(page))
        assert scanner().last(page) == [Copy(page)] or not page


@pytest.mark.parametrize(
    ("beginning", "waits"),
    [
        (b"<p>a</p><di", b"<di"),
        (b"<p>a</p>text", b""),
        (b"<p>a</p><", b"<"),
        (b"<p>a</p><!-- copyright ", b""),
        (b"<p>a</p><!-- slot:he", b"<!-- slot:he"),
        (b"<p>a</p><script>var a = 12345", b" = 12345"),
        (b"<p>a</p><textarea>abc", b""),
        (b"<p>a</p><!--slot 0123", b"<!--slot 0123"),
        (b"<p>a</p>1 < 2 and", b""),
    ],
)
def test_only_what_is_undecided_waits(beginning: bytes, waits: bytes) -> None:
    left = b"".join(piece.data for piece in scanner().feed(beginning))
    assert left + waits == beginning


def test_a_slot_far_down_the_page_is_found() -> None:
    page = b"<p>it's a paragraph</p>" * 40_000 + b"<div data-slot=hero>D</div>"
    found = scanner()
    pieces = [piece for at in range(0, len(page), 4096) for piece in found.feed(page[at : at + 4096])]
    assert [piece.slot_id for piece in pieces if isinstance(piece, Slot)] == ["hero"]


def test_what_waits_is_bounded() -> None:
    for endless in (b"<div data-slot=hero>" + b"text " * 40_000, b"<a title='" + b"x" * 100_000, b"<!-- " * 40_000):
        found = scanner()
        left = sum(
            len(piece.data) for at in range(0, len(endless), 1000) for piece in found.feed(endless[at : at + 1000])
        )
        assert len(endless) - left <= LONGEST_REGION + 5_000


def seconds(page: bytes, size: int) -> float:
    """What reading the page takes at best, where it comes in chunks of this size."""
    took = []
    for _ in range(3):
        found = scanner()
        begin = time.process_time()
        for at in range(0, len(page), size):
            found.feed(page[at : at + size])
        found.close()
        took.append(time.process_time() - begin)
    return min(took)


@pytest.mark.parametrize(
    "page",
    [
        b"<div data-slots=off>%b</div><div data-slot=hero>D</div>",
        b"<svg>%b</svg><div data-slot=hero>D</div>",
        b"<svg><desc>%b</desc></svg><div data-slot=hero>D</div>",
        b"<div data-slot=hero>%b</div>",
    ],
)
def test_what_is_nested_deeper_than_browsers_nest_is_a_doubt(page: bytes) -> None:
    for deep, slots in ((DEEPEST - 10, 1), (DEEPEST + 10, 0)):
        found = pieces_of(page % (b"<x>" * deep + b"</x>" * deep))
        assert sum(isinstance(piece, Slot) for piece in found) == slots


@pytest.mark.parametrize("unit", [b"<!--", b"<a ", b"<", b'"', b"<a title='", b"<div data-slot=hero>"])
def test_what_reading_takes_grows_with_the_page_even_in_single_bytes(unit: bytes) -> None:
    page = unit * (10_000 // len(unit))
    assert seconds(page * 4, 1) < 9 * seconds(page, 1)  # 16 if each byte cost a look back


def test_that_a_comment_was_not_moved_is_seen_at_a_look() -> None:
    page = b"<!-- slot:hero -->\n%b <!-- /slot:hero -->"
    lines = b"<br />\n<p>x</p>\n" * 900
    assert seconds(page % (lines * 4), LONGEST_REGION) < 9 * seconds(page % lines, LONGEST_REGION)


@pytest.mark.parametrize("begin", [b"<table>", b"<svg>", b"<script>", b"<style>", b"<title>", b"<!--"])
@pytest.mark.parametrize("unit", [b"<tr><td>a", b'<td class="a" id=b />', b"<path d='x'/><g></g>", b"<p a>'", b"- <! "])
def test_a_part_without_an_end_is_not_tried_in_many_ways(begin: bytes, unit: bytes) -> None:
    """Where a tag could be read in two ways, thirty of them would take for ever."""
    page = b"<p>Some text that is long enough.</p>" + begin + 2_000 * unit + b"<div data-slot=hero>D</div>"
    assert b"".join(piece.data for piece in scanner().last(page)) == page


@pytest.mark.parametrize(
    ("page", "reason"),
    [
        (b"<p data-slot=hero>D</p>", "element"),
        (b"<div data-slot=hero />", "self-closing"),
        (b"<div data-slot='no name'>D</div>", "name"),
        (b"<div data-slot=nobody>D</div>", "unknown"),
        (b"<table><tr><div data-slot=hero>D</div>", "table"),
        (b"<div data-slot=hero><b>D</div>", "nesting"),
        (b"<div data-slot=hero>D", "unclosed"),
        (b"<div data-slot=hero>" + b"long" * 20_000 + b"</div>", "too long"),
        (b"<div data-slot=hero><svg><p>", "lost"),
        (close_mark(TOKEN).encode(), "stray"),
        ((CASES / "44-comment-moved-by-markdown.src.html").read_bytes().partition(b"<div")[0], "moved"),
    ],
)
def test_every_slot_left_alone_is_counted_with_its_reason(page: bytes, reason: str) -> None:
    found = scanner()
    pieces = found.feed(page) + found.close()
    assert not [piece for piece in pieces if isinstance(piece, Slot)]
    assert found.doubts.counted == {reason: 1}


def test_comments_that_stand_suspiciously_far_apart_are_filled_and_told() -> None:
    found = scanner()
    pieces = found.last(b"<!-- slot:hero --><p>D</p>\n<h2>Next chapter</h2><!-- /slot:hero -->")
    assert [piece.slot_id for piece in pieces if isinstance(piece, Slot)] == ["hero"]
    assert found.doubts.by_slot == {"hero": "wide"}
    assert scanner().last(b"<div data-slot=hero><h2>x</h2></div>")
    assert found.doubts.by_slot["hero"].is_filled


def test_slots_that_nobody_knows_are_named() -> None:
    found = scanner()
    found.feed(b"".join(b"<div data-slot=s%d>" % number for number in range(200)))
    assert found.doubts.counted["unknown"] == 200
    assert len(found.unknown) == 50
    assert "s0" in found.unknown


def test_written_marks_may_be_left_alone_altogether() -> None:
    mark = open_mark(TOKEN, "hero").encode()
    page = b"<div data-slot=hero>D</div>" + mark + b"D" + close_mark(TOKEN).encode()
    found = Scanner(token=TOKEN.encode(), written=False)
    slots = [piece for piece in found.feed(page) + found.close() if isinstance(piece, Slot)]
    assert slots == [Slot("hero", mark, b"D", close_mark(TOKEN).encode(), "token")]


def test_the_limit_of_a_slot_is_its_inside() -> None:
    for inside, is_found in ((b"x" * 100, True), (b"x" * 101, False)):
        for page in (
            b"<div data-slot=hero>%b</div>" % inside,
            b"<!-- slot:hero -->%b<!-- /slot:hero -->" % inside,
            b"%b%b%b" % (open_mark(TOKEN, "hero").encode(), inside, close_mark(TOKEN).encode()),
        ):
            for size in (1, 7, len(page)):
                found = scanner(max_region=100)
                chunks = [page[at : at + size] for at in range(0, len(page), size)]
                pieces = [piece for chunk in chunks for piece in found.feed(chunk)] + found.close()
                assert any(isinstance(piece, Slot) for piece in pieces) == is_found
