"""What is over at a moment is told, and nothing else: rules, segments, and items where they are still shown."""

from datetime import UTC, datetime

import pytest

from personalize.problems import Problem, Problems
from personalize.rules.proof.endings import ENDED
from personalize.rules.proof.findings import check_by_proof
from tests.rules.small_site import CONTENT, item, rule_set_of

ZONE = "attributes:\n  place: {type: text, zone: true}\n"
NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)


def ended(rules: str, now: datetime = NOON) -> list[Problem]:
    """What is over at this moment."""
    problems = Problems()
    check_by_proof(rule_set_of(rules), problems, now=now)
    return [problem for problem in problems.list if problem.code in ENDED]


def of_rule(rule: str, now: datetime = NOON) -> list[str]:
    """What is told of one rule of a site that knows the visitor's time zone."""
    written = f"slots:\n  side:\n    rules:\n      - {{id: r, show: offers/one, {rule}}}\n"
    return [f"{problem.code} {problem.message}" for problem in ended(ZONE + written, now)]


@pytest.mark.parametrize(
    ("rule", "said"),
    [
        ("when: {until: 2026-11-21}", "until 2026-11-21, that day included"),
        ("when: {from: 2026-01-01, until: 2026-11-22T13:00}", "from 2026-01-01 until 2026-11-22 13:00"),
        ("when: {until: 2026-11-25, on: 2026-11-20}", "until 2026-11-25, that day included, on 2026-11-20"),
        ("when: {on: [2026-11-20, 2026-11-23]}", None),
        ("when: {until: 2026-11-22T12:00, weekdays: sat, hours: 08:00-12:00}", "on Saturdays between 08:00 and 12:00"),
        ("when: {until: 2026-11-22}", None),
        ("when: {from: 2027-01-01, until: 2027-01-31}", None),
        ("when: {weekdays: mon}", None),
        ("when: {on: 24 december}", None),
        ("to: {now.date: 2026-11-01}", "now.date is 2026-11-01"),
        ("to: {now.date: {before: 2026-11-22}}", "now.date is before 2026-11-22"),
        ("to: {now.date: {after: 2026-11-01}}", None),
        ("to: {any: [{now.date: 2026-11-01}, {visitor.known: true}]}", None),
        ("to: {not: {now.date: {after: 2026-11-01}}}", "now.date is not after 2026-11-01"),
        ("to: {now.date: 2026-11-01, visitor.visits: 3}, when: {hours: 08:00-10:00}", "now.date is 2026-11-01"),
    ],
)
def test_a_rule_is_over_when_it_never_matches_from_a_moment_on(rule: str, said: str | None) -> None:
    found = of_rule(rule)
    assert len(found) == (said is not None)
    assert said is None or (found[0].startswith('W270 the rule "r" is over') and said in found[0])


@pytest.mark.parametrize(("hour", "is_over"), [(11, False), (12, True)])
def test_a_day_of_the_visitor_is_over_when_it_is_so_for_the_last_of_them(hour: int, is_over: bool) -> None:
    """Where it is the latest, the clock is twelve hours behind that of Greenwich."""
    rule = "when: {until: 2026-11-21, zone: visitor}"
    assert bool(of_rule(rule, datetime(2026, 11, 22, hour, tzinfo=UTC))) is is_over


def test_what_never_matched_is_not_over() -> None:
    assert of_rule("to: {now.date: {before: 2026-11-01, after: 2026-11-05}}") == []


def test_rules_of_a_segment_that_is_over_are_not_told_beside_it() -> None:
    (problem,) = ended(
        "segments:\n  autumn: {who: {now.date: {between: [2026-09-01, 2026-10-31]}}}\n"
        "slots:\n  side:\n    rules:\n      - {id: r, to: {segment: autumn}, show: offers/one}\n"
    )
    assert problem.message == 'the segment "autumn" is over: now.date is between 2026-09-01 and 2026-10-31'
    assert (problem.line, problem.severity) == (2, "warning")


SITE = """
slots:
  side:
    rules:
      - {id: named, show: [offers/christmas, offers/one]}
      - {id: early, show: offers/christmas, when: {until: 2027-02-01}}
      - {id: over, show: offers/christmas, when: {until: 2026-12-01}}
      - {id: some, show: {in: offers, tagged: [outdoor]}}
    otherwise: offers/christmas
"""


def test_items_that_have_ended_are_told_where_they_are_shown() -> None:
    assert ended(SITE) == []
    found = ended(SITE, datetime(2026, 12, 24, 23, tzinfo=UTC))
    assert [(problem.code, problem.line) for problem in found] == [("W271", 5), ("W271", 6), ("W270", 7), ("W271", 9)]
    assert found[0].message == (
        'the rule "named" no longer shows "offers/christmas": '
        "it was valid from 2026-12-01 until 2026-12-24, that day included"
    )
    assert found[3].message.startswith('the slot "side" no longer shows')


def test_a_collection_of_which_everything_has_ended_is_told() -> None:
    rules = "slots:\n  side:\n    rules:\n      - {id: r, show: {in: heroes}}\n"
    old, new = item("Old", "until: 2026-01-01"), item("New", "until: 2027-01-01")
    for second, count in ((old, 1), (new, 0)):
        content = {**CONTENT, "content/heroes/calm.md": old, "content/heroes/bold.md": second}
        problems = Problems()
        check_by_proof(rule_set_of(rules, content), problems, now=NOON)
        assert [problem.code for problem in problems.list] == ["W271"] * count
