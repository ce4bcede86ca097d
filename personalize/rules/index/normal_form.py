"""Conditions as an any of alls: the form in which an index can refute many of them with one AND.

A literal is a question with the answer that is wanted; a conjunction is a set of literals that must all hold.
"""

from dataclasses import dataclass
from typing import TypeAlias

from personalize.rules.conditions import All, Any, Condition, InSegment, Leaf, Not

#: How many conjunctions one condition may become before its tree is kept beside a coarser form.
MOST_CONJUNCTIONS = 16

Question: TypeAlias = Leaf | InSegment
Literal: TypeAlias = tuple[Question, bool]
Conjunction: TypeAlias = frozenset[Literal]


@dataclass(frozen=True, slots=True)
class NormalForm:
    """The conjunctions of a condition. Where `exact` is false they are only necessary: the tree has the last word."""

    conjunctions: tuple[Conjunction, ...]
    exact: bool = True


def normal_form(condition: Condition) -> NormalForm:
    """The condition as an any of alls, at most `MOST_CONJUNCTIONS` of them; contradictions are left out."""
    found = _expand(condition, wanted=True)
    if found is not None:
        return NormalForm(tuple(found))
    return NormalForm((_necessary(condition),), exact=False)


def _expand(condition: Condition, *, wanted: bool) -> list[Conjunction] | None:
    """The conjunctions, or None where there are too many."""
    match condition:
        case Leaf() | InSegment():
            return [frozenset({(condition, wanted)})]
        case Not():
            return _expand(condition.part, wanted=not wanted)
        case All() | Any():
            parts = [_expand(part, wanted=wanted) for part in condition.parts]
            return _product(parts) if isinstance(condition, All) == wanted else _union(parts)


def _union(parts: list[list[Conjunction] | None]) -> list[Conjunction] | None:
    found: dict[Conjunction, None] = {}
    for part in parts:
        if part is None:
            return None
        found.update(dict.fromkeys(part))
    return list(found) if len(found) <= MOST_CONJUNCTIONS else None


def _product(parts: list[list[Conjunction] | None]) -> list[Conjunction] | None:
    found: list[Conjunction] | None = [frozenset()]
    for part in parts:
        if part is None or found is None:
            return None
        found = _union([[left | right for left in found for right in part if not _contradict(left, right)]])
    return found


def _contradict(left: Conjunction, right: Conjunction) -> bool:
    return any((question, not wanted) in left for question, wanted in right)


def _necessary(condition: Condition) -> Conjunction:
    """The single questions at the top of a condition, which must hold whatever its groups say."""
    parts = condition.parts if isinstance(condition, All) else ()
    singles = [_expand(part, wanted=True) for part in parts]
    return frozenset().union(*(found[0] for found in singles if found is not None and len(found) == 1))
