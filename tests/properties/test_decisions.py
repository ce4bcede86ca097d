"""What pages show, whatever the rules: decided as by somebody who reads them one by one, and explained the same."""

from collections.abc import Mapping

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from personalize.decisions.context import Context, RequestFacts, make_context
from personalize.decisions.decide import decide
from personalize.decisions.decision import Reason
from personalize.decisions.explain import explain
from personalize.decisions.explanation import Step
from personalize.profiles.lifecycle import Lifecycle
from personalize.profiles.profile import Profile
from personalize.rules.conditions import EVERYONE, All, Any, Condition, InSegment, Leaf, Not
from personalize.rules.definitions import Definitions, Named, Rule, Segment, Show, Slot
from personalize.rules.ruleset import Page, RuleSet, compile_rule_set
from personalize.visitors.consent import granting
from personalize.visitors.identity import Identity
from personalize.yaml_tree import Place
from tests.properties.conditions import (
    FACTS,
    NOW,
    VISITORS,
    VISITORS_PARTLY_UNANSWERABLE,
    any_conditions,
    leaf,
    segments,
)
from tests.properties.plain_walk import is_unanswerable, matches
from tests.rules.small_site import CONVENTIONS, rule_set_of

#: Only a failure brings it, and would hide behind it.
pytestmark = pytest.mark.filterwarnings("ignore:Generating overly large repr")

Visitor = Mapping[str, object]

LIBRARY = rule_set_of("").library
PLACE = Place("a.yaml", 1, 1, 0, 1)

#: Few enough that slots contend for them.
_ITEMS = st.sampled_from(["heroes/bold", "offers/christmas", "offers/one", "offers/two"]).map(
    lambda item_id: Named(item_id, PLACE)
)
_SHOWS = st.one_of(
    st.lists(_ITEMS, min_size=1, max_size=4).map(lambda items: Show(items=tuple(items))),
    st.builds(
        lambda name, tags, limit: Show(collection=Named(name, PLACE), tagged=tags, limit=limit),
        st.sampled_from(sorted(LIBRARY.collections)),
        st.sampled_from([(), ("outdoor",), ("winter", "none"), ("none",)]),
        st.integers(1, 3),
    ),
)


@st.composite
def rule_sets(draw: st.DrawFn, *, simple: bool = False) -> RuleSet:
    """Any slots on a page or on none, with any rules; `simple` ones ask at most one question."""
    named = {} if simple else draw(segments(most=4))
    conditions_of_rules = leaf() if simple else any_conditions(sorted(named))
    slots = {}
    for slot_id in draw(st.lists(st.sampled_from("abcd"), unique=True, min_size=1)):
        conditions = draw(st.lists(st.one_of(st.just(EVERYONE), conditions_of_rules), max_size=3))
        slots[slot_id] = Slot(
            slot_id=slot_id,
            title=slot_id,
            page=draw(st.sampled_from([None, "home", "home", "home"])),
            holds=draw(st.integers(1, 3)),
            accepts=(),
            rules=tuple(
                Rule(f"r{number}", "", condition, None, draw(_SHOWS), PLACE)
                for number, condition in enumerate(conditions)
            ),
            otherwise=draw(st.none() | _ITEMS),
            place=PLACE,
        )
    who = {segment_id: Segment(segment_id, segment_id, tree, PLACE) for segment_id, tree in named.items()}
    return compile_rule_set("v", Definitions(segments=who, slots=slots), LIBRARY, CONVENTIONS)


def context_of(visitor: Visitor, rule_set: RuleSet) -> Context:
    """The context of somebody who has these facts."""
    context = make_context(
        rule_set.ground,
        Lifecycle(),
        identity=Identity(profile_id="u:1", consent=granting(["personalize"])),
        profile=Profile("u:1"),
        facts=RequestFacts(),
        now=NOW,
    )
    context.give(visitor)
    return context


def shown_plainly(page: Page, visitor: Visitor, rule_set: RuleSet) -> dict[str, tuple[tuple[str, ...], str | None]]:
    """The items of each slot and the rule that gave the first, found by reading the rules one by one."""
    trees: Mapping[str, Condition] = {one: segment.who for one, segment in rule_set.segments.items()}
    on_page: list[str] = []
    found: dict[str, tuple[tuple[str, ...], str | None]] = {}
    for slot in page.slots:
        items: list[str] = []
        winner = None
        for rule in slot.rules:
            if not matches(rule.to, visitor, trees, NOW):
                continue
            given_here = 0
            for item_id in candidates(rule.show):
                is_free = item_id not in on_page and LIBRARY.items[item_id].is_current(NOW)
                if is_free and len(items) < slot.holds and given_here < rule.show.limit:
                    items.append(item_id)
                    on_page.append(item_id)
                    given_here += 1
                    winner = winner or rule.rule_id
        if not items and slot.otherwise is not None:
            item_id = slot.otherwise.text
            if item_id not in on_page and LIBRARY.items[item_id].is_current(NOW):
                items.append(item_id)
                on_page.append(item_id)
        found[slot.slot_id] = (tuple(items), winner)
    return found


