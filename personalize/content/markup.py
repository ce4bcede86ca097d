"""HTML cut into tags, hidden stretches and text, each with its place: enough to tell where something stands.

Follows the tokenizer of the HTML standard (13.2.5) for tags, attributes, comments and raw text. It doesn't build a
tree and makes nothing safe; that is the sanitiser's work.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from html import unescape
from typing import TypeAlias

#: What stands inside these is no text: the browser shows none of it, or reads it as another language.
RAW_ELEMENTS = frozenset({"script", "style", "xmp", "iframe", "noembed", "noframes", "noscript", "plaintext"})
#: What stands inside these is text in which tags don't count.
TEXT_ONLY_ELEMENTS = frozenset({"title", "textarea"})

# What HTML counts as a blank is less than what \s matches.
_TAG_NAME = re.compile(r"[^\t\n\f\r />]*")
_BETWEEN_ATTRIBUTES = re.compile(r"[\t\n\f\r /]*")
_ATTRIBUTE_NAME = re.compile(r"[^\t\n\f\r />][^\t\n\f\r =/>]*")
_EQUALS = re.compile(r"[\t\n\f\r ]*=[\t\n\f\r ]*")
_UNQUOTED = re.compile(r"[^\t\n\f\r >]*")
_COMMENT_END = re.compile(r"--!?>|\Z")


@dataclass(frozen=True, slots=True)
class TagAttribute:
    """An attribute of a tag. `start:end` is its value in the markup; `quote` is empty for a value without one."""

    name: str
    value: str
    quote: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Tag:
    """A start tag, or with `closing` an end tag; `start:end` is its span, names are in lower case."""

    name: str
    closing: bool
    attributes: tuple[TagAttribute, ...]
    start: int
    end: int

    def attribute_at(self, index: int) -> TagAttribute | None:
        """The attribute in whose value this index of the markup stands."""
        return next((each for each in self.attributes if each.start <= index < each.end), None)


@dataclass(frozen=True, slots=True)
class Hidden:
    """A stretch that is no text: a comment, the inside of `script` and the like, a tag that never ends."""

    what: str
    start: int
    end: int


Token: TypeAlias = Tag | Hidden


def tokens(markup: str) -> Iterator[Token]:
    """The tags and hidden stretches of a fragment of HTML in order; whatever is between them is text."""
    position = 0
    while (position := markup.find("<", position)) != -1:
        token = _token(markup, position)
        if token is None:
            position += 1
            continue
        yield token
        position = token.end
        if isinstance(token, Tag) and not token.closing and token.name in RAW_ELEMENTS | TEXT_ONLY_ELEMENTS:
            end = _end_of_raw_text(markup, position, token.name)
            if token.name in RAW_ELEMENTS:
                yield Hidden(f"<{token.name}>", position, end)
            position = end


def _token(markup: str, start: int) -> Token | None:
    following = markup[start + 1 : start + 2]
    if following == "/":
        letter = markup[start + 2 : start + 3]
        if _is_letter(letter):
            return _tag(markup, start, start + 2, closing=True)
        return _bogus_comment(markup, start) if letter else None
    if following in ("!", "?"):
        return _comment(markup, start)
    return _tag(markup, start, start + 1, closing=False) if _is_letter(following) else None


def _is_letter(character: str) -> bool:
    return character.isascii() and character.isalpha()


def _comment(markup: str, start: int) -> Hidden:
    if not markup.startswith("<!--", start):
        return _bogus_comment(markup, start)
    for at_once in ("<!-->", "<!--->"):
        if markup.startswith(at_once, start):
            return Hidden("a comment", start, start + len(at_once))
    end = _COMMENT_END.search(markup, start + 4)
    return Hidden("a comment", start, len(markup) if end is None else end.end())


def _bogus_comment(markup: str, start: int) -> Hidden:
    end = markup.find(">", start)
    return Hidden("a comment", start, len(markup) if end == -1 else end + 1)


def _tag(markup: str, start: int, name_start: int, *, closing: bool) -> Token:
    name_end = _end(_TAG_NAME, markup, name_start)
    attributes: list[TagAttribute] = []
    position = _end(_BETWEEN_ATTRIBUTES, markup, name_end)
    while position < len(markup) and markup[position] != ">":
        attribute, position = _attribute(markup, position)
        attributes.append(attribute)
        position = _end(_BETWEEN_ATTRIBUTES, markup, position)
    if position >= len(markup):
        return Hidden("a tag without an end", start, len(markup))
    return Tag(markup[name_start:name_end].lower(), closing, tuple(attributes), start, position + 1)


def _attribute(markup: str, start: int) -> tuple[TagAttribute, int]:
    """The attribute that begins here, and where to go on behind it."""
    name_end = _end(_ATTRIBUTE_NAME, markup, start)
    name = markup[start:name_end].lower()
    equals = _EQUALS.match(markup, name_end)
    if equals is None:
        return TagAttribute(name, "", "", name_end, name_end), name_end
    begin = equals.end()
    quote = markup[begin : begin + 1]
    if quote in ('"', "'"):
        end = markup.find(quote, begin + 1)
        if end == -1:
            return TagAttribute(name, "", quote, begin + 1, len(markup)), len(markup)
        return TagAttribute(name, unescape(markup[begin + 1 : end]), quote, begin + 1, end), end + 1
    end = _end(_UNQUOTED, markup, begin)
    return TagAttribute(name, unescape(markup[begin:end]), "", begin, end), end


def _end(pattern: re.Pattern[str], markup: str, position: int) -> int:
    match = pattern.match(markup, position)
    return position if match is None else match.end()


def _end_of_raw_text(markup: str, start: int, name: str) -> int:
    if name == "plaintext":
        return len(markup)
    end = re.compile(rf"</{name}(?=[\t\n\f\r />])", re.IGNORECASE).search(markup, start)
    return len(markup) if end is None else end.start()
