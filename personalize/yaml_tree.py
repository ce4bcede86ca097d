"""YAML as a tree of values that know where they were written, and edits that change nothing else.

A strict part of YAML 1.2: true, false, null and decimal numbers are values, everything else is text, so
`country: NO`, `2026-12-24`, `12:30` and `0123` stay what the author wrote. Duplicate keys, aliases, anchors,
tags, deep nesting and second documents are refused, in words that somebody who is no programmer can act on.
"""

from __future__ import annotations

import re
import stat
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import TypeAlias

import yaml

from personalize.edits import splice
from personalize.guesses import Guess
from personalize.light_values import light_dataclass
from personalize.problems import Edit, Problem, Problems, quoted
from personalize.yaml_messages import LOADER, syntax_problem
from personalize.yaml_values import plain_value

MAX_BYTES = 2_000_000
MAX_DEPTH = 50
MAX_EVENTS = 250_000
MAX_PROBLEMS = 50

_SPLIT_IT = "split it into several files; all files of a folder are read together"
_NOT_TEXT = re.compile("[^\t\n\r\x20-\x7e\xa0-\u2027\u202a-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]")
#: Only an escape in double quotes can bring these in.
_NOT_STORABLE = re.compile("[\0\ud800-\udfff]")
#: In front of a text nobody means them; behind one, marks of direction may be meant.
_INVISIBLE = re.compile("^[\xa0\u200b-\u200f\u2060]|[\xa0\u200b\u2060]$")
_CURLY = re.compile("[“”„‘‚»«][^“”„‘’‚»«]*[“”‘’»«]")
_INVISIBLE_OR_BLANK = " \xa0\u200b\u200c\u200d\u200e\u200f\u2060"


@light_dataclass(frozen=True, slots=True)
class Place:
    """Where something is written: 1-based line and column, and the span `text[start:end]` in characters."""

    file: str
    line: int
    column: int
    start: int
    end: int

    @property
    def length(self) -> int:
        """How many characters the span has."""
        return self.end - self.start


@light_dataclass(frozen=True, slots=True)
class Scalar:
    """One value. `text` is what was written, without quotes and escapes: of `1.10` the value is 1.1.

    Text values have `value == text`. Read amounts from `text`, so that 29.33 stays exactly that.
    """

    value: bool | int | float | str | None
    text: str
    place: Place


@dataclass(frozen=True, slots=True)
class Sequence:
    """A list of nodes, in the order written."""

    items: tuple[Node, ...]
    place: Place


@dataclass(frozen=True, slots=True)
class Mapping:
    """Named nodes, in the order written. Keys are always text: "404" in `404: x`, "on" in `on: x`."""

    entries: tuple[tuple[Scalar, Node], ...]
    place: Place
    _by_key: dict[str, tuple[Scalar, Node]] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        by_key: dict[str, tuple[Scalar, Node]] = {}
        for entry in self.entries:
            by_key.setdefault(entry[0].text, entry)
        object.__setattr__(self, "_by_key", by_key)

    def get(self, key: str) -> Node | None:
        """The node of a key, or None when the key is not there."""
        entry = self._by_key.get(key)
        return None if entry is None else entry[1]

    def key_node(self, key: str) -> Scalar | None:
        """The key itself as it was written, to point at; None when it is not there."""
        entry = self._by_key.get(key)
        return None if entry is None else entry[0]

    def keys(self) -> tuple[str, ...]:
        """The keys, in the order written."""
        return tuple(self._by_key)


Node: TypeAlias = Scalar | Sequence | Mapping


def read_text(path: Path, file: str, problems: Problems, max_bytes: int = MAX_BYTES) -> str | None:
    """The text of a UTF-8 file, line ends as they are, no byte order mark; None when it cannot be used.

    The size is asked before anything is read. `file` is the name that problems carry.
    """
    try:
        status = path.stat()
        if not stat.S_ISREG(status.st_mode):
            problems.error("E001", f"{quoted(file)} is not a file", file=file)
            return None
        if status.st_size > max_bytes:
            _too_large(file, problems, max_bytes)
            return None
        with path.open("rb") as source:
            data = source.read(max_bytes + 1)
    except OSError as error:
        reason = error.strerror or "it cannot be opened"
        problems.error("E001", f"{quoted(file)} cannot be read: {reason}", file=file)
        return None
    if len(data) > max_bytes:
        _too_large(file, problems, max_bytes)
        return None
    return _decode(data, file, problems)


