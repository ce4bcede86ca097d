"""How HTML reads one tag: where it ends, and what its `data-slot` says.

Follows the tokenizer of the HTML standard (13.2.5): quotes only count where a value begins, a `>` in quotes
ends nothing, the first of two attributes with one name counts.
"""

import html
import re
from collections.abc import Iterator
from typing import Final, NamedTuple

#: White space between attributes, for use inside character classes.
BLANK = rb"\t\n\f\r "
# A group repeats plainly and each of its iterations can be read in one way only. Possessive quantifiers stand at
# single characters alone: on groups, Python 3.11.2 gets them wrong (gh-106052).
_VALUE = rb'(?:"[^"]*+"|\'[^\']*+\'|(?!["\'])[^%b>]*+)' % BLANK
_EQUALS = rb"[%b]*+=[%b]*+" % (BLANK, BLANK)
_NAME = rb"[^%b/>][^%b/>=]*+" % (BLANK, BLANK)
#: The attributes of a whole tag, for use inside other patterns.
ATTRIBUTES = rb"(?:[%b/]*+%b(?:%b%b|(?![%b]*+=)))*" % (BLANK, _NAME, _EQUALS, _VALUE, BLANK)
#: A whole tag in lower-case bytes: slash of an end tag, name, what stands before the `>`.
TAG: Final = re.compile(rb"<(/?)([a-z][^%b/>]*+)%b([%b/]*+)>" % (BLANK, ATTRIBUTES, BLANK))
#: The same, or any other `<` without a name.
TAG_OR_NOT: Final = re.compile(rb"<(?:(/?)([a-z][^%b/>]*+)(?:>|%b([%b/]*+)>))?" % (BLANK, ATTRIBUTES, BLANK))
_ATTRIBUTE = re.compile(
    rb"[%b/]*+(%b)(?:%b(?:\"([^\"]*+)\"|'([^']*+)'|((?![\"'])[^%b>]*+))|(?![%b]*+=))"
    % (BLANK, _NAME, _EQUALS, BLANK, BLANK)
)
_TAG_NAME = re.compile(rb"<[a-zA-Z][^%b/>]*+" % BLANK)

#: Bytes of a `data-slot` attribute that is looked at; no slot id is longer, even as character references.
_LONGEST_VALUE = 1024


def attributes_of(tag: bytes) -> Iterator[tuple[bytes, bytes]]:
    """The attributes of a whole start tag in order, names in lower case, values as they were written."""
    name = _TAG_NAME.match(tag)
    position = name.end() if name is not None else len(tag)
    while (attribute := _ATTRIBUTE.match(tag, position)) is not None:
        yield attribute[1].lower(), attribute[2] or attribute[3] or attribute[4] or b""
        position = attribute.end()


def written_slot(tag: bytes) -> str | None:
    """The value of the `data-slot` attribute of a whole start tag, None without one.

    Character references are resolved. The value need not be a slot id.
    """
    for name, value in attributes_of(tag):
        if name == b"data-slot":
            return html.unescape(value[:_LONGEST_VALUE].decode("latin-1"))
    return None


def keeps_slots_out(tag: bytes) -> bool:
    """Whether a whole start tag says `data-slots="off"`: nothing in its element is to be touched."""
    said = next((value for name, value in attributes_of(tag) if name == b"data-slots"), b"")
    return said.strip().lower() == b"off"


class _Run(NamedTuple):
    """One state of the tokenizer inside of a tag: what it runs over, and where each next character leads."""

    over: re.Pattern[bytes]
    leads: dict[int, str]
    otherwise: str = ""


def _run(over: bytes, leads: dict[str, str], otherwise: str = "") -> _Run:
    each = {ord(character): state for characters, state in leads.items() for character in characters}
    return _Run(re.compile(over), each, otherwise)


#: States of `read_tag`: where a tag begins, what no attribute stands in (`<!`, `<?`, `</ `), the two ends.
NAME, BOGUS, ENDED, SELF_CLOSED = "name", "bogus", "ended", "self-closed"
_BLANKS = "\t\n\f\r "
_RUNS = {
    NAME: _run(rb"[^%b/>]*+" % BLANK, {_BLANKS: "between", "/": "slash", ">": ENDED}),
    "between": _run(rb"[%b]*+" % BLANK, {"/": "slash", ">": ENDED}, "attribute"),
    "attribute": _run(rb"[^%b/>=]*+" % BLANK, {_BLANKS: "after", "/": "slash", ">": ENDED, "=": "before value"}),
    "after": _run(rb"[%b]*+" % BLANK, {"/": "slash", ">": ENDED, "=": "before value"}, "attribute"),
    "before value": _run(rb"[%b]*+" % BLANK, {'"': "double", "'": "single", ">": ENDED}, "unquoted"),
    "double": _run(rb'[^"]*+', {'"': "between"}),
    "single": _run(rb"[^']*+", {"'": "between"}),
    "unquoted": _run(rb"[^%b>]*+" % BLANK, {_BLANKS: "between", ">": ENDED}),
    "slash": _run(rb"/*+", {_BLANKS: "between", ">": SELF_CLOSED}, "attribute"),
    BOGUS: _run(rb"[^>]*+", {">": ENDED}),
}


def read_tag(data: bytes, position: int, state: str) -> tuple[int, str]:
    """Reads on in a tag that comes in parts: where it stopped, and in which state.

    Begin behind the `<` or `</` with NAME. The state is ENDED or SELF_CLOSED once the `>` is passed; any other
    one is for going on with the bytes that come next. No byte is read twice.
    """
    while state not in (ENDED, SELF_CLOSED):
        run = _RUNS[state]
        match = run.over.match(data, position)
        position = match.end() if match is not None else position
        if position == len(data):
            break
        state = run.leads.get(data[position]) or run.otherwise
        position += 1
    return position, state


def one_of(words: frozenset[bytes]) -> bytes:
    """A pattern of these words in which no letter is tried twice, so that a search for them is quick."""
    tails: dict[bytes, set[bytes]] = {}
    for word in words - {b""}:
        tails.setdefault(word[:1], set()).add(word[1:])
    branches = b"|".join(letter + one_of(frozenset(rest)) for letter, rest in sorted(tails.items()))
    if not tails or (len(tails) == 1 and b"" not in words):
        return branches
    return rb"(?:%b)%b" % (branches, b"?" if b"" in words else b"")
