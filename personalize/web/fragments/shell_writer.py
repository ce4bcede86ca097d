"""Writes a page as everybody gets it: every byte outside of slots as it was, and in them what brings the visitor's."""

from collections.abc import Callable, Iterable

from personalize.web.fragments.fragment_address import MOST_BEFORE, Fragment
from personalize.web.fragments.shell_page import ShellPage
from personalize.web.html.comment_places import CommentPlaces
from personalize.web.html.documents import FIRST_BYTES, is_document
from personalize.web.html.doubts import Doubt
from personalize.web.html.pieces import Copy, Piece, Slot
from personalize.web.html.rewriter import MOST_SLOTS
from personalize.web.request.page_address import PageAddress


class ShellWriter:
    """Writes the pieces of one page, in order. `slots` counts the slots that were met and are known, `unknown` names
    others that the site's slot tag wrote, `doubts` tells by slot why one keeps the page's own markup for everybody.

    Token slots are found in scripts, titles and attributes as well, where a comment would be letters. `script` stands
    behind the first slot of a page of its own; None where the page's policy keeps it out, and all slots stay.
    `is_ascii` says that the page is in another encoding than UTF-8.
    """

    def __init__(self, page: ShellPage, without_marks: Callable[[bytes], bytes], *, script: bytes | None) -> None:
        self.slots = 0
        self.unknown: set[str] = set()
        self.doubts: dict[str, Doubt] = {}
        self._page = page
        self._without_marks = without_marks
        self.is_ascii = False
        self._script = script
        self._begins = b""
        self._places = CommentPlaces() if page.include.writes_comments else None
        self._before: dict[str, None] = {}
        self._pages_before: set[str] = set()

    def write(self, pieces: Iterable[Piece]) -> bytes:
        """The bytes of these pieces for everybody."""
        written: list[bytes] = []
        for piece in pieces:
            if isinstance(piece, Copy):
                written.append(piece.data)
                if len(self._begins) < FIRST_BYTES:
                    self._begins += piece.data[:FIRST_BYTES]
            elif isinstance(piece, Slot):
                written.append(self._slot(piece))
            if self._places is not None:
                self._places.pass_by(piece.data)
        return b"".join(written)

    def _slot(self, slot: Slot) -> bytes:
        """The bytes of a slot: what brings another markup, around what would make room for it."""
        inside = self._without_marks(slot.inside)
        kept = slot.kept(inside)
        if slot.slot_id not in self._page.pages:
            self.unknown.add(slot.slot_id)
            return kept
        self.slots += 1
        match slot.kind:
            case "inside":
                return slot.open + self._included(slot, inside) + slot.close
            case "after":
                return kept + self._included(slot, b"")
            case _:
                return self._included(slot, kept)

    def _included(self, slot: Slot, own: bytes) -> bytes:
        """The page's own markup with its include; as it was, where the page has too many or one would do harm."""
        if self.slots > MOST_SLOTS or self._script is None:
            return own
        if slot.kind == "token" and self._places is not None and not self._places.takes_comment:
            self.doubts[slot.slot_id] = Doubt.NO_MARKUP
            return own
        around = self._page.include.around(slot.slot_id, own, self._address(slot.slot_id, own), self.slots)
        if around is None:
            self.doubts[slot.slot_id] = Doubt.NOT_BROUGHT
            return own
        self._remember(slot.slot_id)
        script, self._script = self._script, b""
        return around + script if is_document(self._begins) else around

    def _address(self, slot_id: str, inside: bytes) -> str:
        page = self._page
        fragment = Fragment(
            PageAddress(page.path),
            (slot_id,),
            before=self._told_before(),
            counts_page=not self._before,
            default=inside,
            is_ascii=self.is_ascii,
        )
        query = page.addresses.query(slot_id, fragment, with_default=page.include.carries_default)
        return f"{page.prefix}/slot/{slot_id}?{query}"

    def _told_before(self) -> tuple[str, ...]:
        return tuple(self._before)[-MOST_BEFORE:]

    def _remember(self, slot_id: str) -> None:
        """Slots that are decided together are told by the first of them."""
        name = self._page.pages[slot_id].name
        if name not in self._pages_before:
            self._pages_before.add(name)
            self._before[slot_id] = None
