"""The body of an item: Markdown or HTML becomes clean markup, with marks where visitors' values will stand."""

import re

from markdown_it import MarkdownIt

from personalize.content.files import ItemText
from personalize.content.marks import Marks, refuse
from personalize.content.pieces import FixedPiece, Names, VisitorPiece, read_pieces
from personalize.content.sanitise import Sanitiser
from personalize.problems import Problems

_STRANGE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff\ufffe\uffff]")


class BodyWriter:
    """Makes markup of bodies: CommonMark with tables and ~~struck~~ text, or HTML; both cleaned alike."""

    def __init__(self, sanitiser: Sanitiser) -> None:
        self._sanitiser = sanitiser
        self._markdown = MarkdownIt("commonmark", {"html": False}).enable(["table", "strikethrough"])

    def markup(self, text: ItemText, *, is_markdown: bool, names: Names, marks: Marks, problems: Problems) -> str:
        """The clean markup of a body. The only marks left in it are those of visitors' pieces."""
        if (strange := _STRANGE.search(text.body)) is not None:
            message = f"found the character U+{ord(strange[0]):04X}, which no page can show"
            problems.error("E429", message, text.place(strange.start()), "delete it; most editors don't show it")
            return ""
        marked = marks.put(read_pieces(text.body, text.place, names, problems, is_markup=True))
        written = self._markdown.render(marked) if is_markdown else marked
        cleaned = self._sanitiser.clean(written)
        self._say_what_was_removed(text, "" if is_markdown else marked, written, cleaned, marks, problems)
        _say_what_was_lost(marked, cleaned, marks, problems)
        refuse(marks.standings(cleaned), "of the text", problems)
        return marks.fill_fixed(cleaned)

    def _say_what_was_removed(
        self, text: ItemText, marked: str, written: str, cleaned: str, marks: Marks, problems: Problems
    ) -> None:
        """Name each thing at its place; where Markdown was written, only the body is known."""
        for removed in self._sanitiser.removed(written, cleaned):
            if not marked and removed.code == "W442":
                # The language of a block of code: Markdown writes it as a class, not the editor.
                continue
            index = marks.index_as_written(marked, removed.index or 0) if marked else 0
            message = marks.as_written(removed.message)
            problems.warning(removed.code, message, text.place(index), removed.hint)


def _say_what_was_lost(marked: str, cleaned: str, marks: Marks, problems: Problems) -> None:
    """Report placeholders that went with something that was removed, or with an address Markdown didn't use."""
    left = set(map(id, marks.pieces_in(cleaned)))
    for piece in marks.pieces_in(marked):
        is_placeholder = isinstance(piece, VisitorPiece) or (isinstance(piece, FixedPiece) and piece.is_value)
        if is_placeholder and id(piece) not in left:
            message = "the placeholder stands in something that was removed"
            problems.error("E434", message, piece.at, "placeholders stand in text, or in alt and title")
