"""Conditions as an any of alls: what is left out, and when there would be too many."""

import pytest

from personalize.rules.conditions import EVERYONE, All, Any, Condition, InSegment, Not
from personalize.rules.index.normal_form import MOST_CONJUNCTIONS, normal_form

A, B, C, D = (InSegment(name) for name in "abcd")


@pytest.mark.parametrize(
    ("condition", "conjunctions"),
    [
        (EVERYONE, [set()]),
        (Any(()), []),
        (Not(EVERYONE), []),
        (A, [{(A, True)}]),
        (Not(A), [{(A, False)}]),
        (Not(Not(A)), [{(A, True)}]),
        (All((A, B)), [{(A, True), (B, True)}]),
        (Any((A, B)), [{(A, True)}, {(B, True)}]),
        (Any((A, A)), [{(A, True)}]),
        (Not(All((A, B))), [{(A, False)}, {(B, False)}]),
        (Not(Any((A, B))), [{(A, False), (B, False)}]),
        (All((A, Not(A))), []),
        (All((A, Any((Not(A), B)))), [{(A, True), (B, True)}]),
        (Any((A, Not(A))), [{(A, True)}, {(A, False)}]),
    ],
)
def test_small_conditions_are_told_exactly(condition: Condition, conjunctions: list[set[object]]) -> None:
    form = normal_form(condition)
    assert form.exact
    assert [set(one) for one in form.conjunctions] == conjunctions


def test_as_many_ways_as_are_kept_are_exact_and_one_more_is_not() -> None:
    many = [InSegment(f"s{number}") for number in range(MOST_CONJUNCTIONS + 1)]
    assert len(normal_form(Any(tuple(many[:-1]))).conjunctions) == MOST_CONJUNCTIONS
    assert normal_form(Any(tuple(many[:-1]))).exact
    assert not normal_form(Any(tuple(many))).exact


def test_too_many_ways_keep_the_single_questions_at_the_top() -> None:
    wide = [Any(tuple(InSegment(f"{letter}{number}") for number in range(3))) for letter in "xyz"]
    form = normal_form(All((A, Not(B), Any((C, D)), Not(Any((C, B))), *wide)))
    assert not form.exact
    assert [set(one) for one in form.conjunctions] == [{(A, True), (B, False), (C, False)}]


def test_a_group_that_can_never_hold_leaves_nothing_else_to_tell() -> None:
    wide = [Any(tuple(InSegment(f"{letter}{number}") for number in range(3))) for letter in "xyz"]
    assert normal_form(All((*wide, Any(())))).conjunctions in ((), (frozenset(),))
