"""Why a slot of the page keeps the site's own markup, or should be looked at: counted, and said once in the log."""

from collections import Counter
from collections.abc import Mapping
from enum import StrEnum

from personalize.runtime.page_view import PageView

#: Slots of one page of which a doubt is kept; further ones are only counted.
_MOST_SLOTS = 50


class Doubt(StrEnum):
    """What is doubtful about a slot. The value is the word that counters use."""

    NAME = "name"
    UNKNOWN = "unknown"
    ELEMENT = "element"
    SELF_CLOSING = "self-closing"
    TABLE = "table"
    NESTING = "nesting"
    TOO_LONG = "too long"
    UNCLOSED = "unclosed"
    MOVED = "moved"
    WIDE = "wide"
    TAKEN = "taken"
    STRAY = "stray"
    LOST = "lost"
    EARLY = "early"
    LONG_PAGE = "long page"
    UNREADABLE = "unreadable"
    NOT_BROUGHT = "not brought"
    NO_MARKUP = "no markup"

    @property
    def is_filled(self) -> bool:
        """Whether the slot is filled all the same."""
        return self is Doubt.WIDE

    @property
    def sentence(self) -> str:
        """What to tell whoever reads the log, behind the name of the slot."""
        return _SENTENCES[self]


_KEPT = "keeps the site's own markup: "
_SENTENCES = {
    Doubt.ELEMENT: _KEPT + "its element can't carry a slot, since its end need not be written, or it holds no markup",
    Doubt.SELF_CLOSING: _KEPT + "its element ends with />, which HTML takes for a start tag",
    Doubt.TABLE: _KEPT + "it stands in a table, but in no cell",
    Doubt.NESTING: _KEPT + "tags in it or before it are not well nested, or could end it early",
    Doubt.TOO_LONG: _KEPT + "it holds more than 64 KB; is its end where it should be?",
    Doubt.UNCLOSED: _KEPT + "its end was not found",
    Doubt.MOVED: _KEPT + "its closing comment has been moved, as Markdown does; use data-slot on an element",
    Doubt.WIDE: "begins and ends with comments and holds headings or <pre>; was its closing comment moved?",
    Doubt.TAKEN: _KEPT + "another slot fills the element that its selector finds",
    Doubt.EARLY: _KEPT + "it stands before <meta charset>, which must stay near the top; or let Content-Type say it",
    Doubt.LONG_PAGE: _KEPT + "its selector found nothing in the first megabyte of a page",
    Doubt.UNREADABLE: _KEPT + "the page could not be read for its selector",
    Doubt.NOT_BROUGHT: _KEPT + "that holds what an edge would read, or is too long to go along with its address",
    Doubt.NO_MARKUP: _KEPT + "it stands in an attribute, a title or a script, where none of ours can bring another",
    Doubt.LOST: _KEPT + "markup inside of it is read differently by different browsers",
}


class Doubts:
    """The doubts of one page: counted, and by slot as far as there is one."""

    def __init__(self) -> None:
        self.counted: Counter[str] = Counter()
        self.by_slot: dict[str, Doubt] = {}

    def add(self, doubt: Doubt, slot_id: str | None = None) -> None:
        """One more."""
        self.counted[doubt] += 1
        if slot_id is not None and len(self.by_slot) < _MOST_SLOTS:
            self.by_slot[slot_id] = doubt


def tell_doubts(page_view: PageView, doubts: Mapping[str, Doubt]) -> None:
    """Count the doubts of one page, and log each that is new."""
    for slot_id, doubt in doubts.items():
        page_view.meet_doubt(slot_id, None if doubt.is_filled else doubt.value, doubt.sentence)
