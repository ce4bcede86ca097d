"""Fills the slots of one page while it passes by: every other byte is copied."""

from collections import Counter
from collections.abc import Awaitable, Callable, Iterable

from personalize.web.pieces import Copy, Piece, Slot
from personalize.web.scanner import Scanner

#: Slots that are filled on one page; further ones keep the page's own markup.
MOST_SLOTS = 200

#: Asked for the markup of a slot; None keeps the page's own.
Fill = Callable[[str], Awaitable[str | None]]


class Rewriter:
    """Reads the pieces of a scanner and fills slots. Markup that was filled in is never read again.

    `fill` is asked for one slot after another, in the order of the page. What it returns is written in
    `encoding`, and what that can't write as a character reference. Afterwards `slots` counts what was found,
    `filled` names what was filled, and `skipped` counts why others kept the page's own markup.
    """

    def __init__(self, scanner: Scanner, fill: Fill, encoding: str, *, most_slots: int = MOST_SLOTS) -> None:
        self.slots = 0
        self.skipped: Counter[str] = scanner.skipped
        self._scanner = scanner
        self._markup_of = fill
        self._encoding = encoding
        self._most_slots = most_slots
        self._filled: list[str] = []

    @property
    def filled(self) -> tuple[str, ...]:
        """The slots that were filled so far, in the order of the page."""
        return tuple(self._filled)

    @property
    def unknown(self) -> frozenset[str]:
        """Written slots met so far that nobody defines; they are left as they are."""
        return frozenset(self._scanner.unknown)

    async def feed(self, chunk: bytes) -> bytes:
        """What of the page can leave after this chunk."""
        return await self.fill(self._scanner.feed(chunk))

    async def close(self) -> bytes:
        """What is left at the end of the page."""
        return await self.fill(self._scanner.close())

    async def last(self, chunk: bytes) -> bytes:
        """What is left with the last chunk: `feed` and `close`, quicker for a page in one chunk."""
        return await self.fill(self._scanner.last(chunk))

    async def fill(self, pieces: Iterable[Piece]) -> bytes:
        """These pieces with their slots filled."""
        parts: list[bytes] = []
        for piece in pieces:
            if isinstance(piece, Copy):
                parts.append(piece.data)
            elif isinstance(piece, Slot):
                self.slots += 1
                markup = await self._markup_of(piece.slot_id) if self.slots <= self._most_slots else None
                self._put(piece, markup, parts)
        return parts[0] if len(parts) == 1 else b"".join(parts)

    def _put(self, slot: Slot, markup: str | None, parts: list[bytes]) -> None:
        if self.slots > self._most_slots:
            self.skipped["too many"] += 1
        if markup is None:
            inside = self._scanner.without_marks(slot.inside)
        else:
            self._filled.append(slot.slot_id)
            inside = markup.encode(self._encoding, "xmlcharrefreplace")
        parts += (inside,) if slot.kind == "token" else (slot.open, inside, slot.close)
