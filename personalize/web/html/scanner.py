"""Finds the slots of a page in its bytes, which come in any pieces."""

import re
from collections.abc import Callable, Mapping
from functools import lru_cache
from types import MappingProxyType
from typing import Final

from personalize.rules.definitions import Placement
from personalize.web.html.doubts import Doubt, Doubts
from personalize.web.html.marks import SLOT_ID, close_mark, open_mark
from personalize.web.html.occurrences import holds, occurrences
from personalize.web.html.pieces import Copy, Piece, Slot, Stray
from personalize.web.html.places import Places
from personalize.web.html.written import WrittenScanner

#: How long the inside of a slot may be, in bytes; a longer one keeps the page's own.
LONGEST_REGION = 65_536
_LONGEST_ID = 64
_EXCLAMATION: Final = 0x21
#: What stands in every written mark, in small letters or capitals: one or the other.
WORDS = (b"data-slot", b"slot:")
NO_PLACEMENTS: Mapping[str, Placement] = MappingProxyType({})


def may_be_marked(low: bytes) -> bool:
    """Whether a page in lower case can hold a written mark. No is certain."""
    return holds(low, WORDS[0]) or holds(low, WORDS[1])


def _anything(slot_id: str) -> bool:
    return True


class _Words:
    """What the marks of one token look like."""

    def __init__(self, token: bytes) -> None:
        self.begin = open_mark(token.decode(), "x").encode().removesuffix(b"x-->")
        self.end = close_mark(token.decode()).encode()
        self.in_both = self.begin.removeprefix(b"<!--").rstrip()
        begin, slot_id = re.escape(self.begin), SLOT_ID.pattern.encode()
        self.mark = re.compile(rb"%b(%b)-->|%b" % (begin, slot_id, re.escape(self.end)))
        self.part_of_mark = re.compile(rb"%b[a-z0-9_-]*+-{0,2}" % begin)
        self.longest = len(self.begin) + _LONGEST_ID + len(b"-->")

    def mark_around(self, data: bytes, at: int) -> re.Match[bytes] | None:
        """The mark of which `in_both` stands here."""
        return self.mark.match(data, at - len(b"<!--")) or self.mark.match(data, at - len(b"<!--/"))


@lru_cache(maxsize=8)
def _words(token: bytes) -> _Words:
    return _Words(token)


class _TokenRegion:
    """A token slot that has begun: its mark, and what came since."""

    def __init__(self, slot_id: str, mark: bytes) -> None:
        self.slot_id = slot_id
        self.mark = mark
        self.parts: list[Copy | Stray] = []
        self.size = 0
        self.depth = 1

    def add(self, piece: Copy | Stray) -> None:
        self.parts.append(piece)
        self.size += len(piece.data)


