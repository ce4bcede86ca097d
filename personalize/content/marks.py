"""Marks that stand for pieces while markup is made of them, and are found again when it is finished.

A mark is a word of a letter and digits: Markdown, the sanitiser and templates carry it through unchanged. Its digits
come from a hash of the item's whole text, so that no text can contain its own marks.
"""

import hashlib
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from html import escape

from personalize.content.markup import Hidden, Tag, Token, tokens
from personalize.content.pieces import FixedPiece, Piece, Pieces, VisitorPiece
from personalize.content.render import Placeholder
from personalize.problems import Problems

_KEY_DIGITS, _NUMBER_DIGITS = 20, 5

#: Attributes that a browser reads out or shows as text, and does nothing else with.
READABLE_ATTRIBUTES = frozenset(
    {"alt", "title", "placeholder", "label", "aria-label", "aria-description", "aria-valuetext"}
)
_ADDRESS_ATTRIBUTES = frozenset(
    {"href", "src", "srcset", "action", "formaction", "poster", "data", "cite", "background", "ping", "xlink:href"}
)


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a mark stands in markup: `start:end`, for which piece, and what is wrong with the place, if anything."""

    piece: Piece
    start: int
    end: int
    is_attribute: bool
    refused: str | None


class Marks:
    """The marks of one item. `seed` is the item's whole text."""

    def __init__(self, seed: str) -> None:
        digest = hashlib.sha256(seed.encode("utf-8", "surrogatepass")).digest()
        key = int.from_bytes(digest, "big") % 10**_KEY_DIGITS
        self._prefix = f"q{key:0{_KEY_DIGITS}d}"
        self._pattern = re.compile(rf"{self._prefix}([0-9]{{{_NUMBER_DIGITS}}})")
        self._pieces: list[Piece] = []

    def put(self, pieces: Pieces) -> str:
        """The text of the pieces, with a mark for each that isn't plain text."""
        return "".join(piece if isinstance(piece, str) else self._mark(piece) for piece in pieces)

    def put_escaped(self, pieces: Pieces) -> str:
        """Markup of the pieces: what is known escaped, and a mark for each that waits for a visitor."""
        return "".join(
            self._mark(piece)
            if isinstance(piece, VisitorPiece)
            else escape(piece if isinstance(piece, str) else piece.text)
            for piece in pieces
        )

    def _mark(self, piece: Piece) -> str:
        self._pieces.append(piece)
        return f"{self._prefix}{len(self._pieces) - 1:0{_NUMBER_DIGITS}d}"

    def as_written(self, text: str) -> str:
        """A text for people, with what was written in place of the marks."""
        return self._pattern.sub(lambda match: _written(self._piece(match)), text)

    def index_as_written(self, marked: str, index: int) -> int:
        """Where a character of a marked text stood before the marks were put."""
        last = None
        for match in self._pattern.finditer(marked, 0, index):
            last = match
        return index if last is None else self._piece(last).at.end + index - last.end()

    def _piece(self, match: re.Match[str]) -> Piece:
        return self._pieces[int(match[1])]

    def pieces_in(self, markup: str) -> tuple[Piece, ...]:
        """The pieces whose marks stand in the markup."""
        return tuple(self._piece(match) for match in self._pattern.finditer(markup))

    def standings(self, markup: str) -> Iterator[Standing]:
        """Where each mark of finished markup stands, in order."""
        stretches = tokens(markup)
        current = next(stretches, None)
        for match in self._pattern.finditer(markup):
            while current is not None and current.end <= match.start():
                current = next(stretches, None)
            inside = current if current is not None and current.start <= match.start() else None
            yield _standing(self._piece(match), match, inside)

    def fill_fixed(self, markup: str) -> str:
        """The markup with every fixed piece in its place, escaped; marks of visitors' pieces stay."""
        parts: list[str] = []
        done = 0
        for match in self._pattern.finditer(markup):
            piece = self._piece(match)
            if isinstance(piece, FixedPiece):
                parts += (markup[done : match.start()], escape(piece.text))
                done = match.end()
        return "".join(parts) + markup[done:]

    def split(self, markup: str) -> tuple[str | Placeholder, ...]:
        """Finished markup as a rendering holds it: stretches of markup, and placeholders."""
        parts: list[str | Placeholder] = []
        done = 0
        for standing in self.standings(markup):
            piece = standing.piece
            if isinstance(piece, VisitorPiece):
                place = Placeholder(piece.attribute, piece.fallback, "attribute" if standing.is_attribute else "text")
                parts += (markup[done : standing.start], place)
                done = standing.end
        parts.append(markup[done:])
        return tuple(part for part in parts if part != "")


def refuse(standings: Iterable[Standing], of_what: str, problems: Problems) -> None:
    """Report every mark in a place where the value of a field or visitor could become more than text."""
    for standing in standings:
        if standing.refused is not None:
            allowed = ", ".join(sorted(READABLE_ATTRIBUTES))
            message = f"a placeholder cannot stand {standing.refused} {of_what}"
            problems.error("E433", message, standing.piece.at, f"placeholders stand in text, or in {allowed}")


def _written(piece: Piece) -> str:
    return piece.text if isinstance(piece, FixedPiece) else f"{{{{ visitor.{piece.attribute} }}}}"


def _standing(piece: Piece, match: re.Match[str], inside: Token | None) -> Standing:
    start, end = match.span()
    if inside is None:
        return Standing(piece, start, end, is_attribute=False, refused=None)
    if isinstance(inside, Hidden):
        return Standing(piece, start, end, is_attribute=False, refused=f"inside {inside.what}")
    return Standing(piece, start, end, is_attribute=True, refused=_refused_in_tag(piece, start, inside))


def _refused_in_tag(piece: Piece, start: int, tag: Tag) -> str | None:
    attribute = tag.attribute_at(start)
    if attribute is None:
        return "in the name of a tag or of an attribute"
    if not attribute.quote:
        return f"in {attribute.name}=… without quotes"
    if attribute.name in READABLE_ATTRIBUTES or (isinstance(piece, FixedPiece) and not piece.is_value):
        return None
    if attribute.name in _ADDRESS_ATTRIBUTES:
        return f'in an address ({attribute.name}="…")'
    return f'in {attribute.name}="…"'
