"""Rows become events that count once, exact, whatever file they come in."""

import asyncio
import csv
import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from personalize.events.event import SET, Event
from personalize.events.schema import Attribute, EventType, OrganizationType, Schema, Shape, ValueType
from personalize.problems import Problems
from personalize.profiles.profile import Profile
from personalize.profiles.project import ProfileProjector
from personalize.rules.conventions import Conventions
from personalize.runtime.clock import SystemClock
from personalize.runtime.copies.importing import EventMaker, Imported, ImportWriter, import_rows
from personalize.runtime.copies.row_mapping import RowMapping, Written, check_mapping, layout_from
from personalize.runtime.copies.rows import RefusedRow, RowFile
from personalize.runtime.draft import Draft, load_files, read_draft
from personalize.runtime.publish import publish
from personalize.settings import load_settings
from personalize.stores.memory.store import MemoryStore
from personalize.stores.protocols import Applied, Store
from tests.conftest import REPOSITORY

IMPORTS = REPOSITORY / "tests/cases/import"
CDNOW = REPOSITORY / "tests/cases/cdnow"
NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
SCHEMA = Schema(
    events={
        "purchase": EventType(
            "purchase",
            {
                "amount": Shape(ValueType.MONEY),
                "cds": Shape(ValueType.NUMBER),
                "gift": Shape(ValueType.BOOL),
                "until": Shape(ValueType.DATE),
                "paid": Shape(ValueType.TIME),
                "lines": Shape(
                    ValueType.LIST,
                    of=Shape(ValueType.MAPPING, fields={"sku": Shape(ValueType.TEXT), "price": Shape(ValueType.MONEY)}),
                ),
            },
            value="amount",
        ),
        "visit": EventType("visit"),
    }
)

COMPANIES = Schema(
    attributes={"company": Attribute("company", Shape(ValueType.TEXT, fold=True))},
    organization=OrganizationType(
        "company",
        attributes={
            "plan": Attribute("plan", Shape(ValueType.CHOICE, choices=("basic", "gold"))),
            "limit": Attribute("limit", Shape(ValueType.MONEY)),
        },
    ),
)


def mapping(*, properties: Mapping[str, str] | None = None, **said: str | None) -> RowMapping:
    words = {"event": "purchase", "visitor": "who", "time": "when", **said}
    plain = {name: words.pop(name) for name in ("prefix", "sender", "format") if name in words}
    pairs = tuple((Written(name), Written(column)) for name, column in (properties or {}).items())
    given = {name: None if text is None else Written(text) for name, text in words.items()}
    return replace(RowMapping(properties=pairs), **given, **plain)  # type: ignore[arg-type]


def made(
    text: str,
    how: RowMapping,
    *,
    name: str = "rows.csv",
    zone: str = "UTC",
    schema: Schema = SCHEMA,
) -> list[Event | RefusedRow]:
    problems = Problems()
    layout = layout_from(how, name, problems)
    assert layout is not None
    rows = RowFile(io.BytesIO(text.encode()), layout)
    check_mapping(how, schema, rows, problems)
    assert not problems.list, [str(problem) for problem in problems.list]
    conventions = Conventions(ZoneInfo(zone), "EUR", 2)
    maker = EventMaker(how, rows, schema, conventions, received_at=NOW, version="a1")
    return [row if isinstance(row, RefusedRow) else maker.event(row) for row in rows]


def events(text: str, how: RowMapping, **more: Any) -> list[Event]:
    found = made(text, how, **more)
    assert all(isinstance(one, Event) for one in found), found
    return [one for one in found if isinstance(one, Event)]


def reason(text: str, how: RowMapping, **more: Any) -> str:
    (found,) = made(text, how, **more)
    assert isinstance(found, RefusedRow), found
    return found.reason


def ids(text: str, how: RowMapping, **more: Any) -> list[str]:
    return [event.event_id for event in events(text, how, **more)]


# What an event says -------------------------------------------------------------------------------------


def test_a_row_says_whose_it_is_when_it_was_and_what_it_was() -> None:
    (event,) = events("who,when,sum\n00004,1997-01-18,29.73\n", mapping(properties={"amount": "sum"}))
    assert replace(event, event_id="-") == Event(
        event_id="-",
        sender="import:purchase",
        type="purchase",
        profile_id="u:00004",
        occurred_at=datetime(1997, 1, 18, tzinfo=UTC),
        received_at=NOW,
        properties={"amount": 2973},
        channel="import",
        version="a1",
    )