def _too_large(file: str, problems: Problems, max_bytes: int) -> None:
    limit = f"{max_bytes / 1_000_000:g} MB" if max_bytes >= 100_000 else f"{max_bytes:,} bytes"
    problems.error("E003", f"the file is larger than {limit}", hint=_SPLIT_IT, file=file)


def _decode(data: bytes, file: str, problems: Problems) -> str | None:
    hint = 'save the file with the encoding "UTF-8"'
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        problems.error("E002", "the file is saved as UTF-16, not as UTF-8", hint=hint, file=file)
        return None
    try:
        return data.decode("utf-8").removeprefix("\ufeff")
    except UnicodeDecodeError as error:
        before = data[: error.start]
        line_start = max(before.rfind(b"\n"), before.rfind(b"\r")) + 1
        line = len(re.findall(rb"\r\n|\r|\n", before)) + 1
        column = len(before[line_start:].decode("utf-8").removeprefix("\ufeff")) + 1
        byte = data[error.start : error.start + 1]
        meant = byte.decode("cp1252", errors="ignore")
        perhaps = f' (perhaps a "{meant}" saved the Windows way)' if meant.isprintable() and meant else ""
        message = f"the file is not UTF-8: found the byte {byte.hex().upper()}{perhaps}"
        problems.add(Problem("E002", message, file, line, column, hint))
        return None


def parse_yaml(text: str, file: str, problems: Problems) -> Node | None:
    """The tree of a YAML text; None when nothing is written in it, or when its shape cannot be told.

    Whatever is wrong goes to `problems`; nothing is raised. After a duplicate key (the first one counts),
    an anchor or a tag the tree is still given, so that the rest of the file can be checked in the same run.
    """
    if len(text) > MAX_BYTES or len(text.encode("utf-8", "surrogatepass")) > MAX_BYTES:
        _too_large(file, problems, MAX_BYTES)
        return None
    mark = len(text) - len(text.removeprefix("\ufeff"))
    body = text[mark:]
    if (strange := _NOT_TEXT.search(body)) is not None:
        _strange_character(body, strange.start(), file, problems)
        return None
    tree = _Tree(body, file, problems, mark)
    try:
        complete = tree.take_all(_events(body))
    except yaml.MarkedYAMLError as error:
        problems.add(syntax_problem(error, body, file))
        return None
    except (yaml.YAMLError, ArithmeticError, ValueError):
        # Only the parser in Python raises these, for escapes and directives with impossible numbers.
        problems.error("E006", "this is not YAML that can be read", file=file)
        return None
    return tree.root if complete else None


def _events(text: str) -> Iterator[yaml.Event]:
    return yaml.parse(text, Loader=LOADER)


def _line_and_column(text: str, index: int) -> tuple[int, int]:
    before = re.sub(r"\r\n?", "\n", text[:index])
    return before.count("\n") + 1, len(before) - before.rfind("\n")


def _strange_character(text: str, index: int, file: str, problems: Problems) -> None:
    line, column = _line_and_column(text, index)
    places = [_line_and_column(text, found.start()) for found in islice(_NOT_TEXT.finditer(text), MAX_PROBLEMS)]
    message = f"found the character U+{ord(text[index]):04X}, which cannot stand in a text file"
    hint = "delete it; it is invisible in most editors and comes with text pasted from elsewhere"
    problems.add(Problem("E004", message, file, line, column, hint, fix=tuple(Edit(*one, 1, "") for one in places)))


@dataclass(slots=True)
class _Open:
    """A list or mapping whose end has not been reached; `key` waits for its value."""

    event: yaml.CollectionStartEvent
    items: list[Node] = field(default_factory=list)
    entries: list[tuple[Scalar, Node]] = field(default_factory=list)
    seen: dict[str, Scalar] = field(default_factory=dict)
    key: Node | None = None
    last_end: int = 0
    is_two: bool = False

    @property
    def wants_key(self) -> bool:
        return isinstance(self.event, yaml.MappingStartEvent) and self.key is None