def candidates(show: Show) -> list[str]:
    if show.collection is None:
        return [named.text for named in show.items]
    items = [item for item in LIBRARY.items.values() if item.collection == show.collection.text]
    fitting = [item for item in items if not show.tagged or set(show.tagged) & item.tags]
    return [item.item_id for item in sorted(fitting, key=lambda item: (-item.priority, item.item_id))]


@settings(max_examples=40)
@given(rule_sets(), VISITORS_PARTLY_UNANSWERABLE)
def test_a_page_shows_what_its_rules_say_and_its_explanation_says_the_same(rule_set: RuleSet, visitor: Visitor) -> None:
    context = context_of(visitor, rule_set)
    trees = {one: segment.who for one, segment in rule_set.segments.items()}
    for slot_id, slot in rule_set.slots.items():
        page = rule_set.pages[slot_id]
        decisions = decide(page, context, rule_set)
        expected = shown_plainly(page, visitor, rule_set)
        assert {one: (decision.item_ids, decision.rule_id) for one, decision in decisions.items()} == expected
        told = explain(slot_id, context, rule_set, misses=False)
        assert told.decision == decisions[slot_id]
        assert [step.holds for step in told.rules] == [matches(rule.to, visitor, trees, NOW) for rule in slot.rules]
        given_items = tuple(item_id for step in told.rules for item_id in step.item_ids)
        assert given_items == (told.decision.item_ids if told.decision.reason is Reason.RULE else ())
        for step, rule in zip(told.rules, slot.rules, strict=True):
            assert_explained(step.conditions[0], rule.to, visitor, trees)


def assert_explained(step: Step, tree: Condition, visitor: Visitor, trees: Mapping[str, Condition]) -> None:
    """A step and those inside it are answered as the conditions are that they tell of."""
    assert step.holds is matches(tree, visitor, trees, NOW)
    assert (step.unanswered is not None) is is_unanswerable(tree, visitor, trees)
    match tree:
        case Leaf() | Not(Leaf()):
            inside: tuple[Condition, ...] = ()
        case InSegment(segment_id) | Not(InSegment(segment_id)):
            inside = (trees[segment_id],)
        case All(parts) | Any(parts) | Not(All(parts)) | Not(Any(parts)):
            inside = parts
        case Not(part):
            inside = (part,)
    assert len(step.parts) == len(inside)
    for one, told in zip(step.parts, inside, strict=True):
        assert_explained(one, told, visitor, trees)


@settings(max_examples=40)
@given(rule_sets(), VISITORS)
def test_no_item_stands_twice_on_a_page_and_no_slot_holds_too_much(rule_set: RuleSet, visitor: Visitor) -> None:
    context = context_of(visitor, rule_set)
    shown: frozenset[str] = frozenset()
    for slot_id in rule_set.slots:
        decisions = decide(rule_set.pages[slot_id], context, rule_set, shown=shown)
        items = [item_id for decision in decisions.values() for item_id in decision.item_ids]
        assert len(items) == len(set(items)) and not shown & set(items)
        for one, decision in decisions.items():
            assert len(decision.item_ids) <= rule_set.slots[one].holds
            assert all(LIBRARY.items[item_id].is_current(NOW) for item_id in decision.item_ids)
            assert (decision.reason is Reason.DEFAULT) is not bool(decision.item_ids)


@settings(max_examples=300)
@given(rule_sets(simple=True), VISITORS, VISITORS)
def test_what_is_not_personal_is_the_same_for_everybody(rule_set: RuleSet, one: Visitor, other: Visitor) -> None:
    same_moment = {name: value for name, value in one.items() if FACTS[name].root == "now"}
    same_request = {name: value for name, value in one.items() if not FACTS[name].stored}
    for page in rule_set.pages.values():
        first = decide(page, context_of(one, rule_set), rule_set)
        second = decide(page, context_of({**other, **same_moment}, rule_set), rule_set)
        third = decide(page, context_of({**other, **same_request}, rule_set), rule_set)
        for slot_id, decision in first.items():
            assert decision.personal is (slot_id in page.personal)
            assert slot_id in page.personal or decision == second[slot_id]
            assert slot_id in page.stored or decision == third[slot_id]
