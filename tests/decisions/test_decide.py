"""What a page shows."""

from dataclasses import dataclass
from datetime import datetime

import pytest

from personalize.decisions.context import Context, RequestFacts
from personalize.decisions.decide import decide
from personalize.decisions.decision import Decision, Reason
from personalize.decisions.explain import explain
from personalize.problems import Problems
from personalize.rules.ruleset import RuleSet
from personalize.visitors.consent import UNKNOWN
from personalize.yaml_tree import Mapping, Sequence, parse_yaml, to_data
from tests.decisions.visitors import NOW, ago, context_for
from tests.rules.asking import CASES
from tests.rules.small_site import BY_NAME, CONTENT, CONVENTIONS, rule_set_of

PATH = CASES / "pages_of_slots.yaml"


@dataclass(frozen=True)
class Shows:
    """A page view and what each slot shows on it."""

    where: str
    rule_set: RuleSet
    context: Context
    shown: frozenset[str]
    items: dict[str, tuple[str, ...]]
    by: dict[str, str]


def read_pages() -> list[Shows]:
    text, problems = PATH.read_text(encoding="utf-8"), Problems()
    root = parse_yaml(text, PATH.name, problems)
    assert isinstance(root, Sequence) and not problems.list, problems.list
    return [shows for case in root.items if isinstance(case, Mapping) for shows in pages_of(case, text)]


def pages_of(case: Mapping, text: str) -> list[Shows]:
    slots, views = case.get("slots"), case.get("shows")
    assert isinstance(slots, Mapping) and isinstance(views, Sequence)
    rule_set = rule_set_of("slots:\n" + " " * (slots.place.column - 1) + text[slots.place.start : slots.place.end])
    return [page_view(view, rule_set) for view in views.items]


def page_view(view: object, rule_set: RuleSet) -> Shows:
    assert isinstance(view, Mapping)
    told = to_data(view)
    assert isinstance(told, dict)
    now = CONVENTIONS.moment(told["at"]) if "at" in told else NOW
    return Shows(
        where=f"line {view.place.line}",
        rule_set=rule_set,
        context=context_for(rule_set, stored=False, facts=RequestFacts(path=told.get("page.path")), now=now),
        shown=frozenset(told.get("shown", ())),
        items={slot_id: tuple(told[slot_id]) for slot_id in rule_set.slots},
        by=told.get("by", {}),
    )


ALL_PAGES = read_pages()


@pytest.mark.parametrize("page", ALL_PAGES, ids=lambda page: page.where)
def test_each_slot_shows_what_it_should(page: Shows) -> None:
    for slot_id, items in page.items.items():
        decisions = decide(page.rule_set.pages[slot_id], page.context, page.rule_set, shown=page.shown)
        decision = decisions[slot_id]
        assert decision.item_ids == items
        by = page.by.get(slot_id)
        expected = {None: Reason.DEFAULT, "otherwise": Reason.OTHERWISE}.get(by, Reason.RULE)
        assert decision.reason is expected
        assert decision.rule_id == (by if expected is Reason.RULE else None)
        assert explain(slot_id, page.context, page.rule_set, shown=page.shown).decision == decision


def test_all_slots_of_a_page_are_decided_in_the_order_of_the_rule_set() -> None:
    rule_set = rule_set_of("slots:\n  b: {page: home}\n  a: {page: home}\n  c: {page: home}\n  d: {}\n")
    decided = [list(decide(rule_set.pages[one], context_for(rule_set), rule_set)) for one in "abcd"]
    assert decided == [["b", "a", "c"], ["b", "a", "c"], ["b", "a", "c"], ["d"]]


def test_a_decision_names_its_version_and_whether_it_is_personal() -> None:
    rule_set = rule_set_of(
        "slots:\n  a: {page: home}\n  b: {page: home, rules: [{id: x, to: {page.path: /}, show: notes/bye}]}\n"
    )
    decisions = decide(rule_set.pages["a"], context_for(rule_set), rule_set)
    assert decisions["a"] == Decision("a", personal=False, version=rule_set.version)
    assert decisions["b"] == Decision("b", ("notes/bye",), "x", Reason.RULE, personal=True, version=rule_set.version)


def test_deciding_twice_decides_the_same_and_changes_nothing() -> None:
    rule_set = rule_set_of("slots:\n  a: {holds: 2, rules: [{id: x, show: {in: offers}}]}\n")
    context, shown = context_for(rule_set), frozenset({"offers/one"})
    first = decide(rule_set.pages["a"], context, rule_set, shown=shown)
    assert decide(rule_set.pages["a"], context, rule_set, shown=shown) == first
    assert first["a"].item_ids == ("offers/three", "offers/two")
    with pytest.raises(TypeError):
        first["a"] = Decision("a")  # type: ignore[index]


