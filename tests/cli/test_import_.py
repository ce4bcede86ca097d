"""`import`: files of all kinds, twice, broken, and what is said of them."""

import csv
from collections.abc import Callable, Sequence
from decimal import Decimal
from pathlib import Path

import pyarrow
import pytest
from pyarrow import parquet

from personalize.errors import StoreBusy
from personalize.events.event import Event
from personalize.profiles.profile import Profile
from personalize.runtime.copies.importing import ImportWriter
from personalize.stores.protocols import Applied, Store
from tests.cli.conftest import IMPORTS
from tests.cli.terminal import Terminal

Write = Callable[[str, str], Path]

MAP = str(IMPORTS / "purchases.yaml")
BROKEN = """\
customer;day;cds;dollars
1;1997-01-01;2;5
2;1997-01-01;zwei;5
3;1997-01-01;2;1,299.00
4;01.01.1997;2;5
5;1997-01-01;2
;1997-01-01;2;5
6;1997-01-01;2;"5
7;1997-01-01;1;7
"""


async def log(store: Store) -> list[Event]:
    return [event async for event in store.log()]


async def profiles(store: Store) -> dict[str, Profile]:
    return {profile.profile_id: profile async for profile in store.profiles()}


def test_a_file_is_imported_once_also_under_another_name(shop: Terminal, write: Write) -> None:
    shop.well("publish")
    text = (IMPORTS / "purchases.csv").read_text(encoding="utf-8")
    first, renamed = (str(write(name, text)) for name in ("a.csv", "b.csv"))
    assert shop.well("import", first, "--map", MAP) == "53 rows: 53 new, 0 known already, 0 refused\n"
    before = shop.stored(profiles)
    assert shop.well("import", renamed, "--map", MAP) == "53 rows: 0 new, 53 known already, 0 refused\n"
    assert shop.stored(profiles) == before
    longer = str(write("c.csv", text + "115,1997-09-09,1,14.37\n117,1998-04-01,1,5\n"))
    assert shop.well("import", longer, "--map", MAP) == "55 rows: 2 new, 53 known already, 0 refused\n"
    assert shop.stored(profiles)["u:115"].totals["purchase"].count == 4


def test_one_row_is_one_row(shop: Terminal, write: Write) -> None:
    path = str(write("a.csv", "customer,day,cds,dollars\n1,1997-01-01,1,5\n"))
    assert shop.well("import", path, "--map", MAP) == "1 row: 1 new, 0 known already, 0 refused\n"
    empty = str(write("b.csv", ""))
    assert shop.well("import", empty, "--map", MAP) == "0 rows: 0 new, 0 known already, 0 refused\n"


def test_broken_rows_are_named_and_the_others_are_in(shop: Terminal, write: Write) -> None:
    path = str(write("broken.csv", BROKEN))
    result = shop.run("import", path, "--map", MAP, "--delimiter", ";")
    assert (result.exit_code, result.stdout) == (1, "8 rows: 2 new, 0 known already, 6 refused\n")
    assert result.stderr == (
        'line 3: cds: "zwei" is not a number such as 5, 29.33 or "29.33"\n'
        '  "2;1997-01-01;zwei;5"\n'
        'line 4: amount: "1,299.00" is not an amount of money: write figures and a point,\n'
        '  such as "1299.00", without separators or a currency\n'
        '  "3;1997-01-01;2;1,299.00"\n'
        'line 5: "01.01.1997" is not a moment such as 1997-10-01 or 1997-10-01T18:30\n'
        '  "4;01.01.1997;2;5"\n'
        "line 6: it has 3 columns instead of 4\n"
        '  "5;1997-01-01;2"\n'
        "line 7: it has no visitor\n"
        '  ";1997-01-01;2;5"\n'
        "line 8: its quotes do not fit together\n"
        '  `6;1997-01-01;2;"5`\n'
        "--refused FILE writes all of them to a file.\n"
    )
    assert sorted(shop.stored(profiles)) == ["u:1", "u:7"]


