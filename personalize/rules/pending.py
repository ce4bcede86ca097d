"""What is pending: facts that the live rules read and the stored profiles don't hold yet."""

from collections.abc import Collection

from personalize.profiles.holding import Holding
from personalize.rules.facts import ADDED_UP_KEYS, INTEREST_ROOT, ORGANIZATION_ROOT, Fact
from personalize.rules.pages import RuleKey
from personalize.rules.ruleset import RuleSet


def pending_facts(rule_set: RuleSet, held: Holding) -> frozenset[str]:
    """The names of the facts that profiles which hold this can't answer; none where they hold what is needed."""
    if held.covers(rule_set.needed):
        return frozenset()
    return frozenset(name for name, fact in rule_set.facts.items() if not _is_held(fact, rule_set.needed, held))


def _is_held(fact: Fact, needed: Holding, held: Holding) -> bool:
    if not all(_is_held(part, needed, held) for part in fact.parts):
        return False
    if fact.root == "did":
        return held.counters.get(fact.key, 0) >= needed.counters[fact.key]
    if fact.root == INTEREST_ROOT:
        return held.knows_interests(needed)
    root, key = fact.root, fact.key
    if root == ORGANIZATION_ROOT:
        if not held.knows_organizations(needed):
            return False
        root, _, key = fact.key.rpartition(".")
    if key not in ADDED_UP_KEYS:
        return True
    return all(value in held.values for value in needed.values if value[0] == root)


def pending_rules(rule_set: RuleSet, pending: Collection[str]) -> tuple[RuleKey, ...]:
    """The rules that read any of these facts, through segments too, in the order of the files."""
    if not pending:
        return ()
    readers = rule_set.index.readers(pending)
    return tuple(key for keys in rule_set.rule_keys.values() for key in keys if key in readers)