class Scanner:
    """Cuts one page into pieces: bytes to copy and slots. The pieces in order are the page, byte for byte.

    Token marks are found wherever they stand, because nobody else can write one. Written marks are found only
    where a browser sees an element or a comment; `written=False` does not look for them, nor is any looked for in
    a page in one chunk that holds no word of one (`reads_written` says so from then on). Slots with `placements`
    stand where a selector finds them in a page of this encoding, unless a mark of them came before. Of slots inside
    of slots the outermost counts, of several at one element the one that is marked, or else the first. Whatever is in
    doubt is copied, and `doubts` tells the reason:

    - `name`: no slot id; `unknown`: an id that `known` does not know (kept in `unknown`, 50 at most)
    - `element`: on an element that can't carry a slot, such as `<p>`, `<li>`, `<td>`, `<img>`; `self-closing`
    - `table`: inside of a table, but in no cell
    - `nesting`: tags inside that are not well nested, or could end the slot early
    - `too long`, `unclosed`, `moved` (a closing comment that Markdown has moved), `stray` (a token mark without
      its other half)
    - `wide`: filled all the same, but its comments stand suspiciously far apart
    - `taken`: another slot fills the element that a selector has found
    - `lost`: markup after which parsers disagree; no written mark is found after it

    Elements that can carry a slot: `open_elements.BLOCKS` with any content, `open_elements.INLINE` and custom
    elements with text and phrasing content.
    """

    def __init__(
        self,
        *,
        token: bytes,
        written: bool = True,
        max_region: int = LONGEST_REGION,
        known: Callable[[str], bool] = _anything,
        placements: Mapping[str, Placement] = NO_PLACEMENTS,
        encoding: str = "utf-8",
    ) -> None:
        self.doubts = Doubts()
        self.unknown: set[str] = set()
        self._words = _words(token)
        self._max_region = max_region
        self._places = Places(placements, encoding, self.doubts) if placements else None
        self._known = known
        self.reads_written = written
        self._written: WrittenScanner | None = None
        self._held = b""
        self._region: _TokenRegion | None = None
        self._is_fresh = True
        self._read_bytes = 0

    def feed(self, chunk: bytes) -> list[Piece]:
        """The pieces that are decided after this chunk; what may still become a mark is held back."""
        if self._is_fresh:
            self._begin()
        if self._places is not None:
            chunk = self._places.feed(chunk)
        if self._region is None and not self._held:
            low = None
            if self._written is not None and self._places is None:
                low = chunk.lower()
                left = self._written.leave(chunk, low)
                if left is not None:
                    self._read_bytes += len(chunk)
                    return [Copy(left)] if left else []
            if not self._may_hold_mark(chunk):
                return self._read_text(chunk, low=low)
        if len(chunk) == 1 and chunk == b"<" and self._held in (b"", b"<"):
            return self._read_sign()
        return self._read(chunk)

    def _begin(self) -> None:
        self._is_fresh = False
        if self.reads_written:
            self._written = WrittenScanner(
                max_region=self._max_region,
                known=self._known,
                doubts=self.doubts,
                unknown=self.unknown,
                places=self._places.found if self._places is not None else None,
            )

    def _may_hold_mark(self, chunk: bytes) -> bool:
        """Whether a token mark may stand in these bytes, or begin at their end. No is certain."""
        if chunk.find(b"!") < 0:
            return chunk.endswith(b"<")
        return holds(chunk, self._words.in_both) or self._start_of_mark(chunk, 0) < len(chunk)

    def _read_sign(self) -> list[Piece]:
        """A `<` may begin a mark; one that waited for this one is none. A page may be full of them, byte by byte."""
        pieces: list[Piece] = []
        self._text(self._held, pieces)
        self._held = b"<"
        return pieces

    def _read(self, chunk: bytes, *, is_last: bool = False, low: bytes | None = None) -> list[Piece]:
        data = self._held + chunk if self._held else chunk
        pieces: list[Piece] = []
        position = self._pass_marks(data, pieces) if holds(data, self._words.in_both) else 0
        held = len(data) if is_last else self._start_of_mark(data, position)
        self._held = data[held:]
        # All of it is no slice of it: a compiled one would copy the page.
        text = data if position == 0 and held == len(data) else data[position:held]
        self._text(text, pieces, is_last=is_last, low=None if position else low)
        if self._region is not None and self._region.size > self._max_region:
            self._abandon(Doubt.TOO_LONG, pieces)
        return pieces

    def _pass_marks(self, data: bytes, pieces: list[Piece]) -> int:
        """Reads up to the last whole mark; returns where that ends."""
        words, position = self._words, 0
        marks = occurrences(data, words.in_both)
        for number, at in enumerate(marks, start=1):
            if at < position or (mark := words.mark_around(data, at)) is None:
                continue
            self._text(data[position : mark.start()], pieces)
            end = -1
            if self._region is None and number < len(marks):
                end = self._after_slot(data, mark, marks[number] - len(b"<!--/"), pieces)
            if end < 0:
                self._at_mark(mark, pieces)
                end = mark.end()
            self._read_bytes += end - mark.start()
            position = end
        return position

    def _after_slot(self, data: bytes, mark: re.Match[bytes], end: int, pieces: list[Piece]) -> int:
        """Behind the slot that begins with this mark, if it ends here, where the next one begins; else -1."""
        close, begin = self._words.end, mark.end()
        if mark[1] is None or not begin <= end <= begin + self._max_region or not data.startswith(close, end):
            return -1
        self._pass(Slot(mark[1].decode(), mark[0], data[begin:end], close, "token"), pieces)
        return end + len(close)

    def last(self, chunk: bytes) -> list[Piece]:
        """The pieces of the last chunk, and what is left: `feed` and `close`, quicker for a page in one chunk."""
        if self._places is not None:
            chunk = self._places.last(chunk)
        low = None
        if self._is_fresh:
            low = chunk.lower() if self.reads_written else b""
            self.reads_written = may_be_marked(low) or bool(self._places and self._places.found)
            self._begin()
        return self._read(chunk, is_last=True, low=low) + self._end()

    def close(self) -> list[Piece]:
        """What is left at the end of the page."""
        if self._places is not None and not self._is_fresh:
            return self._read(self._places.last(b""), is_last=True) + self._end()
        return self._end()

    def _end(self) -> list[Piece]:
        pieces: list[Piece] = []
        if self._held:
            held, self._held = self._held, b""
            self._text(held, pieces)
        if self._region is not None:
            self._abandon(Doubt.UNCLOSED, pieces)
        if self._written is not None:
            pieces += self._written.close()
        return pieces

    def without_marks(self, data: bytes) -> bytes:
        """The same without any token marks."""
        return self._words.mark.sub(b"", data) if holds(data, self._words.in_both) else data

    def _start_of_mark(self, data: bytes, position: int) -> int:
        """Where the bytes begin that may become a mark with those that come next."""
        words, end = self._words, len(data)
        at = data.rfind(b"<", max(position, end - words.longest))
        if at < 0 or (at + 1 < end and data[at + 1] != _EXCLAMATION):
            return end
        tail = data[at:]
        if words.begin.startswith(tail) or words.end.startswith(tail) or words.part_of_mark.fullmatch(tail):
            return at
        return end

    def _at_mark(self, mark: re.Match[bytes], pieces: list[Piece]) -> None:
        if self._region is not None and self._region.size > self._max_region:
            self._abandon(Doubt.TOO_LONG, pieces)
        region, slot_id = self._region, mark[1]
        if region is None:
            if slot_id is not None:
                self._region = _TokenRegion(slot_id.decode(), mark[0])
            else:
                self._stray(mark[0], pieces)
            return
        region.depth += 1 if slot_id is not None else -1
        if region.depth:
            region.add(Stray(mark[0]))
            return
        self._region = None
        inside = b"".join([part.data for part in region.parts])
        self._pass(Slot(region.slot_id, region.mark, inside, mark[0], "token"), pieces)

    def _stray(self, mark: bytes, pieces: list[Piece]) -> None:
        self.doubts.add(Doubt.STRAY)
        self._pass(Stray(mark), pieces)

    def _abandon(self, doubt: Doubt, pieces: list[Piece]) -> None:
        """Leaves a token slot as it is. What it holds was not read as markup: no written mark counts after it."""
        region, self._region = self._region, None
        if region is None:
            return
        self.doubts.add(doubt, region.slot_id)
        if self._written is not None:
            pieces += self._written.give_up()
        pieces += [Stray(region.mark), *region.parts]

    def _text(self, data: bytes, pieces: list[Piece], *, is_last: bool = False, low: bytes | None = None) -> None:
        if self._region is None:
            pieces += self._read_text(data, is_last=is_last, low=low)
        elif data:
            self._region.add(Copy(data))
            self._read_bytes += len(data)

    def _read_text(self, data: bytes, *, is_last: bool = False, low: bytes | None = None) -> list[Piece]:
        """The pieces of bytes in which no token mark stands, outside of token slots."""
        at = self._read_bytes
        self._read_bytes += len(data)
        if self._written is not None:
            return self._written.feed(data, at, is_last=is_last, low=low)
        return [Copy(data)] if data else []

    def _pass(self, piece: Slot | Stray, pieces: list[Piece]) -> None:
        if self._written is not None:
            pieces += self._written.pass_by(piece)
        else:
            pieces.append(piece)
