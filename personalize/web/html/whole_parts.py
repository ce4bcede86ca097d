"""Parts of a page that are there from end to end and mean nothing for slots: they are passed in one step.

Most scripts, styles, comments, drawings and tables are such parts. Whatever has an odd end, or holds what could matter,
is no such part, and is read as the standard says, tag by tag. Everything but slots is looked for in lower-case bytes.
"""

import re
from typing import Final

from personalize.web.html.marks import SLOT_ID
from personalize.web.html.page_context import DRAWINGS, RAW_TEXT
from personalize.web.html.tags import BLANK, one_of

_ATTRIBUTES = rb'(?: ++(?!data-slot)[a-z][a-z-]*+="[^"]*+")*'
#: A slot on an element that may hold anything, with nothing in it but text and elements that hold text.
SIMPLE_SLOT: Final = re.compile(
    rb"<(?P<name>article|aside|div|footer|header|main|nav|section)%b"
    rb" ++data-slot=(?P<quote>\"?)(?P<slot_id>%b)(?P=quote)%b ?>"
    rb"(?P<inside>[^<]*+(?:<(?P<inner>p|h[1-6]|a|b|em|i|small|span|strong)%b ?>[^<]*+</(?P=inner)>[^<]*+)*)</(?P=name)>"
    % (_ATTRIBUTES, SLOT_ID.pattern.encode(), _ATTRIBUTES, _ATTRIBUTES)
)
_SIMPLE_ATTRIBUTE = rb"""[%b]++[a-z][a-z0-9:_-]*+(?:="[^"<>]*+"|='[^'<>]*+'|(?!=))""" % BLANK
#: What follows the name of a tag whose attributes hold nothing odd, to its end. Many have none.
_SIMPLE_REST = rb"(?:>|(?!>)(?:%b)*[%b]*+/?>)" % (_SIMPLE_ATTRIBUTE, BLANK)
_CELL = rb"/?t[dhr]>"
_AFTER_NAME = rb"(?=[%b/>])" % BLANK
# The rest of each, behind its name.
_COMMENT = rb"(?!-?>|[%b]*+/?slot:)[^-]*+(?:-(?!-)[^-]*+)*-->" % BLANK
_SCRIPT = rb"%b[^<]*+(?:<(?!/script|!--)[^<]*+)*(?=</script[%b/>])" % (_SIMPLE_REST, BLANK)
_SVG = rb"%b[^<]*+(?:</?%b%b[^<]*+)*</svg[%b]*+>" % (_SIMPLE_REST, one_of(DRAWINGS), _SIMPLE_REST, BLANK)
_QUOTED_SIGN: Final = re.compile(rb"""=[%b]*+(?:"[^"<]*+<|'[^'<]*+<)""" % BLANK)
_WHITE_OR_EQUALS: Final = frozenset(b"= \t\n\f\r")
_GREATER: Final = 0x3E
_NEWLINE: Final = 0x0A


def leaps_to(names: frozenset[bytes], *, tables: bool) -> re.Pattern[bytes]:
    """What finds a comment or a tag of these names in lower-case bytes, whole parts from end to end.

    Group 1 is there where it does not stand right behind a `>` or that and a line break, group 2 where it is no whole
    part. Text elements are passed up to their end tag, and so are `tables` in which none of these names begins.
    """
    whole = [(b"!--", _COMMENT), (b"script", _SCRIPT), (b"svg", _SVG), *((name, _text(name)) for name in RAW_TEXT)]
    if tables:
        whole.append((b"table", _table(names)))
    # Most tags are told by two letters, which are read and not looked ahead at: that costs half. `img` passes both.
    first, second = (b"".join(sorted({name[at : at + 1] for name in names})) for at in (0, 1))
    behind_tag = rb"(?:(?<=><..)|(?<=>\n<..)|(?<!><..)(?<!>\n<..)())"
    return re.compile(
        rb"<[!%b][%b-](?<!im)%b(?:%b|(%b|(?:%b)%b))"
        % (
            first,
            second,
            behind_tag,
            b"|".join(_read_on(name) + rest for name, rest in sorted(whole)),
            _read_on(b"!--"),
            b"|".join(map(_read_on, sorted(names))),
            _AFTER_NAME,
        )
    )


def _read_on(name: bytes) -> bytes:
    """What begins with this name, of which two letters have been read: the third, by which a search sees at once that
    it is another one, then all of it once more."""
    return rb"%b(?<=<%b)" % (name[2:], name)


def _text(name: bytes) -> bytes:
    """The rest of an element that holds text."""
    return rb"%b[^<]*+(?:<(?!/%b)[^<]*+)*(?=</%b[%b/>])" % (_SIMPLE_REST, name, name, BLANK)


def _table(names: frozenset[bytes]) -> bytes:
    """The rest of a table in which none of these names begins."""
    # Each tag can be read in one way only, or a table without an end would take for ever.
    return rb"%b[^<]*+(?:<(?:%b|(?!%b|/?table|%b)/?[a-z][a-z0-9]*+%b)[^<]*+)*(?=</table[%b/>])" % (
        _SIMPLE_REST,
        _CELL,
        _CELL,
        one_of(names),
        _SIMPLE_REST,
        BLANK,
    )


def quoted_sign(low: bytes, position: int, limit: int) -> int:
    """Where the next attribute value begins that holds a `<`, or what may be one; the limit where none does before."""
    found = _QUOTED_SIGN.search(low, position, limit)
    return limit if found is None else found.start()


def is_markup(low: bytes, position: int, at: int) -> bool:
    """Whether a `<` is certainly no part of an attribute or of other markup begun since `position`.

    In an attribute value, the last quote before it begins that value, and stands behind `=`. Elsewhere
    in a tag, what stands between the last `>` and it holds the `<` of that tag, or a quote.
    """
    quote = last_quote(low, position, at)
    if quote == at:
        return False
    if at == position or low[at - 1] == _GREATER or (low[at - 1] == _NEWLINE and low[at - 2] == _GREATER):
        return True
    behind = max(low.rfind(b">", position, at), position - 1)
    return quote <= behind and low.rfind(b"<", position, at) <= behind


def last_quote(low: bytes, position: int, at: int) -> int:
    """Where the last quote stands between these positions, or -1; `at` where it may begin an attribute value."""
    double, single = low.rfind(b'"', position, at), low.rfind(b"'", position, at)
    if (double > position and low[double - 1] in _WHITE_OR_EQUALS) or (
        single > position and low[single - 1] in _WHITE_OR_EQUALS
    ):
        return at
    return max(double, single)
