"""Where pages are shared, rules ask only what an edge tells: what else they ask is an error, with its place."""

from dataclasses import replace
from decimal import Decimal

import pytest

from personalize.rules.reading.inputs import Inputs
from personalize.rules.ruleset import RuleSet
from tests.rules.small_site import BY_NAME, CONTENT, CONVENTIONS, load, rule_set_of

DECLARED = """
attributes:
  first_name: {type: text}
  plan: {type: choice, choices: [basic, gold]}
  points: {type: number}
  likes: {type: list, of: text}
  born: {type: date}
events:
  purchase: {}
segments:
  mobile: {who: {page.device: mobile}}
  buyers: {who: {purchase.count: {at_least: 1}}}
  mobile-buyers: {who: {all: [{segment: mobile}, {segment: buyers}]}}
slots:
"""
TEXTS = {"page.device": ("mobile", "desktop"), "profile.plan": ("basic", "gold"), "profile.points": ("1", "2.5")}


def said(rules: str, texts: dict[str, tuple[str, ...]] | None = None, *, most: int = 32) -> list[str]:
    """What is wrong with slots on shared pages; without a hint."""
    inputs = Inputs(TEXTS if texts is None else texts, most)
    _, problems = load(DECLARED + rules, {**CONTENT, **BY_NAME}, replace(CONVENTIONS, inputs=inputs))
    return [
        f"{problem.line}:{problem.column} {problem.code} {problem.message}"
        for problem in problems.list
        if problem.code[0] == "E"
    ]


@pytest.mark.parametrize(
    "asked",
    [
        "page.device: mobile",
        "page.path: {starts_with: /shop}",
        "now.hour: {at_least: 18}",
        "segment: mobile",
        "not: {profile.plan: gold}",
        "profile.points: {at_least: 2}",
        "profile.points: {at_least: {fact: now.hour}}",
        "percentage: {share: 20%, by: profile.plan}",
    ],
)
def test_a_rule_may_ask_what_an_edge_tells_the_path_and_the_time(asked: str) -> None:
    assert said(f"  hero: {{rules: [{{id: a, to: {{{asked}}}, show: notes/hello}}]}}") == []


@pytest.mark.parametrize(
    ("asked", "what"),
    [
        ("page.referrer: {contains: news}", "`page.referrer`"),
        ("page.host: shop.example", "`page.host`"),
        ("page.query.campaign: spring", "`page.query.campaign`"),
        ("page.header.x-vip: 'yes'", "`page.header.x-vip`"),
        ("visitor.known: true", "`visitor.known`"),
        ("profile.first_name: Anna", "`profile.first_name`"),
        ("profile.points: {at_least: {fact: purchase.count}}", "`purchase.count`"),
        ("did: purchase", "what somebody did"),
        ("percentage: 20%", "who somebody is, to show it to a percentage"),
        ("segment: buyers", '`purchase.count`, through the segment "buyers"'),
        ("segment: mobile-buyers", '`purchase.count`, through the segment "mobile-buyers"'),
    ],
)
def test_a_rule_that_asks_anything_else_is_refused_where_it_asks(asked: str, what: str) -> None:
    (found,) = said(f"  hero:\n    rules:\n      - id: a\n        to: {{{asked}}}\n        show: notes/hello")
    place, code, message = found.split(" ", 2)
    assert (place.partition(":")[0], code) == ("18", "E291")
    assert message == f'the rule "a" reads {what}, and pages that are shared can\'t depend on that'


def test_a_window_by_the_visitors_clock_is_refused() -> None:
    rules = "  hero: {rules: [{id: a, when: {hours: 08:00-18:00, zone: visitor}, show: notes/hello}]}"
    inputs = replace(CONVENTIONS, inputs=Inputs({}, 32))
    _, problems = load(f"attributes: {{tz: {{type: text, zone: true}}}}\nslots:\n{rules}", CONTENT, inputs)
    (problem,) = problems.list
    assert problem.message == "the rule \"a\" reads the visitor's clock, and pages that are shared can't depend on that"
    assert problem.hint is not None and problem.hint.startswith("leave `zone: visitor` out")


def test_an_item_that_greets_by_name_stands_on_no_shared_page() -> None:
    by_name = 'the item "heroes/by-name" speaks to one visitor by what is known of them, and stands on pages that are'
    assert said("  hero: {rules: [{id: a, show: heroes/by-name}]}") == [f"15:32 E292 {by_name} shared"]
    assert said("  hero: {otherwise: heroes/by-name}") == [f"15:21 E292 {by_name} shared"]
    assert said("  hero: {rules: [{id: a, show: {in: heroes}}]}") == [f"15:37 E292 {by_name} shared"]


