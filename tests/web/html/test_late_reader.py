"""What leaves before it is read, and that nothing else comes of it than of a page that is read at once."""

from itertools import pairwise

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from personalize.web.html.comment_places import CommentPlaces
from personalize.web.html.doubts import Doubts
from personalize.web.html.late_reader import LateReader
from personalize.web.html.marks import close_mark, open_mark
from personalize.web.html.pieces import Copy
from personalize.web.html.written import WrittenScanner
from tests.trust.trials import trials
from tests.web.html.test_scanner import TOKEN, pieces_of, scanner, without_edges

ROW = b'<li class="card"><a href="/p/1"><img src="/i/1.jpg" alt="">It\'s a thing, no. > 1</a></li>\n'
MUCH = ROW * 15
SLOT = b"<div data-slot=hero>D</div>"
TOKEN_SLOT = open_mark(TOKEN, "hero").encode() + b"D" + close_mark(TOKEN).encode()
COMMENTS = b"<!-- c -->\n" * 200


def late() -> WrittenScanner:
    return WrittenScanner(max_region=65_536, known={"hero"}.__contains__, doubts=Doubts(), unknown=set(), places=None)


def left_of(reader: LateReader, chunk: bytes) -> bytes | None:
    return reader.leave(chunk, chunk.lower())


@pytest.mark.parametrize(
    ("end", "waits"),
    [
        (b"", b""),
        (b"text", b""),
        (b"it's", b""),
        (b"<br title='a>b'>it's", b""),
        (b'<a title="a', b'<a title="a'),
        (b"it's <em>so</em> <a hr", b"<a hr"),
        (b"<script>if (a <b", b"<b"),
    ],
)
def test_a_chunk_without_a_mark_leaves_unread_but_for_a_tag_that_is_not_whole(end: bytes, waits: bytes) -> None:
    reader = late()
    assert left_of(reader, MUCH + end) == MUCH + end.removesuffix(waits)
    assert reader.is_late
    assert reader.close() == ([Copy(waits)] if waits else [])


@pytest.mark.parametrize(
    "chunk",
    [
        *(MUCH[:1000], MUCH + SLOT + MUCH, MUCH + SLOT.upper(), MUCH + b"<!-- slot:hero -->", MUCH + b"slots!"),
        *(MUCH + b"<", MUCH + b"<!", MUCH + b"<!-- sl", MUCH + b"<a " + b"x" * 1024),
        *(MUCH + b'<a title="a > b', MUCH + b'<a title="a <b', MUCH + b'<a title="<b></b>" c'),
    ],
)
def test_a_chunk_that_may_hold_a_mark_or_the_begin_of_one_is_read_at_once(chunk: bytes) -> None:
    assert left_of(late(), chunk) is None


def test_so_many_bytes_are_left_unread_and_no_more() -> None:
    reader = late()
    size = 0
    while left_of(reader, MUCH) is not None:
        size += len(MUCH)
    assert 65_536 < size < 70_000
    assert reader.feed(MUCH, size) == [Copy(MUCH)]
    assert not reader.is_late
    assert left_of(reader, MUCH) == MUCH


#: A number stands for so many times `MUCH`.
PARTS: st.SearchStrategy[bytes | int] = st.sampled_from(
    [
        *(1, 1, 1, 3, 50, SLOT, TOKEN_SLOT, b"<section data-slot='hero' id=x><p>D</p></section>"),
        *(b"<!-- slot:hero -->D<!-- /slot:hero -->", b"<!-- ", b" -- " * 300, b"-->"),
        *(b"<script>", b"<script>if (a <b) {", b"</script>", b"<svg>" + b"<g></g>" * 200, b"<svg>", b"</svg>"),
        *(b"<title>", b"</title>", b"<textarea>", b"</textarea>", b'<a title="', b'">', b"<template>", b"</template>"),
        *(b"<table><tr><td>", b"</table>", b"<form>", b"</form>", b"<plaintext>", b"slots", b"it's", b"<", b"<!", b'"'),
    ]
)
EXAMPLES = trials(60, 20_000)


@pytest.mark.trust(tries=EXAMPLES)
@given(
    parts=st.lists(PARTS, max_size=10), sizes=st.lists(st.sampled_from([1, 3, 30, 1024, 1100, 2000, 5000]), min_size=1)
)
@example(parts=[MUCH, TOKEN_SLOT], sizes=[len(MUCH) + 1, 5000])
@example(parts=[MUCH, b"<script>", MUCH, SLOT, b"</script>", SLOT], sizes=[len(MUCH) + 400, 2, 3, 5000])
@example(parts=[MUCH, b'<div title="a > b" data-slot=hero>D</div>'], sizes=[len(MUCH) + 18, 2000])
@example(parts=[MUCH, b'<div title="it\'s <b" data-sl', b"ot=hero>D</div>"], sizes=[len(MUCH) + 28, 2000])
@example(parts=[50, SLOT, 60, SLOT], sizes=[1100])
@example(parts=[MUCH, b"<b data-slot=hero>D</b>"], sizes=[len(MUCH), 2000])
@example(parts=[b"<!-- ", MUCH, b"-->", SLOT], sizes=[len(MUCH) + 5, 3, 2000])
@example(
    parts=[b"slots <script>", MUCH, b"</script>", MUCH, TOKEN_SLOT, SLOT], sizes=[len(MUCH) + 14, len(MUCH) + 9, 99]
)
@example(
    parts=[b"slots ", COMMENTS, b'<a title="><!-- ">', MUCH, TOKEN_SLOT, SLOT],
    sizes=[len(COMMENTS) + 6, len(MUCH) + 18, 99],
)
@example(parts=[MUCH, SLOT, b"<div data-slot=hero>D</div>", SLOT], sizes=[len(MUCH) + len(SLOT) + 6, 99])
@settings(max_examples=EXAMPLES, deadline=None)
def test_what_leaves_unread_changes_nothing_that_is_found(parts: list[bytes | int], sizes: list[int]) -> None:
    page = b"".join(MUCH * part if isinstance(part, int) else part for part in parts)
    cuts = [0]
    while cuts[-1] < len(page):
        cuts.append(cuts[-1] + sizes[len(cuts) % len(sizes) - 1])
    in_chunks, at_once = scanner(), scanner()
    pieces = [piece for begin, end in pairwise(cuts) for piece in in_chunks.feed(page[begin:end])] + in_chunks.close()
    assert without_edges(pieces) == without_edges(at_once.last(page))
    assert in_chunks.doubts.by_slot == at_once.doubts.by_slot
    assert b"".join(piece.data for piece in pieces) == page


def test_a_token_mark_is_found_wherever_a_long_chunk_ends_in_it() -> None:
    page = MUCH + TOKEN_SLOT + MUCH
    whole = without_edges(pieces_of(page))
    for at in range(len(MUCH), len(MUCH) + len(TOKEN_SLOT) + 1):
        assert without_edges(pieces_of(page, [at])) == whole, at


@pytest.mark.parametrize("before", [b"<title>", b"<script>", b'<a title="', b"<!-- ", b"<plaintext>"])
def test_a_place_for_a_comment_is_known_behind_what_was_not_read(before: bytes) -> None:
    places = CommentPlaces()
    for _ in range(60):
        places.pass_by(MUCH)
    assert places.takes_comment
    places.pass_by(before)
    for _ in range(60):
        places.pass_by(MUCH.replace(b'"', b"").replace(b">", b""))
    assert not places.takes_comment