def test_refused_rows_can_be_written_to_a_file_and_only_the_first_are_shown(
    shop: Terminal, write: Write, folder: Path
) -> None:
    rows = "".join(f"{number},1997-01-01,1,free\n" for number in range(30))
    path = str(write("a.csv", "customer,day,cds,dollars\n" + rows))
    result = shop.run("import", path, "--map", MAP, "--refused", "refused.csv")
    assert result.exit_code == 1
    assert result.stdout == "30 rows: 0 new, 0 known already, 30 refused\n"
    assert result.stderr.count("\nline ") + 1 == 20
    assert result.stderr.endswith("... and 10 more.\nAll of them are in refused.csv.\n")
    with (folder / "refused.csv").open(encoding="utf-8", newline="") as file:
        header, *refused = list(csv.reader(file))
    assert header == ["line", "reason", "row"]
    assert [(row[0], row[2]) for row in refused] == [(str(n + 2), f"{n},1997-01-01,1,free") for n in range(30)]
    assert all(row[1].startswith('amount: "free" is not an amount of money') for row in refused)


def test_the_options_say_all_that_a_mapping_does(shop: Terminal, write: Write) -> None:
    path = str(write("a.dat", "A-1 00004 19970118 29.73\nA-2 00004 19970202 14.96\n"))
    options = {
        "--event": "purchase",
        "--visitor-column": "2",
        "--visitor-prefix": "v:",
        "--time-column": "3",
        "--time-format": "%Y%m%d",
        "--id-column": "1",
        "--property": "amount=4",
        "--sender": "till",
    }
    flags = [part for option in options.items() for part in option]
    assert shop.well("import", path, *flags, "--no-header") == "2 rows: 2 new, 0 known already, 0 refused\n"
    found = shop.stored(log)
    assert [(event.sender, event.event_id, event.profile_id) for event in found] == [
        ("till", "A-1", "v:00004"),
        ("till", "A-2", "v:00004"),
    ]
    assert [event.properties for event in found] == [{"amount": 2973}, {"amount": 1496}]


def test_an_option_counts_before_the_mapping(shop: Terminal, write: Write) -> None:
    path = str(write("a.csv", "customer,day,cds,dollars,net\n1,1997-01-01,1,5,4\n"))
    shop.well("import", path, "--map", MAP, "--property", "amount=net", "--visitor-prefix", "v:")
    (event,) = shop.stored(log)
    assert (event.profile_id, event.properties) == ("v:1", {"cds": 1, "amount": 400})


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--property", "amount"), '"amount" is not a name and its column: write amount=5 or amount=total.'),
        (("--delimiter", ";;"), '";;" is not one character: write ";" or "tab".'),
    ],
)
def test_an_option_that_makes_no_sense_is_a_usage_error(
    shop: Terminal, write: Write, options: tuple[str, str], said: str
) -> None:
    path = str(write("a.csv", "customer,day\n"))
    assert said in shop.said("import", path, "--map", MAP, *options, exit_code=2)


def test_everything_wrong_with_a_mapping_is_said_before_a_row_is_read(shop: Terminal, write: Write) -> None:
    mapping = str(write("map.yaml", "event: purchas\nvisitor: custmer\ntime: day\n"))
    rows = str(write("a.csv", "customer,day\n1,1997-01-01\n"))
    assert shop.said("import", rows, "--map", mapping, exit_code=1) == (
        'error[E502]: there is no event "purchas"\n'
        f" --> {mapping}:1:8\n"
        "  |\n"
        "1 | event: purchas\n"
        "  |        ^^^^^^^\n"
        "  = help: did you mean `purchase`?\n"
        "\n"
        'error[E503]: there is no column "custmer"\n'
        f" --> {mapping}:2:10\n"
        "  |\n"
        "2 | visitor: custmer\n"
        "  |          ^^^^^^^\n"
        "  = help: did you mean `customer`?\n"
        "\n"
        "2 errors in 1 file.\n"
    )
    assert shop.stored(log) == []


def test_with_nothing_published_the_files_say_what_can_be_imported(shop: Terminal) -> None:
    rows = str(IMPORTS / "purchases.csv")
    assert shop.well("import", rows, "--map", MAP) == "53 rows: 53 new, 0 known already, 0 refused\n"
    before = shop.stored(profiles)
    assert len(before) == 25
    shop.well("publish")
    assert shop.stored(profiles) == before


