"""Reads a stream of HTML as the tokenizer of the standard does (13.2.5), without looking at every byte.

Most of a page is leapt over, by searching for the few strings that change how what follows is read. Where a quote
makes it doubtful whether such a string is markup or stands in an attribute, the page is read tag by tag up to
there. Any split into chunks reads the same, each byte is read a bounded number of times, and what has to wait
for more bytes is an unfinished tag or less.
"""

import re
import sys
from abc import ABC, abstractmethod
from collections.abc import Sequence

from personalize.web.html.occurrences import holds, occurrences
from personalize.web.html.page_context import RAW_TEXT, TABLE_PARTS, Sections
from personalize.web.html.tags import (
    ATTRIBUTES,
    BLANK,
    BOGUS,
    ENDED,
    NAME,
    SELF_CLOSED,
    TAG,
    one_of,
    read_tag,
)
from personalize.web.html.whole_parts import is_markup, leaps_to, quoted_sign

#: The longest tag that is held back until it is whole, in bytes; from a longer one only its name is kept.
LONGEST_TAG = 4096
_LONGEST_SLOT_COMMENT = 256
#: A `<` that begins markup, or may when more comes.
_MARKUP = re.compile(rb"<(?=[a-z/!?]|\Z)")
_TOO_SHORT_TO_LEAP = 64
#: With chunks of so many bytes, so many bytes may be read twice.
_LARGE_CHUNK = 1024
_MARK = b"data-slot"
_AFTER_NAME = rb"(?=[%b/>])" % BLANK


_CHANGES_READING = frozenset(b"form frameset math plaintext script select svg table template".split()) | RAW_TEXT
_ENDS = frozenset((b"/form", b"/table"))
_IN_TABLES = TABLE_PARTS | {b"/" + name for name in TABLE_PARTS} | _ENDS
_LEAP = leaps_to(_CHANGES_READING, tables=True)
_LEAP_IN_FORM = leaps_to(_CHANGES_READING | _ENDS, tables=True)
_LEAP_IN_TABLE = leaps_to(_CHANGES_READING | _IN_TABLES, tables=False)
#: With so many leaps in a row, and so few bytes between, it is worth knowing where the next `<` in an attribute is.
_MANY_LEAPS = 4
_FEW_BYTES = 500
#: Before a doubtful tag, so many are looked at for one that is certain.
_FEW_TAGS = 8
_GREATER, _NEW_LINE = b">\n"
_DULL_TAG = rb"/?[a-z][^%b/>]*+(?:>|%b[%b/]*+>)" % (BLANK, ATTRIBUTES, BLANK)
_DULL = re.compile(
    rb"(?:[^<]*+<(?:(?!%b%b)%b|(?![a-z/!?]|\Z)))*" % (one_of(_CHANGES_READING | _IN_TABLES), _AFTER_NAME, _DULL_TAG)
)
_PLAIN_TAG = re.compile(rb"""</?[a-z][a-z0-9]*+(?: [^"'<>]*+)?>""")
_COMMENT_END = re.compile(rb"--!?>")
_COMMENT_TAIL = re.compile(rb"--?!?\Z")
_PART_OF_SLOT_COMMENT = re.compile(
    rb"<!--(?:-|[%b]*+/?(?:s(?:l(?:o(?:t(?::[a-z0-9_-]*+[%b]*+-{0,2}!?)?)?)?)?)?)" % (BLANK, BLANK)
)
_SCRIPT = re.compile(rb"<!--|-->|</?script%b" % _AFTER_NAME)
#: What each leads to from: plain, after `<!--`, after `<!-- <script>`.
_SCRIPT_DEPTHS = {b"<!--": (1, 1, 2), b"-->": (0, 0, 0), b"<script": (0, 2, 2), b"</script": (0, 0, 1)}
_LONGEST_IN_SCRIPT = len(b"</script")
_TEXT_ENDS = {name: re.compile(rb"</%b%b" % (name, _AFTER_NAME)) for name in RAW_TEXT}
_TAG_NAME = re.compile(rb"[^%b/>]*+(?=[%b/>])" % (BLANK, BLANK))
#: Stands for a name that is longer than that of any element.
_UNKNOWN = b"-"


