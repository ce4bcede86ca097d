"""The fenced blocks of a Markdown page, with what their info strings say.

A block is written as its first words promise:

    ```yaml rules/offers.yaml       a file, written into the folder in which the page's commands run
    ```python shop.py append        more of a file that is there already
    ```console                      commands behind `$`, and what they print
    ```yaml                         a part of a file; what it is a part of, the page's own test knows

In what is printed, `…` stands for anything within a line, and a line of `…` alone for any number of lines.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from markdown_it import MarkdownIt

from tests.conftest import REPOSITORY


@dataclass(frozen=True, slots=True)
class Block:
    """One fenced block: the language, the words behind it, and the headings that it stands under."""

    page: str
    line: int
    language: str
    words: tuple[str, ...]
    text: str
    heading: str

    @property
    def where(self) -> str:
        """`docs/editors.md:12`, for the names of tests and for failures."""
        return f"{self.page}:{self.line}"

    @property
    def file(self) -> str | None:
        """The path that the block is to be written to; None for a part, a command or a sample."""
        return self.words[0] if self.words else None

    @property
    def is_more(self) -> bool:
        """Whether the text goes behind what the file holds already."""
        return "append" in self.words[1:]


def blocks_of(page: str) -> tuple[Block, ...]:
    """The blocks of a page, named by its path in the repository, in order."""
    return tuple(_blocks(page, (REPOSITORY / page).read_text(encoding="utf-8")))


def blocks_in(text: str, page: str = "page.md") -> tuple[Block, ...]:
    """The blocks of a text."""
    return tuple(_blocks(page, text))


def _blocks(page: str, text: str) -> Iterator[Block]:
    heading = ""
    tokens = MarkdownIt("commonmark").enable("table").parse(text)
    for number, token in enumerate(tokens):
        if token.type == "heading_open":
            heading = tokens[number + 1].content
        elif token.type == "fence" and token.map is not None:
            language, *words = token.info.split() or [""]
            yield Block(page, token.map[0] + 1, language, tuple(words), token.content, heading)


def pages() -> list[str]:
    """Every page for people: README, changelog, docs, and the two READMEs of the editors' desk."""
    found = [*REPOSITORY.glob("*.md"), *(REPOSITORY / "docs").glob("*.md")]
    desks = (REPOSITORY / "rules" / "README.md", REPOSITORY / "content" / "README.md")
    return sorted(path.relative_to(REPOSITORY).as_posix() for path in (*found, *desks))


def table_below(page: str, heading: str) -> list[list[str]]:
    """The rows of the first table under a heading, cell by cell as written, without the header."""
    lines = iter((REPOSITORY / page).read_text(encoding="utf-8").splitlines())
    for line in lines:
        if line.lstrip("# ") == heading and line.startswith("#"):
            break
    else:
        raise LookupError(f"{page} has no heading {heading!r}")
    rows: list[list[str]] = []
    for line in lines:
        if line.startswith("|"):
            rows.append([cell.strip() for cell in line.strip().strip("|").split(" | ")])
        elif rows or line.startswith("#"):
            break
    return rows[2:]


def code_words(cell: str) -> list[str]:
    """What stands in backticks in a cell."""
    return cell.split("`")[1::2]


def folder_of_desk() -> Path:
    """A small site with everything in it that the pages name: rules, content, templates, settings."""
    return REPOSITORY / "tests" / "docs" / "desk"


def folder_of_sites() -> Path:
    """What developers have before they add what the pages tell them."""
    return REPOSITORY / "tests" / "docs" / "sites"
