"""What the scanner makes of a page: bytes to copy, slots, and marks that nobody shall see."""

from collections.abc import Sequence
from typing import Literal

from personalize.light_values import light_dataclass


@light_dataclass(frozen=True, slots=True)
class Copy:
    """Bytes of the page outside of slots: they leave as they came."""

    data: bytes


@light_dataclass(frozen=True, slots=True)
class Slot:
    """A slot with the page's own bytes: `open`, `inside`, `close`, in this order. `inside` is free of token marks
    only after `Scanner.without_marks`.

    - `token`: `open` and `close` are marks, and never leave, whether the slot is filled or not
    - `inside`: they are the element's own tags or the comments, and stay on the page
    - `replace`: they are the element's own tags, and go with it when the slot is filled
    - `before`, `after`: what fills the slot stands beside the element, `before` which there is nothing here
    """

    slot_id: str
    open: bytes
    inside: bytes
    close: bytes
    kind: Literal["token", "inside", "replace", "before", "after"]

    @property
    def data(self) -> bytes:
        """The slot's bytes as they came."""
        return self.open + self.inside + self.close

    @property
    def around(self) -> tuple[bytes, bytes]:
        """What leaves before and after the markup that fills the slot."""
        if self.kind == "inside":
            return self.open, self.close
        return (self.data, b"") if self.kind == "after" else (b"", b"")

    def filled(self, markup: bytes) -> bytes:
        """What leaves when the slot shows this."""
        before, after = self.around
        return before + markup + after

    def kept(self, inside: bytes) -> bytes:
        """What leaves when it shows the page's own, free of marks."""
        return inside if self.kind == "token" else self.open + inside + self.close


@light_dataclass(frozen=True, slots=True)
class Stray:
    """A token mark without its other half: it never leaves."""

    data: bytes


Piece = Copy | Slot | Stray


class Layout:
    """Pieces of a page in order, laid out for filling: `parts` has an empty place for each of the `slots`, which come
    with these places and with what is `around` their markup."""

    __slots__ = ("parts", "pieces", "slot_ids", "slots")

    def __init__(self, pieces: Sequence[Piece]) -> None:
        self.pieces = pieces
        self.parts: list[bytes] = []
        self.slots: list[tuple[int, Slot, bytes, bytes]] = []
        for piece in pieces:
            if isinstance(piece, Slot):
                self.slots.append((len(self.parts), piece, *piece.around))
                self.parts.append(b"")
            elif isinstance(piece, Copy):
                self.parts.append(piece.data)
        self.slot_ids = [slot.slot_id for _, slot, _, _ in self.slots]
