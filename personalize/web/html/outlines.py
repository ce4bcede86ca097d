"""What pages of one template have in common: their slot tags, and most of what stands between them."""

from collections.abc import Sequence
from typing import Final

from personalize.web.html.marks import word_of_marks
from personalize.web.html.pieces import Copy, Layout, Slot, Stray
from personalize.web.html.scanner import LONGEST_REGION, WORDS, may_be_marked

#: How near to where two texts begin to differ it is looked for, in bytes: less costs more than it saves.
_NEAR: Final = 64
#: A place in which texts differed before is looked at first where no more than this stands in it.
_MOST_NEWS: Final = 1_024
_LONGEST_WORD: Final = max(map(len, WORDS))


class Outline:
    """A page in which slot tags are the only marks, to compare the next one from there with.

    A page that is never the same twice has the tags of the one before, and differs from it in a few of the texts
    between them, and there in a few words. These are searched; all else is but compared, a tenth of that, and whole
    texts are not cut out of the page again. `layout` is that of the page.
    """

    __slots__ = ("_ends", "_texts", "_word", "layout")

    def __init__(self, layout: Layout, texts: Sequence[bytes], word: bytes, ends: dict[int, tuple[int, int]]) -> None:
        self.layout = layout
        self._texts = texts
        self._word = word
        #: How much of a text stayed the same at its two ends when it was new the last time: most are new there again.
        self._ends = ends

    def again(self, page: bytes) -> "Outline | None":
        """That of another page, this one if it is the same. None where it has other tags, or a written mark may stand
        in what is new: then the page has to be scanned."""
        changed: dict[int, Copy | Slot] = {}
        at = 0
        for place, text in enumerate(self._texts):
            end = at + len(text)
            if page[at:end] == text:  # mypyc calls no method for that, as `startswith` would be
                at = end
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
        if place + 1 < len(self._texts):
            end = page.find(self._word, at) - len(b"<!--")
        else:
            end = len(page) if page.rfind(self._word, at) < 0 else at
        if end <= at:
            return None
        text = page[at:end]
        return None if may_be_marked(self._news(place, text).lower()) else Copy(text)

    def _news(self, place: int, text: bytes) -> bytes:
        """The part of a text outside of which it is what it was before, and what a word has around it that ends or
        begins there."""
        before, ends = self._texts[place], self._ends.get(place)
        if ends is None or not _have_same_ends(before, text, ends):
            ends = self._ends[place] = _same_ends(before, text)
        return text[max(ends[0] - _LONGEST_WORD, 0) : len(text) - ends[1] + _LONGEST_WORD]

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
        return Outline(self.layout.with_pieces(changed), texts, self._word, self._ends)


def _have_same_ends(before: bytes, text: bytes, ends: tuple[int, int]) -> bool:
    """Whether two texts differ but a little, and only between these ends, which both have room for."""
    begin, same = ends
    if begin + same > min(len(before), len(text)) or len(text) - begin - same > _MOST_NEWS:
        return False
    return text[:begin] == before[:begin] and text[len(text) - same :] == before[len(before) - same :]


def _same_ends(before: bytes, text: bytes) -> tuple[int, int]:
    """How much two texts have in common at their beginning and at their end, or a little less."""
    shorter = min(len(before), len(text))
    begin, end = 0, shorter
    while end - begin > _NEAR:
        middle = (begin + end) // 2
        if text[begin:middle] == before[begin:middle]:
            begin = middle
        else:
            end = middle
    same, most = 0, shorter - begin  # what both ends have would count twice
    while most - same > _NEAR:
        middle = (same + most) // 2
        if text[len(text) - middle : len(text) - same] == before[len(before) - middle : len(before) - same]:
            same = middle
        else:
            most = middle
    return begin, same


def outline_of(layout: Layout, token: bytes) -> Outline | None:
    """That of a page in which no written mark can stand; None where it is empty, or has half a slot."""
    pieces = layout.pieces
    if not pieces or any(isinstance(piece, Stray) for piece in pieces):
        return None
    return Outline(layout, [piece.data for piece in pieces], word_of_marks(token.decode()).encode(), {})
