"""Events as CSV that people may open in a spreadsheet: no cell is ever taken for a formula, and none is bent.

A cell that a spreadsheet would work out (`=cmd()`) is written behind an apostrophe, as OWASP advises against CSV
injection (https://owasp.org/www-community/attacks/CSV_Injection). So is one that begins with an apostrophe of its own,
and one that is empty; so the first apostrophe of a cell can always be taken away again. An empty cell is no value.
"""

import csv
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from personalize.errors import ExportRefused
from personalize.events.event import Event
from personalize.exports.event_fields import FIELDS, event_from_fields, moment_as_text
from personalize.stores.event_text import properties_as_text, properties_from_text

FILE = "events.csv"
#: What spreadsheets take for the beginning of a formula, also in the wide letters of some keyboards.
_BEGIN_A_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
_BEHIND_AN_APOSTROPHE = ("'", *_BEGIN_A_FORMULA)
_LONGEST_CELL = 2**31 - 1


class CsvWriter:
    """Writes events to one file in the folder of an export."""

    def __init__(self, folder: Path) -> None:
        self._file = (folder / FILE).open("w", encoding="utf-8", newline="")
        self._csv = csv.writer(self._file)
        self._csv.writerow(FIELDS)
        self._rows = 0

    def write(self, events: Iterable[Event]) -> None:
        """Add events behind those written so far."""
        rows = [[cell(text) for text in _texts(event)] for event in events]
        self._csv.writerows(rows)
        self._rows += len(rows)

    def close(self) -> Sequence[tuple[str, int]]:
        """Finish; the file by its path in the folder, and its rows."""
        self._file.close()
        return [(FILE, self._rows)]


def csv_events(path: Path) -> Iterator[Event]:
    """The events of a file, in order. Raises `ExportRefused` at a row that is none."""
    # A site's longest text may be longer than what the csv module takes for a slip.
    csv.field_size_limit(_LONGEST_CELL)
    with path.open(encoding="utf-8", newline="") as source:
        rows = csv.reader(source, strict=True)
        try:
            if tuple(next(rows, ())) != FIELDS:
                raise ValueError("the columns are others")
            for row in rows:
                fields = dict(zip(FIELDS, map(text_of, row), strict=True))
                yield event_from_fields(fields, properties_from_text(fields["properties"] or ""))
        except (ValueError, KeyError, TypeError, csv.Error) as error:
            raise ExportRefused(f"{path}, line {rows.line_num:,}, is no exported event") from error


def cell(text: str | None) -> str:
    """A text as a cell that no spreadsheet works out; `text_of` gives it back."""
    if text is None:
        return ""
    return f"'{text}" if not text or text.startswith(_BEHIND_AN_APOSTROPHE) else text


def text_of(cell: str) -> str | None:
    """The text that `cell` made this of."""
    return cell.removeprefix("'") if cell else None


def _texts(event: Event) -> tuple[str | None, ...]:
    return (
        event.event_id,
        event.sender,
        event.type,
        event.profile_id,
        moment_as_text(event.occurred_at),
        moment_as_text(event.received_at),
        event.channel,
        event.version,
        properties_as_text(event.properties),
    )
