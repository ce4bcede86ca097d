"""What is proved of a site's rules is told where it stands, with what excludes what and who stands before whom."""

import pytest

from personalize.problems import Problem, Problems
from personalize.rules.proof.findings import check_by_proof
from tests.rules.small_site import rule_set_of

DECLARED = """
attributes:
  country: {type: text, fold: true}
  tier: {type: choice, choices: [basic, silver, gold]}
  likes: {type: list, of: text}
  stuff: {type: any}
  birthday: {type: date}
  called: {type: time}
  renewed: {type: time}
  limit: {type: money}
  deposit: {type: money}
events:
  purchase: {properties: {amount: {type: money}}, value: amount}
"""


def found(rules: str) -> list[Problem]:
    """What is proved of these rules."""
    problems = Problems()
    check_by_proof(rule_set_of(DECLARED + rules), problems)
    return list(problems.list)


def told(rules: str) -> str:
    """The one thing that is told of these rules."""
    (problem,) = found(rules)
    return f"{problem.code} {problem.message}"


def of_segment(who: str) -> list[Problem]:
    """What is proved of a segment of this condition."""
    return found(f"segments:\n  s: {{who: {who}}}\n")


def of_rules(*rules: str, holds: int = 1) -> list[str]:
    """What is told of rules of one slot, each given as its id, its condition and what it shows."""
    lines = "".join(f"      - {{{rule}}}\n" for rule in rules)
    return [one.message for one in found(f"slots:\n  side:\n    holds: {holds}\n    rules:\n{lines}")]


@pytest.mark.parametrize(
    ("who", "exclude"),
    [
        ("{purchase.count: {at_least: 5, less_than: 3}}", "`purchase.count is at least 5` and `purchase.count is less"),
        ("{all: [{profile.country: NO}, {profile.country: SE}]}", '`profile.country is "no"` and `profile.country is'),
        ("{purchase.count: {less_than: 0}}", "`purchase.count is less than 0` holds for nobody"),
        ("{purchase.count: 0, purchase.last: {within: 9 days}}", "`purchase.count is 0` and `purchase.last is at most"),
        ("{visitor.known: false, profile.tier: gold}", '`visitor.known is false` and `profile.tier is "gold"`'),
        ("{did: purchase, times: 3, within: 9 days, purchase.count: {at_most: 2}}", "`purchase.count is at most 2`"),
        (
            "{now.date: {before: 2026-01-01}, now.month: 7, now.weekday: mon, not: {now.month: 7}}",
            "exclude one another",
        ),
        ("{profile.likes: a, not: {profile.likes: [a, b]}}", "exclude one another"),
        ("{page.path: {starts_with: /a/}, not: {page.path: {contains: a}}}", "exclude one another"),
        ("{profile.likes: {is: [a, b], none_of: [b]}}", "exclude one another"),
        ("{all: [{profile.likes: {is: [a, b]}}, {profile.likes: {is: [a]}}]}", "exclude one another"),
        ("{all: [{profile.likes: {is: [a]}}, {profile.likes: c}]}", "exclude one another"),
        ("{profile.stuff: {at_least: 5}, not: {profile.stuff: {more_than: 3}}}", "exclude one another"),
        ("{profile.stuff: {is: 1}, not: {profile.stuff: [1, '1', true]}}", "exclude one another"),
        ("{profile.stuff: {version_at_least: 2, exists: true}, not: {profile.stuff: {version_more_than: 1}}}", "excl"),
        ("{profile.birthday: {anniversary: today, on: today}}", "exclude one another"),
        ("{profile.birthday: {anniversary: today, after: today}}", "exclude one another"),
        ("{profile.birthday: {is: 1999-02-05, anniversary: this month, on: this year}}", "exclude one another"),
        ("{purchase.last: {on: this week, older_than: 8 days}}", "exclude one another"),
        ("{purchase.last: {on: 2026-12-24, before: 2026-12-24}}", "exclude one another"),
        (
            "{profile.renewed: {before: {fact: purchase.last, minus: 30 days}},"
            " purchase.last: {before: {fact: profile.called}}, profile.called: {before: {fact: profile.renewed}}}",
            "are never true together",
        ),
        (
            "{purchase.last: {within: 9 days, before: {fact: profile.renewed}}, profile.renewed: {older_than: 9 days}}",
            "are never true together",
        ),
        (
            "{profile.limit: {more_than: {fact: profile.deposit, plus: 10}, at_most: {fact: purchase.total}},"
            " purchase.total: {at_most: 30}, profile.deposit: {at_least: 20}}",
            "are never true together",
        ),
        ("{profile.called: {before: {fact: profile.renewed}, exists: false}}", "exclude one another"),
        ("{profile.tier: [basic, silver], any: [{profile.tier: gold}, {visitor.visits: {less_than: 0}}]}", "exclude"),
    ],
)
def test_a_condition_that_nobody_meets_is_told_with_what_excludes_what(who: str, exclude: str) -> None:
    (problem,) = of_segment(who)
    assert (problem.code, problem.severity) == ("W260", "warning")
    assert 'the segment "s" can\'t hold anybody' in problem.message
    assert exclude in problem.message


