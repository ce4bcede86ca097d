"""Tables and paragraphs that fit a terminal, and that no text from a file or a visitor can steer."""

import shutil
import sys
import textwrap
from collections.abc import Iterator, Sequence

from personalize.problems import columns_of, visible

NARROWEST = 60
USUAL = 80
_GAP = "  "
_FILLER = "\ue000"


def terminal_width() -> int:
    """The columns of the terminal; 80 where the output goes elsewhere."""
    return max(NARROWEST, shutil.get_terminal_size((USUAL, 24)).columns) if sys.stdout.isatty() else USUAL


def table(
    header: Sequence[str], rows: Sequence[Sequence[str]], *, wraps: int, numbers: frozenset[int], width: int
) -> Iterator[str]:
    """The lines of a table; the column `wraps` gives way to the others, columns in `numbers` stand to the right."""
    cells = [[visible(cell) for cell in row] for row in (header, *rows)]
    widths = [max(columns_of(row[at]) for row in cells) for at in range(len(header))]
    others = sum(widths) - widths[wraps] + len(_GAP) * (len(header) - 1)
    widths[wraps] = max(10, min(widths[wraps], width - others))
    for row in cells:
        parts = _wrapped(row[wraps], widths[wraps])
        for number, part in enumerate(parts):
            line = [part if at == wraps else (cell if number == 0 else "") for at, cell in enumerate(row)]
            padded = (_padded(cell, widths[at], right=at in numbers) for at, cell in enumerate(line))
            yield _GAP.join(padded).rstrip()


def _wrapped(text: str, width: int) -> list[str]:
    """The lines of a text; a letter that takes two columns counts as two."""
    stretched = "".join(letter + _FILLER if columns_of(letter) == 2 else letter for letter in text)
    lines = textwrap.wrap(stretched, width - 1 if _FILLER in stretched else width)
    return [line.replace(_FILLER, "") for line in lines] or [""]


def _padded(text: str, width: int, *, right: bool) -> str:
    blanks = " " * (width - columns_of(text))
    return blanks + text if right else text + blanks


def paragraph(text: str, *, first: str = "", rest: str = "", width: int = USUAL) -> str:
    """The text over as many lines as it needs; `first` and `rest` stand before its first and its other lines."""
    return textwrap.fill(
        visible(text),
        width,
        initial_indent=first,
        subsequent_indent=rest,
        break_long_words=False,
        break_on_hyphens=False,
    )


def counted(number: int, thing: str) -> str:
    """A number and the word for it: `1 row`, `6,919 rows`."""
    return f"{number:,} {thing}" if number == 1 else f"{number:,} {thing}s"
