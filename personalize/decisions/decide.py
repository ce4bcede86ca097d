"""The one function that decides what a page shows. Serving, previewing, explaining and simulating all ask it."""

from collections.abc import Mapping
from types import MappingProxyType

from personalize.decisions.choose import choose
from personalize.decisions.context import Context
from personalize.decisions.decision import Decision, Reason
from personalize.rules.definitions import Slot
from personalize.rules.index import Answers
from personalize.rules.ruleset import Page, RuleSet


def decide(
    page: Page, context: Context, rule_set: RuleSet, *, shown: frozenset[str] = frozenset()
) -> Mapping[str, Decision]:
    """What each slot of the page shows, by slot id, in the rule set's order.

    Pure: the same arguments give the same decisions. No item stands in two slots of a page, nor one that the
    page view has `shown` already.
    """
    answers = rule_set.index.answers(page.reach, context.values, context.now)
    taken = set(shown)
    decisions: dict[str, Decision] = {}
    for slot in page.slots:
        decision = _decide_slot(slot, page, context, rule_set, answers, taken)
        decisions[slot.slot_id] = decision
        taken.update(decision.item_ids)
    return MappingProxyType(decisions)


def _decide_slot(
    slot: Slot, page: Page, context: Context, rule_set: RuleSet, answers: Answers, taken: set[str]
) -> Decision:
    """Rules in order; the first that has something to show wins, and a slot that holds more goes on."""
    found: tuple[str, ...] = ()
    winner: str | None = None
    for rule in slot.rules:
        if len(found) >= slot.holds:
            break
        if answers.holds((slot.slot_id, rule.rule_id)):
            room = slot.holds - len(found)
            items = choose(rule.show, rule_set.library, context.now, room=room, taken=taken.union(found))
            found += items
            winner = winner or (rule.rule_id if items else None)
    reason = Reason.RULE if found else Reason.DEFAULT
    if not found and slot.otherwise is not None:
        item = rule_set.library.item(slot.otherwise.text)
        if item is not None and item.is_current(context.now) and item.item_id not in taken:
            found, reason = (item.item_id,), Reason.OTHERWISE
    return Decision(
        slot_id=slot.slot_id,
        item_ids=found,
        rule_id=winner,
        reason=reason,
        personal=slot.slot_id in page.personal,
        version=rule_set.version,
    )