@pytest.mark.parametrize(
    "who",
    [
        "{purchase.count: {at_least: 3, less_than: 5}}",
        "{profile.likes: a, all: [{profile.likes: b}]}",
        "{any: [{profile.country: NO}, {profile.country: SE}]}",
        "{all: [{profile.likes: {is: [a, b]}}, {profile.likes: {all_of: [b, a]}}], not: {profile.likes: {is: [b, a]}}}",
        "{profile.likes: {all_of: [a, b], size: 2}, not: {profile.likes: {is: [a, b]}}}",
        "{all: [{profile.stuff: 1}, {profile.stuff: true}, {profile.stuff: '1'}]}",
        "{profile.stuff: {exists: true, none_of: [1, true]}, not: {profile.stuff: {type: [text, list]}}}",
        "{purchase.first: {older_than: 90 days}, purchase.last: {within: 30 days}}",
        "{visitor.known: true, not: {purchase.count: {at_least: 1}}}",
        "{page.path: {starts_with: /a/, ends_with: .html, contains: tent}}",
        "{profile.tier: {none_of: [basic, silver, gold]}}",
        "{visitor.new: false, visitor.visits: 1}",
        "{purchase.total: {more_than: 1, less_than: 2}}",
        "{purchase.average: {more_than: 1, less_than: 1.01}}",
        "{now.time: {more_than: 08:00, less_than: 08:01}}",
        "{page.browser: {more_than: a, less_than: b}}",
        "{visitor.first_seen: {after: 2026-01-01, before: 2026-01-02}}",
        "{purchase.last: {older_than: 9 days, within: 10 days}}",
        "{now.date: {after: 2026-01-01, before: 2026-01-03}, now.weekday: fri}",
        "{profile.birthday: {anniversary: today, on: last year}}",
        "{profile.limit: {more_than: {fact: profile.deposit, plus: 10}}, profile.deposit: {at_least: 20},"
        " purchase.total: {more_than: {fact: profile.limit}}, not: {purchase.total: {more_than: 30.01}}}",
        "{profile.called: {before: {fact: profile.renewed}}, profile.renewed: {on: today}, purchase.last:"
        " {after: {fact: profile.renewed}}}",
        "{profile.birthday: {anniversary: this week, before: 2008-01-01, after: 2007-12-20}}",
        "{profile.birthday: {is: 2004-02-29, anniversary: 28 february}}",
        "{purchase.last: {on: today, before: 2026-12-24, within: 2 hours}}",
        "{purchase.last: {on: today, older_than: 24 hours}}",  # when summer time ends
    ],
)
def test_nothing_is_told_of_conditions_that_some_meet_and_some_do_not(who: str) -> None:
    assert of_segment(who) == []


def test_only_what_is_to_blame_is_named() -> None:
    (problem,) = of_segment("{profile.country: NO, purchase.total: {more_than: 5, less_than: 4}, profile.tier: gold}")
    assert "country" not in problem.message and "tier" not in problem.message
    assert problem.message.count("purchase.total") == 2


def test_a_segment_that_is_empty_is_told_of_once() -> None:
    rules = """
segments:
  odd: {who: {purchase.count: {at_least: 5, less_than: 3}}}
  also: {who: {segment: odd, profile.tier: gold}}
slots:
  side: {rules: [{id: a, to: {segment: odd}, show: offers/one}]}
"""
    assert told(rules).startswith('W260 the segment "odd"')


def test_the_time_of_a_rule_is_part_of_its_condition() -> None:
    (message,) = of_rules("id: a, to: {now.weekday: sat}, when: {weekdays: [mon, tue]}, show: offers/one")
    assert 'the rule "a" can never match' in message and "on Mondays and Tuesdays" in message
    (message,) = of_rules("id: a, when: {from: 2026-12-03, until: 2026-12-05, weekdays: [mon]}, show: offers/one")
    assert "holds for nobody" in message


def test_a_part_of_any_that_leads_nowhere_is_told() -> None:
    (problem,) = of_segment("{any: [{purchase.count: 2}, {purchase.count: 0, purchase.last: {within: 9 days}}]}")
    assert problem.code == "W261" and 'in the segment "s" one way to match leads nowhere' in problem.message
    (problem,) = of_segment("{profile.tier: gold, any: [{profile.tier: basic}, {profile.country: NO}]}")
    assert problem.code == "W261" and '`profile.tier is "basic"`' in problem.message


def test_a_condition_that_everybody_meets_is_told() -> None:
    (problem,) = of_segment("{any: [{profile.country: {is_not: NO}}, {profile.country: {is_not: SE}}]}")
    assert problem.code == "W262" and 'the segment "s" holds everybody' in problem.message
    assert of_rules("id: a, show: offers/one", "id: b, show: offers/two")[0].startswith('the rule "b" can never win')


def test_a_rule_behind_one_that_wins_all_its_visitors_is_told() -> None:
    (message,) = of_rules(
        "id: some, to: {profile.tier: [silver, gold]}, show: offers/one",
        "id: best, to: {profile.tier: gold, profile.country: NO}, show: offers/two",
    )
    assert message.startswith('the rule "best" can never win: "some" (line ')


