"""Finds where slots stand that have a selector and no mark, as `querySelector` would in a browser.

turbohtml reads the page and says at which bytes elements begin; everything else is the scanner's work, so that a slot
found by a selector is as safe as one that is marked. What a selector finds is told by what stands before it, so a
page that comes in parts is read from its beginning again and again, each time it has grown by a quarter: what is
held back meanwhile is a quarter at most, and nothing of a short page.
"""

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from personalize.rules.definitions import How, Placement
from personalize.web.html.doubts import Doubt, Doubts

#: Up to here a page is read for places, in bytes; what comes later is copied.
LONGEST_PAGE = 1_048_576
#: How many bytes may be read for each one that comes, and how many before that counts.
_READ_AGAIN = 4
_READ_FREELY = 65_536
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
#: What a parser opens again wherever text follows, until its end tag comes.
_FORMATTING = frozenset(
    {"a", "b", "big", "code", "em", "font", "i", "nobr", "s", "small", "strike", "strong", "tt", "u"}
)
# To a parser a line break is a blank, and on a page of one line a column is a place in its bytes.
_ONE_LINE = bytes.maketrans(b"\r\n", b"  ")


class PlacedSlot(NamedTuple):
    """A slot that stands at some element, and what is done with that."""

    slot_id: str
    how: How


class Places:
    """The places on one page of the slots that have `placements`; `found` holds them by the byte at which their
    element begins.

    Feed it the page in any pieces, and pass on what it returns: whatever begins in there has been looked at. Of a
    page that is too long or can't be read, the slots not found by then are told to `doubts`.
    """

    def __init__(self, placements: Mapping[str, Placement], encoding: str, doubts: Doubts) -> None:
        self.found: dict[int, list[PlacedSlot]] = {}
        self._doubts = doubts
        self._wanted = dict(_wanted(placements, encoding))
        self._page = bytearray()
        self._passed = 0
        self._may_read = _READ_FREELY

    def feed(self, chunk: bytes) -> bytes:
        """What has been looked at after this chunk."""
        if not self._wanted:
            return chunk
        self._page += chunk
        self._may_read += _READ_AGAIN * len(chunk)
        if self._may_read < len(self._page):
            return b""
        return self.last(b"")

    def last(self, chunk: bytes) -> bytes:
        """What is left with the last chunk."""
        if not self._wanted:
            return chunk
        self._page += chunk
        self._look()
        if len(self._page) > LONGEST_PAGE:
            self._give_up(Doubt.LONG_PAGE)
        looked_at = bytes(self._page[self._passed :])
        self._passed = len(self._page)
        return looked_at

    def _look(self) -> None:
        self._may_read -= len(self._page)
        try:
            self._select()
        except Exception:  # noqa: BLE001  whatever goes wrong in the library, the site's own page leaves
            self._give_up(Doubt.UNREADABLE)

    def _give_up(self, doubt: Doubt) -> None:
        for slot_id in self._wanted:
            self._doubts.add(doubt, slot_id)
        self._wanted.clear()

    def _select(self) -> None:
        from turbohtml import parse  # noqa: PLC0415  an extra, and rules with places don't load without it

        text = self._page[:LONGEST_PAGE].translate(_ONE_LINE)
        if text.startswith(_BYTE_ORDER_MARK):
            text = text.replace(_BYTE_ORDER_MARK, b"   ", 1)
        page = parse(text.decode("latin-1"), scripting=True)
        for slot_id, (css, how) in list(self._wanted.items()):
            element = page.select_one(css)
            position = element.position if element is not None else None
            if element is None or position is None:
                continue
            del self._wanted[slot_id]
            if element.tag == "form" and _goes_on_in_form(text, css):
                self._doubts.add(Doubt.NESTING, slot_id)
            else:
                self.found.setdefault(position[1], []).append(PlacedSlot(slot_id, how))


def _goes_on_in_form(text: bytes | bytearray, css: str) -> bool:
    """Whether bold text, say, that no end tag has closed goes on in the form that a selector finds: what follows the
    form's end tag is in it then, too (HTML, 13.2.6.4.7: that tag ends nothing but the form)."""
    from turbohtml import Element, parse  # noqa: PLC0415

    form = parse(text.decode("latin-1"), scripting=True, source_locations=True).select_one(css)
    before = () if form is None else (one for one in form.preceding if isinstance(one, Element))
    return any(one.tag in _FORMATTING and (at := one.source_location) and at.end_tag is None for one in before)


def _wanted(placements: Mapping[str, Placement], encoding: str) -> Iterator[tuple[str, tuple[str, How]]]:
    """Selectors of pages that are read as if each byte were a character."""
    for slot_id, placement in placements.items():
        try:
            yield slot_id, ("".join(_in_bytes(one, encoding) for one in placement.css), placement.how)
        except UnicodeEncodeError:
            continue  # no page in this encoding can hold it


def _in_bytes(character: str, encoding: str) -> str:
    """A character of a selector, escaped byte by byte: bytes of some encodings would mean something to CSS."""
    return character if character.isascii() else "".join(f"\\{byte:x} " for byte in character.encode(encoding))
