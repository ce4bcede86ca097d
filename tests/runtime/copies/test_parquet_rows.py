"""Parquet that others wrote: values of all its types, told as JSON would tell them."""

import io
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest
from pyarrow import parquet

from personalize.errors import ExportRefused
from personalize.runtime.copies.parquet_rows import ParquetRows
from personalize.runtime.copies.rows import RefusedRow, Row

NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)


def rows_of(columns: dict[str, Any], **types: pa.DataType) -> ParquetRows:
    schema = pa.schema([(name, types[name]) for name in columns]) if types else None
    file = io.BytesIO()
    parquet.write_table(pa.table(columns, schema=schema), file)
    file.seek(0)
    return ParquetRows(file)


def value_of(value: Any, type_: pa.DataType) -> object:
    (row,) = rows_of({"value": [value]}, value=type_)
    return row.fields[0] if isinstance(row, Row) else row.reason  # type: ignore[index]


@pytest.mark.parametrize(
    ("value", "type_", "told"),
    [
        (7, pa.int8(), 7),
        (0, pa.int64(), 0),
        (False, pa.bool_(), False),
        (0.1, pa.float64(), Decimal("0.1")),
        (float("nan"), pa.float64(), None),
        (Decimal("19.90"), pa.decimal128(9, 2), Decimal("19.90")),
        ("", pa.string(), ""),
        (b"s\xc3\xb8k", pa.binary(), "søk"),
        (b"\xff", pa.binary(), "it holds bytes that are no text"),
        (date(2026, 6, 1), pa.date32(), "2026-06-01"),
        (NOON, pa.timestamp("us", tz="UTC"), "2026-06-01T12:00:00+00:00"),
        (NOON.replace(tzinfo=None), pa.timestamp("ms"), "2026-06-01T12:00:00"),
        (1780315200_000000_001, pa.timestamp("ns", tz="UTC"), "2026-06-01T12:00:00+00:00"),
        (["a", None], pa.list_(pa.string()), ["a", None]),
        (timedelta(days=1), pa.duration("s"), "it holds a value of the type timedelta, which no property takes"),
    ],
    ids=str,
)
def test_each_type_is_told_as_json_would(value: Any, type_: pa.DataType, told: object) -> None:
    found = value_of(value, type_)
    assert (found, type(found)) == (told, type(told))


def test_columns_inside_of_others_are_called_by_both_names() -> None:
    rows = rows_of({"order": [{"id": 7, "paid": {"amount": 5}}, None], "day": ["a", "b"]})
    assert (rows.header, rows.width) == (("order.id", "order.paid.amount", "day"), 3)
    assert [row.fields for row in rows if isinstance(row, Row)] == [(7, 5, "a"), (None, None, "b")]
    assert rows.bytes_read > 0


def test_a_row_that_holds_what_nobody_takes_is_refused_and_the_others_are_read() -> None:
    rows = list(rows_of({"name": [b"a", b"\xff", b"c"]}))
    assert [(type(row), row.line) for row in rows] == [(Row, 1), (RefusedRow, 2), (Row, 3)]


def test_what_is_no_parquet_is_refused() -> None:
    with pytest.raises(ExportRefused, match="the file is no Parquet"):
        ParquetRows(io.BytesIO(b"customer,day\n1,2026-01-01\n"))