def test_a_page_with_too_many_variants_is_refused() -> None:
    rules = (
        "  hero: {page: home, rules: [{id: a, to: {page.device: mobile}, show: notes/hello}]}\n"
        "  row: {page: home, rules: [{id: b, to: {profile.plan: gold}, show: notes/bye}]}\n"
        "  alone: {rules: [{id: c, to: {segment: mobile}, show: notes/bye}]}\n"
    )
    assert said(rules, most=9) == []
    assert said(rules, most=8) == [
        '15:3 E293 the page "home" would have 9 variants, and may have 8: 3 of `page.device` × 3 of `profile.plan`'
    ]
    assert [one.split()[1] for one in said(rules, most=2)] == ["E293", "E293"]


@pytest.mark.parametrize(
    ("name", "text", "says"),
    [
        ("page.devise", "mobile", '"page.devise" is not a fact'),
        ("page.device", "phone", '`page.device`: "phone" is not a value of it; '),
        ("profile.plan", "gould", '`profile.plan`: "gould" is not a value of it; did you mean `gold`?'),
        ("profile.points", "many", '`profile.points`: "many" is not a number'),
        ("page.bot", "maybe", '`page.bot`: "maybe" is neither true nor false'),
        ("profile.born", "1997-10-01", "`profile.born`: it takes a text, a choice, a number, or true and false"),
    ],
)
def test_an_input_is_a_fact_and_its_texts_are_values_of_it(name: str, text: str, says: str) -> None:
    (found,) = said("  hero: {rules: []}", {name: (text,)})
    assert found.startswith(f"None:None E290 cache.inputs: {says}")


def test_without_shared_pages_rules_may_ask_anything() -> None:
    rules = "  hero: {rules: [{id: a, to: {did: purchase}, show: heroes/by-name}]}"
    _, problems = load(DECLARED + rules, {**CONTENT, **BY_NAME})
    assert problems.list == ()


# --- what is known of pages


def shared(rules: str) -> RuleSet:
    """The rule set of these slots, on pages that are shared."""
    texts = {**TEXTS, "page.bot": ("yes", "no"), "profile.likes": ("tents",)}
    return rule_set_of(DECLARED + rules, CONTENT, replace(CONVENTIONS, inputs=Inputs(texts, 100)))


def test_a_page_depends_on_the_inputs_that_its_own_slots_ask_about() -> None:
    rule_set = shared(
        "  hero: {page: home, rules: [{id: a, to: {segment: mobile}, show: notes/hello}]}\n"
        "  row: {page: home, rules: [{id: b, to: {percentage: {share: 20%, by: profile.plan}}, show: notes/bye}]}\n"
        "  alone: {rules: [{id: c, to: {page.path: /}, show: notes/bye}]}\n"
        "  other: {rules: [{id: d, to: {profile.points: {at_least: 2}}, show: notes/bye}]}\n"
    )
    asked = {slot_id: rule_set.sharing.inputs_of(page) for slot_id, page in rule_set.pages.items()}
    both = ("page.device", "profile.plan")
    assert asked == {"hero": both, "row": both, "alone": (), "other": ("profile.points",)}


def test_texts_stand_for_values_of_the_facts_and_what_is_not_declared_for_none() -> None:
    rule_set = shared(
        "  hero: {rules: [{id: a, to: {all: [{page.device: mobile}, {profile.points: 1}, {page.bot: true}, "
        "{profile.likes: tents}]}, show: notes/hello}]}\n"
    )
    told = {"page.device": "mobile", "profile.points": "2.5", "page.bot": "no", "profile.likes": "tents", "x": "y"}
    values = {"page.device": "mobile", "profile.points": Decimal("2.5"), "page.bot": False, "profile.likes": ["tents"]}
    assert rule_set.sharing.values_of(told) == values
    assert rule_set.sharing.values_of({"page.device": "phone"}) == dict.fromkeys(values)


def test_an_input_that_a_broken_declaration_would_tell_is_not_called_unknown() -> None:
    inputs = replace(CONVENTIONS, inputs=Inputs({"profile.tier": ("gold",)}, 32))
    _, problems = load("attributes: {tier: {type: txet}}", CONTENT, inputs)
    assert [problem.code for problem in problems.list] == ["E204"]
