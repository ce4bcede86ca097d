"""Whether conditions together hold for everybody for whom another one does, found by trying out examples.

An example of whom the narrow condition is for either meets none of the others, and then there is nothing to prove; or
it meets some, and the next example has to do without these. So a proof looks at the few conditions that matter of the
many there are (counterexample-guided refinement, Clarke et al. 2000).
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import tzinfo

from personalize.rules.conditions import All, Any, Condition, InSegment, Leaf, Not
from personalize.rules.facts import PAIR_ROOT
from personalize.rules.now_facts import NOW, now_value
from personalize.rules.proof.proof import Proof, Verdict, Witness
from personalize.rules.proof.read_once import is_done

#: So many more conditions at most does the next example have to do without.
_MORE = 12


def is_covered(narrow: Condition, wide: Sequence[Condition], proof: Proof) -> list[int] | None:
    """The places of those of the wide conditions of which it is proved that one always holds with the narrow one; None
    where there is somebody for whom none does, or that can't be decided."""
    without: list[int] = []
    while True:
        failing = [wide[place] for place in without]
        found = proof.witness(narrow, failing=failing)
        if found is Verdict.NEVER:
            return without
        left = [place for place in range(len(wide)) if place not in without]
        if isinstance(found, Witness):
            example = _Example(found, proof.segments, proof.zone)
            left = [place for place in left if example.may_meet(wide[place])][:_MORE]
        if not left:
            return None
        without += left


class _Example:
    """A visitor of whom some facts are told, and what other conditions make of them."""

    def __init__(self, example: Witness, segments: Mapping[str, Condition], zone: tzinfo) -> None:
        self._example = example
        self._segments = segments
        self._local = example.now.astimezone(zone)

    def may_meet(self, condition: Condition) -> bool:
        """Whether a condition holds for the visitor, or might by what is not told."""
        return self._answer(condition) is not False

    def _answer(self, condition: Condition) -> bool | None:
        """Whether a condition holds; None where that depends on what is not told."""
        match condition:
            case Leaf():
                return self._of_leaf(condition)
            case InSegment(segment_id):
                return self._answer(self._segments[segment_id])
            case Not(part):
                answer = self._answer(part)
                return None if answer is None else not answer
            case All(parts) | Any(parts):
                return self._of_group(parts, settling=isinstance(condition, Any))

    def _of_group(self, parts: Iterable[Condition], *, settling: bool) -> bool | None:
        """The answer to a group that one part with the `settling` answer decides."""
        found: bool | None = not settling
        for part in parts:
            answer = self._answer(part)
            if answer is settling:
                return settling
            if answer is None:
                found = None
        return found

    def _of_leaf(self, leaf: Leaf) -> bool | None:
        """What is not told is missing, but for what follows from something that is."""
        fact, told = leaf.fact, self._example.values
        if fact.root == NOW:
            return leaf.holds(now_value(fact, self._local), self._local)
        if fact.name not in told and (is_done(fact) or fact.root == PAIR_ROOT):
            return None
        return leaf.holds(told.get(fact.name), self._local)
