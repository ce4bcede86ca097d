"""`explain`: what is shown and why, in words and as JSON, the same as the site decides."""

import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from personalize.events.event import CONSENT, JOIN, Event
from personalize.profiles.project import ProfileProjector
from personalize.stores.protocols import Store
from tests.cli.terminal import Terminal

Write = Callable[[str, str], Path]
AT = ("--at", "1997-10-01")


def explained(terminal: Terminal, *arguments: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(terminal.well("explain", "--format", "json", *arguments))
    return found


def body(text: str) -> str:
    """The text without the line that names the version."""
    return "\n".join(line for line in text.splitlines() if not line.startswith("  rules    "))


def test_a_rule_wins_and_each_condition_says_what_it_saw(sold: Terminal) -> None:
    text = sold.well("explain", "--slot", "home-hero", "--visitor", "u:107", *AT)
    assert body(text) == (
        'home-hero ("Large picture on the home page") shows heroes/box-set, by the rule\n'
        '  "best".\n'
        "\n"
        "  visitor  u:107: 2 events stored, last seen 1997-08-02 00:00 UTC\n"
        "  consent  no decision is stored; taken as given for measure, personalize\n"
        "  moment   1997-10-01 00:00 UTC\n"
        "\n"
        '  1  best ("The best, and here lately"): YES, it shows heroes/box-set\n'
        '     YES  in "$100 or more in all, the last within 60 days"\n'
        "       YES  all of these\n"
        "         YES  purchase.total is at least USD 100.00 (seen: USD 100.00)\n"
        "         YES  purchase.last is at most 60 days ago (seen: 1997-08-02 00:00)\n"
        "\n"
        '  Not reached, since rule "best" filled the slot before:\n'
        "     missed: no; nearest miss: it is 30 days too early: 1997-10-31 00:00 would\n"
        "       do, and purchase would have to happen once more\n"
        "     lately: no; nearest miss: purchase would have to happen once more within 30\n"
        "       days\n"
        "     often: no; nearest miss: purchase would have to happen 3 more times\n"
        "     christmas: no; nearest miss: it is 61 days too early: 1997-12-01 00:00\n"
        "       would do\n"
        "\n"
        "  To see something else here:\n"
        '     heroes/christmas: the nearest miss of the rule "christmas" is all it takes\n'
        '     heroes/come-back: the nearest miss of the rule "missed" is all it takes\n'
        '     heroes/new-this-week: by the rule "lately", purchase would have to happen\n'
        "       once more within 30 days, and purchase.total would have to be less than\n"
        "       USD 100.00, USD 0.01 less than now"
    )


def test_no_rule_fits_and_each_says_why_not(sold: Terminal) -> None:
    text = sold.well("explain", "--slot", "home-hero", "--visitor", "u:108", *AT)
    assert body(text) == (
        'home-hero ("Large picture on the home page") keeps the site\'s own markup: no\n'
        "  rule has anything to show.\n"
        "\n"
        "  visitor  u:108: 2 events stored, last seen 1997-08-01 00:00 UTC\n"
        "  consent  no decision is stored; taken as given for measure, personalize\n"
        "  moment   1997-10-01 00:00 UTC\n"
        "\n"
        '  1  best ("The best, and here lately"): no\n'
        '     no   in "$100 or more in all, the last within 60 days"\n'
        "       no   all of these\n"
        "         YES  purchase.total is at least USD 100.00 (seen: USD 100.00)\n"
        "         no   purchase.last is at most 60 days ago (seen: 1997-08-01 00:00)\n"
        "     nearest miss: purchase would have to happen once more within 60 days\n"
        "\n"
        '  2  missed ("Came often, and stays away"): no\n'
        '     no   in "Three purchases or more, silent for more than 90 days"\n'
        "       no   all of these\n"
        "         no   purchase.count is at least 3 (seen: 2)\n"
        "         no   purchase.last is more than 90 days ago (seen: 1997-08-01 00:00)\n"
        "     nearest miss: it is 29 days too early: 1997-10-30 00:00 would do, and\n"
        "       purchase would have to happen once more\n"
        "\n"
        "  3  lately: no\n"
        '     no   in "Last purchase within 30 days"\n'
        "       no   purchase.last is at most 30 days ago (seen: 1997-08-01 00:00)\n"
        "     nearest miss: purchase would have to happen once more within 30 days\n"
        "\n"
        "  4  often: no\n"
        "     no   all of these\n"
        '       no   in "Five purchases or more"\n'
        "         no   purchase.count is at least 5 (seen: 2)\n"
        '       YES  outside "Last purchase more than 180 days ago"\n'
        "         no   purchase.last is more than 180 days ago (seen: 1997-08-01 00:00)\n"
        "     nearest miss: purchase would have to happen 3 more times\n"
        "\n"
        "  5  christmas: no\n"
        "     YES  everyone\n"
        "     no   from 1997-12-01 until 1997-12-24, that day included (seen: 1997-10-01\n"
        "          00:00)\n"
        "     nearest miss: it is 61 days too early: 1997-12-01 00:00 would do\n"
        "\n"
        "  To see something else here:\n"
        '     heroes/box-set: the nearest miss of the rule "best" is all it takes\n'
        '     heroes/box-set: the nearest miss of the rule "often" is all it takes\n'
        '     heroes/christmas: the nearest miss of the rule "christmas" is all it takes\n'
        '     heroes/come-back: the nearest miss of the rule "missed" is all it takes\n'
        '     heroes/new-this-week: by the rule "lately", purchase would have to happen\n'
        "       once more within 30 days, and purchase.total would have to be less than\n"
        "       USD 100.00, USD 0.01 less than now"
    )


def test_a_customer_of_the_record_shop(shop: Terminal, shared_data: Path) -> None:
    shop.well("publish")
    shop.well("import", str(shared_data / "cdnow-sample/CDNOW_sample.txt"), "--map", "mapping.yaml")
    text = shop.well("explain", "--slot", "home-hero", "--visitor", "u:00004", *AT)
    assert text.startswith(
        'home-hero ("Large picture on the home page") keeps the site\'s own markup: no\n  rule has anything to show.\n'
    )
    assert "  visitor  u:00004: 3 events stored, last seen 1997-08-02 00:00 UTC\n" in text
    assert "no   purchase.total is at least USD 100.00 (seen: USD 74.02)\n" in text
    assert all(len(line) <= 80 for line in text.splitlines())


def test_negations_and_time_windows_say_what_they_saw(sold: Terminal) -> None:
    text = sold.well("explain", "--slot", "home-hero", "--visitor", "u:104", *AT)
    assert (
        "  4  often: no\n"
        "     no   all of these\n"
        '       no   in "Five purchases or more"\n'
        "         no   purchase.count is at least 5 (seen: 1)\n"
        '       no   outside "Last purchase more than 180 days ago"\n'
        "         YES  purchase.last is more than 180 days ago (seen: 1997-04-03 00:00)\n"
        "     nearest miss: purchase would have to happen 4 more times, and purchase\n"
        "       would have to happen once more within 180 days\n"
        "\n"
        "  5  christmas: no\n"
        "     YES  everyone\n"
        "     no   from 1997-12-01 until 1997-12-24, that day included (seen: 1997-10-01\n"
        "          00:00)\n"
    ) in text


def test_somebody_of_whom_nothing_is_stored_is_a_stranger(sold: Terminal) -> None:
    text = sold.well("explain", "--slot", "home-hero", "--visitor", "u:4711", *AT)
    assert "  visitor  u:4711: nothing is stored of them, so they are taken for a stranger\n" in text
    assert "  consent  no decision is stored, and nothing that it would be needed for\n" in text
    assert "purchase.count is at least 5 (not known)\n" in text
    assert explained(sold, "--slot", "home-hero", "--visitor", "u:4711")["stored"] is False


def test_who_had_not_come_yet_is_a_stranger_of_that_day(sold: Terminal) -> None:
    asked = ("--slot", "home-hero", "--visitor", "u:117")
    assert explained(sold, *asked, "--at", "1998-03-02")["stored"] is True
    assert explained(sold, *asked, "--at", "1998-03-01")["stored"] is False


FILLED = """slots:
  row:
    holds: 3
    rules:
      - {id: first, to: {visit.source: newsletter}, show: heroes/box-set}
      - {id: fill-up, when: {weekdays: [wed]}, show: [heroes/come-back, heroes/box-set]}
"""


def test_every_rule_that_gave_something_is_named_and_so_are_empty_places(sold: Terminal, write: Write) -> None:
    write("rules/zz.yaml", FILLED)
    asked = ("explain", "--slot", "row", "--visitor", "u:107", *AT)
    both = sold.well(*asked, "--source", "newsletter")
    assert " ".join(both.split("\n\n")[0].split()) == (
        'row shows heroes/box-set and heroes/come-back, by the rules "first" and "fill-up". '
        "2 of 3 places; the third stays empty."
    )
    assert "YES  on Wednesdays (seen: Wednesday 1997-10-01 00:00)" in both
    write(
        "rules/zz.yaml",
        FILLED.replace("holds: 3", "holds: 4").replace("[heroes/come-back, heroes/box-set]", "heroes/come-back"),
    )
    assert " ".join(sold.well(*asked).split("\n\n")[0].split()) == (
        'row shows heroes/come-back, by the rule "fill-up". 1 of 4 places; the others stay empty.'
    )


def test_items_that_stand_on_the_page_already_are_said(sold: Terminal, write: Write) -> None:
    write("rules/zz.yaml", "slots: {more: {page: home, rules: [{id: again, show: heroes/box-set}]}}\n")
    text = sold.well("explain", "--slot", "more", "--visitor", "u:107", *AT)
    assert text.startswith("more keeps the site's own markup: no rule has anything to show.\n")
    assert "  1  again: YES, but nothing to show: heroes/box-set (in home-hero already)\n" in text
    assert "     YES  everyone\n" in text


def test_items_that_are_not_valid_at_that_moment_are_said(sold: Terminal, write: Write) -> None:
    write("content/heroes/box-set.md", "---\ntitle: T\nuntil: 1997-09-30\n---\n")
    asked = ("explain", "--slot", "home-hero", "--visitor", "u:107", "--at")
    assert "YES, it shows heroes/box-set\n" in sold.well(*asked, "1997-09-30")
    assert (
        '  1  best ("The best, and here lately"): YES, but nothing to show:\n'
        "     heroes/box-set (not valid since 1997-10-01 00:00)\n"
    ) in sold.well(*asked, "1997-10-01")


def test_a_slot_with_an_item_for_everybody_else(sold: Terminal) -> None:
    sold.change(
        "rules/slots.yaml",
        "show: heroes/christmas\n    otherwise: keep",
        "show: heroes/christmas\n    otherwise: heroes/new-this-week",
    )
    text = sold.well("explain", "--slot", "home-hero", "--visitor", "u:4711", *AT)
    assert " ".join(text.split("\n\n")[0].split()) == (
        'home-hero ("Large picture on the home page") shows heroes/new-this-week: no rule has anything to show, so '
        "`otherwise` counts."
    )


def test_a_persona_is_asked_like_a_visitor(shop: Terminal) -> None:
    text = shop.well("explain", "--slot", "home-hero", "--visitor", "regular", *AT)
    assert '  visitor  regular: the persona "Bought often and lately"\n' in text
    assert "  consent  taken as given for measure, personalize\n" in text
    assert "purchase.last is at most 60 days ago (seen: 1997-09-19 00:00)\n" in text
    assert explained(shop, "--slot", "home-hero", "--visitor", "regular", *AT)["rule"] == "best"


def test_a_persona_that_is_here_at_a_moment_is_asked_then_unless_another_is_asked_about(shop: Terminal) -> None:
    personas = "personas: {yule: {given: {visitor.visits: 2}, at: 1997-12-24T10:00}}\n"
    (shop.folder / "rules" / "yule.yaml").write_text(personas, encoding="utf-8")
    asked = ("explain", "--slot", "home-hero", "--visitor", "yule")
    assert "  moment   1997-12-24 10:00 " in shop.well(*asked)
    assert "  moment   1997-12-25 00:00 " in shop.well(*asked, "--at", "1997-12-25")
    assert explained(shop, *asked[1:])["at"] == "1997-12-24T10:00:00+00:00"


@pytest.mark.parametrize(
    ("condition", "option", "value"),
    [
        ("{page.path: {starts_with: /shop}}", "--path", "/shop/1"),
        ("{page.query.color: red}", "--query", "color=red"),
        ("{page.referrer: {contains: example}}", "--referrer", "https://example.org/"),
        ("{visit.source: newsletter}", "--source", "Newsletter"),
        ("{visit.medium: email}", "--medium", "email"),
        ("{visit.campaign: spring}", "--campaign", "spring"),
        ("{page.language: nb}", "--language", "nb"),
        ("{page.device: mobile}", "--device", "mobile"),
        ("{page.country: NO}", "--country", "no"),
    ],
)
def test_facts_of_the_request_come_from_options_and_are_missing_without(
    shop: Terminal, write: Write, condition: str, option: str, value: str
) -> None:
    write("rules/more.yaml", f"slots: {{note: {{rules: [{{id: a, to: {condition}, show: heroes/box-set}}]}}}}\n")
    asked = ("--slot", "note", "--visitor", "u:1")
    assert explained(shop, *asked)["items"] == []
    assert explained(shop, *asked, option, value)["items"] == ["heroes/box-set"]
    assert "(not known)" in shop.well("explain", *asked)


def test_what_a_visitor_has_agreed_to_is_respected_and_said(sold: Terminal) -> None:
    asked = ("--slot", "home-hero", "--visitor", "u:107", *AT)
    sold.stored(lambda store: record(store, CONSENT, "u:107", {"granted": ["measure"]}))
    assert "  consent  given for measure\n" in sold.well("explain", *asked)
    assert explained(sold, *asked)["consent"] == {"granted": ["measure"], "assumed": False}
    assert explained(sold, *asked)["items"] == []
    sold.stored(lambda store: record(store, CONSENT, "u:107", {"granted": []}, hour=1))
    assert "  consent  refused, so nothing that is stored counts\n" in sold.well("explain", *asked)
    assert explained(sold, *asked)["consent"] == {"granted": [], "assumed": False}


def test_a_browser_that_logged_in_says_into_whom_it_went_and_is_no_visitor_of_its_own(sold: Terminal) -> None:
    before = json.loads(sold.well("segments", "--format", "json"))["visitors"]
    sold.stored(lambda store: record(store, "purchase", "v:abc", {}))
    assert json.loads(sold.well("segments", "--format", "json"))["visitors"] == before + 1
    sold.stored(lambda store: record(store, JOIN, "u:107", {"from": "v:abc"}, hour=1))
    text = sold.well("explain", "--slot", "home-hero", "--visitor", "v:abc", *AT)
    assert "  visitor  v:abc: this browser logged in and went into u:107 at 1997-09-30 13:00\n" in text
    assert json.loads(sold.well("segments", "--format", "json"))["visitors"] == before


async def record(store: Store, type_: str, profile_id: str, properties: Mapping[str, Any], hour: int = 0) -> None:
    """Put an event of the day before into the log."""
    at = datetime(1997, 9, 30, 12 + hour, tzinfo=UTC)
    event = Event(f"{type_}{hour}", "test", type_, profile_id, at, at, properties)
    await store.apply([event], [ProfileProjector()])


def test_the_live_rules_can_be_asked_instead_of_the_files(sold: Terminal) -> None:
    sold.change("rules/slots.yaml", "- id: best\n", "- id: finest\n")
    asked = ("--slot", "home-hero", "--visitor", "u:107", *AT)
    assert explained(sold, *asked)["rule"] == "finest"
    assert explained(sold, *asked, "--live")["rule"] == "best"
    assert "  rules    the live rule set " in sold.well("explain", *asked, "--live")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (
            ("--slot", "home-her", "--visitor", "u:1"),
            'there is no slot "home-her"; did you mean `home-hero`?',
        ),
        (("--slot", "zzz", "--visitor", "u:1"), 'there is no slot "zzz"; slots: home-hero, home-offers'),
        (
            ("--slot", "home-hero", "--visitor", "regulr"),
            'there is no persona "regulr"; did you mean `regular`?',
        ),
        (
            ("--slot", "home-hero", "--visitor", "00004"),
            'there is no persona "00004"; personas: regular; a stored visitor is written u:ID or v:ID',
        ),
    ],
)
def test_what_is_not_there_is_answered_with_the_nearest_that_is(
    shop: Terminal, arguments: tuple[str, ...], said: str
) -> None:
    assert shop.said("explain", *arguments, exit_code=2) == f"Error: {said}\n"


