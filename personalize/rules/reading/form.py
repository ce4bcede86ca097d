"""One stable form of a rule file: what stands where, and nothing of what it says.

Only blanks and empty lines change: nested lines are moved in by two, one blank stands behind a colon, a dash and a
comma, none at the end of a line or inside of brackets, at most one empty line between others. Quotes, the order of
keys, comments and the words behind them stay as they were written.
"""

import re
from bisect import bisect_right
from collections.abc import Iterator

from personalize.edits import splice
from personalize.problems import Problems
from personalize.yaml_tree import Mapping, Node, Scalar, Sequence, parse_yaml, to_data

#: How far a line is moved in below the one that it belongs to.
_STEP = 2
_BLANKS = re.compile(r"[ \t]*")
_BLANK_OR_COMMENT = re.compile(r"(?:\s|(?:(?<=\s)|^)#[^\n]*)*")
#: A block of text that keeps the empty lines behind it.
_KEEPS_END = re.compile(r"[|>][0-9]?\+")
_LINE_END = re.compile(r"\r\n|\r|\n")


def in_form(text: str, file: str) -> str | None:
    """The text of a rule file in its stable form, or None where it is no YAML that can be read.

    The form of a text in form is the text itself. Lines end as most of the file's do.
    """
    plain = _LINE_END.sub("\n", text.removeprefix("\ufeff"))
    problems = Problems()
    tree = parse_yaml(plain, file, problems)
    if problems.has_errors:
        return None
    formed = _Former(plain).formed(tree) if tree is not None else _tidied(plain)
    if not _says_the_same(plain, formed, file):
        formed = plain
    line_ends = _LINE_END.findall(text)
    return formed.replace("\n", max(set(line_ends), key=line_ends.count, default="\n"))


def _says_the_same(before: str, after: str, file: str) -> bool:
    """Whether no letter, no comment and no value differs; where it does, we have met YAML that we don't understand."""
    if re.sub(r"\s", "", before) != re.sub(r"\s", "", after):
        return False
    trees = [parse_yaml(text, file, problems := Problems()) for text in (before, after)]
    return not problems.has_errors and to_data(trees[0]) == to_data(trees[1])


def _tidied(text: str) -> str:
    """A text without any values: comments, if anything."""
    kept = re.sub(r"\n{3,}", "\n\n", "\n".join(line.strip() for line in text.split("\n"))).strip("\n")
    return f"{kept}\n" if kept else ""


