"""Finds written slots in a page: `data-slot` on an element, `<!-- slot:name -->` … `<!-- /slot:name -->`.

And those that a selector has found (`Places`): they begin at a tag, and then are read like the others.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Final

from personalize.rules.definitions import How
from personalize.web.html.doubts import Doubt, Doubts
from personalize.web.html.late_reader import LateReader
from personalize.web.html.leaping_reader import MARK
from personalize.web.html.marks import SLOT_ID
from personalize.web.html.markup_reader import LONGEST_TAG
from personalize.web.html.open_elements import VOID, End, OpenElements, may_be_found, may_carry_slot, may_have_beside
from personalize.web.html.page_context import (
    ENTERED,
    RAW_TEXT,
    TABLE_PARTS,
    ForeignZone,
    Sections,
    SelectZone,
    Tables,
    TemplateZone,
    Zone,
)
from personalize.web.html.pieces import Copy, Piece, Slot, Stray
from personalize.web.html.places import PlacedSlot
from personalize.web.html.tags import BLANK, TAG_OR_NOT, keeps_slots_out, written_slot
from personalize.web.html.untouched_zone import UntouchedZone
from personalize.web.html.whole_parts import SIMPLE_SLOT

_MOST_UNKNOWN = 50
_SLOT_COMMENT = re.compile(rb"[%b]*+(/?)slot:(%b)[%b]*+" % (BLANK, SLOT_ID.pattern.encode(), BLANK))
# Python-Markdown moves the closing comment of `<!-- slot:x --><p>…` behind all that follows: blocks without
# indentation, each on its line, and both comments on lines of their own.
_MOVED = re.compile(rb"(?:</[a-z1-6]+|/)>\n+<(?:p|h[1-6]|pre|ul|ol|dl|blockquote|table|hr)[ />]")
# What two comments hold if a generator has moved one of them away from the other, or may have.
_HEADING = re.compile(rb"<(?:h[1-6]|pre)[%b/>]" % BLANK, re.IGNORECASE)
_TABLES: Final = TABLE_PARTS | {b"table"}
_NOT_PLAIN: Final = ENTERED | _TABLES | {b"form"}


class _Region:
    """A slot that has begun and not yet ended, with what came of it so far."""

    def __init__(self, slot_id: str, start: bytes, elements: OpenElements, how: How) -> None:
        self.slot_id = slot_id
        self.start = start
        self.elements = elements
        self.how = how
        self.parts: list[Piece] = []
        self.size = 0

    def add(self, piece: Piece) -> None:
        self.parts.append(piece)
        self.size += len(piece.data)

    @property
    def inside(self) -> bytes:
        return b"".join([part.data for part in self.parts])


class WrittenScanner(LateReader):
    """Finds written slots; feed it the bytes of one page, in any pieces. None is found in elements that say
    `data-slots="off"`.

    `known` says which slot ids exist; others are read as if they were no mark. `places` are the slots that stand at
    the tag which begins at a byte of the page; those of what is fed must be there by then. Where there are none, what
    can't matter leaves before it is read. What was left alone and why
    is told to `doubts`, ids that nobody knows (not more than 50) are kept in `unknown`.
    """

    def __init__(
        self,
        *,
        max_region: int,
        known: Callable[[str], bool],
        doubts: Doubts,
        unknown: set[str],
        places: Mapping[int, Sequence[PlacedSlot]] | None,
    ) -> None:
        super().__init__(reads_late=places is None)
        self._max_region = max_region
        self._known = known
        self._doubts = doubts
        self._unknown = unknown
        self._places = {} if places is None else places
        self._met: set[str] = set()
        self._data_at = 0
        self._tables = Tables()
        self._in_form = False
        self._zones: list[TemplateZone | SelectZone | ForeignZone | UntouchedZone] = []
        self._region: _Region | None = None
        self._put_out = 0
        self._pieces: list[Piece] = []

    def feed(self, chunk: bytes, at: int, *, is_last: bool = False, low: bytes | None = None) -> list[Piece]:
        """What is decided after this chunk, which begins at this byte of the page, and perhaps is its last. `low` is
        the same in lower case, where that is known."""
        if not chunk:
            return []
        if self._region is None and (self.is_lost or (chunk.find(b"<") < 0 and not self.waits and not self.left)):
            return [Copy(chunk)]
        if len(chunk) == 1 and chunk == b"<" and self._region is None and self.waits_at_sign:
            return [Copy(chunk)]  # the one that waited; now this one does
        self._put_out = self.left
        pieces: list[Piece] = []
        self._pieces = pieces
        if self._places:
            self._data_at = at - (len(self.data) - self.decided)
            self.stops = sorted(place - self._data_at for place in self._places if place >= self._data_at)
        self.read_chunk(chunk, is_last=is_last, low=low)
        if self._put_out < self.decided:
            self._put(self.decided)
            self._bound()
        self.left = max(self._put_out - self.decided, 0) + self.unread_size
        return pieces

    def close(self) -> list[Piece]:
        """What is left at the end of the page."""
        if self._region is None and (self.decided == len(self.data) or self.is_late):
            rest = self.data[self.decided :]
            return [Copy(rest)] if rest else []
        pieces = self._begin()
        self.read_rest()
        self._put(len(self.data))
        if self._region is not None:
            self._abandon(Doubt.UNCLOSED)
        return pieces

    def pass_by(self, piece: Slot | Stray) -> list[Piece]:
        """A token slot stands here: to the markup around it, it is nothing; inside of a slot, it is bytes."""
        pieces = self._begin()
        self.let_go()
        self._put(self.decided)
        self.left = 0
        if self._region is None:
            pieces.append(piece)
            if isinstance(piece, Slot):
                self._met.add(piece.slot_id)
        else:
            self._region.add(piece)
            self._bound()
        return pieces

    def give_up(self) -> list[Piece]:
        """Copies the rest of the page; returns what waited for more."""
        pieces = self._begin()
        self.read_rest()
        self._put(len(self.data))
        self.decided, self.left = len(self.data), 0
        self.lose()
        return pieces

    def _begin(self) -> list[Piece]:
        """The pieces that come now, of what has not left yet."""
        self.catch_up()
        self._put_out = self.decided + self.left
        pieces: list[Piece] = []
        self._pieces = pieces
        return pieces

    def lose(self) -> None:
        """Nothing is certain any more: the rest of the page is copied, and a slot that has begun as well."""
        super().lose()
        self._abandon(Doubt.LOST)

    def read_tags(self, position: int) -> int:
        """Reads on inside of a slot, over tags that only nest; whatever else comes is read one by one."""
        region = self._region
        if region is None or self._zones:
            return super().read_tags(position)
        elements = region.elements
        farthest = self._put_out + self._max_region - region.size
        for tag in TAG_OR_NOT.finditer(self.low, position):
            start, end, name = tag.start(), tag.end(), tag[2]
            if name is None or name in _NOT_PLAIN or start > farthest or end - start > LONGEST_TAG:
                return self.read_markup(start)
            if tag[1]:
                outcome = elements.end(name)
                if outcome is not End.STAYS:
                    self._settle(outcome, start, end)
                    return end
            elif not elements.start(name):
                self._abandon(Doubt.NESTING)
                return self.read_markup(start)
        return len(self.data)

    def on_tag(self, name: bytes, is_end: bool, self_closing: bool, start: int, end: int) -> int:
        """Follows the page's elements as far as slots depend on them."""
        if self._zones:
            return self._tag_in_zone(name, is_end, self_closing, start, end)
        if self._region is not None:
            self._follow(self._region, name, is_end, start, end)
        is_begin = not is_end and self._region is None and start < end
        placed = self._places.get(self._data_at + start, ()) if is_begin else ()
        for slot_id, how in placed:
            if how == "before":
                self._put_before(slot_id, name, start)
        if name in _TABLES:
            self._tables.tag(name, is_end=is_end)
            self._look_for_ends()
        if is_begin:
            self._begin_at(placed, name, self_closing, start, end)
        if name == b"form":
            self._in_form = not is_end
            self._look_for_ends()
        return self._enter(name, self_closing, start, end) if name in ENTERED and not (is_end or self.is_lost) else end

    def pass_marked(self, at: int) -> int:
        """Passes a slot on a block element that holds text and a few flat elements, as most do."""
        if self._tables or self._places:
            return -1
        slot = SIMPLE_SLOT.match(self.data, at)
        if slot is None:
            return -1
        (begin, close), end, slot_id = slot.span("inside"), slot.end(), slot["slot_id"].decode()
        if begin - at > LONGEST_TAG or close - begin > self._max_region or not self._known(slot_id):
            return -1
        self._met.add(slot_id)
        data = self.data
        self._pieces += (
            Copy(data[self._put_out : at]),
            Slot(slot_id, data[at:begin], data[begin:close], data[close:end], "inside"),
        )
        self._put_out = end
        return end

    def _begin_at(self, placed: Sequence[PlacedSlot], name: bytes, self_closing: bool, start: int, end: int) -> None:
        """Begins the slot that a start tag carries, or that a selector has found."""
        if self.low.find(MARK, start, end) >= 0:
            if keeps_slots_out(self.data[start:end]):
                self._leave_alone(name, self_closing)
                return
            self._begin_element(name, self_closing, start, end)
        for slot_id, how in placed:
            if how != "before":
                self._begin_placed(slot_id, how, name, self_closing, start, end)

    def _leave_alone(self, name: bytes, self_closing: bool) -> None:
        """Goes into an element that wants to be left alone; one whose end is not for certain takes the rest along."""
        if may_carry_slot(name) and not self_closing:
            self._zones.append(UntouchedZone(name, in_form=self._in_form))
            self._look_again()
        elif name not in VOID:
            self.lose()

    def _tag_in_zone(self, name: bytes, is_end: bool, self_closing: bool, start: int, end: int) -> int:
        zone = self._zones[-1]
        outcome = zone.tag(name, is_end=is_end, self_closing=self_closing)
        if outcome is Zone.LOST:
            self.lose()
        elif outcome is Zone.ENDS:
            self._zones.pop()
        elif not is_end and name in zone.enters:
            end = self._enter(name, self_closing, start, end)
        self._look_again()
        return end

    def _enter(self, name: bytes, self_closing: bool, start: int, end: int) -> int:
        """Goes into an element whose inside is read by other rules."""
        if name == b"script":
            self.expect_script()
        elif name in RAW_TEXT:
            self.expect_text(name)
        elif name in (b"plaintext", b"frameset"):
            self.lose()
        elif name == b"template":
            self._zones.append(TemplateZone())
        elif name == b"select":
            self._zones.append(SelectZone())
        elif not self_closing:
            self._zones.append(ForeignZone(name))
        self._look_again()
        return end

    def on_comment(self, text: bytes, start: int, end: int) -> None:
        """Opens and closes slots that are written as comments."""
        match = _SLOT_COMMENT.fullmatch(text) if not self._zones and b"slot:" in text else None
        if match is None:
            return
        is_close, slot_id = bool(match[1]), match[2]
        region = self._region_at(start)
        if region is None:
            if not is_close:
                self._begin_comment_slot(slot_id, start, end)
        elif not is_close:
            region.elements.open_comment(slot_id)
        else:
            self._settle(region.elements.close_comment(slot_id), start, end)

    def _begin_element(self, name: bytes, self_closing: bool, start: int, end: int) -> None:
        value = written_slot(self.data[start:end])
        if value is None or not self._is_known(value):
            return
        if not may_carry_slot(name):
            self._doubts.add(Doubt.ELEMENT, value)
        elif self_closing:
            self._doubts.add(Doubt.SELF_CLOSING, value)
        else:
            elements = OpenElements(element=name, in_form=self._in_form)
            self._begin_region(value, "inside", elements, start, end)

    def _begin_comment_slot(self, slot_id: bytes, start: int, end: int) -> None:
        name = slot_id.decode()
        if self._is_known(name):
            elements = OpenElements(comment=slot_id, in_form=self._in_form)
            self._begin_region(name, "inside", elements, start, end)

    def _begin_region(self, slot_id: str, how: How, elements: OpenElements, start: int, end: int) -> None:
        self._met.add(slot_id)
        if self._tables.moves_content:
            self._doubts.add(Doubt.TABLE, slot_id)
            return
        self._put(start)
        self._region = _Region(slot_id, self.data[start:end], elements, how)
        self._put_out = end
        self._look_again()

    def _put_before(self, slot_id: str, name: bytes, start: int) -> None:
        """Puts a slot before an element that a selector has found."""
        if slot_id in self._met:
            return
        if not may_have_beside(name) or self._tables.moves_content:
            self._doubts.add(Doubt.ELEMENT, slot_id)
            return
        self._met.add(slot_id)
        self._put(start)
        self._pieces.append(Slot(slot_id, b"", b"", b"", "before"))

    def _begin_placed(self, slot_id: str, how: How, name: bytes, self_closing: bool, start: int, end: int) -> None:
        """Begins a slot at an element that a selector has found, where no mark of it came before."""
        if slot_id in self._met:
            return
        if self._region is not None:
            self._doubts.add(Doubt.TAKEN, slot_id)
        elif name in VOID and how != "inside" and may_have_beside(name):
            self._put_void(slot_id, how, start, end)
        elif not may_be_found(name):
            self._doubts.add(Doubt.ELEMENT, slot_id)
        elif self_closing:
            self._doubts.add(Doubt.SELF_CLOSING, slot_id)
        else:
            elements = OpenElements(element=name, in_form=self._in_form)
            self._begin_region(slot_id, how, elements, start, end)

    def _put_void(self, slot_id: str, how: How, start: int, end: int) -> None:
        """Puts a slot in the place of an element that holds nothing, or behind it."""
        self._begin_region(slot_id, how, OpenElements(element=b"div"), start, end)
        if self._region is not None:
            self._end_region(b"")

    def _is_known(self, slot_id: str) -> bool:
        if SLOT_ID.fullmatch(slot_id) is None:
            self._doubts.add(Doubt.NAME)
        elif not self._known(slot_id):
            self._doubts.add(Doubt.UNKNOWN)
            if len(self._unknown) < _MOST_UNKNOWN:
                self._unknown.add(slot_id)
        else:
            return True
        return False

    def _follow(self, region: _Region, name: bytes, is_end: bool, start: int, end: int) -> None:
        """Follows a tag inside of a slot, which may end it."""
        if self._region_at(start) is None:
            return
        if is_end:
            self._settle(region.elements.end(name), start, end)
        elif not region.elements.start(name):
            self._abandon(Doubt.NESTING)

    def _region_at(self, start: int) -> _Region | None:
        """The slot that has begun, if what begins here is not too far from its start."""
        region = self._region
        if region is not None and region.size + start - self._put_out > self._max_region:
            self._abandon(Doubt.TOO_LONG)
        return self._region

    def _settle(self, outcome: End, start: int, end: int) -> None:
        """Ends the slot that has begun, or gives it up."""
        if outcome is End.STAYS:
            return
        if outcome is End.DOUBT or start == end:
            self._abandon(Doubt.NESTING)
            return
        self._put(start)
        region = self._region
        assert region is not None
        if region.elements.is_comment:
            inside = region.inside
            if inside.startswith(b"\n") and inside.endswith(b"\n") and _MOVED.search(inside):
                self._abandon(Doubt.MOVED)
                return
            if _HEADING.search(inside):
                self._doubts.add(Doubt.WIDE, region.slot_id)
        self._end_region(self.data[start:end])
        self._put_out = end

    def _end_region(self, close: bytes) -> None:
        region, self._region = self._region, None
        assert region is not None
        self._pieces.append(Slot(region.slot_id, region.start, region.inside, close, region.how))
        self._look_again()

    def _abandon(self, doubt: Doubt) -> None:
        """Leaves the slot that has begun as it is: the page's own bytes."""
        region, self._region = self._region, None
        if region is not None:
            self._doubts.add(doubt, region.slot_id)
            self._pieces += [Copy(region.start), *region.parts]
            self._look_again()

    def _bound(self) -> None:
        if self._region is not None and self._region.size > self._max_region:
            self._abandon(Doubt.TOO_LONG)

    def _put(self, until: int) -> None:
        """Puts out what is decided up to here, or keeps it for the slot that has begun."""
        start = self._put_out
        if until > start:
            data = self.data
            piece = Copy(data if start == 0 and until == len(data) else data[start:until])  # all of it is not copied
            if self._region is not None:
                self._region.add(piece)
            else:
                self._pieces.append(piece)
            self._put_out = until

    def _look_for_ends(self) -> None:
        self.look_for_ends(in_form=self._in_form, in_table=bool(self._tables))

    def _look_again(self) -> None:
        """Says how what follows is to be read."""
        self.tag_by_tag = bool(self._zones) or self._region is not None
        self.sections = self._zones[-1].sections if self._zones else Sections.NONE
