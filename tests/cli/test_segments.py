"""`segments`: exact counts, now and in the past."""

import csv
import json
from collections import defaultdict
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from personalize.runtime.bulk import counting_sources
from tests.cli.conftest import CDNOW, IMPORTS
from tests.cli.terminal import Terminal


def counted(terminal: Terminal, *arguments: str) -> dict[str, int]:
    found = json.loads(terminal.well("segments", "--format", "json", *arguments))
    return {one["segment"]: one["visitors"] for one in found["segments"]} | {"all": found["visitors"]}


def counted_by_hand(day: date) -> dict[str, int]:
    """The same counts from the file itself, by another road: plain dates and sums."""
    bought: dict[str, list[tuple[date, Decimal]]] = defaultdict(list)
    with (IMPORTS / "purchases.csv").open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            if (when := date.fromisoformat(row["day"])) < day:
                bought[row["customer"]].append((when, Decimal(row["dollars"])))
    last = {who: (day - max(when for when, _ in all_)).days for who, all_ in bought.items()}
    total = {who: sum(dollars for _, dollars in all_) for who, all_ in bought.items()}
    times = {who: len(all_) for who, all_ in bought.items()}
    return {
        "recent-buyers": sum(last[who] <= 30 for who in bought),
        "silent": sum(last[who] > 180 for who in bought),
        "five-or-more": sum(times[who] >= 5 for who in bought),
        "spent-100": sum(total[who] >= 100 for who in bought),
        "spent-100-recent": sum(total[who] >= 100 and last[who] <= 60 for who in bought),
        "three-and-silent": sum(times[who] >= 3 and last[who] > 90 for who in bought),
        "all": len(bought),
    }


def test_the_table_as_an_editor_reads_it(sold: Terminal) -> None:
    text = sold.well("segments", "--at", "1997-10-01")
    title, _, table = text.partition("\n\n")
    assert title.startswith("Segments at 1997-10-01 00:00 UTC, by the files on disk (")
    assert table == (
        "segment           title                                          visitors  share\n"
        "recent-buyers     Last purchase within 30 days                          6  27.3%\n"
        "silent            Last purchase more than 180 days ago                  2   9.1%\n"
        "five-or-more      Five purchases or more                                2   9.1%\n"
        "spent-100         $100 or more in all                                   4  18.2%\n"
        "spent-100-recent  $100 or more in all, the last within 60 days          2   9.1%\n"
        "three-and-silent  Three purchases or more, silent for more than         4  18.2%\n"
        "                  90 days\n"
        "\n"
        "Out of 22 visitors.\n"
    )
    assert all(len(line) <= 80 for line in text.splitlines())


@pytest.mark.parametrize(
    "day", ["1997-10-01", "1997-10-02", "1997-09-30", "1997-04-01", "1998-12-31", "1997-01-01", "1996-01-01"]
)
def test_counts_of_any_day_are_those_counted_by_hand(sold: Terminal, day: str) -> None:
    assert counted(sold, "--at", day) == counted_by_hand(date.fromisoformat(day))


def test_customers_of_a_record_shop(shop: Terminal, shared_data: Path) -> None:
    shop.well("publish")
    sample = str(shared_data / "cdnow-sample/CDNOW_sample.txt")
    assert shop.well("import", sample, "--map", "mapping.yaml") == (
        "6,919 rows: 6,919 new, 0 known already, 0 refused\n"
    )
    assert shop.well("import", sample, "--map", str(CDNOW / "mapping.yaml")) == (
        "6,919 rows: 0 new, 6,919 known already, 0 refused\n"
    )
    assert shop.well("segments", "--at", "1997-10-01").partition("\n\n")[2] == (
        "segment           title                                          visitors  share\n"
        "recent-buyers     Last purchase within 30 days                        168   7.1%\n"
        "silent            Last purchase more than 180 days ago              1,638  69.5%\n"
        "five-or-more      Five purchases or more                              204   8.7%\n"
        "spent-100         $100 or more in all                                 440  18.7%\n"
        "spent-100-recent  $100 or more in all, the last within 60 days        174   7.4%\n"
        "three-and-silent  Three purchases or more, silent for more than       213   9.0%\n"
        "                  90 days\n"
        "\n"
        "Out of 2,357 visitors.\n"
    )


