"""Whatever stands in a file, its good rows come out and its broken ones are named."""

import csv
import io
from decimal import Decimal
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from personalize.runtime.copies.rows import (
    LONGEST_LINE_BYTES,
    MOST_LINES_OF_A_ROW,
    Layout,
    RefusedRow,
    Row,
    RowFile,
    layout_of,
)
from tests.conftest import REPOSITORY

CASES = yaml.safe_load((REPOSITORY / "tests/cases/import/rows.yaml").read_text(encoding="utf-8"))


def read(data: bytes, layout: Layout) -> list[Row | RefusedRow]:
    return list(RowFile(io.BytesIO(data), layout))


def plain(row: Row | RefusedRow) -> list[Any]:
    if isinstance(row, RefusedRow):
        return [row.line, row.reason]
    if isinstance(row.fields, dict):
        return [row.line, {name: str(v) if isinstance(v, Decimal) else v for name, v in row.fields.items()}]
    return [row.line, list(row.fields)]


@pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
def test_the_rows_of_a_file(case: dict[str, Any]) -> None:
    data = case["text"].encode(case.get("bytes_of", "utf-8"))
    rows = RowFile(io.BytesIO(data), Layout(**case["layout"]))
    assert [plain(row) for row in rows] == case["rows"]
    assert (None if rows.header is None else list(rows.header)) == case["header"]
    assert rows.bytes_read == len(data)


def test_numbers_of_json_are_exact() -> None:
    (row,) = read(b'{"a": 0.1234567890123456789, "b": 12345678901234567890123}\n', Layout("jsonl"))
    assert isinstance(row, Row)
    assert row.fields == {"a": Decimal("0.1234567890123456789"), "b": 12345678901234567890123}


def test_json_that_is_nested_without_end_is_refused_like_any_other() -> None:
    deep = b"[" * 200_000
    endless = b'{"a": ' + b"9" * 10_000 + b"}"
    assert [plain(row)[0] for row in read(deep + b"\n" + endless + b"\n{}\n", Layout("jsonl"))] == [1, 2, 3]
    assert [type(row) for row in read(deep + b"\n" + endless + b"\n{}\n", Layout("jsonl"))] == [
        RefusedRow,
        RefusedRow,
        Row,
    ]


def test_an_endless_line_is_refused_and_the_next_one_read() -> None:
    long = b"1," + b"x" * (3 * LONGEST_LINE_BYTES)
    refused, row = read(b"who,word\n" + long + b"\n2,y\n", Layout("csv"))
    assert isinstance(refused, RefusedRow)
    assert (refused.line, refused.reason) == (2, "the line is longer than 1,000,000 bytes")
    assert len(refused.text) <= 1_000
    assert plain(row) == [3, ["2", "y"]]


def test_a_quote_that_stays_open_looks_ahead_only_so_far() -> None:
    lines = [b"who,word", b'1,"open'] + [b"2,b"] * (MOST_LINES_OF_A_ROW + 10)
    found = read(b"\n".join(lines) + b"\n", Layout("csv"))
    assert plain(found[0]) == [2, "its quotes do not fit together"]
    assert [plain(row) for row in found[1:]] == [[n + 3, ["2", "b"]] for n in range(MOST_LINES_OF_A_ROW + 10)]


def test_a_header_that_cannot_be_read_is_a_refused_row_and_no_header() -> None:
    rows = RowFile(io.BytesIO("wær,amount\n1,5\n".encode("cp1252")), Layout("csv"))
    assert rows.header is None
    assert [plain(row)[0] for row in rows] == [1, 2]


def test_a_file_in_utf_16_says_so_in_its_first_line() -> None:
    first, *_ = read("who;amount\n1;5\n".encode("utf-16"), Layout("csv", delimiter=";"))
    assert isinstance(first, RefusedRow)
    assert first.reason == 'the byte FF in it is no UTF-8: the file is saved as UTF-16; save it as "CSV UTF-8"'


@pytest.mark.parametrize(
    ("name", "promise"),
    [
        ("a.csv", ("csv", ",")),
        ("A.CSV", ("csv", ",")),
        ("a.tsv", ("csv", "\t")),
        ("a.jsonl", ("jsonl", ",")),
        ("a.ndjson", ("jsonl", ",")),
        ("CDNOW_sample.txt", ("table", ",")),
        ("a.xlsx", None),
        ("csv", None),
    ],
)
def test_the_ending_of_a_name_promises_a_format(name: str, promise: tuple[str, str] | None) -> None:
    assert layout_of(name) == promise


LAYOUTS = st.sampled_from(
    [
        Layout("csv"),
        Layout("csv", has_header=False, delimiter=";"),
        Layout("table"),
        Layout("jsonl"),
        Layout("csv", encoding="cp1252"),
    ]
)
PIECES = st.sampled_from([b'"', b",", b"\n", b"\r\n", b"\r", b"a", b" ", b"\xff", b"\x00", b"{", b"}", b'{"a":1}'])


@given(data=st.lists(PIECES, max_size=60).map(b"".join) | st.binary(max_size=200), layout=LAYOUTS)
def test_no_file_stops_the_reading(data: bytes, layout: Layout) -> None:
    found = read(data, layout)
    lines = [row.line for row in found]
    assert lines == sorted(set(lines))
    assert all(1 <= line <= data.count(b"\n") + 1 for line in lines)


@given(
    rows=st.lists(
        st.lists(st.text(alphabet='ab ,";\n', max_size=6).map(str.strip), min_size=2, max_size=2), max_size=20
    )
)
def test_what_a_csv_writer_writes_comes_out_as_it_was(rows: list[list[str]]) -> None:
    written = io.StringIO()
    csv.writer(written, lineterminator="\n").writerows([["one", "two"], *rows])
    found = read(written.getvalue().encode(), Layout("csv"))
    assert [plain(row)[1] for row in found] == rows