class _Tree:
    """Builds the tree from the parser's events, one at a time, so that depth and size are bounded by us."""

    def __init__(self, body: str, file: str, problems: Problems, offset: int) -> None:
        self.root: Node | None = None
        self._body = body
        self._file = file
        self._problems = problems
        self._offset = offset
        self._open: list[_Open] = []
        self._documents = 0
        self._events = 0
        self._most = len(problems) + MAX_PROBLEMS

    def take_all(self, events: Iterator[yaml.Event]) -> bool:
        """Whether all of these were read; a tree that was left early is not to be used."""
        return all(map(self._take, events))

    def _take(self, event: yaml.Event) -> bool:
        """Whether reading goes on after this event."""
        self._events += 1
        if self._events > MAX_EVENTS:
            return self._refuse_more(event)
        if isinstance(event, yaml.ScalarEvent):
            self._refuse_marks(event)
            self._add(self._scalar(event))
        elif isinstance(event, yaml.CollectionStartEvent):
            self._refuse_marks(event)
            return self._begin(event)
        elif isinstance(event, yaml.CollectionEndEvent):
            self._add(self._finish(event))
        elif isinstance(event, yaml.AliasEvent):
            return self._refuse_alias(event)
        elif isinstance(event, yaml.DocumentStartEvent):
            return self._document(event)
        return len(self._problems) < self._most

    def _document(self, event: yaml.Event) -> bool:
        self._documents += 1
        if self._documents == 1:
            return True
        hint = "delete the line `---`, or move what follows into a file of its own"
        self._problems.error("E017", "a second document begins here", self._place(event), hint)
        return False

    def _refuse_more(self, event: yaml.Event) -> bool:
        message = f"the file holds more than {MAX_EVENTS:,} names, values and brackets"
        self._problems.error("E003", message, self._place(event), _SPLIT_IT)
        return False

    def _refuse_alias(self, event: yaml.AliasEvent) -> bool:
        name = quoted(f"*{event.anchor}")
        hint = "write the value out; text that begins with * needs quotes"
        self._problems.error("E013", f"{name} refers to another place, which is not allowed", self._place(event), hint)
        return False

    def _refuse_marks(self, event: yaml.ScalarEvent | yaml.CollectionStartEvent) -> None:
        if event.anchor is None and event.tag is None:
            return
        place = self._place(event)
        if event.anchor is not None:
            hint = f'leave it out; text that begins with & needs quotes: "&{event.anchor}"'
            self._problems.error("E014", f"{quoted('&' + event.anchor)} names a place for reuse", place, hint)
        if event.tag is not None:
            hint = "leave it out; text that begins with ! needs quotes"
            self._problems.error("E015", "the value begins with a tag (!), which is not allowed", place, hint)

    def _begin(self, event: yaml.CollectionStartEvent) -> bool:
        if len(self._open) == MAX_DEPTH:
            message, place = f"lists and mappings are nested more than {MAX_DEPTH} deep", _span(event)[0] + 1
            self._problems.error("E016", message, self._place(event, place), "is a bracket not closed?")
            return False
        self._open.append(_Open(event))
        return True

    def _finish(self, event: yaml.CollectionEndEvent) -> Node:
        done = self._open.pop()
        # The parser sees the end of a block at the next token, behind blank lines and comments.
        end = _span(event)[1] if done.event.flow_style else done.last_end - self._offset
        place = self._place(done.event, end)
        if isinstance(done.event, yaml.MappingStartEvent):
            return Mapping(tuple(done.entries), place)
        return Sequence(tuple(done.items), place)

    def _add(self, node: Node) -> None:
        if not self._open:
            self.root = node
            return
        parent = self._open[-1]
        parent.last_end = node.place.end
        if isinstance(parent.event, yaml.SequenceStartEvent):
            parent.items.append(node)
        elif parent.key is None:
            parent.key = node
        else:
            self._add_entry(parent, parent.key, node)
            parent.key = None

    def _add_entry(self, parent: _Open, key: Node, value: Node) -> None:
        if not isinstance(key, Scalar):
            hint = 'text that begins with { or [ needs quotes: "{{ … }}"'
            self._problems.error("E018", "a list or mapping stands where a name is expected", key, hint)
        elif not key.text:
            hint = "a line says `name: value`"
            self._problems.error("E018", "a name is missing before the colon", key, hint)
        elif key.text in parent.seen and (parent.is_two or self._begins_another(parent, key)):
            if not parent.is_two:
                message = f"{quoted(key.text)} begins a second entry of the list here"
                self._problems.error("E012", message, key, "is the dash before it missing?")
            parent.is_two = True
        elif (first := parent.seen.get(key.text)) is not None:
            message = f"{quoted(key.text)} is written twice here, first in line {first.place.line}"
            self._problems.error("E012", message, key, "keep one of the two, or join them")
        else:
            parent.seen[key.text] = key
            parent.entries.append((key, value))

    def _begins_another(self, parent: _Open, key: Scalar) -> bool:
        """Whether a name that is written twice was the first of an entry of a list written over several lines."""
        around = self._open[-2] if len(self._open) > 1 else None
        is_entry = around is not None and isinstance(around.event, yaml.SequenceStartEvent)
        is_block = not parent.event.flow_style
        return is_entry and is_block and len(parent.entries) > 1 and key.text == parent.entries[0][0].text

    def _place(self, event: yaml.Event, end: int | None = None) -> Place:
        mark = event.start_mark
        assert mark is not None
        begin, last = _span(event)
        stop = last if end is None else max(begin, end)
        line, column = mark.line + 1, mark.column + 1
        if begin >= len(self._body):
            # At its end the parser in C believes to be on one more line.
            line, column = _line_and_column(self._body, begin)
        return Place(self._file, line, column, begin + self._offset, stop + self._offset)

    def _scalar(self, event: yaml.ScalarEvent) -> Scalar:
        start, end = _span(event)
        if event.style in ("|", ">"):
            # The parser counts the line end and the blank lines behind a block of text to the block.
            end = start + len(self._body[start:end].rstrip())
        place = self._place(event, end)
        text = event.value
        plain = not event.style
        if event.style == '"' or not text.isascii():
            self._check_text(text, place, plain=plain)
            if plain and _INVISIBLE.search(text):
                text = text.strip(_INVISIBLE_OR_BLANK)
        is_key = bool(self._open) and self._open[-1].wants_key
        return Scalar(self._resolve(text, place) if plain and not is_key else text, text, place)

    def _check_text(self, text: str, place: Place, *, plain: bool) -> None:
        if _NOT_STORABLE.search(text):
            self._problems.error("E004", "the text contains a character that cannot be stored", place)
        elif plain and _CURLY.fullmatch(text):
            message = f"the curly quotes of {text} are part of the text"
            self._problems.warning("W001", message, place, 'use straight ones ("), or none')
        elif plain and (hidden := _INVISIBLE.search(text)) is not None:
            clean = text.strip(_INVISIBLE_OR_BLANK)
            beside = "behind" if hidden.start() else "before"
            message = f"found the invisible character U+{ord(hidden[0]):04X} {beside} {quoted(clean)}"
            self._problems.error("E004", message, place, Guess("delete it, or put a plain blank there", text, clean))

    def _resolve(self, text: str, place: Place) -> bool | int | float | str | None:
        try:
            return plain_value(text)
        except ValueError:
            message = f"{quoted(text)} is not a number that can be counted with"
            self._problems.error("E019", message, place, "if it is text, put it in quotes")
            return 0  # a number all the same, of which nothing more is said