class _Former:
    """Works out where each line of one file begins, and which blanks within lines change."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._starts = [0, *(found.end() for found in re.finditer("\n", text))]
        self._indents: dict[int, int] = {}
        self._shifts: dict[int, int] = {}
        self._edits: dict[tuple[int, int], str] = {}

    def formed(self, tree: Node) -> str:
        """The text in form."""
        self._block(tree, 0)
        changed = splice(self._text, ((start, end, blanks) for (start, end), blanks in self._edits.items()))
        lines = changed.split("\n")
        return _put_together(lines, self._indents, self._shifts)

    # Blocks --------------------------------------------------------------------------------------------

    def _block(self, node: Node, column: int) -> None:
        """A node that begins at this column from now on."""
        moved = column - (node.place.column - 1)
        if self._is_flow(node):
            self._inline(node, self._line(node.place.start), moved)
        elif isinstance(node, Mapping):
            for key, value in node.entries:
                self._begins(key.place.start, column)
                self._entry(key, value, column, moved)
        elif isinstance(node, Sequence):
            self._items(node, column, moved)

    def _entry(self, key: Scalar, value: Node, column: int, moved: int) -> None:
        colon = self._text.find(":", key.place.end)
        if isinstance(value, Mapping | Sequence) and not self._is_flow(value):
            self._block(value, column + _STEP)
        else:
            self._gap(colon + 1, value.place.start)
            self._inline(value, self._line(key.place.start), moved)

    def _items(self, node: Sequence, column: int, moved: int) -> None:
        at = node.place.start
        for item in node.items:
            dash = self._past_comments(at)
            self._begins(dash, column)
            self._gap(dash + 1, item.place.start)
            if isinstance(item, Mapping | Sequence) and not self._is_flow(item):
                self._block(item, column + _STEP)
            else:
                self._inline(item, self._line(dash), moved)
            at = max(item.place.end, dash + 1)

    def _past_comments(self, at: int) -> int:
        found = _BLANK_OR_COMMENT.match(self._text, at)
        return at if found is None else found.end()

    def _begins(self, at: int, column: int) -> None:
        """What stands here begins at this column, if it is the first on its line."""
        line = self._line(at)
        if not self._text[self._starts[line] : at].strip():
            self._indents[line] = column

    def _gap(self, start: int, end: int) -> None:
        """One blank here, where something follows on the same line."""
        between = self._text[start:end]
        if between and _BLANKS.fullmatch(between) and not self._text.startswith("\n", end):
            self._edits[start, end] = " "

    # Values on one line, or on several that are moved as they are -------------------------------------------

    def _inline(self, node: Node, first_line: int, moved: int) -> None:
        """A value that begins on the line of its key or dash, or below; its further lines move with that."""
        last_line = self._line(max(node.place.start, node.place.end - 1))
        if isinstance(node, Scalar) and _KEEPS_END.match(self._text, node.place.start):
            last_line = self._line(self._end_of_blanks(node.place.end))
        for line in range(first_line + 1, last_line + 1):
            self._shifts[line] = moved
        if self._is_flow(node):
            self._flow(node)

    def _end_of_blanks(self, at: int) -> int:
        """The last place before the next line on which something stands."""
        rest = self._text[at:]
        blank = len(rest) - len(rest.lstrip())
        return len(self._text) if blank == len(rest) else self._starts[self._line(at + blank)] - 1

    def _flow(self, node: Node) -> None:
        """The blanks inside of brackets that open and close on one line."""
        if isinstance(node, Scalar) or "\n" in self._text[node.place.start : node.place.end]:
            return
        at = node.place.start + 1
        for first, last in _parts(node):
            self._between(at, first.place.start)
            if first is not last and last.place.start < last.place.end:
                self._gap(self._text.find(":", first.place.end) + 1, last.place.start)
            for part in {id(first): first, id(last): last}.values():
                if self._is_flow(part):
                    self._flow(part)
            at = max(first.place.end, last.place.end)
        end = node.place.end - 1
        if not self._text[at:end].strip():
            self._edits[at, end] = ""

    def _between(self, start: int, end: int) -> None:
        """Nothing behind an opening bracket, one blank behind a comma."""
        between = self._text[start:end]
        if not between.strip(" ,"):
            self._edits[start, end] = ", " if "," in between else ""

    def _is_flow(self, node: Node) -> bool:
        return not isinstance(node, Scalar) and self._text[node.place.start : node.place.start + 1] in ("{", "[")

    def _line(self, at: int) -> int:
        return bisect_right(self._starts, at) - 1


def _parts(node: Mapping | Sequence) -> Iterator[tuple[Node, Node]]:
    """Where each part of a collection begins and ends: its key and its value, or twice the item."""
    if isinstance(node, Mapping):
        yield from node.entries
    else:
        yield from ((item, item) for item in node.items)


def _put_together(lines: list[str], indents: dict[int, int], shifts: dict[int, int]) -> str:
    """The lines, each where it belongs; what stands inside of a text over several lines is not touched."""
    found: list[str] = []
    for number, line in enumerate(lines):
        if number in shifts:
            found.append(_moved(line, shifts[number]))
        elif number in indents:
            found.append(" " * indents[number] + line.strip())
        elif line.lstrip().startswith("#"):
            found.append(" " * _indent_of_comment(number, lines, indents) + line.strip())
        elif line.strip() or _follows_text(found):
            found.append(line.rstrip())
    if len(lines) - 1 in shifts:
        return "\n".join(found)
    return "\n".join(found).rstrip("\n") + "\n"


def _follows_text(found: list[str]) -> bool:
    """Whether an empty line may stand here: not at the beginning, nor behind another one."""
    return bool(found and found[-1])


def _moved(line: str, by: int) -> str:
    """A line of a longer text, moved as it is."""
    if not line.strip():
        return line
    blanks = len(line) - len(line.lstrip(" "))
    return " " * max(0, blanks + by) + line.lstrip(" ")


def _indent_of_comment(number: int, lines: list[str], indents: dict[int, int]) -> int:
    """Where a comment on a line of its own begins: with the line that it stands above, or, where it is further in
    than that, with the lines before it that it belongs to."""
    own = _indent(lines[number])
    following = next((one for one in range(number + 1, len(lines)) if one in indents), None)
    if following is not None and _indent(lines[following]) >= own:
        return indents[following]
    before = next((one for one in range(number - 1, -1, -1) if one in indents and _indent(lines[one]) <= own), None)
    if before is None:
        return 0
    return indents[before] if _indent(lines[before]) == own else indents[before] + _STEP


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip(" "))
