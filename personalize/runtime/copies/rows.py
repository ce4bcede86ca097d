"""The rows of a file, one after the other: CSV, JSON Lines, or a table with blanks between its columns.

A broken line is told as such and the next one is read: nothing that stands in a file stops the reading, and a
file of any size is read with the memory of a few lines.
"""

import csv
import json
from collections import Counter, deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import PurePath
from typing import BinaryIO, Literal, Never, Protocol, TypeAlias, cast, get_args

from personalize.events.event import JSONValue
from personalize.problems import quoted

RowFormat: TypeAlias = Literal["csv", "jsonl", "table", "parquet"]
FORMATS: tuple[RowFormat, ...] = get_args(RowFormat)
#: Those in which every line can be read by itself.
ENCODINGS = ("utf-8", "cp1252", "latin-1")

LONGEST_LINE_BYTES = 1_000_000
MOST_LINES_OF_A_ROW = 500
LINES_LOOKED_AT = 100

_ENDINGS: Mapping[str, tuple[RowFormat, str]] = {
    ".csv": ("csv", ","),
    ".tsv": ("csv", "\t"),
    ".jsonl": ("jsonl", ","),
    ".ndjson": ("jsonl", ","),
    ".txt": ("table", ","),
    ".dat": ("table", ","),
    ".parquet": ("parquet", ","),
}
_UTF_16_MARKS = (b"\xff\xfe", b"\xfe\xff")


@dataclass(frozen=True, slots=True)
class Layout:
    """How the rows of a file are written. `has_header` says that the first one holds names; JSON Lines have none."""

    format: RowFormat
    has_header: bool = True
    delimiter: str = ","
    encoding: str = "utf-8"


def layout_of(name: str) -> tuple[RowFormat, str] | None:
    """The format and delimiter that the ending of a file's name promises, or None where it promises none."""
    return _ENDINGS.get(PurePath(name).suffix.lower())


@dataclass(frozen=True, slots=True)
class Row:
    """One row: cells in order, or for JSON Lines values by name. `line` counts from 1, `text` is as written."""

    line: int
    fields: Sequence[JSONValue] | Mapping[str, JSONValue]
    text: str


@dataclass(frozen=True, slots=True)
class RefusedRow:
    """A row that is of no use, and why."""

    line: int
    reason: str
    text: str


@dataclass(frozen=True, slots=True)
class _Line:
    number: int
    text: str


_Read: TypeAlias = Row | RefusedRow


class Rows(Protocol):
    """The rows of a file, in whichever format. `header` and `width` are as `RowFile` tells them."""

    @property
    def header(self) -> tuple[str, ...] | None:
        """The names of the columns, where the file has them."""

    @property
    def width(self) -> int | None:
        """How many columns rows have; None where they have none."""

    @property
    def lacks_header(self) -> bool:
        """Whether there should be a header, and there is none that can be read."""

    @property
    def bytes_read(self) -> int:
        """How far the reading has come."""

    def __iter__(self) -> Iterator[Row | RefusedRow]: ...


