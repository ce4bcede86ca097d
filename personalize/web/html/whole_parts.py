"""Parts of a page that are there from end to end and mean nothing for slots: they are passed in one step.

Most scripts, styles, comments, drawings and tables are such parts. Whatever has an odd end, or holds what could matter,
is no such part, and is read as the standard says, tag by tag. Everything but slots is looked for in lower-case bytes.
"""

import re

from personalize.web.html.marks import SLOT_ID
from personalize.web.html.page_context import DRAWINGS, RAW_TEXT
from personalize.web.html.tags import ATTRIBUTES, BLANK, TAG, one_of

_ATTRIBUTES = rb'(?: ++(?!data-slot)[a-z][a-z-]*+="[^"]*+")*'
#: A slot on an element that may hold anything, with nothing in it but text and elements that hold text.
SIMPLE_SLOT = re.compile(
    rb"<(?P<name>article|aside|div|footer|header|main|nav|section)%b"
    rb" ++data-slot=(?P<quote>\"?)(?P<slot_id>%b)(?P=quote)%b ?>"
    rb"(?P<inside>[^<]*+(?:<(?P<inner>p|h[1-6]|a|b|em|i|small|span|strong)%b ?>[^<]*+</(?P=inner)>[^<]*+)*)</(?P=name)>"
    % (_ATTRIBUTES, SLOT_ID.pattern.encode(), _ATTRIBUTES, _ATTRIBUTES)
)
_PLAIN_SVG = re.compile(
    rb"<svg%b[%b]*+>(?:[^<]*+</?%b(?=[%b/>])%b[%b/]*+>)*[^<]*+</svg[%b]*+>"
    % (ATTRIBUTES, BLANK, one_of(DRAWINGS), BLANK, ATTRIBUTES, BLANK, BLANK)
)
_TEXT_ENDS = {name: b"</" + name for name in RAW_TEXT | {b"script"}}
_AFTER_NAME = frozenset((b"\t", b"\n", b"\f", b"\r", b" ", b"/", b">"))
_WHITE_OR_EQUALS = frozenset(b"= \t\n\f\r")
_NONE = -1


def after_whole_part(low: bytes, at: int, mark_at: int) -> int:
    """Behind the comment, text element or drawing that begins here, or at the end tag of a text element; -1 where it
    is no whole part, or its tag holds the mark."""
    if low.startswith(b"<!--", at):
        return _after_comment(low, at + 4)
    tag = TAG.match(low, at)
    if tag is None or mark_at < tag.end():
        return _NONE
    if tag[2] == b"svg":
        match = _PLAIN_SVG.match(low, at)
        return match.end() if match is not None else _NONE
    ending = _TEXT_ENDS.get(tag[2])
    if ending is None:
        return _NONE
    end = low.find(ending, tag.end())
    if end < 0 or low[end + len(ending) : end + len(ending) + 1] not in _AFTER_NAME:
        return _NONE
    return _NONE if tag[2] == b"script" and low.find(b"<!--", tag.end(), end) >= 0 else end


def _after_comment(low: bytes, begin: int) -> int:
    end = low.find(b"-->", begin)
    if end < 0 or low[begin] in b">-" or low.find(b"--!>", begin, end) >= 0 or low.find(b"slot:", begin, end) >= 0:
        return _NONE
    return end + 3


def after_whole_table(low: bytes, at: int, mark_at: int, matters: re.Pattern[bytes]) -> int:
    """At the end tag of the table that begins here, if it ends before the mark, and nothing that matters begins in
    it; else -1."""
    tag = TAG.match(low, at)
    end = low.find(b"</table", tag.end(), mark_at) if tag is not None else _NONE
    if tag is None or end < 0 or low[end + 7 : end + 8] not in _AFTER_NAME:
        return _NONE
    return end if matters.search(low, tag.end(), end) is None and is_markup(low, tag.end(), end) else _NONE


def is_markup(low: bytes, position: int, at: int) -> bool:
    """Whether a `<` is certainly no part of an attribute or of other markup begun since `position`.

    In an attribute value, the last quote before it begins that value, and stands behind `=`. Elsewhere
    in a tag, what stands between the last `>` and it holds the `<` of that tag, or a quote.
    """
    before = low[low.rfind(b">", position, at) + 1 or position : at] if at > position else b""
    if b"<" in before or b'"' in before or b"'" in before:
        return False
    double, single = low.rfind(b'"', position, at), low.rfind(b"'", position, at)
    return not (
        (double > position and low[double - 1] in _WHITE_OR_EQUALS)
        or (single > position and low[single - 1] in _WHITE_OR_EQUALS)
    )