def test_a_rule_behind_one_that_says_the_same_of_an_event_in_other_words_is_told() -> None:
    (message,) = of_rules(
        "id: once, to: {purchase.count: {at_least: 1}}, show: offers/one",
        "id: lately, to: {did: purchase, times: 3, within: 9 days}, show: offers/two",
    )
    assert message.startswith('the rule "lately" can never win: "once" (line ')


def test_a_rule_behind_several_that_win_all_its_visitors_together_is_told() -> None:
    (message,) = of_rules(
        "id: lately, to: {purchase.last: {within: 30 days}}, show: offers/one",
        "id: abroad, to: {profile.country: {is_not: NO}}, show: offers/three",
        "id: once, to: {purchase.last: {older_than: 30 days}}, show: offers/two",
        "id: buyers, to: {purchase.count: {at_least: 1}}, show: heroes/calm",
    )
    assert '"lately"' in message and '"once"' in message and '"abroad"' not in message


@pytest.mark.parametrize(
    ("first", "holds"),
    [
        ("id: a, to: {profile.tier: gold}, show: offers/christmas", 1),
        ("id: a, to: {profile.tier: gold}, show: offers/one", 2),
        ("id: a, to: {profile.tier: gold}, show: {in: offers, tagged: [outdoor], limit: 1}", 2),
    ],
)
def test_a_rule_that_may_have_nothing_more_to_show_leaves_a_turn(first: str, holds: int) -> None:
    assert of_rules(first, "id: b, to: {profile.tier: gold}, show: heroes/calm", holds=holds) == []


def test_an_item_of_two_slots_may_be_on_the_page_already() -> None:
    rules = """
slots:
  top: {rules: [{id: t, show: offers/one}]}
  side: {rules: [{id: a, show: offers/one}, {id: b, to: {profile.tier: gold}, show: offers/two}]}
"""
    assert 'the rule "b" wins only where the page already shows what "a"' in told(rules)


def test_a_rule_behind_one_of_the_same_days_in_wider_words_is_told() -> None:
    birthday = "profile.birthday: {anniversary: today, before: 2008-01-01}"
    messages = of_rules(
        "id: a, to: {profile.birthday: {anniversary: today ± 3 days}}, show: offers/two",
        f"id: b, to: {{{birthday}}}, show: offers/three",
        "id: c, to: {purchase.last: {within: 48 hours}}, show: offers/two",
        "id: d, to: {purchase.last: {on: today}}, show: offers/three",
    )
    assert [message.split(" can ")[0] for message in messages] == ['the rule "b"', 'the rule "d"']


def test_a_window_of_days_that_never_come_is_told() -> None:
    (message,) = of_rules("id: a, when: {on: first monday of the month, weekdays: [tue, wed]}, show: offers/two")
    assert "never" in message


def test_windows_that_do_not_meet_hide_nothing() -> None:
    assert (
        of_rules(
            "id: a, when: {from: 2026-12-01, until: 2026-12-24}, show: offers/one",
            "id: b, when: {from: 2026-12-25, until: 2026-12-31}, show: offers/two",
            "id: c, when: {weekdays: [sat], hours: 08:00-18:00}, show: offers/three",
        )
        == []
    )


def test_two_segments_of_the_same_people_are_told() -> None:
    rules = """
segments:
  lately: {who: {purchase.last: {within: 30 days}}}
  buyers: {who: {purchase.count: {at_least: 1}}}
  late: {who: {purchase.last: {within: 30 days}, segment: buyers}}
"""
    assert told(rules) == 'W264 the segment "late" holds the same people as "lately"'


def overlaps_of(*rules: str, holds: int = 1) -> list[str]:
    """What is told of rules of one slot that overlap, where that is asked for."""
    lines = "".join(f"      - {{{rule}}}\n" for rule in rules)
    problems = Problems()
    rule_set = rule_set_of(f"{DECLARED}slots:\n  side:\n    holds: {holds}\n    rules:\n{lines}")
    check_by_proof(rule_set, problems, overlaps=True)
    return [one.message for one in problems.list]


GOLD = "id: gold, to: {profile.tier: gold}, show: offers/one"
NORWAY = "id: norway, to: {profile.country: NO}, show: offers/two"


def test_rules_that_overlap_are_told_with_an_example_where_that_is_asked_for() -> None:
    assert overlaps_of(GOLD, NORWAY) == [
        'the rules "gold" and "norway" overlap: a visitor with profile.tier "gold" and profile.country "no" is shown '
        '"gold"'
    ]
    assert of_rules(GOLD, NORWAY) == []


def test_rules_that_do_not_meet_and_special_ones_before_general_ones_are_as_they_should_be() -> None:
    silver = "id: silver, to: {profile.tier: silver}, show: offers/two"
    best = "id: best, to: {profile.tier: gold, profile.country: NO}, show: offers/three"
    assert overlaps_of(GOLD, silver) == []
    assert overlaps_of(best, GOLD) == []
    assert overlaps_of(GOLD, NORWAY, holds=2) == []
