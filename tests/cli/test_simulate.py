"""`simulate`: whom each rule would reach, as an editor reads it."""

import json
from pathlib import Path

import pytest

from tests.cli.terminal import Terminal
from tests.docs.blocks import code_words, table_below

#: Far enough back that the year of all purchases is looked at.
THEN = ("--at", "1997-10-01", "--days", "300")


@pytest.fixture
def crowd(shop: Terminal) -> Terminal:
    """The record shop with 300 customers: 100 who bought lately, 30 often and long ago, 170 once and long ago."""
    rows = [f"new{n},1997-09-20,20.00" for n in range(100)]
    rows += [f"often{n},1997-0{month}-10,30.00" for n in range(30) for month in (1, 2, 3, 4, 5)]
    rows += [f"once{n},1997-02-01,10.00" for n in range(170)]
    Path("all.csv").write_text("customer,day,dollars\n" + "\n".join(rows) + "\n", encoding="utf-8")
    mapping = "event: purchase\nvisitor: customer\ntime: day\nproperties: {amount: dollars}\n"
    Path("all.yaml").write_text(mapping, encoding="utf-8")
    shop.well("publish")
    shop.well("import", "all.csv", "--map", "all.yaml")
    return shop


def test_a_slot_as_an_editor_reads_it(crowd: Terminal) -> None:
    crowd.change("rules/slots.yaml", "        to: {segment: recent-buyers}\n", "")
    text = crowd.well("simulate", *THEN)
    assert all(len(line) <= 80 for line in text.splitlines())
    head, hero, *_, end = text.split("\n\n")
    assert head.startswith("300 visitors with a profile, seen since 1996-12-05 00:00 UTC, were asked.\n")
    assert "as if their latest visit went on at 1997-10-01 00:00 UTC" in " ".join(head.split())
    assert hero == (
        'home-hero ("Large picture on the home page")\n'
        "  rule            matches  loses  wins  share\n"
        "  best                  0      0     0   0.0%\n"
        "  missed               30      0    30  10.0%\n"
        "  lately              300     30   270  90.0%\n"
        "  often                30     30     0   0.0%\n"
        "  christmas             0      0     0   0.0%\n"
        "  the site's own                     0   0.0%\n"
        "  lately loses 30 to missed.\n"
        "  often loses 30 to missed.\n"
        "  Nobody for best: nobody matches.\n"
        "  Nobody for often: rules above take all whom it matches.\n"
        "  Nobody for christmas: nobody matches. It has a time of its own: ask about a\n"
        "    moment within, with --at.\n"
        "  missed reaches too few to learn from: split in two halves, only a rise from 5%\n"
        "    to 44% or more could be told from chance.\n"
        '  170 would see "lately" instead of the site\'s own.'
    )
    assert end == "170 of 300 visitors (56.7%) would see something else than now, in one slot or\nseveral.\n"


def test_so_few_that_they_have_a_name_are_not_counted(sold: Terminal) -> None:
    text = sold.well("simulate", *THEN)
    assert "few: fewer than 20 visitors, who are not counted." in text
    found = json.loads(sold.well("simulate", *THEN, "--format", "json"))
    rules = [rule for slot in found["slots"] for rule in slot["rules"]]
    numbers = [rule[name]["visitors"] for rule in rules for name in ("wins", "matches")]
    assert set(numbers) <= {None, 0, 20, 21, 22} and None in numbers


def test_a_sample_tells_how_sure_it_is(crowd: Terminal) -> None:
    text = crowd.well("simulate", *THEN, "--sample", "100", "--slot", "home-hero")
    assert text.startswith("Of 300 visitors with a profile, seen since 1996-12-05 00:00 UTC, 100 drawn at\n")
    assert "home-offers" not in text
    found = json.loads(crowd.well("simulate", *THEN, "--sample", "100", "--slot", "home-hero", "--format", "json"))
    (slot,) = found["slots"]
    lately = next(rule["wins"] for rule in slot["rules"] if rule["rule"] == "lately")
    assert (found["visitors"], found["asked"]) == (300, 100)
    assert lately["interval"][0] < 1 / 3 < lately["interval"][1]
    everybody = json.loads(crowd.well("simulate", *THEN, "--sample", "100", "--all", "--format", "json"))
    assert everybody["asked"] == 300


def test_as_json_the_parts_are_the_whole_and_changes_name_what_decided(crowd: Terminal) -> None:
    crowd.change("rules/slots.yaml", "        to: {segment: recent-buyers}\n", "")
    found = json.loads(crowd.well("simulate", *THEN, "--format", "json"))
    assert found["unit"] == "visitors with a profile" and found["changed"]["visitors"] == 170
    assert {
        key for row in table_below("docs/operators.md", "Simulations for programs") for key in code_words(row[0])
    } == {
        *(key for key in found if key != "slots"),
        *(f"slots[].{key}" for key in found["slots"][0] if key not in ("slot", "title")),
    }
    for slot in found["slots"]:
        parts = [rule["wins"]["visitors"] for rule in slot["rules"]]
        assert sum(parts) + slot["otherwise"]["visitors"] + slot["default"]["visitors"] == 300
    (move,) = found["slots"][0]["changed"]["moves"]
    assert (move["before"], move["after"], move["visitors"]) == (
        {"reason": "default", "rule": None},
        {"reason": "rule", "rule": "lately"},
        170,
    )
    assert {one["rule"] for one in found["too_small"]} >= {"best", "often", "missed"}