def test_a_parameter_needs_a_name_and_a_value(shop: Terminal) -> None:
    said = shop.said("explain", "--slot", "home-hero", "--visitor", "u:1", "--query", "red", exit_code=2)
    assert said.endswith('--query: "red" is not a name and a value: write color=red.\n')


def test_json_holds_every_rule_and_every_condition(sold: Terminal) -> None:
    found = explained(sold, "--slot", "home-hero", "--visitor", "u:107", *AT)
    assert {
        name: found[name] for name in ("slot", "visitor", "stored", "at", "items", "rule", "reason", "personal")
    } == {
        "slot": "home-hero",
        "visitor": "u:107",
        "stored": True,
        "at": "1997-10-01T00:00:00+00:00",
        "items": ["heroes/box-set"],
        "rule": "best",
        "reason": "rule",
        "personal": True,
    }
    assert [rule["rule_id"] for rule in found["rules"]] == ["best", "missed", "lately", "often", "christmas"]
    (segment,) = found["rules"][0]["conditions"]
    assert segment["holds"] is True
    assert [part["seen"] for part in segment["parts"][0]["parts"]] == ["USD 100.00", "1997-08-02 00:00"]


def test_what_a_visitor_sent_cannot_steer_the_terminal(shop: Terminal, write: Write) -> None:
    write("rules/more.yaml", "slots: {note: {rules: [{id: a, to: {page.path: /}, show: heroes/box-set}]}}\n")
    text = shop.well("explain", "--slot", "note", "--visitor", "u:1", "--path", "/\033[31m")
    assert "\033" not in text


def test_yes_is_green_on_a_terminal(shop: Terminal) -> None:
    result = shop.run("explain", "--slot", "home-hero", "--visitor", "regular", *AT, color=True)
    assert "\033[32m\033[1mYES\033[0m" in result.stdout


@pytest.mark.parametrize(
    ("at", "moment", "note"),
    [
        ("2026-10-25T02:30", "2026-10-25T00:30:00+00:00", "comes twice in Europe/Oslo"),
        ("2026-10-25T02:30+01:00", "2026-10-25T01:30:00+00:00", ""),
        ("2026-03-29T02:30", "2026-03-29T01:30:00+00:00", "does not exist in Europe/Oslo"),
    ],
)
def test_a_time_that_the_clock_shows_twice_or_never_is_told_of(shop: Terminal, at: str, moment: str, note: str) -> None:
    shop.change("personalize.toml", 'zone = "UTC"', 'zone = "Europe/Oslo"')
    result = shop.run("explain", "--slot", "home-hero", "--visitor", "regular", "--at", at, "--format", "json")
    assert result.exit_code == 0, result.output
    assert json.loads(result.stdout)["at"] == moment
    assert (note in result.stderr) and bool(result.stderr) is bool(note)
