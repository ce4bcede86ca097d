"""What a mapping says, and everything that does not fit in it at once."""

import io
from typing import Any

import pytest
import yaml

from personalize.events.schema import Attribute, EventType, OrganizationType, Schema, Shape, ValueType
from personalize.problems import Problems
from personalize.runtime.copies.row_mapping import RowMapping, check_mapping, layout_from, read_mapping
from personalize.runtime.copies.rows import Layout, RowFile
from tests.conftest import REPOSITORY

CASES = yaml.safe_load((REPOSITORY / "tests/cases/import/mappings.yaml").read_text(encoding="utf-8"))
SCHEMA = Schema(
    events={
        "purchase": EventType(
            "purchase", {"amount": Shape(ValueType.MONEY), "cds": Shape(ValueType.NUMBER)}, value="amount"
        )
    },
    attributes={"company": Attribute("company", Shape(ValueType.TEXT))},
    organization=OrganizationType("company", attributes={"plan": Attribute("plan", Shape(ValueType.TEXT))}),
)


@pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
def test_everything_that_is_wrong_with_a_mapping_is_said_at_once(case: dict[str, Any]) -> None:
    problems = Problems()
    mapping = read_mapping(case["mapping"], "map.yaml", problems)
    layout = layout_from(mapping, "rows.csv", problems)
    assert layout is not None
    check_mapping(mapping, SCHEMA, RowFile(io.BytesIO(case["rows"].encode()), layout), problems)
    assert [str(problem) for problem in problems.list] == case["problems"]


def test_a_mapping_is_read_as_it_was_written() -> None:
    problems = Problems()
    mapping = read_mapping(CASES["all is well"]["mapping"], "map.yaml", problems)
    words = (mapping.event, mapping.visitor, mapping.time, mapping.time_format, mapping.event_id)
    assert [word.text for word in words if word is not None] == ["purchase", "customer", "bought", "%d.%m.%Y", "order"]
    assert [(name.text, column.text) for name, column in mapping.properties] == [("amount", "total"), ("cds", "cds")]
    assert (mapping.prefix, mapping.sender, mapping.sent_by) == ("v:", "till", "till")


def test_rows_are_sent_by_an_import_of_their_event_whatever_the_file_is_called() -> None:
    assert read_mapping("event: purchase", "a.yaml", Problems()).sent_by == "import:purchase"


@pytest.mark.parametrize(
    ("text", "name", "layout"),
    [
        ("", "a.csv", Layout("csv")),
        ("", "a.tsv", Layout("csv", delimiter="\t")),
        ("", "a.jsonl", Layout("jsonl", has_header=False)),
        ("header: false", "a.txt", Layout("table", has_header=False)),
        ('format: csv\ndelimiter: ";"\nencoding: cp1252', "a.txt", Layout("csv", delimiter=";", encoding="cp1252")),
    ],
)
def test_what_the_mapping_does_not_say_the_ending_of_the_file_promises(text: str, name: str, layout: Layout) -> None:
    problems = Problems()
    mapping = read_mapping(text, "map.yaml", problems) if text else RowMapping()
    assert layout_from(mapping, name, problems) == layout
    assert not problems.list


def test_a_file_whose_name_promises_nothing_needs_a_format() -> None:
    problems = Problems()
    assert layout_from(RowMapping(), "rows.xlsx", problems) is None
    assert [str(problem) for problem in problems.list] == [
        'error E506: the name "rows.xlsx" does not tell how its rows are written '
        "(say `format:` in the mapping or --format, one of csv, jsonl, table, parquet)"
    ]