def test_before_anything_is_published_nothing_is_compared(shop: Terminal) -> None:
    assert shop.well("simulate").startswith("No visitor with a profile was seen since ")
    assert "nothing is published yet" in shop.said("simulate", "--live", exit_code=2)


def test_the_live_rules_can_be_asked_alone(crowd: Terminal) -> None:
    crowd.change("rules/slots.yaml", "        to: {segment: recent-buyers}\n", "")
    found = json.loads(crowd.well("simulate", *THEN, "--live", "--format", "json"))
    assert found["against"] is None and found["changed"] is None
    assert next(rule["wins"]["visitors"] for rule in found["slots"][0]["rules"] if rule["rule"] == "lately") == 100


def test_a_slot_that_is_not_there_and_a_broken_draft_are_told(crowd: Terminal) -> None:
    assert 'there is no slot "home-heero"; did you mean `home-hero`?' in crowd.said(
        "simulate", "--slot", "home-heero", exit_code=2
    )
    crowd.change("rules/slots.yaml", "recent-buyers", "recent-byers")
    assert "recent-byers" in crowd.said("simulate", exit_code=1)


def test_more_days_than_a_calendar_holds_are_refused(shop: Terminal) -> None:
    assert "1<=x<=36500" in shop.said("simulate", "--days", "999999999", exit_code=2)
    shop.well("simulate", "--days", "36500")


def test_an_export_is_asked_as_the_store_is(sold: Terminal) -> None:
    sold.change("rules/slots.yaml", "        to: {segment: recent-buyers}\n", "")
    sold.well("export", "out", "--what", "profiles")
    all_of_them = ("simulate", "--days", "36500", "--format", "json")
    stored, over = (json.loads(sold.well(*all_of_them, *more)) for more in (("--all",), ("--over", "out")))
    for one in (stored, over):
        del one["at"], one["since"]
    assert stored == over
    assert over["visitors"] == over["asked"] == 25
    assert "compared with what is live" in sold.well("simulate", "--days", "36500", "--over", "out")


def test_a_sample_of_an_export_is_that_of_the_store(sold: Terminal) -> None:
    sold.change("rules/slots.yaml", "        to: {segment: recent-buyers}\n", "")
    sold.well("export", "out", "--what", "profiles")
    asked = ("simulate", "--days", "36500", "--format", "json", "--at", "2030-01-01")
    for sample in (7, 25, 1_000):
        stored, over = (
            json.loads(sold.well(*asked, "--sample", str(sample), *more)) for more in ((), ("--over", "out"))
        )
        assert {**stored, "since": ""} == {**over, "since": ""}
        assert (over["visitors"], over["asked"]) == (25, min(sample, 25))


def test_a_moment_of_the_past_is_asked_of_profiles_that_were_made_as_of_it(sold: Terminal) -> None:
    sold.change("rules/slots.yaml", "        to: {segment: recent-buyers}\n", "")
    sold.well("export", "log", "--format", "parquet", "--what", "all")
    then = ("--at", "1997-03-01")
    refused = " ".join(sold.said("simulate", "--over", "log", *then, exit_code=2).split())
    assert "can't be asked about an earlier moment" in refused
    assert "personalize rebuild --over LOG --into FOLDER --at 1997-03-01" in refused
    assert "as of 1997-03-01" in sold.well("rebuild", "--over", "log", "--into", "made", *then)
    asked = ("simulate", "--days", "36500", "--format", "json")
    stored, over = (json.loads(sold.well(*asked, *more)) for more in ((*then, "--all"), ("--over", "made")))
    assert stored == over
    assert 0 < over["visitors"] < 25
    counted = [json.loads(sold.well("segments", "--format", "json", *more)) for more in (then, ("--over", "made"))]
    assert counted[0] == counted[1]
    assert json.loads(sold.well(*asked, "--over", "made", *then)) == over


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--over", "out", "--slot", "home-heroo"), 'there is no slot "home-heroo"'),
        (("--spark", "local"), "name its folder with --over"),
        (("--processes", "2"), "name its folder with --over"),
    ],
    ids=" ".join,
)
def test_what_cannot_be_asked_of_an_export_is_said(sold: Terminal, options: tuple[str, ...], said: str) -> None:
    sold.well("export", "out", "--what", "profiles")
    assert said in sold.said("simulate", *options, exit_code=2)
