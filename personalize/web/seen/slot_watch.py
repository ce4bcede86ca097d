"""Puts behind what fills the slots of a page what tells that they came into view."""

from collections.abc import Iterable, Sequence

from personalize.runtime.page_view import PageView
from personalize.runtime.seen import SeenMarks
from personalize.web.html.charset import EncodingInParts
from personalize.web.html.comment_places import CommentPlaces
from personalize.web.html.documents import FIRST_BYTES, is_document
from personalize.web.html.pieces import Piece, Slot
from personalize.web.html.rewriter import Rewriter
from personalize.web.html.scanner import Scanner
from personalize.web.seen.seen_script import watching


class SlotWatch:
    """Asks a page view for the markup of slots, and adds what watches them; `nonce` is that of the page's own policy.

    Parts of pages, which scripts ask for, stay as they are, and so do slots where an element would be letters: in a
    title, a script or an attribute.
    """

    def __init__(self, page_view: PageView, marks: SeenMarks, nonce: str | None) -> None:
        self._page_view = page_view
        self._marks = marks
        self._nonce = nonce
        self._begins = b""
        self._places = CommentPlaces()
        self._among_letters: set[str] = set()

    def pass_by(self, pieces: Iterable[Piece]) -> None:
        """Read on over these pieces of the page, before their slots are asked for."""
        for piece in pieces:
            if isinstance(piece, Slot) and piece.kind == "token" and not self._places.takes_comment:
                self._among_letters.add(piece.slot_id)
            if len(self._begins) < FIRST_BYTES:
                self._begins += piece.data[:FIRST_BYTES]
            self._places.pass_by(piece.data)

    async def markups(self, slot_ids: Sequence[str]) -> Sequence[str | None]:
        """What to write into each of these slots, or None to keep the site's own markup."""
        markups = await self._page_view.markups(slot_ids)
        if not is_document(self._begins):
            return markups
        return [
            markup if markup is None or slot_id in self._among_letters else self._watching(slot_id, markup)
            for slot_id, markup in zip(slot_ids, markups, strict=True)
        ]

    def _watching(self, slot_id: str, markup: str) -> str:
        page_view = self._page_view
        return watching(markup, page_view.seen_mark(slot_id, self._marks), page_view.prefix, self._nonce)


class WatchedRewriter(Rewriter):
    """Fills the slots of a page that comes in parts, and has them watched."""

    def __init__(self, scanner: Scanner, watch: SlotWatch, encoding: str | EncodingInParts) -> None:
        super().__init__(scanner, watch.markups, encoding)
        self._watch = watch

    def settled(self, pieces: list[Piece]) -> list[Piece]:
        """These pieces as they are to be filled; the watch has seen them."""
        self._watch.pass_by(pieces)
        return super().settled(pieces)
