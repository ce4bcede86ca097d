"""Lets a page in parts leave before it is read: it is read when a mark comes behind it.

So what comes behind the last slot is not read at all, nor what comes behind it in the same part, and the rest in few
long steps, in which scripts, comments and drawings are whole that were cut.
"""

import sys
from typing import Final

from personalize.web.html.leaping_reader import LARGE_CHUNK, MARK, MOST_UNREAD, LeapingReader
from personalize.web.html.tags import TAG
from personalize.web.html.whole_parts import is_markup, last_quote

#: What every mark holds. All but the first, `slot:name` and those of the slot tag, stand in comments, behind a `!`.
_WORD: Final = b"slot"
_EXCLAMATION: Final = 0x21


class LateReader(LeapingReader):
    """Reads one page, and late what may leave before. `left` bytes of what is not decided yet have left already."""

    def __init__(self, *, reads_late: bool) -> None:
        super().__init__()
        self.left = 0
        self._reads_late = reads_late
        self._unread: list[bytes] = []
        self._unread_low: list[bytes] = []

    def leave(self, chunk: bytes, low: bytes) -> bytes | None:
        """What leaves now of a chunk that is read later, if at all: all but a tag that is not whole. None where it has
        to be read at once, since a mark may stand in it, or nobody knows without reading where a tag begins. `low` is
        the same in lower case."""
        if self._step is not None or self.tag_by_tag or len(chunk) < LARGE_CHUNK or self.left > MOST_UNREAD:
            return None
        if self.decided < len(self.data):
            chunk, low = self.data[self.decided :] + chunk, self.low[self.decided :] + low
        end = _end_of_markup(low) if low.rfind(MARK if low.find(b"!") < 0 else _WORD) < 0 else -1
        if end < 0:
            return None
        self.data, self.low, self.decided = chunk, low, end
        if end < len(chunk):
            chunk, low = chunk[:end], low[:end]
        self._unread.append(chunk)
        self._unread_low.append(low)
        self.left += end
        return chunk

    def read(self) -> None:
        """Reads what was taken, up to the last mark in it and the end of its slot; the rest is left unread."""
        end = -1
        if self._reads_late and self._chunk_size >= LARGE_CHUNK and self._marks and self._nothing_behind == sys.maxsize:
            end = _end_of_markup(self.low)
        if end < 0:
            super().read()
            return
        last = self._marks[0]
        self._nothing_behind = last if self.low.find(b"!", last) < 0 else self.low.rfind(_WORD)
        self._stopped_at = -1
        super().read()
        self._nothing_behind = sys.maxsize
        if 0 <= self._stopped_at <= end:
            self.decided = end
            self._unread.append(self.data[self._stopped_at : end])
            self._unread_low.append(self.low[self._stopped_at : end])

    @property
    def unread_size(self) -> int:
        """How many bytes were left unread by `read`."""
        return len(self._unread[0]) if self._unread else 0

    @property
    def is_late(self) -> bool:
        """Whether something has left that was not read, and holds no mark."""
        return bool(self._unread)

    def catch_up(self) -> None:
        """Takes what was left unread into `data`."""
        if self._unread:
            self.take(b"", b"")
            self.find_marks()

    def take(self, chunk: bytes, low: bytes | None = None) -> None:
        """Puts the bytes that come next behind those that are unread, or wait."""
        super().take(chunk, low)
        self.unmarked = 0
        if self._unread:
            self.unmarked = self.left
            self._unread.append(self.data)
            self._unread_low.append(self.low)
            self.data, self.low = b"".join(self._unread), b"".join(self._unread_low)
            self._unread, self._unread_low = [], []


def _end_of_markup(low: bytes) -> int:
    """Where a tag begins that is not whole, with which these bytes end, or else their end. It is -1 where that is not
    certain, or the tag is too long to wait, or may be something else than a tag."""
    at, end, behind = low.rfind(b"<"), len(low), low.rfind(b">")
    if at <= behind:
        return end if last_quote(low, 0, end) <= behind or _is_behind_tag(low, at, end) else -1
    if not 1 < end - at <= LARGE_CHUNK or low[at + 1] == _EXCLAMATION:
        return -1
    return at if is_markup(low, 0, at) or _is_behind_tag(low, low.rfind(b"<", 0, at), at) else -1


def _is_behind_tag(low: bytes, begin: int, at: int) -> bool:
    """Whether the last `<` before a position certainly begins a tag, which ends before it."""
    tag = TAG.match(low, begin, at) if begin >= 0 else None
    return tag is not None and is_markup(low, 0, begin)