def test_what_is_remembered_of_one_page_view_holds_for_no_other_visitor_moment_or_item_shown() -> None:
    plain = "slots:\n  a: {rules: [{id: x, to: {page.path: /}, show: [notes/bye, notes/hello]}]}\n"
    dated = "slots:\n  a: {rules: [{id: x, show: offers/christmas}], otherwise: notes/hello}\n"
    for_path = rule_set_of(plain)
    for path, items in (("/", ("notes/bye",)), ("/other", ()), ("/", ("notes/bye",))):
        context = context_for(for_path, facts=RequestFacts(path=path))
        assert decide(for_path.pages["a"], context, for_path)["a"].item_ids == items
    home = context_for(for_path, facts=RequestFacts(path="/"))
    taken = decide(for_path.pages["a"], home, for_path, shown=frozenset({"notes/bye"}))
    assert taken["a"].item_ids == ("notes/hello",)
    assert decide(for_path.pages["a"], home, for_path)["a"].item_ids == ("notes/bye",)
    by_date = rule_set_of(dated)
    for day, item_id in (
        ("2026-11-30", "notes/hello"),
        ("2026-12-01", "offers/christmas"),
        ("2026-12-26", "notes/hello"),
    ):
        context = context_for(by_date, now=CONVENTIONS.moment(day))
        assert decide(by_date.pages["a"], context, by_date)["a"].item_ids == (item_id,)


def test_where_the_first_rule_that_holds_decides_it_decides_as_all_of_them_would() -> None:
    rules = "[{id: x, to: {page.path: /}, show: notes/bye}, {id: y, to: {page.device: mobile}, show: notes/hello}]"
    other = "[{id: z, to: {page.device: mobile}, show: offers/one}]"
    text = f"slots:\n  a: {{page: p, rules: {rules}}}\n  b: {{page: p, rules: {other}, otherwise: offers/two}}\n"
    rule_set = rule_set_of(text)
    page = rule_set.pages["a"]
    assert page.masks is not None
    for path in ("/", "/other", "/"):
        for device in ("mobile", "desktop"):
            context = context_for(rule_set, facts=RequestFacts(path=path, device=device))
            assert decide(page, context, rule_set) == decide(page, context, rule_set, notes={})
    assert page.decided is not None
    assert len(page.decided) == 4


def test_a_slot_that_nobody_knows_has_no_page() -> None:
    rule_set = rule_set_of("slots:\n  a: {}\n")
    assert "b" not in rule_set.pages
    with pytest.raises(KeyError):
        explain("b", context_for(rule_set), rule_set)


SEASONS = """
attributes:
  first_name: {type: text}
events:
  purchase: {properties: {items: {type: list, of: {category: text}}}}
segments:
  winter: {who: {now.month: [11, 12, 1, 2, 3]}}
  tent-people: {who: {did: purchase, where: {items.category: tents}}}
  tent-people-in-winter: {who: {all: [{segment: tent-people}, {segment: winter}]}}
slots:
  hero:
    page: home
    rules:
      - {id: winter-camp, to: {segment: tent-people-in-winter}, show: heroes/calm}
      - {id: summer-camp, to: {segment: tent-people}, show: heroes/bold}
      - {id: greeting, to: {visitor.known: true}, show: heroes/by-name}
    otherwise: notes/hello
"""


@pytest.mark.parametrize(
    ("category", "now", "known", "item"),
    [
        ("tents", datetime.fromisoformat("2026-11-21T12:00+00:00"), True, "heroes/calm"),
        ("tents", datetime.fromisoformat("2026-10-31T22:59+00:00"), True, "heroes/bold"),
        ("tents", datetime.fromisoformat("2026-10-31T23:00+00:00"), True, "heroes/calm"),
        ("boots", datetime.fromisoformat("2026-11-21T12:00+00:00"), True, "heroes/by-name"),
        ("tents", datetime.fromisoformat("2026-11-21T12:00+00:00"), False, "notes/hello"),
    ],
)
def test_bought_a_tent_in_summer_sees_what_goes_with_it_in_winter(
    category: str, now: datetime, known: bool, item: str
) -> None:
    rule_set = rule_set_of(SEASONS, {**CONTENT, **BY_NAME})
    bought = ("purchase", ago(days=200), {"items": [{"category": "pegs"}, {"category": category}]})
    consent = {} if known else {"consent": UNKNOWN}
    context = context_for(rule_set, bought, now=now, **consent)
    assert decide(rule_set.pages["hero"], context, rule_set)["hero"].item_ids == (item,)


def test_a_rule_that_waits_for_its_counter_matches_nobody_and_as_ever_once_that_is_filled() -> None:
    rule_set = rule_set_of("""
        events: {purchase: {}}
        segments: {regulars: {who: {did: purchase, times: {at_least: 2}}}}
        slots:
          a:
            rules:
              - {id: strangers, to: {not: {segment: regulars}}, show: notes/hello}
              - {id: anybody, show: notes/bye}
    """)
    [counter] = rule_set.counters
    page, bought = rule_set.pages["a"], ("purchase", ago(days=1), {})
    pending = [f"did.{counter.key}"]
    for waits in (False, True, False):
        context = context_for(rule_set, bought, pending=pending if waits else ())
        assert decide(page, context, rule_set)["a"].rule_id == ("anybody" if waits else "strangers")


def test_a_thousand_times_within_a_window_are_counted_to_the_last_microsecond() -> None:
    rule_set = rule_set_of("""
        events: {purchase: {}}
        slots:
          a: {rules: [{id: often, to: {did: purchase, times: {at_least: 1000}, within: 30 days}, show: notes/hello}]}
    """)
    recent = [("purchase", ago(minutes=number), {}) for number in range(999)]
    for earliest, holds in ((None, False), (ago(days=30), True), (ago(days=30, microseconds=1), False)):
        history = recent if earliest is None else [("purchase", earliest, {}), *recent]
        context = context_for(rule_set, ("purchase", ago(days=40), {}), *history)
        assert (decide(rule_set.pages["a"], context, rule_set)["a"].rule_id == "often") is holds
