"""Events as JSON Lines: one object a line, decimals exact."""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import orjson

from personalize.errors import ExportRefused
from personalize.events.event import Event
from personalize.exports.event_fields import event_from_fields, moment_as_text
from personalize.stores.event_text import properties_as_text, properties_from_text

FILE = "events.jsonl"


class JsonLinesWriter:
    """Writes events to one file in the folder of an export."""

    def __init__(self, folder: Path) -> None:
        self._file = (folder / FILE).open("wb")
        self._rows = 0

    def write(self, events: Iterable[Event]) -> None:
        """Add events behind those written so far."""
        lines = [_line(event) for event in events]
        self._file.writelines(lines)
        self._rows += len(lines)

    def close(self) -> Sequence[tuple[str, int]]:
        """Finish; the file by its path in the folder, and its rows."""
        self._file.close()
        return [(FILE, self._rows)]


def json_lines_events(path: Path) -> Iterator[Event]:
    """The events of a file, in order. Raises `ExportRefused` at a line that is none."""
    with path.open("rb") as source:
        for number, line in enumerate(source, 1):
            try:
                fields = properties_from_text(line.decode())
                properties = fields["properties"]
                if not isinstance(properties, dict):
                    raise ValueError("properties are an object")
                yield event_from_fields(fields, properties)
            except (ValueError, KeyError, TypeError, AttributeError) as error:
                raise ExportRefused(f"{path}, line {number:,}, is no exported event") from error


def _line(event: Event) -> bytes:
    fields = {
        "event_id": event.event_id,
        "sender": event.sender,
        "type": event.type,
        "profile_id": event.profile_id,
        "occurred_at": moment_as_text(event.occurred_at),
        "received_at": moment_as_text(event.received_at),
        "channel": event.channel,
        "version": event.version,
        "properties": orjson.Fragment(properties_as_text(event.properties)),
    }
    return orjson.dumps(fields, option=orjson.OPT_APPEND_NEWLINE)