class RowFile:
    """The rows of an open file, in order; broken ones come as `RefusedRow`. To be gone through once.

    `header` holds the names in the first row, where the layout says so. `width` is how many columns rows have:
    those of the header, else what is usual among the first lines; None for JSON Lines and for an empty file.
    `lacks_header` says that there should be one, and the first row can't be read.
    `bytes_read` tells how far the reading has come.
    """

    def __init__(self, source: BinaryIO, layout: Layout) -> None:
        self._source = source
        self._layout = layout
        self._number = 0
        self._ahead: deque[_Line | RefusedRow] = deque()
        self.bytes_read = 0
        self.lacks_header = False
        self.header: tuple[str, ...] | None = self._read_header() if layout.format != "jsonl" else None
        self.width: int | None = None if layout.format == "jsonl" else self._usual_width()

    def __iter__(self) -> Iterator[Row | RefusedRow]:
        while (line := self._next()) is not None:
            if isinstance(line, RefusedRow):
                yield line
            elif line.text and not line.text.isspace():
                yield self._row(line)

    # Lines ---------------------------------------------------------------------------------------------

    def _next(self) -> _Line | RefusedRow | None:
        return self._ahead.popleft() if self._ahead else self._read_line()

    def _read_line(self) -> _Line | RefusedRow | None:
        data = self._source.readline(LONGEST_LINE_BYTES + 1)
        if not data:
            return None
        self._number += 1
        number, length = self._number, len(data)
        self.bytes_read += length
        if length > LONGEST_LINE_BYTES:
            self._skip_rest(data)
            reason = f"the line is longer than {LONGEST_LINE_BYTES:,} bytes"
            return RefusedRow(number, reason, data[:1_000].decode(self._layout.encoding, "replace"))
        return self._decoded(number, data.rstrip(b"\r\n"))

    def _skip_rest(self, data: bytes) -> None:
        while data and not data.endswith(b"\n"):
            data = self._source.readline(LONGEST_LINE_BYTES)
            self.bytes_read += len(data)

    def _decoded(self, number: int, data: bytes) -> _Line | RefusedRow:
        encoding = self._layout.encoding
        if number == 1 and encoding == "utf-8":
            data = data.removeprefix(b"\xef\xbb\xbf")
        try:
            return _Line(number, data.decode(encoding))
        except UnicodeDecodeError as error:
            found = data[error.start]
            reason = f"the byte {found:02X} in it is no {encoding.upper()}{_perhaps(found, number, data)}"
            return RefusedRow(number, reason, data.decode(encoding, "replace"))

    # Columns -------------------------------------------------------------------------------------------

    def _read_header(self) -> tuple[str, ...] | None:
        if not self._layout.has_header:
            return None
        while (line := self._next()) is not None:
            if isinstance(line, _Line) and not line.text.strip():
                continue
            cells = _cells(line.text, self._layout) if isinstance(line, _Line) else None
            if cells is not None:
                return tuple(cells)
            self.lacks_header = True
            self._ahead.append(line)
            break
        return None

    def _usual_width(self) -> int | None:
        if self.header is not None:
            return len(self.header)
        while len(self._ahead) < LINES_LOOKED_AT and (line := self._read_line()) is not None:
            self._ahead.append(line)
        texts = (line.text for line in self._ahead if isinstance(line, _Line) and line.text.strip())
        widths = Counter(len(cells) for text in texts if (cells := _cells(text, self._layout)) is not None)
        return widths.most_common(1)[0][0] if widths else None

    # Rows ----------------------------------------------------------------------------------------------

    def _row(self, first: _Line) -> _Read:
        match self._layout.format:
            case "jsonl":
                return _json_row(first)
            case "table":
                return self._fitting(first, first.text.split(), first.text)
            case _:
                return self._csv_row(first)

    def _csv_row(self, first: _Line) -> _Read:
        """The row that begins here. Quotes may hold line ends; where they do not fit, only this line is lost."""
        cells = _cells(first.text, self._layout)
        if cells is not None:
            return self._fitting(first, cells, first.text)
        lines = [first, *self._lines_of_quote(first)]
        text = "\n".join(line.text for line in lines)
        cells = _cells(text, self._layout)
        if cells is not None and len(cells) == self.width:
            return Row(first.number, cells, text)
        self._ahead.extendleft(reversed(lines[1:]))
        return RefusedRow(first.number, "its quotes do not fit together", first.text)

    def _lines_of_quote(self, first: _Line) -> list[_Line]:
        """The lines behind one that leaves a quote open, up to the one that closes it."""
        found: list[_Line] = []
        is_open = _is_odd(first)
        while is_open and len(found) < MOST_LINES_OF_A_ROW and (line := self._next()) is not None:
            if isinstance(line, RefusedRow):
                self._ahead.appendleft(line)
                break
            found.append(line)
            is_open ^= _is_odd(line)
        return found

    def _fitting(self, first: _Line, cells: list[str], text: str) -> _Read:
        if len(cells) == self.width:
            return Row(first.number, cells, text)
        return RefusedRow(first.number, f"it has {_columns(len(cells))} instead of {self.width}", text)


def _columns(count: int) -> str:
    return f"{count:,} column{'' if count == 1 else 's'}"


def _cells(text: str, layout: Layout) -> list[str] | None:
    """The cells of a row, without the blanks around them; None where its quotes do not fit."""
    if layout.format == "table":
        return text.split()
    try:
        read = next(csv.reader([text], delimiter=layout.delimiter, strict=True), [])
    except csv.Error:
        return None
    return [cell.strip() for cell in read]


def _is_odd(line: _Line) -> bool:
    """Whether it opens or closes a quote: one inside quotes is written twice, so it does not count."""
    return line.text.count('"') % 2 == 1


def _json_row(line: _Line) -> _Read:
    try:
        found = json.loads(line.text, parse_float=Decimal, parse_constant=_refuse_constant)
    except (ValueError, RecursionError):
        return RefusedRow(line.number, "this is not JSON", line.text)
    if not isinstance(found, dict):
        return RefusedRow(line.number, "this is JSON, but no object with names and values", line.text)
    return Row(line.number, cast(dict[str, JSONValue], found), line.text)


def _refuse_constant(name: str) -> Never:
    raise ValueError(f"{quoted(name)} is no number that JSON knows")


def _perhaps(found: int, number: int, data: bytes) -> str:
    if number == 1 and data.startswith(_UTF_16_MARKS):
        return ': the file is saved as UTF-16; save it as "CSV UTF-8"'
    meant = bytes([found]).decode("cp1252", "ignore")
    return f' (perhaps "{meant}", saved the Windows way: encoding cp1252)' if meant.isprintable() and meant else ""