def test_cells_become_the_types_that_are_declared_and_empty_ones_nothing() -> None:
    columns = {"amount": "a", "cds": "b", "gift": "c", "until": "d", "paid": "e"}
    text = "who,when,a,b,c,d,e\n1,1997-01-01,1299,2.50,true,1997-02-01,1997-01-01T12:00\n1,1997-01-01,,,,,\n"
    full, empty = events(text, mapping(properties=columns), zone="Europe/Oslo")
    assert full.properties == {
        "amount": 129_900,
        "cds": Decimal("2.5"),
        "gift": True,
        "until": "1997-02-01",
        "paid": "1997-01-01T11:00:00+00:00",
    }
    assert empty.properties == {}


def test_json_brings_lists_nested_names_and_numbers_as_they_are() -> None:
    row = {"order": {"by": 7, "at": "1997-01-01T10:00:00+02:00", "lines": [{"sku": "a", "price": 9.99}]}, "x.y": "3"}
    how = mapping(visitor="order.by", time="order.at", properties={"lines": "order.lines", "cds": "x.y"})
    (event,) = events(json.dumps(row), how, name="rows.jsonl")
    assert (event.profile_id, event.occurred_at) == ("u:7", datetime(1997, 1, 1, 8, tzinfo=UTC))
    assert event.properties == {"lines": [{"sku": "a", "price": 999}], "cds": 3}


@pytest.mark.parametrize(
    ("written", "format_", "zone", "moment"),
    [
        ("1997-10-01", None, "UTC", "1997-10-01T00:00+00:00"),
        ("1997-10-01", None, "Europe/Oslo", "1997-09-30T22:00+00:00"),
        ("1997-10-01T18:30", None, "Europe/Oslo", "1997-10-01T16:30+00:00"),
        ("1997-10-01T18:30:05-05:00", None, "Europe/Oslo", "1997-10-01T23:30:05+00:00"),
        ("19971001", "%Y%m%d", "Europe/Oslo", "1997-09-30T22:00+00:00"),
        ("01.10.1997 18:30", "%d.%m.%Y %H:%M", "UTC", "1997-10-01T18:30+00:00"),
        ("17/May/2015:10:05:03 +0200", "%d/%b/%Y:%H:%M:%S %z", "UTC", "2015-05-17T08:05:03+00:00"),
        ("875664000", "unix", "Europe/Oslo", "1997-10-01T00:00+00:00"),
        ("875664000.25", "unix", "UTC", "1997-10-01T00:00:00.250000+00:00"),
        ("875664000250", "unix-ms", "UTC", "1997-10-01T00:00:00.250000+00:00"),
    ],
)
def test_times_are_moments_and_a_date_is_its_midnight_in_the_zone_of_the_site(
    written: str, format_: str | None, zone: str, moment: str
) -> None:
    (event,) = events(f"who,when\n1,{written}\n", mapping(time_format=format_), zone=zone)
    assert event.occurred_at == datetime.fromisoformat(moment)
    assert event.occurred_at.tzinfo is UTC


def told_of_a_company(row: str, *, organization: str | None = "firm") -> Event | RefusedRow:
    """What a row of companies, or of their people, becomes."""
    words = {"event": None, "visitor": None if organization else "firm", "organization": organization}
    how = mapping(**words)
    attributes = (("plan", "plan"), ("limit", "limit")) if organization else (("company", "plan"),)
    told = tuple((Written(name), Written(column)) for name, column in attributes)
    (found,) = made(f"firm,when,plan,limit\n{row}\n", replace(how, attributes=told), schema=COMPANIES)
    return found


