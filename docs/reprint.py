"""Prints anew what the console blocks of a page show, after a message of personalize was changed.

    python -m docs.reprint docs/messages.md

Each heading's files are written into a fresh copy of `tests/docs/desk`, its commands are run there, and what they
print takes the place of what the page showed. Read the difference before you commit it: it is what people will see.
"""

import re
import sys
import tempfile
from itertools import groupby
from pathlib import Path

from tests.docs.bench import Bench
from tests.docs.blocks import Block, blocks_of, folder_of_desk
from tests.docs.console import ANYTHING, is_as_promised, steps_of

_FINDING = re.compile(r"(?:error|warning)\[([EW][0-9]{3})\]")
_SUMMARY = re.compile(r"(?:Checked|\d+ (?:error|warning)) .*", re.DOTALL)


def main(page: str) -> None:
    """Print one page anew."""
    path = Path(page)
    lines = path.read_text(encoding="utf-8").split("\n")
    anew: list[tuple[Block, str]] = []
    for _, blocks in groupby(blocks_of(page), key=lambda block: block.heading):
        with tempfile.TemporaryDirectory() as folder, Bench(Path(folder), folder_of_desk()) as bench:
            for block in blocks:
                if block.language == "console":
                    anew.append((block, _printed(block, bench)))
                elif block.file is not None:
                    bench.write(block)
    for block, text in reversed(anew):
        lines[block.line : block.line + block.text.count("\n")] = text.rstrip("\n").split("\n")
    path.write_text("\n".join(lines), encoding="utf-8")


def _printed(block: Block, bench: Bench) -> str:
    parts = []
    for step in steps_of(block.text):
        found = bench.output_of(step).replace(f"{bench.folder}/", f"{ANYTHING}/").strip("\n")
        is_kept = step.expected != ANYTHING and is_as_promised(step.expected, found)
        shown = step.expected if is_kept else _about(block.heading, found)
        lines = [line.rstrip() for line in shown.split("\n")] if shown else []
        parts += [f"$ {step.command}", *lines]
    return "\n".join(parts) + "\n"


def _about(heading: str, printed: str) -> str:
    """What is printed, with `…` for findings of other codes than the one in the heading, and for counts."""
    kept: list[str] = []
    for part in printed.split("\n\n"):
        finding = _FINDING.match(part)
        is_left_out = finding[1] not in heading if finding else _SUMMARY.fullmatch(part) is not None
        shown = ANYTHING if is_left_out else part
        if shown != ANYTHING or kept[-1:] != [ANYTHING]:
            kept.append(shown)
    return "\n\n".join(kept)


if __name__ == "__main__":
    for name in sys.argv[1:]:
        main(name)
