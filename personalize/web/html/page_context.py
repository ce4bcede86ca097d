"""Where in the page we are, as far as it decides whether a slot may stand here.

A table outside of its cells, a form, and zones: the inside of `<template>`, `<select>`, `<svg>` and `<math>`,
where slots are left alone and other rules of reading hold (HTML standard, 13.2.6.4 and 13.2.6.5). A zone that
parsers read differently, old and new ones or with broken markup, ends in LOST: from there on nothing is certain.
"""

from enum import Enum, auto

from personalize.web.html.open_elements import DEEPEST


class Zone(Enum):
    """What a tag means for the zone that it stands in."""

    STAYS = auto()
    ENDS = auto()
    LOST = auto()


class Sections(Enum):
    """What `<![CDATA[` begins: nothing but a comment of a kind, a section, or who knows."""

    NONE = auto()
    CDATA = auto()
    DOUBT = auto()


def _names(text: str) -> frozenset[bytes]:
    return frozenset(name.encode() for name in text.split())


#: Elements whose inside is text up to their end tag. Scripts have rules of their own.
RAW_TEXT = _names("iframe noembed noframes noscript style textarea title xmp")
#: Elements of SVG that only draw: what they are nested in does not matter.
DRAWINGS = _names(
    "animate animatemotion animatetransform circle clippath defs ellipse feblend fecolormatrix fecomposite feflood "
    "fegaussianblur femerge femergenode feoffset filter g line lineargradient mask path pattern polygon polyline "
    "radialgradient rect set stop symbol text textpath tspan use view"
)
#: Elements whose inside is read by rules of its own, within another zone and anywhere.
ENTERED_IN_ZONES = RAW_TEXT | _names("math plaintext script select svg")
ENTERED = ENTERED_IN_ZONES | _names("frameset template")
_CELLS = _names("caption td th")
#: Elements that only stand in tables.
TABLE_PARTS = _names("col colgroup tbody td tfoot th thead tr caption")


class Tables:
    """The tables that stand open, and whether we are in a cell of the innermost one."""

    def __init__(self) -> None:
        self._in_cell: list[bool] = []

    def __bool__(self) -> bool:
        return bool(self._in_cell)

    @property
    def moves_content(self) -> bool:
        """Whether parsers move what stands here in front of the table."""
        return bool(self._in_cell) and not self._in_cell[-1]

    def tag(self, name: bytes, *, is_end: bool) -> None:
        """A start or end tag of any name."""
        tables = self._in_cell
        if name == b"table":
            if is_end:
                del tables[-1:]
            elif not self.moves_content:
                tables.append(False)
        elif tables and name in TABLE_PARTS:
            tables[-1] = name in _CELLS and not is_end


class TemplateZone:
    """The inside of `<template>`, to the end of the outermost one."""

    sections = Sections.NONE
    enters = ENTERED_IN_ZONES

    def __init__(self) -> None:
        self._depth = 1

    def tag(self, name: bytes, *, is_end: bool, self_closing: bool) -> Zone:
        """A start or end tag inside."""
        if name in (b"col", b"colgroup", b"frameset"):
            # After these a template ignores raw text elements, and so reads on in their inside.
            return Zone.STAYS if is_end else Zone.LOST
        if name == b"template":
            self._depth += -1 if is_end else 1
        return Zone.STAYS if self._depth else Zone.ENDS


class SelectZone:
    """The inside of `<select>`: older parsers ignore most elements in it, newer ones don't.

    Where both see the same end, it goes on: options, and a few elements that are well nested in one.
    """

    sections = Sections.NONE
    enters = ENTERED_IN_ZONES
    _ALWAYS = _names("hr script")
    _OPTIONS = _names("optgroup option")
    _NESTS = _names("b button div em i legend p selectedcontent small span strong")
    _VOID = _names("br img")

    def __init__(self) -> None:
        self._open: list[bytes] = []

    def tag(self, name: bytes, *, is_end: bool, self_closing: bool) -> Zone:
        """A start or end tag inside."""
        if name in self._ALWAYS or (name in self._VOID and not is_end):
            return Zone.STAYS
        if name in self._NESTS:
            return self._nest(name, is_end=is_end)
        if self._open:
            return Zone.LOST
        if name == b"select" and is_end:
            return Zone.ENDS
        return Zone.STAYS if name in self._OPTIONS else Zone.LOST

    def _nest(self, name: bytes, *, is_end: bool) -> Zone:
        if not is_end:
            self._open.append(name)
        elif not self._open or self._open.pop() != name:
            return Zone.LOST
        return Zone.STAYS


class ForeignZone:
    """The inside of `<svg>` or `<math>`: CDATA is read, `<style>` and `<title>` hold markup, `/>` closes.

    In elements that hold HTML again (`foreignObject`) everything must be well nested and simple.
    """

    enters: frozenset[bytes] = frozenset()
    _HOLDS_HTML = _names("foreignobject desc title mi mn mo ms mtext")
    _VOID = _names("area br embed hr img input link meta source track wbr")
    _BREAKS_OUT = _names(
        "b big blockquote body br center code dd div dl dt em embed font h1 h2 h3 h4 h5 h6 head hr i img li listing "
        "menu meta nobr ol p pre ruby s small span strong strike sub sup table tt u ul var annotation-xml"
    )
    _NOT_IN_HTML = (
        RAW_TEXT | TABLE_PARTS | _names("body form frameset head html math plaintext script select svg table template")
    )

    def __init__(self, root: bytes) -> None:
        self._open = [root]
        self._html_from = 0

    @property
    def sections(self) -> Sections:
        """What `<![CDATA[` begins here."""
        return Sections.DOUBT if self._html_from else Sections.CDATA

    def tag(self, name: bytes, *, is_end: bool, self_closing: bool) -> Zone:
        """A start or end tag inside."""
        if self._html_from:
            return self._tag_in_html(name, is_end=is_end)
        if is_end:
            return self._end(name)
        if name in self._BREAKS_OUT or len(self._open) > DEEPEST:
            return Zone.LOST
        if not self_closing:
            self._open.append(name)
            if name in self._HOLDS_HTML:
                self._html_from = len(self._open)
        return Zone.STAYS

    def _end(self, name: bytes) -> Zone:
        if name not in self._open:
            return Zone.STAYS if name in DRAWINGS else Zone.LOST
        while self._open.pop() != name:
            pass
        return Zone.STAYS if self._open else Zone.ENDS

    def _tag_in_html(self, name: bytes, *, is_end: bool) -> Zone:
        if is_end:
            if self._open[-1] != name:
                return Zone.LOST
            self._open.pop()
            if len(self._open) < self._html_from:
                self._html_from = 0
        elif name in self._NOT_IN_HTML or len(self._open) > DEEPEST:
            return Zone.LOST
        elif name not in self._VOID:
            self._open.append(name)
        return Zone.STAYS
