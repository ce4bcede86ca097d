"""What a page becomes when its slots are filled."""

import asyncio
from collections.abc import Mapping, Sequence

import pytest

from personalize.web.html.charset import EncodingInParts
from personalize.web.html.doubts import Doubt
from personalize.web.html.marks import close_mark, open_mark
from personalize.web.html.rewriter import MOST_SLOTS, Rewriter
from personalize.web.html.scanner import Scanner

TOKEN = "0123456789abcdef0123"


def rewriter(markup: Mapping[str, str | None], encoding: str = "utf-8") -> Rewriter:
    async def fill(slot_ids: Sequence[str]) -> list[str | None]:
        await asyncio.sleep(0)
        return [markup.get(slot_id) for slot_id in slot_ids]

    return Rewriter(Scanner(token=TOKEN.encode()), fill, encoding)


def token_slot(slot_id: str, default: str) -> bytes:
    return f"{open_mark(TOKEN, slot_id)}{default}{close_mark(TOKEN)}".encode()


def test_slots_are_asked_for_in_the_order_of_the_page() -> None:
    asked: list[str] = []

    async def fill(slot_ids: Sequence[str]) -> list[str | None]:
        asked.extend(slot_ids)
        return [None if slot_id == "b" else slot_id.upper() for slot_id in slot_ids]

    page = b"<i data-slot=c>1</i>" + token_slot("a", "2") + b"<!-- slot:b -->3<!-- /slot:b -->"
    filling = Rewriter(Scanner(token=TOKEN.encode()), fill, "utf-8")
    assert asyncio.run(filling.last(page)) == b"<i data-slot=c>C</i>A<!-- slot:b -->3<!-- /slot:b -->"
    assert asked == ["c", "a", "b"]
    assert filling.slots == 3


def test_marks_with_a_token_never_leave() -> None:
    page = token_slot("a", "x" + token_slot("b", "y").decode()) + close_mark(TOKEN).encode() + b"<p data-slot=c>"
    filling = rewriter({})
    assert asyncio.run(filling.last(page)) == b"xy<p data-slot=c>"


def test_what_the_encoding_lacks_becomes_a_reference() -> None:
    filling = rewriter({"a": "é €"}, "iso8859-1")
    assert asyncio.run(filling.last(b"<b data-slot=a>x</b>\xe9")) == b"<b data-slot=a>\xe9 &#8364;</b>\xe9"


def test_an_empty_filling_empties_the_slot() -> None:
    assert asyncio.run(rewriter({"a": ""}).last(b"<b data-slot=a>x</b>")) == b"<b data-slot=a></b>"


def test_a_page_of_countless_slots_is_filled_up_to_a_limit() -> None:
    page = b"<b data-slot=a>x</b>" * (MOST_SLOTS + 3)
    filling = rewriter({"a": "y"})
    left = asyncio.run(filling.last(page))
    assert left == b"<b data-slot=a>y</b>" * MOST_SLOTS + b"<b data-slot=a>x</b>" * 3
    assert filling.slots == MOST_SLOTS + 3
    assert filling.skipped == 3


@pytest.mark.sources  # what is compiled copies what Python need not
def test_a_page_without_slots_is_the_very_same_bytes() -> None:
    page = b"<p>time slots</p>"
    assert asyncio.run(rewriter({}).last(page)) is page


def in_chunks(page: bytes, size: int, content_type: str = "text/html") -> tuple[bytes, Rewriter]:
    """The page with the slot `a` filled by "é €", from chunks of this size."""

    async def fill(slot_ids: Sequence[str]) -> list[str | None]:
        return ["é €"] * len(slot_ids)

    async def pass_by() -> tuple[bytes, Rewriter]:
        filling = Rewriter(Scanner(token=TOKEN.encode()), fill, EncodingInParts(content_type))
        parts = [await filling.feed(page[at : at + size]) for at in range(0, len(page), size)]
        return b"".join([*parts, await filling.close()]), filling

    return asyncio.run(pass_by())


@pytest.mark.parametrize(
    ("page", "content_type", "filling"),
    [
        (b"<meta charset=latin1><b data-slot=a>x</b>\xe9", "text/html", b"\xe9 &#8364;"),
        (b"<meta charset=latin1>" + b" " * 2000 + b"<b data-slot=a>x</b>\xe9", "text/html", b"\xe9 &#8364;"),
        (b"<meta charset=latin1><b data-slot=a>x</b>", "text/html; charset=utf-8", "é €".encode()),
        (b"\xef\xbb\xbf<meta charset=latin1><b data-slot=a>x</b>", "text/html; charset=latin1", "é €".encode()),
        (b"<b data-slot=a>x</b>", "text/html", "é €".encode()),
        (b"<b data-slot=a>x</b><p><meta charset=latin1>", "text/html; charset=big5", b"\x88m &#8364;"),
        (b"<meta charset=iso-2022-jp><b data-slot=a>x</b>", "text/html", b"x"),
        (b" " * 1030 + b"<meta charset=latin1><b data-slot=a>x</b>", "text/html", "é €".encode()),
    ],
)
def test_the_encoding_of_a_page_does_not_depend_on_how_it_is_cut(
    page: bytes, content_type: str, filling: bytes
) -> None:
    for size in (1, 2, 30, 1024, len(page)):
        assert in_chunks(page, size, content_type)[0] == page.replace(b">x<", b">%b<" % filling), size


def test_a_slot_before_the_declaration_of_the_encoding_can_not_push_it_out_of_sight() -> None:
    page = b"<!-- slot:a -->x<!-- /slot:a --><meta charset=utf-8><b data-slot=a>x</b>"
    for size in (1, 40, len(page)):
        left, filling = in_chunks(page, size)
        assert left == page.replace(b">x</b", ">é €</b".encode())
        assert filling.doubts == {"a": Doubt.EARLY}
    assert in_chunks(page, 9, "text/html; charset=utf-8")[0].count("é €".encode()) == 2


def test_only_a_slot_waits_for_the_encoding() -> None:
    async def pass_by() -> None:
        filling = Rewriter(Scanner(token=TOKEN.encode()), rewriter({"a": "y"})._fill, EncodingInParts("text/html"))
        assert await filling.feed(b"<p>a</p><di") == b"<p>a</p>"
        assert not filling.waits
        assert await filling.feed(b"v data-slot=a>x</div><p>b") == b""
        assert filling.waits
        assert await filling.close() == b"<div data-slot=a>y</div><p>b"

    asyncio.run(pass_by())
