"""What the scanner makes of a page: bytes to copy, slots, and marks that nobody shall see."""

from collections.abc import Callable, Iterable, Mapping, Sequence
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

    def parted(self, inside: bytes) -> tuple[bytes, bytes, bytes]:
        """What leaves when the slot shows the page's own `inside`, free of marks. What fills it takes the place of the
        middle."""
        match self.kind:
            case "token":
                return b"", inside, b""
            case "inside":
                return self.open, inside, self.close
            case "after":
                return self.open + inside + self.close, b"", b""
            case _:
                return b"", self.open + inside + self.close, b""

    def filled(self, markup: bytes) -> bytes:
        """What leaves when the slot shows this."""
        before, _, after = self.parted(self.inside)
        return before + markup + after

    def kept(self, inside: bytes) -> bytes:
        """What leaves when it shows the page's own, free of marks."""
        return b"".join(self.parted(inside))


@light_dataclass(frozen=True, slots=True)
class Stray:
    """A token mark without its other half: it never leaves."""

    data: bytes


Piece = Copy | Slot | Stray


class Layout:
    """Pieces of a page in order, laid out for filling: `parts` are all that leaves where nothing is filled, `places`
    say where among them the markup of each of the `slot_ids` belongs."""

    __slots__ = ("_parts", "_places", "pieces", "slot_ids")

    def __init__(
        self, pieces: Sequence[Piece], parts: list[bytes], places: Sequence[int], slot_ids: Sequence[str]
    ) -> None:
        self.pieces = pieces
        self.slot_ids = slot_ids
        self._parts = parts
        self._places = places

    @property
    def first_slot_at(self) -> int:
        """The byte of the page at which its first slot begins, where it begins with a slot or a copy."""
        first = self.pieces[0]
        return len(first.data) if isinstance(first, Copy) else 0

    def with_pieces(self, changed: Mapping[int, Copy | Slot]) -> "Layout":
        """The same with other bytes in these places, for a page whose slots are tags alone: there each piece is one
        part. Slots are free of marks inside."""
        pieces, parts = list(self.pieces), self._parts.copy()
        for place, piece in changed.items():
            pieces[place] = piece
            parts[place] = piece.inside if isinstance(piece, Slot) else piece.data
        return Layout(pieces, parts, self._places, self.slot_ids)

    def filled(self, markups: Iterable[str | None], encoding: str) -> bytes:
        """The bytes that leave with this markup in the slots; one for which it is None, and slots behind the last,
        show the page's own. What the encoding can't write stands there as a character reference."""
        parts = self._parts.copy()
        for number, markup in enumerate(markups):
            if markup is not None:
                parts[self._places[number]] = markup.encode(encoding, "xmlcharrefreplace")
        return b"".join(parts)


def lay_out(pieces: Sequence[Piece], without_marks: Callable[[bytes], bytes]) -> Layout:
    """These pieces, ready to be filled. `without_marks` takes marks out of the inside of a slot."""
    parts: list[bytes] = []
    places: list[int] = []
    slot_ids: list[str] = []
    for piece in pieces:
        if isinstance(piece, Copy):
            parts.append(piece.data)
        elif isinstance(piece, Slot):
            before, inside, after = piece.parted(without_marks(piece.inside))
            if before:
                parts.append(before)
            slot_ids.append(piece.slot_id)
            places.append(len(parts))
            parts.append(inside)
            if after:
                parts.append(after)
    return Layout(pieces, parts, places, tuple(slot_ids))