def test_rows_tell_what_is_so_of_visitors_and_of_organizations() -> None:
    company, person = (
        told_of_a_company("ACME,1997-01-01,gold,12.50"),
        told_of_a_company("7,1997-01-01,Acme,", organization=None),
    )
    assert isinstance(company, Event) and isinstance(person, Event)
    assert (company.type, company.profile_id, company.sender) == (SET, "o:acme", "import:attributes")
    assert company.properties == {"plan": "gold", "limit": 1250}
    assert (person.type, person.profile_id, person.properties) == (SET, "u:7", {"company": "Acme"})
    part = told_of_a_company("Acme,1997-01-01,basic,")  # an empty cell removes nothing
    assert isinstance(part, Event) and part.properties == {"plan": "basic"}


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ("Acme,1997-01-01,,", "it tells no attribute"),
        (",1997-01-01,gold,", "it has no organization"),
        ("Acme,1997-01-01,tin,", 'plan: "tin" is none of "basic", "gold"'),
    ],
)
def test_a_row_that_tells_nothing_of_anybody_is_refused(row: str, said: str) -> None:
    refused = told_of_a_company(row)
    assert isinstance(refused, RefusedRow) and refused.reason.startswith(said)


# What is refused ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("row", "said"),
    [
        (",1997-01-01,5", "it has no visitor"),
        ("1,,5", "it does not say when it happened"),
        ("1,soon,5", '"soon" is not a moment such as 1997-10-01 or 1997-10-01T18:30'),
        ("1,1997-02-30,5", '"1997-02-30" is not a moment such as 1997-10-01 or 1997-10-01T18:30'),
        ("1,2997-01-01,5", "it is yet to occur, 354326 days from now: is a clock wrong, or a time zone?"),
        (
            "1,1997-01-01,five",
            'amount: "five" is not an amount of money: write figures and a point, such as '
            '"1299.00", without separators or a currency',
        ),
        ("1,1997-01-01,29.333", 'amount: "29.333" has more than the 2 decimals of the currency'),
    ],
)
def test_a_row_that_does_not_fit_is_refused_with_its_reason(row: str, said: str) -> None:
    assert reason(f"who,when,amount\n{row}\n", mapping(properties={"amount": "amount"})) == said


def test_a_refused_row_keeps_its_line_and_its_text() -> None:
    found = made("who,when\n1,1997-01-01\n\n2,x\n", mapping())
    assert found[1] == RefusedRow(4, '"x" is not a moment such as 1997-10-01 or 1997-10-01T18:30', "2,x")


@pytest.mark.parametrize(
    ("who", "said"),
    [
        (True, "its visitor is neither a text nor a whole number"),
        ([1], "its visitor is neither a text nor a whole number"),
        (
            "a\nb",
            '"a\N{REPLACEMENT CHARACTER}b" cannot be its visitor: it takes 200 characters that can be seen, at most',
        ),
        ("x" * 201, None),
        ("  ", "it has no visitor"),
        (None, "it has no visitor"),
    ],
)
def test_not_everything_can_be_a_visitor(who: object, said: str | None) -> None:
    found = reason(json.dumps({"who": who, "when": "1997-01-01"}), mapping(), name="rows.jsonl")
    assert said is None or found == said


def test_without_a_prefix_visitors_are_written_whole() -> None:
    text = "who,when\nu:4,1997-01-01\nv:ab,1997-01-01\n4,1997-01-01\nu:,1997-01-01\n"
    one, two, *refused = made(text, mapping(prefix=""))
    assert isinstance(one, Event)
    assert isinstance(two, Event)
    assert (one.profile_id, two.profile_id) == ("u:4", "v:ab")
    assert [row.reason for row in refused if isinstance(row, RefusedRow)] == [
        '"4" is no visitor: without a prefix, ids begin with u: or v:',
        '"u:" is no visitor: without a prefix, ids begin with u: or v:',
    ]


@pytest.mark.parametrize("when", [True, None, ["1997-01-01"], {"at": 1}])
def test_json_times_of_other_kinds_are_refused(when: object) -> None:
    assert "time" in reason(json.dumps({"who": 1, "when": when}), mapping(), name="a.jsonl") or when is None


@pytest.mark.parametrize("when", ["1e999999", "nan", "inf", "1e30", "-1e30", "x", "99999999999999"])
def test_seconds_since_1970_that_are_no_moment_are_refused(when: str) -> None:
    reason(f"who,when\n1,{when}\n", mapping(time_format="unix"))


def test_the_first_day_of_the_calendar_does_not_stop_an_import() -> None:
    assert "is not a moment" in reason("who,when\n1,0001-01-01\n", mapping(), zone="Europe/Oslo")


# Counting once ------------------------------------------------------------------------------------------


