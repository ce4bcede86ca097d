"""Filters of events: what a counter is named for, and old events that no longer fit what is declared."""

import pytest

from personalize.problems import Problems
from personalize.rules.conventions import Conventions
from personalize.rules.reading.load import read_definitions
from tests.rules.asking import CASES, read_cases, read_question

EVENTS = """
events:
  purchase:
    properties:
      amount: {type: money}
      note: {type: text}
      day: {type: date}
      sent: {type: time}
      gift: {type: bool}
      rating: {type: number}
      items: {type: list, of: {sku: text, category: text}}
  search: {properties: {note: text}}
"""


def counters_of(*conditions: str) -> list[tuple[str, int]]:
    """The counters of these conditions as (key, limit)."""
    segments = "".join(f"  s{number}: {{who: {condition}}}\n" for number, condition in enumerate(conditions))
    problems = Problems()
    definitions = read_definitions({"a.yaml": f"{EVENTS}\nsegments:\n{segments}"}, Conventions(), problems)
    assert not problems.list, problems.list
    return [(counter.key, counter.limit) for counter in definitions.counters]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("{did: purchase}", "{did: purchase, within: 3 days}"),
        ("{did: purchase}", "{did: purchase, where: {}}"),
        ("{did: purchase, times: 3}", "{did: purchase, times: {at_least: 1}}"),
        ("{did: purchase, where: {note: a, gift: true}}", "{did: purchase, where: {gift: true, note: a}}"),
        ("{did: purchase, where: {note: [a, b]}}", "{did: purchase, where: {note: {one_of: [b, a]}}}"),
        ("{did: purchase, where: {note: {is_not: a}}}", "{did: purchase, where: {note: {is_not: a}}, within: 1 day}"),
        (
            "{did: purchase, where: {note: {is: A, ignore_case: true}}}",
            "{did: purchase, where: {note: {is: a, ignore_case: true}}}",
        ),
    ],
)
def test_the_same_events_have_one_counter_however_they_are_written(one: str, other: str) -> None:
    assert len(counters_of(one, other)) == 1


def test_different_events_have_different_counters() -> None:
    conditions = [
        "{did: purchase}",
        "{did: search}",
        "{did: purchase, where: {note: a}}",
        "{did: search, where: {note: a}}",
        "{did: purchase, where: {note: A}}",
        "{did: purchase, where: {note: {is: a, ignore_case: true}}}",
        "{did: purchase, where: {note: {is_not: a}}}",
        "{did: purchase, where: {note: {exists: true}}}",
        "{did: purchase, where: {note: {exists: false}}}",
        "{did: purchase, where: {note: {contains: a}}}",
        "{did: purchase, where: {note: {contains: [a, b]}}}",
        "{did: purchase, where: {note: {starts_with: a}}}",
        '{did: purchase, where: {note: "a, b"}}',
        "{did: purchase, where: {note: [a, b]}}",
        "{did: purchase, where: {rating: {at_least: 1}}}",
        "{did: purchase, where: {rating: {more_than: 1}}}",
        "{did: purchase, where: {amount: {at_least: 1}}}",
        "{did: purchase, where: {items.sku: a}}",
        "{did: purchase, where: {items.category: a}}",
    ]
    keys = [key for key, _ in counters_of(*conditions)]
    assert len(set(keys)) == len(conditions)


def test_a_counter_keeps_as_many_times_as_any_condition_asks_for_and_somewhat_more() -> None:
    [(_, limit)] = counters_of(
        "{did: purchase, times: 3}", "{did: purchase, times: {at_most: 7}}", "{did: purchase, times: {less_than: 2}}"
    )
    assert limit == 10
    for often in ("999", "{at_least: 1000}", "{less_than: 1000}", "{more_than: 998}"):
        assert counters_of(f"{{did: purchase, times: {often}}}")[0][1] == 1000


def test_the_key_of_a_counter_never_changes() -> None:
    """Profiles keep times under it; another key would begin to count anew."""
    assert counters_of("{did: purchase}", "{did: purchase, where: {items.category: tents}}") == [
        ("c96355dd37cbd09e", 3),
        ("86ca4b3fff386e12", 3),
    ]


@pytest.mark.parametrize(
    "value", [None, 5, True, "x", [], [None], [5, {"sku": 5}], {}, {"sku": []}, "2026-13-45", 10**400]
)
def test_events_of_an_older_declaration_are_read_without_an_error(value: object) -> None:
    """A log outlives what was declared when it was written."""
    [case, *_] = (case for case in read_cases(CASES / "did.yaml") if "delivered" in str(case.question))
    question = read_question(case.question, case.site, Problems())
    names = ("amount", "gift", "note", "tier", "delivered", "born", "weight", "labels", "items")
    for counter in question.counters:
        assert counter.matches(dict.fromkeys(names, value)) is False  # type: ignore[arg-type]
