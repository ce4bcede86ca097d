"""Fills the slots of one page while it passes by: every other byte is copied."""

from collections.abc import Awaitable, Callable, Mapping, Sequence

from personalize.web.html.charset import EncodingInParts
from personalize.web.html.doubts import Doubt
from personalize.web.html.pieces import Copy, Piece, Slot, lay_out
from personalize.web.html.scanner import Scanner

#: Slots that are filled on one page; further ones keep the page's own markup.
MOST_SLOTS = 200

#: Asked for the markup of slots, in the order of the page; None keeps the page's own.
Fill = Callable[[Sequence[str]], Awaitable[Sequence[str | None]]]


class Rewriter:
    """Reads the pieces of a scanner and fills slots. Markup that was filled in is never read again.

    `fill` is asked for all slots that came together at once. What it returns is written in `encoding`, and what
    that can't write as a character reference; from the first slot on the page waits until its encoding is certain.
    Slots before the byte where the page says its encoding are not filled. Afterwards `slots` counts what was found, and
    `skipped` how many of them were too many for one page.
    """

    def __init__(
        self,
        scanner: Scanner,
        fill: Fill,
        encoding: str | EncodingInParts,
        *,
        most_slots: int = MOST_SLOTS,
    ) -> None:
        self.slots = 0
        self.skipped = 0
        self._scanner = scanner
        self._fill = fill
        self._encoding = encoding if isinstance(encoding, str) else None
        self._coming = encoding if isinstance(encoding, EncodingInParts) else None
        self._declared_until = 0
        self._most_slots = most_slots
        self._waiting: list[Piece] = []
        self._passed = 0
        self._early: dict[str, Doubt] = {}

    @property
    def unknown(self) -> frozenset[str]:
        """Written slots met so far that nobody defines; they are left as they are."""
        return frozenset(self._scanner.unknown)

    @property
    def doubts(self) -> Mapping[str, Doubt]:
        """What was doubtful so far, by slot."""
        return {**self._scanner.doubts.by_slot, **self._early}

    @property
    def waits(self) -> bool:
        """Whether a slot waits for the encoding of the page."""
        return bool(self._waiting)

    async def feed(self, chunk: bytes) -> bytes:
        """What of the page can leave after this chunk."""
        pieces = self._scanner.feed(chunk)
        if self._coming is not None:
            self._coming.read(chunk)
            pieces = self._when_certain(pieces, self._coming)
        pieces = self.settled(pieces)
        return pieces[0].data if _is_copied(pieces) else await self._filled(pieces)

    async def close(self) -> bytes:
        """What is left at the end of the page."""
        pieces = self._scanner.close()
        if self._coming is not None:
            self._coming.read(b"", is_last=True)
            pieces = self._when_certain(pieces, self._coming)
        return await self.fill(pieces)

    async def last(self, chunk: bytes) -> bytes:
        """What is left with the last chunk: `feed` and `close`, quicker for a page in one chunk."""
        return await self.fill(self._scanner.last(chunk))

    def _when_certain(self, pieces: list[Piece], coming: EncodingInParts) -> list[Piece]:
        """The pieces of which it is certain by now how what fills them is written; the others wait."""
        if self._waiting:
            pieces, self._waiting = [*self._waiting, *pieces], []
        if coming.is_certain:
            self._encoding, self._declared_until, self._coming = coming.name, coming.declared_until, None
        else:
            first = next((at for at, piece in enumerate(pieces) if isinstance(piece, Slot)), len(pieces))
            pieces, self._waiting = pieces[:first], pieces[first:]
        return pieces

    async def fill(self, pieces: list[Piece]) -> bytes:
        """These pieces with their slots filled."""
        pieces = self.settled(pieces)
        return pieces[0].data if _is_copied(pieces) else await self._filled(pieces)

    def settled(self, pieces: list[Piece]) -> list[Piece]:
        """These pieces, which are about to leave, as they are to be filled."""
        return pieces if self._passed >= self._declared_until else [self._unless_early(piece) for piece in pieces]

    async def _filled(self, pieces: list[Piece]) -> bytes:
        layout = lay_out(pieces, self._scanner.without_marks)
        if not layout.slot_ids:
            return layout.filled((), "")
        asked = self._within_room(layout.slot_ids)
        markups = await self._fill(asked) if asked else ()
        return layout.filled(() if self._encoding is None else markups, self._encoding or "")

    def _unless_early(self, piece: Piece) -> Piece:
        """The piece; a slot before the byte where the page says its encoding is as the page has it."""
        is_early, self._passed = self._passed < self._declared_until, self._passed + len(piece.data)
        if not (is_early and isinstance(piece, Slot)):
            return piece
        self._early[piece.slot_id] = Doubt.EARLY
        return Copy(piece.kept(self._scanner.without_marks(piece.inside)))

    def _within_room(self, slot_ids: Sequence[str]) -> Sequence[str]:
        """The first of these slots, as many as the page may have."""
        room = max(self._most_slots - self.slots, 0)
        self.slots += len(slot_ids)
        if len(slot_ids) <= room:
            return slot_ids
        self.skipped += len(slot_ids) - room
        return slot_ids[:room]


def _is_copied(pieces: Sequence[Piece]) -> bool:
    """Whether the bytes of one piece are all that leaves, as of most chunks."""
    return len(pieces) == 1 and isinstance(pieces[0], Copy)