def test_what_is_live_says_what_can_be_imported_not_the_files(shop: Terminal, write: Write) -> None:
    shop.well("publish")
    write("rules/more.yaml", "events: {letter: {}}\n")
    rows = str(write("a.csv", "who,day\n1,1997-01-01\n"))
    options = ("--event", "letter", "--visitor-column", "who", "--time-column", "day")
    assert 'there is no event "letter"' in shop.said("import", rows, *options, exit_code=1)
    shop.well("publish")
    assert shop.well("import", rows, *options).startswith("1 row: 1 new")


def test_a_file_that_cannot_be_used_is_one_line(shop: Terminal, write: Write) -> None:
    rows = str(IMPORTS / "purchases.csv")
    assert shop.said("import", rows, "--map", MAP, "--refused", "nowhere/refused.csv", exit_code=2) == (
        "Error: nowhere/refused.csv cannot be used: No such file or directory\n"
    )
    assert "does not exist" in shop.said("import", "nowhere.csv", "--map", MAP, exit_code=2)
    named = str(write("rows.xlsx", "PK"))
    assert shop.said("import", named, "--map", MAP, exit_code=1).startswith(
        'error[E506]: the name "rows.xlsx" does not tell how its rows are written\n'
    )


def test_letters_that_cannot_be_shown_do_not_steer_the_terminal(shop: Terminal, write: Write) -> None:
    path = str(write("a.csv", "customer,day,cds,dollars\n1,1997-01-01,1,\033[31m\n\033]0;x,1997-01-01,1,5\n"))
    result = shop.run("import", path, "--map", MAP)
    assert "\033" not in result.stderr
    assert "2 refused" in result.stdout


def test_a_store_that_fails_in_the_middle_says_what_to_do(
    shop: Terminal, write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    really = ImportWriter.write

    async def busy_after_one(writer: ImportWriter, events: Sequence[Event]) -> Applied:
        if events[0].profile_id != "u:0":
            raise StoreBusy("the store is locked")
        return await really(writer, events)

    rows = "".join(f"{number},1997-01-01,1,5\n" for number in range(6_000))
    path = str(write("a.csv", "customer,day,cds,dollars\n" + rows))
    with monkeypatch.context() as patched:
        patched.setattr(ImportWriter, "write", busy_after_one)
        assert shop.said("import", path, "--map", MAP, exit_code=2) == (
            "Error: the store is locked. What was written stays; import the same file again, and only the rest is "
            "added.\n"
        )
    assert shop.well("import", path, "--map", MAP) == "6,000 rows: 1,000 new, 5,000 known already, 0 refused\n"


def test_parquet_that_others_wrote_is_imported_by_a_mapping_as_a_table_is(shop: Terminal, folder: Path) -> None:
    columns = {"customer": [4, 4, 7], "when": ["1997-01-18"] * 2 + ["gone"], "paid": [Decimal("29.73"), None, None]}
    parquet.write_table(pyarrow.table(columns), folder / "sold.parquet")
    options = ("--event", "purchase", "--visitor-column", "customer", "--time-column", "when")
    result = shop.run("import", "sold.parquet", *options, "--property", "amount=paid")
    assert result.stdout == "3 rows: 2 new, 0 known already, 1 refused\n"
    assert 'line 3: "gone" is not a moment such as' in result.stderr
    assert [event.properties for event in shop.stored(log)] == [{"amount": 2973}, {}]
    said = shop.said("import", "sold.parquet", *options, "--property", "amount=payed", exit_code=1)
    assert 'there is no column "payed"' in said and "did you mean `paid`" in said


def test_a_row_whose_id_said_something_else_before_is_refused_and_the_first_is_kept(
    shop: Terminal, write: Write
) -> None:
    path = str(write("a.csv", "id,customer,day,cds,dollars\n1,1,1997-01-01,1,5\n"))
    flags = (path, "--map", MAP, "--id-column", "id")
    assert shop.well("import", *flags) == "1 row: 1 new, 0 known already, 0 refused\n"
    write("a.csv", "id,customer,day,cds,dollars\n1,1,1997-01-01,1,7\n2,1,1997-01-01,1,9\n")
    result = shop.run("import", *flags)
    assert result.stdout == "2 rows: 1 new, 0 known already, 1 refused\n"
    assert "line 2: its id was imported before, and said something else: the first is kept\n" in result.stderr
    assert [event.properties["amount"] for event in shop.stored(log)] == [500, 900]
