"""Reads a page without looking at every byte.

Most of a page is leapt over, by searching for the few strings that change how what follows is read. Where a quote
makes it doubtful whether such a string is markup or stands in an attribute, the page is read tag by tag up to there.
"""

import re
import sys
from collections.abc import Sequence
from typing import Final

from personalize.web.html.markup_reader import MarkupReader
from personalize.web.html.occurrences import occurrences
from personalize.web.html.page_context import RAW_TEXT, TABLE_PARTS
from personalize.web.html.tags import ATTRIBUTES, BLANK, TAG, one_of
from personalize.web.html.whole_parts import is_markup, leaps_to, quoted_sign

_TOO_SHORT_TO_LEAP: Final = 64
#: With chunks of so many bytes, so many bytes may be read twice.
LARGE_CHUNK: Final = 1024
#: So many bytes of a page in parts are left unread at most, or one part more.
MOST_UNREAD: Final = 65_536
MARK: Final = b"data-slot"
_CHANGES_READING = frozenset(b"form frameset math plaintext script select svg table template".split()) | RAW_TEXT
_ENDS = frozenset((b"/form", b"/table"))
_IN_TABLES = TABLE_PARTS | {b"/" + name for name in TABLE_PARTS} | _ENDS
_LEAP: Final = leaps_to(_CHANGES_READING, tables=True)
_LEAP_IN_FORM: Final = leaps_to(_CHANGES_READING | _ENDS, tables=True)
_LEAP_IN_TABLE: Final = leaps_to(_CHANGES_READING | _IN_TABLES, tables=False)
#: With so many leaps in a row, and so few bytes between, it is worth knowing where the next `<` in an attribute is.
_MANY_LEAPS: Final = 4
_FEW_BYTES: Final = 500
#: Before a doubtful tag, so many are looked at for one that is certain.
_FEW_TAGS: Final = 8
_DULL_TAG = rb"/?[a-z][^%b/>]*+(?:>|%b[%b/]*+>)" % (BLANK, ATTRIBUTES, BLANK)
_DULL: Final = re.compile(
    rb"(?:[^<]*+<(?:(?!%b(?=[%b/>]))%b|(?![a-z/!?]|\Z)))*" % (one_of(_CHANGES_READING | _IN_TABLES), BLANK, _DULL_TAG)
)
_PLAIN_TAG: Final = re.compile(rb"""</?[a-z][a-z0-9]*+(?: [^"'<>]*+)?>""")