class MarkupReader(ABC):
    """Reads one page and calls `on_tag` and `on_comment`.

    Tags and comments that cannot matter may be leapt over, unless `tag_by_tag` is set: then every tag is seen.
    `stops` are the positions of tags that matter for other reasons than what stands in them, in order.
    In the methods, `data` holds what is being read, `low` the same in lower case, and positions count in both.
    """

    def __init__(self) -> None:
        self.tag_by_tag = False
        self.stops: Sequence[int] = ()
        self.is_lost = False
        self.sections = Sections.NONE
        self.data = self.low = b""
        #: Behind this position of `data`, nothing but text, tags and comments that do not matter comes any more.
        self.nothing_behind = sys.maxsize
        #: Up to here `data` is decided; what follows comes again, in front of the next chunk.
        self.decided = 0
        self._leaps = _LEAP
        self._step = self._in_markup
        self._chunk_size = 0
        self._resume = 0
        self._marks: list[int] = []
        self._quoted_at = -1
        self._doubt_until = 0
        self._has_many_parts = False
        self._tag_state = NAME
        # None while the tag is held back until it is whole; empty where it is no tag at all.
        self._tag_name: bytes | None = None
        self._tag_is_end = False
        self._text_name = b""
        self._script_depth = 0

    @abstractmethod
    def on_tag(self, name: bytes, is_end: bool, self_closing: bool, start: int, end: int) -> int:
        """A tag, its name in lower case. Returns where to read on, by rights `end`.

        Of a tag longer than LONGEST_TAG, `start` is `end`.
        """

    @abstractmethod
    def on_comment(self, text: bytes, start: int, end: int) -> None:
        """A comment that is whole, and short enough to be a mark."""

    @property
    def waits(self) -> bool:
        """Whether a chunk without `<` could mean anything now."""
        return self.decided < len(self.data) or self._step != self._in_markup

    @property
    def waits_at_sign(self) -> bool:
        """Whether all that waits is a `<`, of which the next byte will say what it begins."""
        return self.decided == len(self.data) - 1 and self.data.endswith(b"<") and self._step == self._in_markup

    def read(self, chunk: bytes, *, is_last: bool = False, low: bytes | None = None) -> None:
        """Reads on with the bytes that come next, one at least; afterwards `data` is known up to `decided`."""
        self._chunk_size = len(chunk)
        if self.decided < len(self.data):
            chunk, low = self.data[self.decided :] + chunk, None
        self.data = chunk
        self.low = chunk.lower() if low is None else low
        position, end = self._resume, len(self.data)
        self.decided, self._resume = end, 0
        if end >= _TOO_SHORT_TO_LEAP:
            self._find_marks()
        if is_last:
            marked = self.low.rfind(_MARK)
            self.nothing_behind = max([marked, self.low.rfind(b"slot:", max(marked, 0)), *self.stops])
        while position < end:
            position = self._step(position)

    def pass_calm(self, chunk: bytes) -> bytes | None:
        """What leaves of a chunk in which nothing matters, not even a comment: all, but for a tag that is not whole and
        waits. None where the chunk has to be read."""
        is_long = len(chunk) >= _LARGE_CHUNK and not self._has_many_parts
        if not is_long or self.tag_by_tag or self._step != self._in_markup or holds(chunk, _MARK):
            return None
        data = self.data[self.decided :] + chunk
        low = data.lower()
        if holds(low, _MARK) or self._leaps.search(low) is not None:
            return None
        at, end = low.rfind(b"<"), len(data)
        if at >= 0 and not is_markup(low, 0, at):
            return None
        if at < 0 or TAG.match(low, at) is not None:
            at = end
        elif end - at > _LARGE_CHUNK or low.startswith(b"<!", at):
            return None
        self.data, self.low, self.decided = data, low, at
        return data[:at]

    def _find_marks(self) -> None:
        """Finds where leaps have to stop; nothing is known of quotes by now."""
        marks = occurrences(self.low, _MARK)
        self._marks = sorted({*marks, *(stop + 1 for stop in self.stops)}) if self.stops else marks
        self._marks.reverse()
        self._quoted_at = -1
        self._doubt_until = 0

    def read_rest(self) -> None:
        """Reads what waits to begin again with more bytes, as far as it goes without them."""
        if self._step != self._in_markup:
            return
        self._chunk_size = 0
        position, end = self.decided + self._resume, len(self.data)
        self.decided, self._resume = end, 0
        while position < end:
            position = self._step(position)

    def let_go(self) -> None:
        """Gives up what waits for more bytes, because something else stands between here and there."""
        self.read_rest()
        if self._step == self._in_tag:
            self._release_tag()
            if self._tag_state == NAME:
                self.lose()
        elif self._step == self._in_markup and self.decided < len(self.data):
            if self.data.startswith(b"<!--", self.decided):
                self._step = self._in_comment
            else:
                self.lose()
        self.decided, self._resume = len(self.data), 0

    def lose(self) -> None:
        """Nothing is certain any more: the rest of the page is not looked at."""
        self.is_lost = True
        self._step = self._in_the_rest

    def expect_text(self, name: bytes) -> None:
        """From here on there is text up to the end tag of this element."""
        self._text_name = name
        self._step = self._in_text

    def expect_script(self) -> None:
        """From here on there is a script."""
        self._script_depth = 0
        self._step = self._in_script

    def look_for_ends(self, *, in_form: bool, in_table: bool) -> None:
        """Whether the end tags of forms matter, and the tags of rows and cells."""
        leaps = _LEAP_IN_TABLE if in_table else _LEAP_IN_FORM if in_form else _LEAP
        self._leaps = leaps

    # Markup: outside of tags, comments, and text elements.

    def _in_markup(self, position: int) -> int:
        if self.tag_by_tag:
            return self.read_tags(position)
        if position > self.nothing_behind:
            return len(self.data)
        if len(self.low) < _TOO_SHORT_TO_LEAP:
            markup = _MARKUP.search(self.low, position)
            return self.read_markup(markup.start()) if markup is not None else len(self.low)
        if position < self._doubt_until:
            return self._read_dull(position)
        return self._leap(position)

    def read_tags(self, position: int) -> int:
        """Reads without leaping; returns where it stopped."""
        markup = _MARKUP.search(self.low, position)
        return self.read_markup(markup.start()) if markup is not None else len(self.low)

    def _leap(self, position: int) -> int:
        """Goes to the next place that matters, or to the last tag of the chunk, which may not be whole."""
        end, low = len(self.data), self.low
        while position <= self.nothing_behind:
            mark_at = self._next_mark(position) if self._marks else end
            at = low.rfind(b"<", position, mark_at) if mark_at < end else end
            if at < 0:
                return mark_at + len(_MARK)
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
        return end

    def _pass_parts(self, position: int, limit: int) -> tuple[int, int]:
        """Passes all parts that begin before `limit` and are whole. Where one has to be read as the standard says, the
        second is where that has stopped, else -1."""
        low, begin, quoted_at, number = self.low, position, self._quoted_at, 0
        for number, part in enumerate(self._leaps.finditer(low, position, limit), start=1):
            at, end = part.span()
            if part.lastindex is None and at < quoted_at:
                position = end
                continue
            if (part[1] is not None or at >= quoted_at) and not is_markup(low, position, at):
                return position, self._doubt(position, at)
            if part[2] is not None:
                is_waiting = limit == len(low) and self.nothing_behind == sys.maxsize and self._may_wait(at)
                return at, self._wait(at) if is_waiting else self.read_markup(at)
            position = end
            if quoted_at < end and (self._has_many_parts or _MANY_LEAPS < number > (end - begin) // _FEW_BYTES):
                quoted_at = self._quoted_at = quoted_sign(low, end, limit)
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
        if _PLAIN_TAG.match(low, at) is not None or TAG.match(low, at) is not None:
            return end
        return self._wait(at) if self._may_wait(at) else self.read_markup(at)

    def _may_wait(self, at: int) -> bool:
        """Whether what begins here and is not whole can begin again with the next chunk: they are few, it is short."""
        return self._chunk_size >= _LARGE_CHUNK and len(self.data) - at <= _LARGE_CHUNK

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

    def read_markup(self, at: int) -> int:
        """Reads what begins with the `<` here, which is not in a tag or comment."""
        first = self.low[at + 1 : at + 2]
        if not first:
            return self._wait(at)
        tag = TAG.match(self.low, at)
        if tag is not None:
            end = tag.end()
            return self.on_tag(tag[2], bool(tag[1]), tag[3].endswith(b"/"), at if end - at <= LONGEST_TAG else end, end)
        if first.isalpha():
            return self._begin_tag(at, at + 1, NAME)
        if first == b"/":
            return self._end_of_something(at)
        if first == b"!":
            return self._declaration(at)
        return self._begin_tag(at, at + 2, BOGUS) if first == b"?" else at + 1

    def _end_of_something(self, at: int) -> int:
        second = self.low[at + 2 : at + 3]
        if second.isalpha():
            return self._begin_tag(at, at + 2, NAME)
        if second == b">":
            return at + 3
        return self._begin_tag(at, at + 2, BOGUS) if second else self._wait(at)

    def _declaration(self, at: int) -> int:
        start = self.data[at : at + 9]
        if start.startswith(b"<!--"):
            return self._begin_comment(at)
        if b"<!--".startswith(start):
            return self._wait(at)
        if start.startswith(b"<![") and self.sections is not Sections.NONE:
            return self._section(at, start)
        return self._begin_tag(at, at + 2, BOGUS)

    def _section(self, at: int, start: bytes) -> int:
        if self.sections is Sections.DOUBT:
            self.lose()
            return at
        if start == b"<![CDATA[":
            self._step = self._in_cdata
            return at + len(start)
        if b"<![CDATA[".startswith(start):
            return self._wait(at)
        return self._begin_tag(at, at + 2, BOGUS)

    def _wait(self, decided: int, resume: int | None = None) -> int:
        """Nothing more can be read without further bytes, which begin to be read again at `resume`."""
        self.decided = decided
        self._resume = decided if resume is None else resume
        self._resume -= decided
        return len(self.data)

    # Tags that are not whole yet.

    def _begin_tag(self, at: int, position: int, state: str) -> int:
        position, self._tag_state = read_tag(self.data, position, state)
        if self._tag_state == ENDED:
            return position
        self._tag_is_end = self.low[at + 1 : at + 2] == b"/"
        self._tag_name = b"" if state == BOGUS else None
        self._step = self._in_tag
        return self._hold_tag(at, position)

    def _hold_tag(self, at: int, position: int) -> int:
        if self._tag_name is None and position - at <= LONGEST_TAG:
            return self._wait(at, position)
        self.decided = at
        self._release_tag()
        return self._wait(position)

    def _release_tag(self) -> None:
        """Keeps of an unfinished tag its name alone. A name that is not whole is that of no element we know."""
        if self._tag_name is None:
            match = _TAG_NAME.match(self.low, self.decided + (2 if self._tag_is_end else 1))
            self._tag_name = match.group() if match is not None else _UNKNOWN

    def _in_tag(self, position: int) -> int:
        position, self._tag_state = read_tag(self.data, position, self._tag_state)
        is_held = self._tag_name is None
        if self._tag_state not in (ENDED, SELF_CLOSED):
            return self._hold_tag(0, position) if is_held else position
        self._step = self._in_markup
        if is_held:
            return self.read_markup(0)
        if not self._tag_name:
            return position
        self_closing = self._tag_state == SELF_CLOSED
        return self.on_tag(self._tag_name, self._tag_is_end, self_closing, position, position)

    # Comments and sections.

    def _begin_comment(self, at: int) -> int:
        low, start = self.low, at + 4
        for abrupt in (b">", b"->"):
            if low.startswith(abrupt, start):
                return start + len(abrupt)
        end = _COMMENT_END.search(low, start)
        if end is not None:
            if end.end() - at <= _LONGEST_SLOT_COMMENT:
                self.on_comment(self.data[start : end.start()], at, end.end())
            return end.end()
        if len(low) - at <= _LONGEST_SLOT_COMMENT and _PART_OF_SLOT_COMMENT.fullmatch(self.data, at):
            return self._wait(at)
        self._step = self._in_comment
        return start

    def _in_comment(self, position: int) -> int:
        end = _COMMENT_END.search(self.low, position)
        if end is not None:
            self._step = self._in_markup
            return end.end()
        tail = _COMMENT_TAIL.search(self.low, max(position, len(self.low) - 3))
        return self._wait(tail.start()) if tail is not None else len(self.low)

    def _in_cdata(self, position: int) -> int:
        end = self.low.find(b"]]>", position)
        if end >= 0:
            self._step = self._in_markup
            return end + 3
        return self._wait(max(position, len(self.low) - 2))

    # Elements whose inside is text.

    def _in_text(self, position: int) -> int:
        end = _TEXT_ENDS[self._text_name].search(self.low, position)
        if end is not None:
            self._step = self._in_markup
            return self.read_markup(end.start())
        longest = len(self._text_name) + 2
        tail = self.low.rfind(b"<", max(position, len(self.low) - longest))
        return self._wait(tail) if tail >= 0 else len(self.low)

    def _in_script(self, position: int) -> int:
        """A script ends at its end tag, but for `<!-- <script> </script>`, which only a second one ends."""
        while (match := _SCRIPT.search(self.low, position)) is not None:
            found, position = match.group(), match.end()
            if found == b"</script" and self._script_depth < 2:
                self._step = self._in_markup
                return self.read_markup(match.start())
            if found == b"<!--":
                # The two dashes may belong to a closing `-->` as well.
                position = match.start() + 2
            self._script_depth = _SCRIPT_DEPTHS[found][self._script_depth]
        return self._wait(max(position, len(self.low) - _LONGEST_IN_SCRIPT))

    def _in_the_rest(self, position: int) -> int:
        return len(self.data)