def _span(event: yaml.Event) -> tuple[int, int]:
    assert event.start_mark is not None
    assert event.end_mark is not None
    return event.start_mark.index, event.end_mark.index


def to_data(node: Node | None) -> object:
    """The plain value: None, bool, int, float, str, or lists and dicts (with text keys) of them."""
    if isinstance(node, Mapping):
        return {key.text: to_data(value) for key, value in node.entries}
    if isinstance(node, Sequence):
        return [to_data(item) for item in node.items]
    return None if node is None else node.value


def replace_value(text: str, node: Node, new_text: str) -> str:
    """The text with `new_text`, a piece of YAML, in place of a node that was parsed from it.

    Further lines of `new_text` are moved in to the column of the node, and end as the lines of `text` do.
    """
    start, end = node.place.start, node.place.end
    margin = node.place.column - 1
    lead = ""
    if start == end and text[start - 1 : start] in (":", "-"):
        lead = " "
    elif text.startswith("-", start) and isinstance(node, Sequence) and not new_text.startswith("-"):
        # The dashes of a list may stand in the column of its name, where nothing else may stand.
        lead = "" if text[start - margin : start].strip() else "  "
    line_end = "\r\n" if "\r\n" in text else "\n"
    moved = re.sub(r"\r?\n(?=[^\r\n])", line_end + " " * (margin + len(lead)), new_text)
    return splice(text, [(start, end, lead + moved)])