class LeapingReader(MarkupReader):
    """Reads one page and leaps over tags and comments that cannot matter; where `tag_by_tag` is set, every tag is seen.
    `stops` are the positions of tags that matter for other reasons than what stands in them, in order."""

    def __init__(self) -> None:
        super().__init__()
        self.tag_by_tag = False
        self.stops: Sequence[int] = ()
        #: Behind this position of `data`, nothing but text, tags and comments that do not matter comes any more.
        self._nothing_behind = sys.maxsize
        #: Where reading stopped because nothing comes behind it, or -1.
        self._stopped_at = -1
        #: Before this position of `data`, no mark stands.
        self.unmarked = 0
        self._leaps = _LEAP
        self._chunk_size = 0
        self._marks: list[int] = []  # from the last one on
        self._quoted_at = -1
        self._doubt_until = 0
        self._has_many_parts = False

    def look_for_ends(self, *, in_form: bool, in_table: bool) -> None:
        """Whether the end tags of forms matter, and the tags of rows and cells."""
        self._leaps = _LEAP_IN_TABLE if in_table else _LEAP_IN_FORM if in_form else _LEAP

    def read_chunk(self, chunk: bytes, *, is_last: bool = False, low: bytes | None = None) -> None:
        """Reads on with the bytes that come next, one at least; afterwards `data` is known up to `decided`."""
        self._chunk_size = len(chunk)
        self.take(chunk, low)
        if len(self.data) >= _TOO_SHORT_TO_LEAP:
            self.find_marks()
        if is_last:
            marked = self.low.rfind(MARK)
            self._nothing_behind = max([marked, self.low.rfind(b"slot:", max(marked, 0)), *self.stops])
        self.read()

    def find_marks(self) -> None:
        """Finds where leaps have to stop; nothing is known of quotes by now."""
        marks = occurrences(self.low, MARK, self.unmarked)
        self._marks = sorted({*marks, *(stop + 1 for stop in self.stops)}) if self.stops else marks
        self._marks.reverse()
        self._quoted_at = -1
        self._doubt_until = 0

    def read_rest(self) -> None:
        """Reads what waits to begin again with more bytes, as far as it goes without them."""
        self._chunk_size = 0
        super().read_rest()

    def _in_markup(self, position: int) -> int:
        if self.tag_by_tag:
            return self.read_tags(position)
        if position > self._nothing_behind:
            self._stopped_at = position
            return len(self.data)
        if len(self.data) < _TOO_SHORT_TO_LEAP:
            return self.read_tags(position)
        if position < self._doubt_until:
            return self._read_dull(position)
        return self._leap(position)

    def _leap(self, position: int) -> int:
        """Goes to the next place that matters, or to the last tag of the chunk, which may not be whole."""
        end, low = len(self.data), self.low
        while position <= self._nothing_behind:
            mark_at = self._next_mark(position) if self._marks else end
            at = low.rfind(b"<", position, mark_at) if mark_at < end else end
            if at < 0:
                return mark_at + len(MARK)
            position, stopped_at = self._pass_parts(position, at)
            if stopped_at >= 0:
                return stopped_at
            if at == end:
                return self._leap_to_end(position)
            if not is_markup(low, position, at):
                return self._doubt(position, at)
            after = self.pass_marked(at)
            if after < 0:
                return self.read_markup(at)
            position = after
        return position

    def _pass_parts(self, position: int, limit: int) -> tuple[int, int]:
        """Passes all parts that begin before `limit` and are whole. Where one has to be read as the standard says, the
        second is where that has stopped, else -1."""
        low, begin, number = self.low, position, 0
        if self._has_many_parts and self._quoted_at < position:
            self._quoted_at = quoted_sign(low, position, limit)
        quoted_at = self._quoted_at
        last = None  # of those that are certain, of which only the end of the last matters
        for part in self._leaps.finditer(low, position, limit):
            number += 1
            odd = part.lastindex
            if odd is None and quoted_at >= limit:
                last = part
                continue
            if last is not None:
                position, last = last.end(), None
            at, end = part.span()
            if odd is None and at < quoted_at:
                position = end
                continue
            if (part.start(1) >= 0 or at >= quoted_at) and not is_markup(low, position, at):
                return position, self._doubt(position, at)
            if odd == 2:
                is_waiting = limit == len(low) and self._nothing_behind == sys.maxsize and self._may_wait(at)
                return at, self._wait(at) if is_waiting else self.read_markup(at)
            position = end
            if quoted_at < end and (self._has_many_parts or _MANY_LEAPS < number > (end - begin) // _FEW_BYTES):
                quoted_at = self._quoted_at = quoted_sign(low, end, limit)
        if last is not None:
            position = last.end()
        self._has_many_parts = _MANY_LEAPS < number > (position - begin) // _FEW_BYTES
        return position, -1

    def _doubt(self, position: int, at: int) -> int:
        """Reads tag by tag up to here, where it is not certain that a tag begins: from near by, where it is."""
        self._doubt_until = at + 1
        before = at
        for _ in range(_FEW_TAGS):
            before = self.low.rfind(b"<", position, before)
            if before < 0:
                break
            if is_markup(self.low, position, before):
                return self._read_dull(before)
        return self._read_dull(position)

    def _leap_to_end(self, position: int) -> int:
        """Goes to the last tag of the chunk, since nothing before it matters; that one may not be whole."""
        low, end = self.low, len(self.data)
        at = low.rfind(b"<", position)
        if at < 0:
            return end
        if not is_markup(low, position, at):
            return self._doubt(position, at)
        if _is_whole(low, at):
            return end
        return self._wait(at) if self._may_wait(at) else self.read_markup(at)

    def _may_wait(self, at: int) -> bool:
        """Whether what begins here and is not whole can begin again with the next chunk: they are few, it is short."""
        return self._chunk_size >= LARGE_CHUNK and len(self.data) - at <= LARGE_CHUNK

    def pass_marked(self, at: int) -> int:
        """Passes a slot that begins with the tag here, if it is whole and simple enough to be read in one step; else
        it is -1, and everything in it is read one by one."""
        return -1

    def _next_mark(self, position: int) -> int:
        """Where the next mark stands behind this position, the end of `data` without any."""
        marks = self._marks
        while marks and marks[-1] <= position:
            marks.pop()
        return marks[-1] if marks else len(self.data)

    def _read_dull(self, position: int) -> int:
        match = _DULL.match(self.low, position, self._next_mark(position))
        at = self.low.find(b"<", match.end() if match is not None else position)
        return self.read_markup(at) if at >= 0 else len(self.data)


def _is_whole(low: bytes, at: int) -> bool:
    """Whether the tag that begins here is all there. Where pages are cut, most are not, and hold no `>`."""
    return low.find(b">", at) >= 0 and (_PLAIN_TAG.match(low, at) is not None or TAG.match(low, at) is not None)
