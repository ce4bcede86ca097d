"""What a page becomes when its slots are filled."""

import asyncio
from collections.abc import Mapping, Sequence

from personalize.web.marks import close_mark, open_mark
from personalize.web.rewriter import MOST_SLOTS, Rewriter
from personalize.web.scanner import Scanner

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


def test_a_page_without_slots_is_the_very_same_bytes() -> None:
    page = b"<p>time slots</p>"
    assert asyncio.run(rewriter({}).last(page)) is page
