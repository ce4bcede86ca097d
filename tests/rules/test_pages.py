"""Pages: the slots that are decided together, and what each can depend on."""

import pytest

from personalize.rules.pages import Page
from tests.rules.small_site import BY_NAME, CONTENT, rule_set_of

SLOTS = """
attributes:
  first_name: {type: text}
  country: {type: text, purpose: mail}
events:
  purchase: {}
segments:
  evening: {title: It is late, who: {now.hour: {at_least: 18}}}
  buyers: {who: {purchase.count: {at_least: 1}}}
  mobile: {who: {page.device: mobile}}
  late-buyers: {who: {all: [{segment: buyers}, {segment: evening}]}}
slots:
"""


def page_of(slot: str, rules: str, content: dict[str, str] | None = None) -> Page:
    """The page of the slot `it`, whose body this is."""
    return rule_set_of(f"{SLOTS}  it: {slot}\n{rules}", {**CONTENT, **(content or {})}).pages["it"]


@pytest.mark.parametrize(
    ("rule", "personal", "stored"),
    [
        ("{id: a, show: notes/hello}", False, False),
        ("{id: a, to: {segment: evening}, show: notes/hello}", False, False),
        ("{id: a, show: notes/hello, when: {hours: 08:00-18:00}}", False, False),
        ("{id: a, to: {now.month: 12}, show: {in: offers}}", False, False),
        ("{id: a, to: {segment: mobile}, show: notes/hello}", True, False),
        ("{id: a, to: {page.path: /}, show: notes/hello}", True, False),
        ("{id: a, to: {visit.source: mail}, show: notes/hello}", True, True),
        ("{id: a, to: {visitor.known: false}, show: notes/hello}", True, True),
        ("{id: a, to: {profile.country: {exists: false}}, show: notes/hello}", True, True),
        ("{id: a, to: {not: {segment: late-buyers}}, show: notes/hello}", True, True),
        ("{id: a, to: {did: purchase}, show: notes/hello}", True, True),
        ("{id: a, show: heroes/by-name}", True, True),
        ("{id: a, show: {in: heroes}}", True, True),
    ],
)
def test_a_slot_is_personal_where_somebody_else_may_see_something_else(rule: str, personal: bool, stored: bool) -> None:
    page = page_of(f"{{rules: [{rule}]}}", "", BY_NAME)
    assert (page.personal == {"it"}) is personal
    assert (page.stored == {"it"}) is stored


def test_an_item_for_otherwise_that_greets_by_name_makes_a_slot_personal() -> None:
    assert page_of("{otherwise: heroes/by-name}", "", BY_NAME).personal == {"it"}
    assert page_of("{otherwise: heroes/calm}", "", BY_NAME).personal == frozenset()


def test_slots_behind_a_personal_one_are_personal_for_what_it_shows_is_taken() -> None:
    rules = """
      second: {page: home, rules: [{id: b, to: {page.path: /}, show: notes/hello}]}
      third: {page: home, rules: [{id: c, to: {did: purchase}, show: notes/hello}]}
      fourth: {page: home}
      elsewhere: {}
    """.replace("\n      ", "\n  ")
    page = page_of("{page: home, rules: [{id: a, show: notes/bye}]}", rules)
    assert [slot.slot_id for slot in page.slots] == ["it", "second", "third", "fourth"]
    assert page.personal == {"second", "third", "fourth"}
    assert page.stored == {"third", "fourth"}


def test_each_slot_without_a_page_is_a_page_of_one() -> None:
    rule_set = rule_set_of("slots:\n  a: {page: x}\n  b: {}\n  c: {page: x}\n  d: {}\n  x: {}\n")
    assert [[slot.slot_id for slot in rule_set.pages[one].slots] for one in "abcdx"] == [
        ["a", "c"],
        ["b"],
        ["a", "c"],
        ["d"],
        ["x"],
    ]
    assert rule_set.pages["a"] is rule_set.pages["c"]


@pytest.mark.parametrize(
    ("slots", "firsts_decide"),
    [
        (
            "  it: {page: p, rules: [{id: a, show: notes/hello}]}\n  b: {page: p, rules: [{id: a, show: notes/bye}]}",
            True,
        ),
        ("  it: {rules: [{id: a, show: notes/hello}, {id: b, show: [notes/hello, notes/bye]}]}", True),
        ("  it: {holds: 2, rules: [{id: a, show: [notes/hello, notes/bye]}]}", True),
        ("  it: {holds: 2, rules: [{id: a, show: notes/hello}, {id: b, show: notes/bye}]}", False),
        ("  it: {holds: 2, rules: [{id: a, show: {in: offers, limit: 1}}]}", False),
        ("  it: {rules: [{id: a, show: {in: offers, tagged: [nowhere]}}]}", False),
        ("  it: {page: p, rules: [{id: a, show: notes/bye}]}\n  b: {page: p, otherwise: notes/bye}", False),
    ],
)
def test_the_first_rule_that_holds_decides_where_it_fills_its_slot_with_what_no_other_shows(
    slots: str, firsts_decide: bool
) -> None:
    assert (rule_set_of(f"slots:\n{slots}\n").pages["it"].masks is not None) is firsts_decide
