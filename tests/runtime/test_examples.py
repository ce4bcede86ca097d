"""The tests that rule files carry: run as the rules are asked, and told with the answers that decided them."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from personalize.problems import Problem, Problems
from personalize.runtime.examples import run_trials, trials
from personalize.settings import Settings
from tests.rules.small_site import rule_set_of

NOW = datetime(2026, 12, 1, 9, tzinfo=UTC)
SETTINGS = Settings(root=Path())
SITE = """\
attributes:
  likes: {type: list, of: text}
events:
  purchase: {properties: {amount: money}, value: amount}
segments:
  regulars:
    who: {purchase.count: {at_least: 3}}
  tent-people:
    who:
      any:
        - profile.likes: tents
        - all: [{segment: regulars}, {not: {purchase.total: {less_than: 100}}}]
slots:
  home-hero:
    rules:
      - {id: morning, to: {segment: regulars}, when: {hours: 08:00-11:00}, show: heroes/calm}
      - {id: rest, show: heroes/calm}
      - {id: last, show: offers/christmas}
  corner:
    page: home
    rules:
      - {id: regulars, to: {segment: regulars}, show: offers/christmas}
"""


def failed(more: str, *, now: datetime = NOW) -> list[Problem]:
    problems = Problems()
    run_trials(rule_set_of(SITE + more), SETTINGS, problems, now=now)
    return list(problems.list)


def example(given: str, matches: str) -> str:
    """What is said of an example of a segment that stands for `tent-people`."""
    tried = f"{{who: {{segment: tent-people}}, examples: [{{given: {given}, matches: {matches}}}]}}"
    problems = Problems()
    rule_set = rule_set_of({"rules/site.yaml": SITE, "rules/tried.yaml": f"segments:\n  tried: {tried}\n"})
    run_trials(rule_set, SETTINGS, problems, now=NOW)
    return "; ".join(str(problem).partition(": ")[2] for problem in problems.list)


@pytest.mark.parametrize(
    ("given", "matches"),
    [
        ("{profile.likes: [tea, tents]}", "true"),
        ("{purchase.count: 3, purchase.total: 100}", "true"),
        ("{purchase.count: 2, purchase.total: 100}", "false"),
        ("{}", "false"),
    ],
)
def test_an_example_that_comes_out_as_it_says_is_no_problem(given: str, matches: str) -> None:
    assert example(given, matches) == ""


@pytest.mark.parametrize(
    ("given", "matches", "said"),
    [
        (
            "{purchase.count: 2, purchase.total: 100}",
            "true",
            "error E280: the example does not match the segment tried "
            '(one of profile.likes is "tents": no (not known); purchase.count is at least 3: no (seen: 2))',
        ),
        (
            "{purchase.count: 4, purchase.total: 120}",
            "false",
            "error E280: the example matches the segment tried (purchase.count is at least 3: yes (seen: 4); "
            "purchase.total is less than EUR 100.00: no (seen: EUR 120.00))",
        ),
    ],
)
def test_one_that_does_not_is_told_with_the_answers_that_decided_it(given: str, matches: str, said: str) -> None:
    assert example(given, matches) == said


def persona(given: str, sees: str, at: str = "2026-12-01T09:00") -> str:
    return f"personas:\n  one:\n    given: {given}\n    at: {at}\n    sees: {sees}\n"


@pytest.mark.parametrize(
    ("given", "sees"),
    [
        ("{purchase.count: 3}", "{home-hero: heroes/calm, corner: offers/christmas}"),
        ("{purchase.count: 2}", "{home-hero: [heroes/calm], corner: keep}"),
    ],
)
def test_a_persona_that_sees_what_it_must_is_no_problem(given: str, sees: str) -> None:
    assert failed(persona(given, sees)) == []


@pytest.mark.parametrize(
    ("given", "sees", "message", "because"),
    [
        (
            "{purchase.count: 2}",
            "{corner: offers/christmas}",
            'the persona "one" sees the site\'s own markup in corner, not offers/christmas',
            'the rule "regulars" shows it, but does not match: purchase.count is at least 3: no (seen: 2)',
        ),
        (
            "{purchase.count: 3}",
            "{corner: keep}",
            'the persona "one" sees offers/christmas in corner, not the site\'s own markup',
            'the rule "regulars" shows offers/christmas: purchase.count is at least 3: yes (seen: 3)',
        ),
        (
            "{}",
            "{home-hero: offers/christmas}",
            'the persona "one" sees heroes/calm in home-hero, not offers/christmas',
            'the rule "last" matches, but "rest" stands before it and has filled the slot',
        ),
        (
            "{}",
            "{home-hero: keep}",
            'the persona "one" sees heroes/calm in home-hero, not the site\'s own markup',
            'the rule "rest" shows heroes/calm: it is for everyone',
        ),
        (
            "{}",
            "{corner: heroes/calm}",
            'the persona "one" sees the site\'s own markup in corner, not heroes/calm',
            "no rule of corner shows heroes/calm",
        ),
    ],
)
def test_a_persona_that_sees_something_else_is_told_why(given: str, sees: str, message: str, because: str) -> None:
    (problem,) = failed(persona(given, sees))
    assert (problem.code, problem.message, problem.hint) == ("E281", message, because)


def test_an_example_of_a_rule_is_asked_who_and_when() -> None:
    text = SITE.replace(
        "when: {hours: 08:00-11:00}, show: heroes/calm}",
        "when: {hours: 08:00-11:00}, show: heroes/calm, examples: [\n"
        "          {given: {purchase.count: 3}, at: 2026-12-01T10:59, matches: true},\n"
        "          {given: {purchase.count: 3}, at: 2026-12-01T11:00, matches: true}]}",
    )
    problems = Problems()
    assert run_trials(rule_set_of(text), SETTINGS, problems, now=NOW) == 2
    (problem,) = problems.list
    assert problem.message == "the example does not match the rule home-hero/morning"
    assert problem.hint == "between 08:00 and 11:00: no (seen: 2026-12-01 11:00)"


def test_who_names_no_moment_is_asked_as_of_now() -> None:
    one = "personas:\n  one: {given: {purchase.count: 3}, sees: {home-hero: heroes/calm}}\n"
    early, late = (failed(one.replace("heroes/calm", "keep"), now=NOW.replace(hour=hour)) for hour in (8, 11))
    assert [found[0].hint for found in (early, late)] == [
        'the rule "morning" shows heroes/calm: purchase.count is at least 3: yes (seen: 3); between 08:00 and 11:00: '
        "yes (seen: 2026-12-01 09:00)",
        'the rule "rest" shows heroes/calm: it is for everyone',
    ]


def test_trials_have_names_and_places_for_a_suite() -> None:
    rule_set = rule_set_of(SITE + persona("{}", "{home-hero: keep}"))
    assert [(trial.name, trial.place.line) for trial in trials(rule_set)] == [("persona one sees home-hero", 27)]
