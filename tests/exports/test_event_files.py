"""Events in files of every format: the same events come back, in the order of the log."""

import tempfile
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from personalize.errors import ExportRefused
from personalize.events.event import Event
from personalize.exports import parquet_events
from personalize.exports.event_files import EXPORT_FORMATS, ExportFormat, event_writer, exported_events
from tests.stores.samples import any_properties, event

_texts = st.text(alphabet=st.characters(exclude_categories=["Cs"]), max_size=8) | st.sampled_from(["=1+1", "'", "-7"])
_moments = st.datetimes(min_value=datetime(1, 1, 2), max_value=datetime(9999, 12, 30), timezones=st.just(UTC)).map(
    lambda moment: moment.replace(fold=0)
)
_events = st.builds(
    Event,
    *(_texts, _texts, _texts, _texts, _moments, _moments),
    properties=any_properties,
    channel=_texts,
    version=st.none() | _texts,
)


def written(folder: Path, format_: ExportFormat, events: Sequence[Event], at_once: int = 1_000) -> list[str]:
    writer = event_writer(format_, folder)
    for start in range(0, len(events), at_once):
        writer.write(events[start : start + at_once])
    files = writer.close()
    assert sum(rows for _, rows in files) == len(events)
    return [path for path, _ in files]


@pytest.mark.parametrize("format_", EXPORT_FORMATS)
@settings(max_examples=60)
@given(events=st.lists(_events, max_size=8))
def test_whatever_an_event_holds_comes_back_as_it_was(format_: ExportFormat, events: list[Event]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        paths = written(Path(folder), format_, events)
        # By their text, since an int and a Decimal of one value are equal, and 1.0 and 1.00 too.
        assert repr(list(exported_events(format_, Path(folder), paths))) == repr(events)


@pytest.mark.parametrize("format_", EXPORT_FORMATS)
def test_large_numbers_long_texts_and_half_characters_are_kept(tmp_path: Path, format_: ExportFormat) -> None:
    properties: dict[str, Any] = {"sum": Decimal("1.10"), "large": 2**70, "half": "\ud83d", "long": "æ" * 200_000}
    sent = [event("noted", properties=properties)]
    paths = written(tmp_path, format_, sent)
    assert repr(list(exported_events(format_, tmp_path, paths))) == repr(sent)


def test_parquet_has_a_folder_for_each_month_and_the_order_of_the_log_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in {"ROWS_OF_A_GROUP": 5, "_ROWS_OF_A_PART": 10, "_ROWS_IN_MEMORY": 12, "_MONTHS_OPEN": 2}.items():
        monkeypatch.setattr(parquet_events, name, value)
    months = [datetime(2026, 1 + (7 * number) % 5, 3, tzinfo=UTC) for number in range(150)]
    sent = [replace(event("noted", event_id=f"e{number}"), occurred_at=at) for number, at in enumerate(months)]
    paths = written(tmp_path, "parquet", sent, at_once=7)
    assert {path.split("/")[1] for path in paths} == {f"month=2026-0{number}" for number in range(1, 6)}
    assert len(paths) > 15
    assert list(exported_events("parquet", tmp_path, paths)) == sent
    with pytest.raises(ExportRefused, match=r"lacks entry [0-9]+ of the log"):
        list(exported_events("parquet", tmp_path, paths[1:]))


def test_parquet_is_read_by_other_tools_with_the_month_as_a_column(tmp_path: Path) -> None:
    from pyarrow import dataset  # noqa: PLC0415 - as who reads it would

    written(tmp_path, "parquet", [event("noted", minutes=minutes) for minutes in (0, 60 * 24 * 40)])
    table = dataset.dataset(tmp_path / "events", partitioning="hive").to_table(columns=["month", "type"])
    assert sorted(table.to_pylist(), key=str) == [
        {"month": "2026-03", "type": "noted"},
        {"month": "2026-04", "type": "noted"},
    ]


@pytest.mark.parametrize(
    ("format_", "name", "text", "place"),
    [
        ("jsonl", "events.jsonl", '{"event_id": 7}\n', "line 1, is no exported event"),
        ("jsonl", "events.jsonl", "[]\n", "line 1, is no exported event"),
        ("csv", "events.csv", "event_id,sender\n", "line 1, is no exported event"),
        ("csv", "events.csv", "", "line 0, is no exported event"),
        ("parquet", "events/month=2026-01/part-0001.parquet", "PAR1", "holds what is no exported event"),
    ],
)
def test_what_is_no_event_is_refused_with_its_place(
    tmp_path: Path, format_: str, name: str, text: str, place: str
) -> None:
    path = tmp_path / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    with pytest.raises(ExportRefused, match=place):
        list(exported_events(format_, tmp_path, [name]))
