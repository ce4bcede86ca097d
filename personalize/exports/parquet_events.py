"""Events as Parquet, a folder for each month in which they occurred: what other tools read only in part.

The rows of a month stand in the order of the log, and each has its `number` in it, from 1. So the whole log can be put
together again in its order.
"""

import heapq
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import chain
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

from personalize.errors import ExportRefused
from personalize.events.event import Event, to_micros
from personalize.exports.event_fields import FIELDS
from personalize.exports.parquet import ROWS_OF_A_GROUP, ParquetPart
from personalize.stores.event_text import event_from_values, properties_as_text

if TYPE_CHECKING:
    import pyarrow as pa

FOLDER = "events"
_NUMBER = "number"
_ROWS_OF_A_PART = 1_000_000
#: Rows of all months that wait in memory; the longest group is written when there are more.
_ROWS_IN_MEMORY = 100_000
_MONTHS_OPEN = 50
_READ_AT_ONCE = 2_000


def event_schema() -> "pa.Schema":
    """The columns: the number in the log, and the fields of an event."""
    import pyarrow as pa  # noqa: PLC0415 - an extra

    moment = pa.timestamp("us", tz="UTC")
    types = {"occurred_at": moment, "received_at": moment}
    return pa.schema(
        [
            pa.field(_NUMBER, pa.int64(), nullable=False),
            *(pa.field(name, types.get(name, pa.string()), nullable=name == "version") for name in FIELDS),
        ]
    )


class ParquetWriter:
    """Writes events to files in the folder of an export: `events/month=1997-01/part-0001.parquet`."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._schema = event_schema()
        self._months: dict[str, _Month] = {}
        self._done: list[tuple[str, int]] = []
        self._rows = 0
        self._waiting = 0

    def write(self, events: Iterable[Event]) -> None:
        """Add events behind those written so far."""
        for event in events:
            self._rows += 1
            month = self._months.setdefault(_month_of(event.occurred_at), _Month())
            month.rows.append(_row(self._rows, event))
            self._waiting += 1
            if len(month.rows) == ROWS_OF_A_GROUP:
                self._write(_month_of(event.occurred_at), month)
        while self._waiting > _ROWS_IN_MEMORY:
            self._write(*max(self._months.items(), key=lambda item: len(item[1].rows)))

    def close(self) -> Sequence[tuple[str, int]]:
        """Finish; the files by their paths in the folder, and their rows."""
        for name, month in self._months.items():
            if month.rows:
                self._write(name, month)
            self._finish(month)
        return sorted(self._done)

    def _write(self, name: str, month: "_Month") -> None:
        if month.part is None:
            self._make_room()
            month.parts += 1
            path = f"{FOLDER}/month={name}/part-{month.parts:04}.parquet"
            month.part = ParquetPart(self._folder, path, self._schema)
        month.part.write(dict(zip(self._schema.names, zip(*month.rows, strict=True), strict=True)))
        self._waiting -= len(month.rows)
        month.rows.clear()
        if month.part.rows >= _ROWS_OF_A_PART:
            self._finish(month)

    def _make_room(self) -> None:
        """Close a file where too many are open; a month that goes on later does so in its next file."""
        is_open = [month for month in self._months.values() if month.part is not None]
        if len(is_open) >= _MONTHS_OPEN:
            self._finish(min(is_open, key=lambda month: len(month.rows)))

    def _finish(self, month: "_Month") -> None:
        if month.part is not None:
            self._done.append(month.part.close())
            month.part = None


@dataclass(slots=True)
class _Month:
    """A month that is being written: the rows that wait, the file that is open, and how many there were."""

    rows: list[tuple[Any, ...]] = field(default_factory=list)
    part: ParquetPart | None = None
    parts: int = 0


def parquet_events(folder: Path, paths: Sequence[str]) -> Iterator[Event]:
    """The events of these files, in the order of the log. Raises `ExportRefused` where one is missing or no event."""
    months: dict[str, list[Path]] = {}
    for path in sorted(paths):
        months.setdefault(PurePosixPath(path).parent.name, []).append(folder / path)
    logs = [chain.from_iterable(map(_numbered, parts)) for parts in months.values()]
    for expected, (number, event) in enumerate(heapq.merge(*logs, key=lambda found: found[0]), 1):
        if number != expected:
            raise ExportRefused(f"{folder / FOLDER} lacks entry {expected:,} of the log")
        yield event


def _numbered(path: Path) -> Iterator[tuple[int, Event]]:
    from pyarrow import ArrowException  # noqa: PLC0415 - an extra
    from pyarrow.parquet import ParquetFile  # noqa: PLC0415 - an extra

    number = 0
    try:
        with ParquetFile(path, pre_buffer=False, buffer_size=2**16) as source:
            for batch in source.iter_batches(_READ_AT_ONCE):
                for number, event in numbered_events(batch):
                    yield number, event
    except (ArrowException, OSError, ValueError, KeyError, TypeError) as error:
        behind = f" behind entry {number:,} of the log" if number else ""
        raise ExportRefused(f"{path} holds what is no exported event{behind}") from error


def numbered_events(batch: "pa.RecordBatch") -> Iterator[tuple[int, Event]]:
    """The events of a batch of rows, each with its number in the log."""
    columns = [_plain(batch.column(name)).to_pylist() for name in (_NUMBER, *FIELDS)]
    for number, *values in zip(*columns, strict=True):
        yield number, event_from_values(values)


def _plain(column: "pa.Array") -> "pa.Array":
    """The column with moments as microseconds since 1970."""
    from pyarrow.types import is_timestamp  # noqa: PLC0415 - an extra

    return column.cast("int64") if is_timestamp(column.type) else column


def _month_of(moment: datetime) -> str:
    return f"{moment.year:04}-{moment.month:02}"


def _row(number: int, event: Event) -> tuple[Any, ...]:
    return (
        number,
        event.event_id,
        event.sender,
        event.type,
        event.profile_id,
        to_micros(event.occurred_at),
        to_micros(event.received_at),
        event.channel,
        event.version,
        properties_as_text(event.properties),
    )
