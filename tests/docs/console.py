"""What a console block promises: commands, and what each of them prints."""

import difflib
import re
from collections.abc import Iterator
from dataclasses import dataclass

ANYTHING = "…"
_PROMPT = "$ "


@dataclass(frozen=True, slots=True)
class Step:
    """One command, and the lines that it prints."""

    command: str
    expected: str


def steps_of(text: str) -> Iterator[Step]:
    """The commands of a console block in order. One that ends in a backslash, or inside of a quote, goes on in the
    next line."""
    lines = text.rstrip("\n").split("\n")
    if not lines[0].startswith(_PROMPT):
        raise ValueError(f"a console block begins with a command behind $, not with {lines[0]!r}")
    at = 0
    while at < len(lines):
        command = lines[at].removeprefix(_PROMPT)
        while command.endswith("\\") or command.count("'") % 2:
            at += 1
            command = command.removesuffix("\\").rstrip() + " " + lines[at].strip()
        at += 1
        begin = at
        while at < len(lines) and not lines[at].startswith(_PROMPT):
            at += 1
        yield Step(command, "\n".join(lines[begin:at]))


def is_as_promised(expected: str, printed: str) -> bool:
    """Whether what was printed is what the page says; blanks at the ends of lines don't count."""
    return re.fullmatch(_pattern(expected), _plain(printed)) is not None


def _plain(text: str) -> str:
    lines = [line.rstrip() for line in text.strip("\n").split("\n")]
    return "".join(f"{line}\n" for line in lines) if text.strip() else ""


def _pattern(expected: str) -> str:
    if not expected.strip():
        return ""
    parts = []
    for line in _plain(expected).split("\n")[:-1]:
        if line.strip() == ANYTHING:
            parts.append(r"(?:[^\n]*\n)*?")
        else:
            parts.append(r"[^\n]*".join(map(re.escape, line.split(ANYTHING))) + r"\n")
    return "".join(parts)


def difference(expected: str, printed: str) -> str:
    """Both texts, line against line, for a failure."""
    lines = difflib.unified_diff(
        _plain(expected).splitlines(),
        _plain(printed).splitlines(),
        "the page says",
        "what is printed",
        lineterm="",
        n=99,
    )
    return "\n".join(lines)
