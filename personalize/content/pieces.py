"""A text with its placeholders looked up: what is filled in at once, and what waits for a visitor."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field, replace
from html import unescape
from typing import TypeAlias

from personalize.content.placeholders import Found, Named, Verbatim, find_placeholders
from personalize.problems import Problems, did_you_mean, quoted
from personalize.yaml_tree import Place

#: Enough for any piece of a page; bounds what fields within bodies can grow to.
MOST_PLACEHOLDERS = 1_000


@dataclass(frozen=True, slots=True)
class VisitorPiece:
    """An attribute of the visitor, known when a page is shown; `at` is where an editor wrote it."""

    attribute: str
    fallback: str
    at: Place


@dataclass(frozen=True, slots=True)
class FixedPiece:
    """Text that is known now and never read again. `is_value`: from a field, not written in this place."""

    text: str
    at: Place
    is_value: bool


Piece: TypeAlias = VisitorPiece | FixedPiece
#: A text in turn: plain stretches as they were written, and what placeholders and braces became.
Pieces: TypeAlias = tuple[str | Piece, ...]


@dataclass(frozen=True, slots=True)
class Names:
    """What placeholders may name in one place: attributes of the visitor, and fields of the item with their text.

    `elsewhere` are fields that an item has but that cannot stand here, each with the reason.
    """

    attributes: Collection[str]
    fields: Mapping[str, Pieces] = field(default_factory=dict)
    elsewhere: Mapping[str, str] = field(default_factory=dict)


def read_pieces(
    text: str,
    place: Callable[[int, int], Place],
    names: Names,
    problems: Problems,
    *,
    is_markup: bool = False,
) -> Pieces:
    """The pieces of a text. `place(index, length)` says where a stretch of it stands in its file.

    In markup, `&amp;` and the like mean in braces what they mean elsewhere.
    A name that nobody knows is a problem and shows its fallback. Braces that are no placeholder stay as written.
    """
    pieces: list[str | Piece] = []
    done = 0
    all_found = find_placeholders(text)
    if len(all_found) > MOST_PLACEHOLDERS:
        message = f"more than {MOST_PLACEHOLDERS:,} placeholders and other braces stand in one text"
        problems.error("E437", message, place(all_found[MOST_PLACEHOLDERS].start, 1))
        return (text,)
    for found in map(_decoded, all_found) if is_markup else all_found:
        at = place(found.start, found.end - found.start)
        pieces.append(text[done : found.start])
        if isinstance(found, Named):
            pieces += _looked_up(found, at, names, problems)
        else:
            pieces.append(_verbatim(found, at, problems))
        done = found.end
    pieces.append(text[done:])
    return tuple(piece for piece in pieces if piece != "")


def _decoded(found: Found) -> Found:
    if isinstance(found, Named):
        return replace(found, fallback=unescape(found.fallback))
    return replace(found, text=unescape(found.text))


def _verbatim(found: Verbatim, at: Place, problems: Problems) -> FixedPiece:
    if found.looks_like_logic:
        hint = "a placeholder is a name and perhaps a fallback: {{ visitor.first_name | there }}"
        message = f"{quoted(found.text)} is no placeholder and stands on the page as it is written"
        problems.warning("W430", message, at, hint)
    return FixedPiece(found.text, at, is_value=False)


def _looked_up(found: Named, at: Place, names: Names, problems: Problems) -> tuple[Piece, ...]:
    if found.root == "visitor":
        if found.name not in names.attributes:
            hint = did_you_mean(found.name, names.attributes) or _attributes(names)
            problems.error("E430", f"visitors have no attribute {quoted(found.name)}", at, hint)
        return (VisitorPiece(found.name, found.fallback, at),)
    if found.name in names.fields:
        value = names.fields[found.name] or (found.fallback,)
        return tuple(_as_value(piece, at) for piece in value)
    if found.name in names.elsewhere:
        problems.error("E432", f"{{{{ item.{found.name} }}}} cannot stand here", at, names.elsewhere[found.name])
    else:
        hint = _hint(found.name, names.fields)
        problems.error("E431", f"the item has no field {quoted(found.name)}", at, hint)
    return (FixedPiece(found.fallback, at, is_value=True),)


def _as_value(piece: str | Piece, at: Place) -> Piece:
    """A piece of a field as it stands where the field is named."""
    if isinstance(piece, VisitorPiece):
        return VisitorPiece(piece.attribute, piece.fallback, at)
    return FixedPiece(piece if isinstance(piece, str) else piece.text, at, is_value=True)


def _attributes(names: Names) -> str:
    allowed = ", ".join(sorted(names.attributes)) or "none"
    return f"allowed: {allowed}; rule files declare them under `attributes`"


def _hint(name: str, allowed: Collection[str]) -> str:
    return did_you_mean(name, allowed) or f"allowed: {', '.join(sorted(allowed)) or 'none'}"


def plain_text(pieces: Pieces) -> str | None:
    """The text of pieces that no visitor has a part in; None where one has."""
    texts = [piece if isinstance(piece, str) else _fixed_text(piece) for piece in pieces]
    return None if None in texts else "".join(text for text in texts if text is not None)


def _fixed_text(piece: Piece) -> str | None:
    return piece.text if isinstance(piece, FixedPiece) else None
