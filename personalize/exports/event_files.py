"""The events of an export, in whichever format: one writer and one reader each."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol, TypeAlias, get_args

from personalize.events.event import Event
from personalize.exports.csv_events import CsvWriter, csv_events
from personalize.exports.json_lines import JsonLinesWriter, json_lines_events
from personalize.exports.parquet_events import ParquetWriter, parquet_events

ExportFormat: TypeAlias = Literal["jsonl", "csv", "parquet"]
EXPORT_FORMATS: tuple[ExportFormat, ...] = get_args(ExportFormat)


class EventWriter(Protocol):
    """Writes events into the folder of an export, in the order of the log."""

    def write(self, events: Iterable[Event]) -> None:
        """Add events behind those written so far."""

    def close(self) -> Sequence[tuple[str, int]]:
        """Finish; the files by their paths in the folder, and their rows."""


@dataclass(frozen=True, slots=True)
class _Format:
    writer: Callable[[Path], EventWriter]
    events: Callable[[Path, Sequence[str]], Iterator[Event]]


def event_writer(format_: ExportFormat, folder: Path) -> EventWriter:
    """What writes events of this format into a folder."""
    return _FORMATS[format_].writer(folder)


def exported_events(format_: str, folder: Path, paths: Sequence[str]) -> Iterator[Event]:
    """The events in these files of an export, in the order of the log. Raises `ExportRefused` where one is none."""
    return _FORMATS[format_].events(folder, paths)


def _one_after_the_other(
    read: Callable[[Path], Iterator[Event]],
) -> Callable[[Path, Sequence[str]], Iterator[Event]]:
    return lambda folder, paths: (event for path in paths for event in read(folder / path))


_FORMATS: Mapping[str, _Format] = {
    "jsonl": _Format(JsonLinesWriter, _one_after_the_other(json_lines_events)),
    "csv": _Format(CsvWriter, _one_after_the_other(csv_events)),
    "parquet": _Format(ParquetWriter, parquet_events),
}
