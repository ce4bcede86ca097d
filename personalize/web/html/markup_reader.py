"""Reads a stream of HTML as the tokenizer of the standard does (13.2.5), tag by tag.

Any split into chunks reads the same, each byte is read a bounded number of times, and what has to wait for more bytes
is an unfinished tag or less.
"""

import re
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Final

from personalize.web.html.page_context import RAW_TEXT, Sections
from personalize.web.html.tags import BLANK, BOGUS, ENDED, NAME, SELF_CLOSED, TAG, read_tag

#: The longest tag that is held back until it is whole, in bytes; from a longer one only its name is kept.
LONGEST_TAG: Final = 4096
_LONGEST_SLOT_COMMENT: Final = 256
#: A `<` that begins markup, or may when more comes.
_MARKUP: Final = re.compile(rb"<(?=[a-z/!?]|\Z)")
_AFTER_NAME = rb"(?=[%b/>])" % BLANK
_COMMENT_END: Final = re.compile(rb"--!?>")
_COMMENT_TAIL = re.compile(rb"--?!?\Z")
_PART_OF_SLOT_COMMENT = re.compile(
    rb"<!--(?:-|[%b]*+/?(?:s(?:l(?:o(?:t(?::[a-z0-9_-]*+[%b]*+-{0,2}!?)?)?)?)?)?)" % (BLANK, BLANK)
)
_SCRIPT: Final = re.compile(rb"<!--|-->|</?script%b" % _AFTER_NAME)
#: What each leads to from: plain, after `<!--`, after `<!-- <script>`.
_SCRIPT_DEPTHS = {b"<!--": (1, 1, 2), b"-->": (0, 0, 0), b"<script": (0, 2, 2), b"</script": (0, 0, 1)}
_LONGEST_IN_SCRIPT: Final = len(b"</script")
_TEXT_ENDS = {name: re.compile(rb"</%b%b" % (name, _AFTER_NAME)) for name in RAW_TEXT}
_TAG_NAME = re.compile(rb"[^%b/>]*+(?=[%b/>])" % (BLANK, BLANK))
#: Stands for a name that is longer than that of any element.
_UNKNOWN = b"-"


class MarkupReader(ABC):
    """Reads one page and calls `on_tag` and `on_comment`.

    In the methods, `data` holds what is being read, `low` the same in lower case, and positions count in both.
    """

    def __init__(self) -> None:
        self.is_lost = False
        self.sections = Sections.NONE
        self.data = self.low = b""
        #: Up to here `data` is decided; what follows comes again, in front of the next chunk.
        self.decided = 0
        #: What reads on from here; None is markup, outside of all that is named below.
        self._step: Callable[[int], int] | None = None
        self._resume = 0
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
        return self.decided < len(self.data) or self._step is not None

    @property
    def waits_at_sign(self) -> bool:
        """Whether all that waits is a `<`, of which the next byte will say what it begins."""
        return self.decided == len(self.data) - 1 and self.data.endswith(b"<") and self._step is None

    def take(self, chunk: bytes, low: bytes | None = None) -> None:
        """Puts the bytes that come next behind those that wait. `low` is the same in lower case, where it is known."""
        if low is None:
            low = chunk.lower()
        if self.decided < len(self.data):
            chunk, low = self.data[self.decided :] + chunk, self.low[self.decided :] + low
        self.data, self.low, self.decided = chunk, low, 0

    def read(self) -> None:
        """Reads all that was taken; afterwards it is known up to `decided`."""
        position, end = self.decided + self._resume, len(self.data)
        self.decided, self._resume = end, 0
        while position < end:
            step = self._step
            position = self._in_markup(position) if step is None else step(position)

    def read_rest(self) -> None:
        """Reads what waits to begin again with more bytes, as far as it goes without them."""
        if self._step is None:
            self.read()

    def let_go(self) -> None:
        """Gives up what waits for more bytes, because something else stands between here and there."""
        self.read_rest()
        if self._step == self._in_tag:
            self._release_tag()
            if self._tag_state == NAME:
                self.lose()
        elif self._step is None and self.decided < len(self.data):
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

    # Markup: outside of tags, comments, and text elements.

    def _in_markup(self, position: int) -> int:
        return self.read_tags(position)

    def read_tags(self, position: int) -> int:
        """Reads what begins with the next `<`; returns where it stopped."""
        markup = _MARKUP.search(self.low, position)
        return self.read_markup(markup.start()) if markup is not None else len(self.low)

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
        self._step = None
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
            self._step = None
            return end.end()
        tail = _COMMENT_TAIL.search(self.low, max(position, len(self.low) - 3))
        return self._wait(tail.start()) if tail is not None else len(self.low)

    def _in_cdata(self, position: int) -> int:
        end = self.low.find(b"]]>", position)
        if end >= 0:
            self._step = None
            return end + 3
        return self._wait(max(position, len(self.low) - 2))

    # Elements whose inside is text.

    def _in_text(self, position: int) -> int:
        end = _TEXT_ENDS[self._text_name].search(self.low, position)
        if end is not None:
            self._step = None
            return self.read_markup(end.start())
        longest = len(self._text_name) + 2
        tail = self.low.rfind(b"<", max(position, len(self.low) - longest))
        return self._wait(tail) if tail >= 0 else len(self.low)

    def _in_script(self, position: int) -> int:
        """A script ends at its end tag, but for `<!-- <script> </script>`, which only a second one ends."""
        while (match := _SCRIPT.search(self.low, position)) is not None:
            found, position = match.group(), match.end()
            if found == b"</script" and self._script_depth < 2:
                self._step = None
                return self.read_markup(match.start())
            if found == b"<!--":
                # The two dashes may belong to a closing `-->` as well.
                position = match.start() + 2
            self._script_depth = _SCRIPT_DEPTHS[found][self._script_depth]
        return self._wait(max(position, len(self.low) - _LONGEST_IN_SCRIPT))

    def _in_the_rest(self, position: int) -> int:
        return len(self.data)
