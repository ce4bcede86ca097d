"""Rules of a slot that overlap: who meets both, and which of them wins."""

from itertools import combinations

from personalize.problems import Problems, quoted
from personalize.rules.definitions import Rule, Slot
from personalize.rules.describe import Describer
from personalize.rules.proof.coverage import Reach, reach_of
from personalize.rules.proof.examples import told
from personalize.rules.proof.proof import Proof, Relation, Verdict
from personalize.rules.ruleset import RuleSet

OVERLAP = "W265"


def tell_overlaps(rule_set: RuleSet, proof: Proof, problems: Problems) -> None:
    """Tell of any two rules of a slot that some visitors meet both, with an example of one.

    Nothing is told of a rule for some of those whom a later one is for, as the special one is meant to stand first;
    nor of slots that hold more than one item, which show both.
    """
    describer = Describer(rule_set.conventions)
    for slot in rule_set.slots.values():
        if slot.holds == 1:
            _tell_of_slot(slot, proof, describer, problems)


def _tell_of_slot(slot: Slot, proof: Proof, describer: Describer, problems: Problems) -> None:
    standing = [(rule, reach_of(rule.condition, proof.segments)) for rule in slot.rules]
    for first, later in combinations(standing, 2):
        example = _example(first, later, proof, describer)
        if example is None:
            continue
        wins, loses = quoted(first[0].rule_id), quoted(later[0].rule_id)
        problems.warning(
            OVERLAP,
            f"the rules {wins} and {loses} overlap: {example} is shown {wins}",
            later[0].place,
            f"if {loses} is to win there, move it above {wins}",
        )


def _example(first: tuple[Rule, Reach], later: tuple[Rule, Reach], proof: Proof, describer: Describer) -> str | None:
    """Somebody who meets both rules, where neither of them wins all whom the other is for."""
    if not first[1].meets(later[1]):
        return None
    one, other = first[0].condition, later[0].condition
    cases = proof.among(one, other)
    if cases.relation(one, other) is not Relation.OVERLAPS:
        return None
    example = cases.witness(one, other)
    return None if isinstance(example, Verdict) else told(example, describer)
