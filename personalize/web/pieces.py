"""What the scanner makes of a page: bytes to copy, slots, and marks that nobody shall see."""

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

    def filled(self, markup: bytes) -> bytes:
        """What leaves when the slot shows this."""
        if self.kind == "inside":
            return self.open + markup + self.close
        return self.data + markup if self.kind == "after" else markup

    def kept(self, inside: bytes) -> bytes:
        """What leaves when it shows the page's own, free of marks."""
        return inside if self.kind == "token" else self.open + inside + self.close


@light_dataclass(frozen=True, slots=True)
class Stray:
    """A token mark without its other half: it never leaves."""

    data: bytes


Piece = Copy | Slot | Stray