def test_a_moment_is_the_sites_own_time(sold: Terminal) -> None:
    """A day begins at its midnight in the site's zone; that of the purchases was UTC when they were imported."""
    sold.change("personalize.toml", 'zone = "UTC"', 'zone = "Europe/Oslo"')
    assert counted(sold, "--at", "1997-10-01T02:00")["all"] == counted_by_hand(date(1997, 10, 1))["all"]
    assert "at 1997-10-01 00:00 CEST" in sold.well("segments", "--at", "1997-10-01")
    assert counted(sold, "--at", "1997-10-01T02:00:00.000001")["all"] == 23
    assert counted(sold, "--at", "1997-10-01T00:00+00:00")["all"] == 22


def test_now_is_the_present_and_the_store_itself_is_counted(sold: Terminal) -> None:
    found = counted(sold)
    assert found == counted(sold, "--live")
    assert (found["all"], found["recent-buyers"], found["silent"], found["five-or-more"]) == (25, 0, 25, 2)


def test_the_files_are_asked_and_with_live_what_was_published(
    sold: Terminal, write: Callable[[str, str], Path]
) -> None:
    write("rules/more.yaml", "segments: {twice: {who: {did: purchase, where: {cds: 1}, times: {at_least: 2}}}}\n")
    assert counted(sold, "--at", "1997-10-01")["twice"] == 6
    assert counted(sold)["twice"] == 7
    assert "twice" not in counted(sold, "--live")
    assert ", by the live rule set " in sold.well("segments", "--live")


@pytest.mark.parametrize("options", [(), ("--live",), ("--at", "1997-10-01")])
def test_several_processes_count_the_same(
    sold: Terminal, options: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(counting_sources, "STRETCH", 5)
    assert counted(sold, "--processes", "2", *options) == counted(sold, "--processes", "1", *options)


def test_nobody_is_known_yet(shop: Terminal) -> None:
    text = shop.well("segments")
    assert "recent-buyers     Last purchase within 30 days                          0      -\n" in text
    assert text.endswith("\nNo visitor was known at that moment.\n")


def test_what_is_no_moment_is_explained(shop: Terminal) -> None:
    for text in ("1997-13-01", "yesterday", "01.10.1997", ""):
        said = shop.said("segments", "--at", text, exit_code=2)
        assert said.endswith(
            f'Error: Invalid value for --at: "{text}" is not a moment: write a date (1997-10-01), or a date and time '
            "(1997-10-01T18:30).\n"
        )


@pytest.mark.parametrize("text", ["0001-01-01", "1899-12-31", "9000-01-01", "9999-12-31", "9999-12-31T23:59"])
def test_a_moment_that_is_too_far_away_is_said_to_be_so(shop: Terminal, text: str) -> None:
    said = shop.said("segments", "--at", text, exit_code=2)
    assert said.endswith(f'"{text}" is too far away: its year is one from 1900 to 8999.\n')


def test_live_before_anything_is_live(shop: Terminal) -> None:
    assert shop.said("segments", "--live", exit_code=2) == (
        'Error: nothing is published yet. Leave --live out, or run "personalize publish" first.\n'
    )


def test_files_with_an_error_are_not_counted_by(shop: Terminal) -> None:
    shop.change("rules/segments.yaml", "purchase.count: {at_least: 5}", "purchase.cout: {at_least: 5}")
    said = shop.said("segments", exit_code=1)
    assert said.startswith('error[E211]: "purchase.cout" is not a fact we know\n')
    assert said.endswith("1 error in 1 file.\n")


def test_json_says_the_moment_and_the_version(sold: Terminal) -> None:
    found = json.loads(sold.well("segments", "--at", "1997-10-01", "--format", "json"))
    assert found["at"] == "1997-10-01T00:00:00+00:00"
    assert len(found["version"]) == 16
    assert found["segments"][0] == {
        "segment": "recent-buyers",
        "title": "Last purchase within 30 days",
        "visitors": 6,
    }


def test_an_export_is_counted_as_the_store_is(sold: Terminal) -> None:
    sold.well("export", "out", "--what", "profiles")
    stored, over = (json.loads(sold.well("segments", "--format", "json", *more)) for more in ((), ("--over", "out")))
    assert over["segments"] == stored["segments"] and over["visitors"] == stored["visitors"] == 25


def test_an_export_that_cannot_be_counted_says_why(sold: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    sold.well("export", "log")
    assert "the export holds no profiles" in sold.said("segments", "--over", "log", exit_code=2)
    sold.well("export", "out", "--what", "profiles")
    assert "earlier moment" in sold.said("segments", "--over", "out", "--at", "1997-10-01", exit_code=2)
    assert "name its folder with --over" in sold.said("segments", "--spark", "local", exit_code=2)
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    assert 'pip install "personalize[parquet]"' in sold.said("segments", "--over", "out", exit_code=2)
