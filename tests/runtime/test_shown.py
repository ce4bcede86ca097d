"""What decided slots show, worked out once for all for whom they are decided alike."""

from personalize.decisions.context import RequestFacts
from personalize.decisions.decide import decide
from personalize.decisions.decision import PageDecisions
from personalize.runtime.shown import shown_alike
from tests.decisions.visitors import context_for
from tests.rules.small_site import BY_NAME, CONTENT, rule_set_of

RULES = rule_set_of(
    "attributes: {first_name: {type: text}}\n"
    "slots:\n"
    "  a: {page: home, rules: [{id: x, to: {page.path: /}, show: notes/hello}]}\n"
    "  b: {page: home, holds: 2, rules: [{id: y, show: {in: offers}}]}\n"
    "  c: {page: home, rules: [{id: z, to: {page.path: /me}, show: heroes/by-name}]}\n",
    {**CONTENT, **BY_NAME},
)


def decided(path: str) -> PageDecisions:
    return decide(RULES.pages["a"], context_for(RULES, facts=RequestFacts(path=path)), RULES)


def test_slots_show_their_items_and_what_nothing_fills_keeps_the_sites_own() -> None:
    shown = shown_alike(decided("/x"), ["b", "a"], RULES.library)
    assert shown is not None
    assert shown.markups == ["<p>One</p><p>Three</p>", None]
    assert shown.outcomes == (("b", "filled"), ("a", "default"))
    assert shown.filled == ({"slot": "b", "items": ["offers/one", "offers/three"], "rule": "y"},)
    assert shown.is_personal, "what a shows depends on the path"
    assert shown_alike(decided("/x"), ["b"], RULES.library) is not None


def test_another_group_of_slots_shows_its_own() -> None:
    decisions = decided("/")
    for group in (["a"], ["a", "b"], ["b"], ["a"]):
        shown = shown_alike(decisions, group, RULES.library)
        assert shown is not None and len(shown.markups) == len(group)
    assert shown.markups == ["<b>Hello</b>"]


def test_it_is_worked_out_once_however_many_ask() -> None:
    decisions = decided("/")
    assert shown_alike(decisions, ["a", "b"], RULES.library) is shown_alike(decisions, ["a", "b"], RULES.library)


def test_however_many_groups_a_client_names_few_are_kept() -> None:
    decisions = decided("/")
    for length in range(200):
        shown_alike(decisions, ["a"] * length, RULES.library)
    assert len(decisions.room) <= 32


def test_what_is_written_for_one_visitor_alone_is_nobody_elses() -> None:
    assert shown_alike(decided("/me"), ["a", "c"], RULES.library) is None
    assert shown_alike(decided("/me"), ["a", "b"], RULES.library) is not None


def test_of_a_slot_that_stands_on_another_page_nothing_is_known() -> None:
    assert shown_alike(decided("/"), ["a", "elsewhere"], RULES.library) is None
