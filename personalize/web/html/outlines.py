"""What pages of one template have in common: their slot tags, and most of what stands between them."""

from collections.abc import Sequence

from personalize.web.html.marks import word_of_marks
from personalize.web.html.pieces import Copy, Layout, Slot, Stray
from personalize.web.html.scanner import LONGEST_REGION, may_be_marked


class Outline:
    """A page in which slot tags are the only marks, to compare the next one from there with.

    A page that is never the same twice has the tags of the one before, and differs from it in a few of the texts
    between them. These are searched; the others are but compared, a tenth of that, and not cut out of the page again.
    `layout` is that of the page.
    """

    __slots__ = ("_texts", "_word", "layout")

    def __init__(self, layout: Layout, texts: Sequence[bytes], word: bytes) -> None:
        self.layout = layout
        self._texts = texts
        self._word = word

    def again(self, page: bytes) -> "Outline | None":
        """That of another page, this one if it is the same. None where it has other tags, or a written mark may stand
        in what is new: then the page has to be scanned."""
        changed: dict[int, Copy | Slot] = {}
        at = 0
        for place, text in enumerate(self._texts):
            if page.startswith(text, at):
                at += len(text)
                continue
            piece = self._piece(place, page, at)
            if piece is None:
                return None
            changed[place] = piece
            at += len(piece.data)
        if at < len(page):
            return None
        return self._with_pieces(changed) if changed else self

    def _piece(self, place: int, page: bytes, at: int) -> Copy | Slot | None:
        """What stands here in place of the piece that stood in this place, if it is one of the same kind."""
        before = self.layout.pieces[place]
        if isinstance(before, Slot):
            return self._slot(before, page, at)
        return self._copy(page, at, is_last=place + 1 == len(self._texts))

    def _copy(self, page: bytes, at: int, *, is_last: bool) -> Copy | None:
        """The text up to the next mark or the end of the page, whichever is to come here."""
        mark = page.find(self._word, at)
        if is_last:
            end = len(page) if mark < 0 else at
        else:
            end = mark - len(b"<!--")
        if end <= at:
            return None
        text = page[at:end]
        return None if may_be_marked(text.lower()) else Copy(text)

    def _slot(self, before: Slot, page: bytes, at: int) -> Slot | None:
        """The same slot with another default, in which no mark stands."""
        begin = at + len(before.open)
        end = page.find(self._word, begin) - len(b"<!--/")
        if not begin <= end <= begin + LONGEST_REGION:
            return None
        if not (page.startswith(before.open, at) and page.startswith(before.close, end)):
            return None
        return Slot(before.slot_id, before.open, page[begin:end], before.close, "token")

    def _with_pieces(self, changed: dict[int, Copy | Slot]) -> "Outline":
        texts = list(self._texts)
        for place, piece in changed.items():
            texts[place] = piece.data
        return Outline(self.layout.with_pieces(changed), texts, self._word)


def outline_of(layout: Layout, token: bytes) -> Outline | None:
    """That of a page in which no written mark can stand; None where it has no slots, either, or half of one."""
    pieces = layout.pieces
    if not layout.slot_ids or any(isinstance(piece, Stray) for piece in pieces):
        return None
    return Outline(layout, [piece.data for piece in pieces], word_of_marks(token.decode()).encode())
