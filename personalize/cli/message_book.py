"""What docs/messages.md says of each code: the page itself, which the package brings along."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from personalize.cli.tables import paragraph

_PAGE = "messages.md"
#: In an installed package the page lies beside the code, and in a checkout where people read it.
_PLACES = (Path(__file__).parents[1] / _PAGE, Path(__file__).parents[2] / "docs" / _PAGE)
_ENTRY = re.compile(r"^### ([EW][0-9]{3}): (.+)\n", re.MULTILINE)
_CHAPTER = re.compile(r"^## ", re.MULTILINE)
_LINK = re.compile(r"\[([^\]]+)\]\([^)]+\)")
_INDENT = "    "


@dataclass(frozen=True, slots=True)
class Entry:
    """One code: what it is called in a few words, and all that is said of it, in Markdown."""

    code: str
    title: str
    markdown: str


@cache
def message_book() -> Mapping[str, Entry]:
    """Every code with its entry, in the order of the page."""
    page = next(place for place in _PLACES if place.is_file())
    return {entry.code: entry for entry in _entries(page.read_text(encoding="utf-8"))}


def _entries(text: str) -> Iterator[Entry]:
    for chapter in _CHAPTER.split(text):
        _, *parts = _ENTRY.split(chapter)
        for code, title, markdown in zip(parts[::3], parts[1::3], parts[2::3], strict=True):
            yield Entry(code, title, markdown.strip())


def as_text(entry: Entry, *, width: int) -> Iterator[str]:
    """The lines of an entry for a terminal: paragraphs as wide as it is, examples as they are."""
    yield from paragraph(f"{entry.code}: {entry.title}", width=width).split("\n")
    for number, part in enumerate(re.split(r"^```[^\n]*\n", entry.markdown, flags=re.MULTILINE)):
        if number % 2:
            yield from ("", *(f"{_INDENT}{line}".rstrip() for line in part.rstrip("\n").split("\n")))
            continue
        for block in part.strip().split("\n\n"):
            if block:
                yield from ("", *paragraph(_LINK.sub(r"\1", " ".join(block.split())), width=width).split("\n"))