def test_an_id_column_gives_the_id() -> None:
    assert ids("no,who,when\nF-1,1,1997-01-01\nF-2,1,1997-01-01\n", mapping(event_id="no")) == ["F-1", "F-2"]
    assert reason("no,who,when\n,1,1997-01-01\n", mapping(event_id="no")) == "it has no id"


def test_equal_rows_are_told_apart_and_the_same_file_gives_the_same_ids() -> None:
    text = "who,when\n1,1997-01-01\n1,1997-01-01\n2,1997-01-01\n1,1997-01-01\n"
    found = ids(text, mapping())
    assert len(set(found)) == 4
    assert found == ids(text, mapping())
    assert [one.rpartition("-")[2] for one in found] == ["1", "2", "1", "3"]


def test_ids_do_not_depend_on_line_ends_blanks_or_what_is_read_of_a_row() -> None:
    plain = ids("who,when,sum\n1,1997-01-01,5\n", mapping())
    assert ids("who,when,sum\r\n\r\n1 , 1997-01-01,5\r\n", mapping(properties={"amount": "sum"})) == plain
    assert ids('who,when,sum\n"1","1997-01-01","5"\n', mapping(prefix="v:")) == plain


def test_ids_do_not_depend_on_the_order_of_names_in_json() -> None:
    one, two = '{"who": 1, "when": "1997-01-01"}', '{"when": "1997-01-01", "who": 1}'
    assert ids(one, mapping(), name="a.jsonl") == ids(two, mapping(), name="a.jsonl")


def test_another_event_or_another_cell_is_another_id() -> None:
    text = "who,when\n1,1997-01-01\n"
    found = {*ids(text, mapping()), *ids(text, mapping(event="visit")), *ids("who,when\n2,1997-01-01\n", mapping())}
    assert len(found) == 3


def test_an_equal_row_that_was_refused_keeps_its_place_in_the_count() -> None:
    """So that what is declared later, and makes the row a good one, does not move the ids of the others."""
    text = "who,when,gift\n1,1997-01-01,maybe\n1,1997-01-01,maybe\n"
    refused = made(text, mapping(properties={"gift": "gift"}))
    assert [type(row) for row in refused] == [RefusedRow, RefusedRow]
    assert [one.rpartition("-")[2] for one in ids(text, mapping())] == ["1", "2"]


CELLS = st.tuples(st.sampled_from(["1", "2"]), st.sampled_from(["1997-01-01", "1997-01-02"]))


@given(rows=st.lists(CELLS, max_size=12), more=st.lists(CELLS, max_size=6))
def test_a_file_that_grew_adds_exactly_its_new_rows(rows: list[tuple[str, str]], more: list[tuple[str, str]]) -> None:
    def text(these: Sequence[tuple[str, str]]) -> str:
        return "who,when\n" + "".join(f"{who},{when}\n" for who, when in these)

    before, after = ids(text(rows), mapping()), ids(text([*rows, *more]), mapping())
    assert after[: len(rows)] == before
    assert len(set(after)) == len(after)


@given(rows=st.lists(CELLS, max_size=12), data=st.data())
def test_a_file_that_was_sorted_anew_adds_nothing(rows: list[tuple[str, str]], data: st.DataObject) -> None:
    shuffled = data.draw(st.permutations(rows))
    texts = ["who,when\n" + "".join(f"{who},{when}\n" for who, when in these) for these in (rows, shuffled)]
    assert sorted(ids(texts[0], mapping())) == sorted(ids(texts[1], mapping()))


# Writing ------------------------------------------------------------------------------------------------


def imported(store: Store, text: str, how: RowMapping, **more: Any) -> tuple[Imported, list[RefusedRow]]:
    refused: list[RefusedRow] = []

    async def write(batch: Sequence[Event]) -> Applied:
        return await store.apply(batch, [ProfileProjector(SCHEMA)])

    async def run() -> Imported:
        problems = Problems()
        layout = layout_from(how, more.get("name", "rows.csv"), problems)
        assert layout is not None
        rows = RowFile(io.BytesIO(text.encode()), layout)
        maker = EventMaker(how, rows, SCHEMA, Conventions(), received_at=NOW)
        return await import_rows(rows, maker, write, refused=refused.append)

    return asyncio.run(run()), refused


async def profile_of(store: Store, profile_id: str) -> Profile:
    found = await store.profile(profile_id)
    assert found is not None
    return found


