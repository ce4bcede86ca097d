"""What the scanner makes of a page: bytes to copy, slots, and marks that nobody shall see."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Copy:
    """Bytes of the page outside of slots: they leave as they came."""

    data: bytes


@dataclass(frozen=True, slots=True)
class Slot:
    """A slot with the page's own bytes: `open`, `inside`, `close`, in this order.

    Of a written slot, `open` and `close` are the element's own tags or the comments, and stay on the page.
    Of a token slot they are the marks, and never leave, whether the slot is filled or not; `inside` is
    free of such marks only after `Scanner.without_marks`.
    """

    slot_id: str
    open: bytes
    inside: bytes
    close: bytes
    kind: Literal["token", "written"]

    @property
    def data(self) -> bytes:
        """The slot's bytes as they came."""
        return self.open + self.inside + self.close


@dataclass(frozen=True, slots=True)
class Stray:
    """A token mark without its other half: it never leaves."""

    data: bytes


Piece = Copy | Slot | Stray
