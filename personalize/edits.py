"""Edits of a text: what they change is changed, and every other character stays."""

import re
from collections.abc import Iterable

from personalize.problems import Edit

_LINE_END = re.compile(r"\r\n|\r|\n")


def edited(text: str, edits: Iterable[Edit]) -> str:
    """The text after the edits, with its own line ends. An edit that overlaps one before it is left out.

    Raises ValueError for a place that the text doesn't have.
    """
    starts = [0, *(end.end() for end in _LINE_END.finditer(text))]
    spans: list[tuple[int, int, str]] = []
    for edit in sorted(edits, key=lambda edit: (edit.line, edit.column)):
        if not 1 <= edit.line <= len(starts):
            raise ValueError(f"there is no line {edit.line}")
        start = starts[edit.line - 1] + edit.column - 1
        if not spans or start >= spans[-1][1]:
            spans.append((start, start + edit.length, edit.text))
    return splice(text, spans)


def splice(text: str, edits: Iterable[tuple[int, int, str]]) -> str:
    """The text with each span `start:end` replaced; every character outside the spans stays as it is.

    Raises ValueError for spans that overlap or lie outside the text.
    """
    parts: list[str] = []
    done = 0
    for start, end, new_text in sorted(edits, key=lambda edit: edit[:2]):
        if not done <= start <= end <= len(text):
            raise ValueError(f"the span {start}:{end} overlaps another one, or lies outside the text")
        parts += (text[done:start], new_text)
        done = end
    return "".join(parts) + text[done:]
