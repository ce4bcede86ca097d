"""Where the script may stand that tells what came into view, and where a slot goes without."""

import asyncio
from collections.abc import Sequence
from typing import cast

import pytest

from personalize.runtime.page_view import PageView
from personalize.runtime.seen import SeenMarks
from personalize.web.html.marks import close_mark, open_mark
from personalize.web.html.scanner import Scanner
from personalize.web.seen.seen_script import watching
from personalize.web.seen.slot_watch import SlotWatch, WatchedRewriter

TOKEN = "0123456789abcdef0123"
SLOT = f"{open_mark(TOKEN, 'hero')}D{close_mark(TOKEN)}"
HEAD = "<!doctype html><title>Shop</title>"


class OnePage:
    """A page view that fills one slot."""

    prefix = "/_p"

    async def markups(self, slot_ids: Sequence[str]) -> list[str | None]:
        """The markup of the slots."""
        return ["<b>F</b>" if slot_id == "hero" else None for slot_id in slot_ids]

    def seen_mark(self, slot_id: str, marks: SeenMarks) -> str:
        """What says that a slot was seen."""
        return f"mark of {slot_id}"


def watched(page: str, cut: int = 0) -> str:
    """The page with its slots filled, an exclamation mark in place of each script that watches."""
    scanner = Scanner(token=TOKEN.encode())
    watch = SlotWatch(cast(PageView, OnePage()), SeenMarks(["a key"]), None)
    rewriter = WatchedRewriter(scanner, watch, "utf-8")

    async def run() -> bytes:
        data = page.encode()
        return await rewriter.feed(data[:cut]) + await rewriter.last(data[cut:])

    return asyncio.run(run()).decode().replace(watching("", "mark of hero", "/_p").replace(" data-text", ""), "!")


@pytest.mark.sources
@pytest.mark.parametrize(
    ("page", "expected"),
    [
        (f"{HEAD}<p>{SLOT}</p>", f"{HEAD}<p><b>F</b>!</p>"),
        (f"{HEAD}<div data-slot=hero>D</div>", f"{HEAD}<div data-slot=hero><b>F</b>!</div>"),
        (f"{HEAD}<div data-slot=other>D</div>", f"{HEAD}<div data-slot=other>D</div>"),
        (f"<!doctype html><title>{SLOT}</title>", "<!doctype html><title><b>F</b></title>"),
        (f"{HEAD}<script>let a = '{SLOT}'</script>", f"{HEAD}<script>let a = '<b>F</b>'</script>"),
        (f'{HEAD}<p title="{SLOT}">', f'{HEAD}<p title="<b>F</b>">'),
        (f"<p>{SLOT}</p>", "<p><b>F</b></p>"),
    ],
    ids=["tag", "element", "left as it is", "in a title", "in a script", "in an attribute", "part of a page"],
)
def test_only_what_stands_among_markup_of_a_page_is_watched(page: str, expected: str) -> None:
    assert watched(page) == expected
    assert all(watched(page, cut) == expected for cut in range(len(page)))


def test_a_slot_of_text_alone_is_watched_by_the_element_around_it() -> None:
    assert " data-text" in watching("Hello", "m", "/_personalize")
    assert " data-text" not in watching("<b>Hello</b>", "m", "/_personalize")


def test_the_element_carries_the_nonce_of_the_page_and_no_markup_of_others() -> None:
    assert watching("F", 'm"', "/shop/_p", "a<b").startswith('F<script defer src="/shop/_p/seen-')
    assert 'data-seen="m&#34;" data-text nonce="a&lt;b"></script>' in watching("F", 'm"', "/shop/_p", "a<b")
