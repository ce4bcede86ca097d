"""The index answers as a plain walk of the trees does, whatever the conditions and however messy the values."""

from collections.abc import Mapping
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from personalize.rules.conditions import All, Any, Condition, Leaf, Not, leaves
from personalize.rules.facts import FactType
from personalize.rules.index.index import Answers, Index
from personalize.rules.index.normal_form import MOST_CONJUNCTIONS, normal_form
from tests.properties.conditions import (
    FACTS,
    NOW,
    VISITORS,
    VISITORS_PARTLY_UNANSWERABLE,
    any_conditions,
    conditions,
    leaf,
    segments,
    values_of,
    wide_conditions,
)
from tests.properties.plain_walk import holds, leaf_holds, matches

#: Only a failure brings it, and would hide behind it.
pytestmark = pytest.mark.filterwarnings("ignore:Generating overly large repr")

Visitor = Mapping[str, object]


@st.composite
def rule_sets(draw: st.DrawFn) -> tuple[Mapping[str, Condition], Mapping[str, Condition]]:
    """Conditions of rules, and the segments that they name."""
    named = draw(segments())
    rules = draw(st.lists(any_conditions(sorted(named)), min_size=1, max_size=5))
    return {f"r{number}": rule for number, rule in enumerate(rules)}, named


@settings(max_examples=30)
@given(rule_sets(), st.lists(VISITORS, min_size=1, max_size=4))
def test_rules_and_segments_are_answered_as_by_a_plain_walk(
    made: tuple[Mapping[str, Condition], Mapping[str, Condition]], visitors: list[Visitor]
) -> None:
    rules, named = made
    index = Index(rules, named)
    whole = index.reach(rules, named)
    for values in visitors:
        answers = index.answers(whole, values, NOW)
        for rule_id, tree in rules.items():
            expected = holds(tree, values, named, NOW)
            assert answers.holds(rule_id) is expected
            assert answers.walk(tree) is expected
            alone = index.answers(index.reach([rule_id]), values, NOW)
            assert alone.holds(rule_id) is expected
            assert_every_part(alone, tree, values, named)
        for segment_id, tree in named.items():
            expected = holds(tree, values, named, NOW)
            assert answers.in_segment(segment_id) is expected
            assert index.answers(index.reach((), [segment_id]), values, NOW).in_segment(segment_id) is expected


def assert_every_part(answers: Answers, tree: Condition, values: Visitor, named: Mapping[str, Condition]) -> None:
    """What an explanation says of each part of a condition is what a plain walk says."""
    assert answers.walk(tree) is holds(tree, values, named, NOW)
    match tree:
        case Not():
            assert_every_part(answers, tree.part, values, named)
        case All() | Any():
            for part in tree.parts:
                assert_every_part(answers, part, values, named)


@settings(max_examples=30)
@given(rule_sets(), st.lists(VISITORS_PARTLY_UNANSWERABLE, min_size=1, max_size=4))
def test_what_reads_an_unanswerable_fact_never_matches_and_all_else_is_answered_as_ever(
    made: tuple[Mapping[str, Condition], Mapping[str, Condition]], visitors: list[Visitor]
) -> None:
    rules, named = made
    index = Index(rules, named)
    whole = index.reach(rules, named)
    for values in visitors:
        answers = index.answers(whole, values, NOW)
        expected = {rule_id: matches(tree, values, named, NOW) for rule_id, tree in rules.items()}
        assert {rule_id: answers.holds(rule_id) for rule_id in rules} == expected
        assert list(answers.matching(index.row(rules))) == [rule_id for rule_id in rules if expected[rule_id]]
        for rule_id in rules:
            assert index.answers(index.reach([rule_id]), values, NOW).holds(rule_id) is expected[rule_id]
        for segment_id, tree in named.items():
            is_member = matches(tree, values, named, NOW)
            assert answers.in_segment(segment_id) is is_member
            assert index.answers(index.reach((), [segment_id]), values, NOW).in_segment(segment_id) is is_member


@settings(max_examples=1000)
@given(leaf().flatmap(lambda question: st.tuples(st.just(question), values_of(question.fact))))
def test_each_question_is_answered_by_its_own_meaning(asked: tuple[Leaf, object]) -> None:
    question, value = asked
    assert question.holds(value, NOW) is leaf_holds(question, value, NOW)


@settings(max_examples=300)
@given(st.lists(leaf(), min_size=1, max_size=6), st.data())
def test_values_that_look_alike_are_never_taken_for_one_another(asked: list[Leaf], data: st.DataObject) -> None:
    """What is remembered of 1 is no answer for True, nor that of "12" for 12."""
    by_fact = {question.fact.name: [one for one in asked if one.fact == question.fact] for question in asked}
    for name, questions in by_fact.items():
        index = Index(dict(enumerate(questions)), {})
        reach = index.reach(range(len(questions)))
        alike = [1, True, 1.0, Decimal(1), "1", 0, False, "12", 12, "", None, *[data.draw(values_of(FACTS[name]))] * 2]
        for value in () if FACTS[name].type is FactType.TIMES else data.draw(st.permutations(alike)):
            answers = index.answers(reach, {name: value}, NOW)
            for number, question in enumerate(questions):
                assert answers.holds(number) is leaf_holds(question, value, NOW)


@given(any_conditions(["s1", "s2"]), st.data())
def test_the_normal_form_means_what_the_condition_means(tree: Condition, data: st.DataObject) -> None:
    form = normal_form(tree)
    assert len(form.conjunctions) <= MOST_CONJUNCTIONS
    asked = {question for conjunction in form.conjunctions for question, _ in conjunction}
    asked |= set(leaves(tree))
    truth = {question: data.draw(st.booleans()) for question in sorted(asked, key=repr)}
    found = any(all(truth[question] is wanted for question, wanted in one) for one in form.conjunctions)
    expected = assigned(tree, truth, data)
    assert found is expected if form.exact else found or not expected


def assigned(tree: Condition, truth: dict[object, bool], data: st.DataObject) -> bool:
    """Whether a tree holds where its questions have been given these answers."""
    match tree:
        case Not():
            return not assigned(tree.part, truth, data)
        case All():
            return all(assigned(part, truth, data) for part in tree.parts)
        case Any():
            return any(assigned(part, truth, data) for part in tree.parts)
        case _:
            if tree not in truth:
                truth[tree] = data.draw(st.booleans())
            return truth[tree]


@given(wide_conditions(), VISITORS)
def test_wide_conditions_are_answered_from_a_coarser_form(tree: Condition, values: Visitor) -> None:
    index = Index({"wide": tree, "denied": Not(tree)}, {})
    answers = index.answers(index.reach(["wide", "denied"]), values, NOW)
    assert answers.holds("wide") is holds(tree, values, {}, NOW)
    assert answers.holds("denied") is not answers.holds("wide")


@given(conditions(), st.lists(VISITORS, min_size=2, max_size=6), st.data())
def test_what_an_index_remembers_never_changes_an_answer(
    tree: Condition, visitors: list[Visitor], data: st.DataObject
) -> None:
    index = Index({"rule": tree}, {})
    reach = index.reach(["rule"])
    order = data.draw(st.lists(st.sampled_from(range(len(visitors))), max_size=10))
    for number in order:
        values = visitors[number]
        assert index.answers(reach, values, NOW).holds("rule") is holds(tree, values, {}, NOW)
