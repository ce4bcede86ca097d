"""Which elements stand open inside of a slot, so that we know where a parser sees its end.

Stricter than the HTML standard (13.2.6): whatever could close the slot's element by implication, or reach out
of it (unclosed bold text, a row without its table, a list item without its list), is a doubt, and a slot in
doubt keeps the page's own bytes.
"""

from enum import Enum, auto


def _names(text: str) -> frozenset[bytes]:
    return frozenset(name.encode() for name in text.split())


#: Elements that may carry `data-slot` with anything inside: their end tag is required, and no start tag of
#: flow content closes them.
BLOCKS = _names(
    "address article aside blockquote center details dialog div dl fieldset figcaption figure footer header "
    "hgroup main menu nav ol section summary ul"
)
#: Elements that may carry `data-slot` with text and phrasing elements inside: they may stand in a paragraph,
#: and there a block would close them. Custom elements are of this kind.
INLINE = _names(
    "a abbr b bdi bdo cite code data del dfn em h1 h2 h3 h4 h5 h6 i ins kbd label mark output q s samp search "
    "small span strong sub sup time u var"
)
#: Elements that a selector may find besides, since the page need not be written for it: with anything inside, and
#: with text and phrasing elements.
_FOUND_BLOCKS = _names("dd dt form li td th")
_FOUND_INLINE = _names("audio button canvas object p picture pre video")
_FLOW = BLOCKS | _FOUND_BLOCKS
_HEADINGS = _names("h1 h2 h3 h4 h5 h6")
VOID = _names("area base basefont bgsound br embed hr image img input keygen link meta param source track wbr")
#: Elements whose inside is read elsewhere, as raw text or as a zone of its own.
_OPAQUE = _names("iframe math noembed noframes noscript script select style svg template textarea title xmp")
_CLOSES_P = BLOCKS | _HEADINGS | _names("dd dir dt form hr li listing p pre search table xmp")
_NEVER = _names("body frame frameset head html isindex plaintext")
_IMPLIED_END = _names("dd dt li optgroup option p rb rp rt rtc")
_TABLE_PARTS = _names("caption col colgroup tbody td tfoot th thead tr")
_CELLS = _names("caption td th")
_ROWS = _names("tbody tfoot thead")
#: Inside of these, text and elements are moved in front of the table.
_TABLE_ONLY = _ROWS | _names("colgroup table tr")
_IN_TABLE_ONLY = _names("script style template")
_LISTS = {b"li": _names("li"), b"dd": _names("dd dt"), b"dt": _names("dd dt")}
_RUBY = _names("rb rp rt rtc")
_PHRASING = (
    (INLINE - _HEADINGS - _names("search"))
    | VOID - _names("hr")
    | _OPAQUE
    | _RUBY
    | _names("audio big button canvas datalist font map meter object option picture progress ruby strike tt video")
)
#: Elements that a parser does not look past for the end of a list item.
_SPECIAL = (
    (BLOCKS - _names("address dialog div"))
    | _HEADINGS
    | _TABLE_PARTS
    | _names("applet button dd dir dt form li listing marquee object pre table")
)
#: What an end tag closes on its way; where nothing is said, it must come at once.
_CLOSED_BY = {
    **{name: _IMPLIED_END - {name} for name in _SPECIAL | BLOCKS},
    **dict.fromkeys(_ROWS, _IMPLIED_END | _CELLS | _names("tr")),
    b"table": _IMPLIED_END | _CELLS | _ROWS | _names("colgroup tr"),
    b"tr": _IMPLIED_END | _CELLS,
}
_OPTION, _OPTIONS = _names("option"), _names("optgroup option")
_TABLE, _ROW, _SECTIONS = _names("table"), _names("tr"), _ROWS | _names("table")
_NOTHING: frozenset[bytes] = frozenset()
_ONE_AT_A_TIME = _names("a button nobr")
#: Elements whose start tag means more than that one more element is open.
_HAS_RULES = (
    _TABLE_PARTS | _OPAQUE | _HEADINGS | _RUBY | _ONE_AT_A_TIME | _NEVER | _names("dd dt form li optgroup option")
)
_COMMENT = b"!"
#: How many elements may stand open in one another, about as many as browsers nest; more are a doubt, since each tag
#: may have to look at all of them.
DEEPEST = 512


_BESIDE = _names("br embed hr iframe img input math search select svg table textarea")


class End(Enum):
    """What an end tag or a closing comment means for the slot."""

    STAYS = auto()
    CLOSES = auto()
    DOUBT = auto()


def may_carry_slot(name: bytes) -> bool:
    """Whether `data-slot` is filled on elements of this (lower-case) name."""
    return name in BLOCKS or name in INLINE or _is_custom(name)


def may_be_found(name: bytes) -> bool:
    """Whether a slot that a selector finds is filled in elements of this (lower-case) name, or takes their place."""
    return may_carry_slot(name) or name in _FOUND_BLOCKS or name in _FOUND_INLINE