def test_what_is_imported_is_counted_and_a_second_time_it_is_known() -> None:
    store = MemoryStore()
    text = "who,when,sum\n4,1997-01-01,29.33\n4,1997-01-18,29.73\nx\n4,1997-01-18,29.73\n"
    how = mapping(properties={"amount": "sum"})
    done, refused = imported(store, text, how)
    assert (done, done.rows) == (Imported(new=3, known=0, refused=1), 4)
    assert [row.line for row in refused] == [4]
    assert imported(store, text, how)[0] == Imported(new=0, known=3, refused=1)
    profile = asyncio.run(profile_of(store, "u:4"))
    assert (profile.totals["purchase"].count, profile.totals["purchase"].sum) == (3, 8879)


def test_rows_are_written_in_batches_and_progress_is_told() -> None:
    sizes: list[int] = []
    told: list[int] = []

    async def write(batch: Sequence[Event]) -> Applied:
        sizes.append(len(batch))
        return Applied(new=len(batch), repeated=0)

    how = mapping()
    text = "who,when\n" + "".join(f"{number},1997-01-01\n" for number in range(10_001))
    rows = RowFile(io.BytesIO(text.encode()), layout_from(how, "a.csv", Problems()))  # type: ignore[arg-type]
    maker = EventMaker(how, rows, SCHEMA, Conventions(), received_at=NOW)
    done = asyncio.run(
        import_rows(rows, maker, write, refused=lambda row: None, progress=lambda: told.append(rows.bytes_read))
    )
    assert done == Imported(new=10_001)
    assert sizes == [5_000, 5_000, 1]
    assert told[-1] == len(text)
    assert told == sorted(told)


def test_one_log_in_three_formats_is_one_log() -> None:
    with (IMPORTS / "purchases.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    table = "".join(f" {row['customer']}  {row['day']} {row['cds']}   {row['dollars']}\r\n" for row in rows)
    lines = "".join(json.dumps(row) + "\n" for row in rows)
    named = mapping(visitor="customer", time="day", properties={"amount": "dollars", "cds": "cds"})
    counted = replace(mapping(visitor="1", time="2", properties={"amount": "4", "cds": "3"}), has_header=False)
    text = (IMPORTS / "purchases.csv").read_text(encoding="utf-8")
    found = [
        [replace(event, event_id="") for event in events(written, how, name=name)]
        for written, how, name in ((text, named, "a.csv"), (lines, named, "a.jsonl"), (table, counted, "a.txt"))
    ]
    assert found[0] == found[1] == found[2]
    assert len(found[0]) == len(rows) == 53
    # A table and a CSV with the same cells are the same rows, also for the question what was imported already.
    assert ids(text, named) == ids(table, counted, name="a.txt")


# Under which rules --------------------------------------------------------------------------------------


def test_profiles_are_right_for_a_rule_set_that_goes_live_in_the_middle(tmp_path: Path) -> None:
    settings = load_settings(CDNOW / "personalize.toml", {}, store="memory:")
    draft = read_draft(settings, Problems())
    counting = dict(draft.files) | {
        "rules/more.yaml": "segments: {twice: {who: {did: purchase, times: {at_least: 2}}}}\n"
    }
    one, other = (load_files(files, settings, Problems()) for files in (draft.files, counting))
    assert one is not None
    assert other is not None

    async def run() -> tuple[Profile, str | None]:
        store, clock = MemoryStore(), SystemClock()
        writer = ImportWriter(store, settings, live=None, draft=one)
        await writer.write([purchase("1"), purchase("2")])
        await publish(store, draft, settings, at=clock.now(), by="ola")
        await writer.write([purchase("3")])
        await publish(store, Draft(counting), settings, at=clock.now(), by="ola")
        await writer.write([purchase("4")])
        live = await store.live()
        return await profile_of(store, "u:4"), live.version if live is not None else None

    profile, version = asyncio.run(run())
    assert version == other.version
    assert profile.totals["purchase"].count == 4
    assert [len(times) for times in profile.recent.values()] == [counter.limit for counter in other.counters] == [3]


def purchase(event_id: str) -> Event:
    return Event(
        event_id=event_id,
        sender="test",
        type="purchase",
        profile_id="u:4",
        occurred_at=NOW,
        received_at=NOW,
        properties={"amount": 100},
    )
