"""The rows of a Parquet file that others wrote, for an import: values as JSON would tell them, nothing rounded."""

import json
from collections.abc import Iterator
from datetime import date, datetime, time
from decimal import Decimal
from math import isfinite
from typing import TYPE_CHECKING, Any, BinaryIO

from personalize.errors import ExportRefused
from personalize.events.event import JSONValue
from personalize.exports.parquet import require_parquet
from personalize.runtime.copies.rows import RefusedRow, Row

if TYPE_CHECKING:
    import pyarrow as pa

_ROWS_AT_ONCE = 2_000


class ParquetRows:
    """The rows of an open file, in order; to be gone through once. Rows are counted from 1.

    `header` are the names of its columns, `width` how many there are; a column inside of another is called by both
    names, `order.amount`. `bytes_read` tells how far the reading has come. Raises `ExportRefused` for what is no
    Parquet, and where the library is missing.
    """

    lacks_header = False

    def __init__(self, source: BinaryIO) -> None:
        require_parquet()
        from pyarrow import ArrowException  # noqa: PLC0415 - an extra
        from pyarrow.parquet import ParquetFile  # noqa: PLC0415 - an extra

        size_bytes = source.seek(0, 2)
        source.seek(0)
        try:
            self._file = ParquetFile(source)
        except ArrowException as error:
            raise ExportRefused(f"the file is no Parquet: {error}") from error
        self._bytes_of_a_row = size_bytes / max(1, self._file.metadata.num_rows)
        self.bytes_read = 0
        self.header = tuple(_flat(self._file.schema_arrow.empty_table()).schema.names)
        self.width = len(self.header)

    def __iter__(self) -> Iterator[Row | RefusedRow]:
        from pyarrow import ArrowException  # noqa: PLC0415 - an extra

        number = 0
        try:
            for batch in self._file.iter_batches(_ROWS_AT_ONCE):
                columns = [column.to_pylist() for column in _flat(_table_of(batch)).columns]
                for cells in zip(*columns, strict=True):
                    number += 1
                    self.bytes_read = int(number * self._bytes_of_a_row)
                    yield self._row(number, cells)
        except ArrowException as error:
            raise ExportRefused(f"the file cannot be read behind row {number:,}: {error}") from error

    def _row(self, number: int, cells: tuple[Any, ...]) -> Row | RefusedRow:
        text = json.dumps(dict(zip(self.header, cells, strict=True)), default=str, ensure_ascii=False)
        try:
            return Row(number, tuple(map(_plain, cells)), text)
        except ValueError as error:
            return RefusedRow(number, str(error), text)


def _table_of(batch: "pa.RecordBatch") -> "pa.Table":
    import pyarrow as pa  # noqa: PLC0415 - an extra

    return pa.Table.from_batches([batch])


def _flat(table: "pa.Table") -> "pa.Table":
    """The table without columns inside of columns, and with moments to the microsecond."""
    from pyarrow import timestamp, types  # noqa: PLC0415 - an extra

    while any(types.is_struct(column.type) for column in table.schema):
        table = table.flatten()
    for at, column in enumerate(table.schema):
        if types.is_timestamp(column.type) and column.type.unit == "ns":
            exact = table.column(at).cast(timestamp("us", column.type.tz), safe=False)
            table = table.set_column(at, column.name, exact)
    return table


def _plain(value: Any) -> JSONValue:
    """A value as JSON tells it: a moment or date in the form of ISO 8601, a number as it is written."""
    match value:
        case None | bool() | int() | Decimal() | str():
            return value
        case float():
            return Decimal(repr(value)) if isfinite(value) else None
        case datetime() | date() | time():
            return value.isoformat()
        case bytes():
            return _text(value)
        case list():
            return [_plain(each) for each in value]
        case dict():
            return {name: _plain(each) for name, each in value.items()}
    raise ValueError(f"it holds a value of the type {type(value).__name__}, which no property takes")


def _text(value: bytes) -> str:
    """A text that was written as bytes, as some tools do."""
    try:
        return value.decode()
    except UnicodeDecodeError:
        raise ValueError("it holds bytes that are no text") from None