def may_have_beside(name: bytes) -> bool:
    """Whether a slot may stand before elements of this name, or behind void ones."""
    return may_be_found(name) or name in _BESIDE


def _is_custom(name: bytes) -> bool:
    return b"-" in name


class OpenElements:
    """The elements open inside of one slot, from its own element (or comment) on.

    `element` is the slot's own, `comment` its name in a `<!-- slot:name -->`: one of both. `in_form` says that
    the slot stands in a form: there, another form is ignored by parsers. `is_comment` tells the two kinds apart.
    """

    def __init__(self, *, element: bytes = b"", comment: bytes = b"", in_form: bool = False) -> None:
        self._open = [element or _COMMENT + comment]
        self.is_comment = not element
        self._is_inline = bool(element) and element not in _FLOW
        self._in_form = in_form

    @property
    def depth(self) -> int:
        """How many elements stand open inside of the slot's own."""
        return len(self._open) - 1

    def start(self, name: bytes) -> bool:
        """A start tag; False is doubt."""
        stack = self._open
        if len(stack) > DEEPEST:
            return False
        if name in _HAS_RULES or stack[-1] in _TABLE_ONLY:
            return self._start_by_rules(name)
        if self._is_inline and name not in _PHRASING and not _is_custom(name):
            return False
        if name in _CLOSES_P and not self._close_p():
            return False
        if name not in VOID:
            stack.append(name)
        return True

    def _start_by_rules(self, name: bytes) -> bool:
        if name in _TABLE_PARTS:
            return self._start_table_part(name)
        if self._open[-1] in _TABLE_ONLY:
            return name in _IN_TABLE_ONLY
        if self._is_inline and name not in _PHRASING:
            return False
        if name in _CLOSES_P and not self._close_p():
            return False
        if not self._fits(name):
            return False
        if name not in _OPAQUE:
            self._open.append(name)
        return True

    def _close_p(self) -> bool:
        if self._open[-1] == b"p":
            self._open.pop()
            return True
        return b"p" not in self._open

    def _fits(self, name: bytes) -> bool:
        stack = self._open
        if name in _LISTS:
            return self._close_list_item(_LISTS[name])
        if name in _ONE_AT_A_TIME:
            return name not in stack
        if name in _HEADINGS:
            return stack[-1] not in _HEADINGS
        if name == b"form":
            return not self._in_form and b"form" not in stack
        if name in (b"option", b"optgroup"):
            self._pop_while(_OPTION if name == b"option" else _OPTIONS)
        elif name in _RUBY:
            self._pop_while(_RUBY)
        return name not in _NEVER

    def _close_list_item(self, siblings: frozenset[bytes]) -> bool:
        """Closes the item before this one. In doubt, if an item further out would be closed instead."""
        if self._open[-1] == b"p":
            self._open.pop()
        if self._open[-1] in siblings and self.depth:
            self._open.pop()
        for name in reversed(self._open):
            if name in siblings:
                return False
            if name in _SPECIAL:
                return True
        return self.is_comment

    def _start_table_part(self, name: bytes) -> bool:
        if b"table" not in self._open:
            return False
        if name == b"col":
            return self._open[-1] in (b"colgroup", b"table")
        if name in (b"td", b"th"):
            self._pop_while(_CLOSED_BY[b"tr"])
            if self._open[-1] in _SECTIONS:
                self._open.append(b"tr")
            parents = _ROW
        elif name == b"tr":
            self._pop_while(_CLOSED_BY[b"tbody"] | {b"colgroup"})
            parents = _SECTIONS
        else:
            self._pop_while(_CLOSED_BY[b"table"])
            parents = _TABLE
        if self._open[-1] not in parents:
            return False
        self._open.append(name)
        return True

    def _pop_while(self, names: frozenset[bytes]) -> None:
        """Closes what an end tag implies, but never the slot's own element: that is a doubt."""
        while len(self._open) > 1 and self._open[-1] in names:
            self._open.pop()

    def end(self, name: bytes) -> End:
        """An end tag. CLOSES: it is the slot's own."""
        if self._open[-1] == name:
            return self._pop(name)
        if name == b"p":
            return self._end_p()
        if name in _OPAQUE:
            return End.STAYS
        self._pop_while(_CLOSED_BY.get(name, _NOTHING))
        return self._pop(name)

    def _end_p(self) -> End:
        if b"p" in self._open:
            return self._pop(b"p")
        # Without an open paragraph, the end tag makes an empty one here, unless there is one further out.
        return End.DOUBT if self._is_inline or self.is_comment else End.STAYS

    def _pop(self, name: bytes) -> End:
        if self._open[-1] != name:
            return End.DOUBT
        self._open.pop()
        return End.STAYS if self._open else End.CLOSES

    def open_comment(self, slot_id: bytes) -> None:
        """The opening comment of a slot inside of this one."""
        self._open.append(_COMMENT + slot_id)

    def close_comment(self, slot_id: bytes) -> End:
        """A closing comment. CLOSES: it is the slot's own."""
        return self._pop(_COMMENT + slot_id)
