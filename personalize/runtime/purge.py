"""Which pages of shared caches a publish has made untrue, by the keys that they carry."""

from collections.abc import Iterator

from personalize.decisions.revision import revision, rules_reading
from personalize.rules.definitions import Slot
from personalize.rules.pages import shown_by
from personalize.rules.ruleset import RuleSet
from personalize.runtime.shared_page import COMMON_KEY, STREAMED_KEY, slot_key

#: What changes nothing that a page for all may show.
_ELSEWHERE = frozenset({"persona", "counter"})
_FOLLOWED = frozenset({"slot", "rule", "item", "segment"})


def changed_keys(before: RuleSet, after: RuleSet) -> tuple[str, ...]:
    """The keys of what may show something else under the rule set that came after: none where nothing does, the common
    one where it may be anything, else those of slots, and of pages whose slots were not known when their heads left."""
    edits = [edit for edit in revision(before, after) if edit.thing not in _ELSEWHERE]
    if not edits:
        return ()
    if any(edit.thing not in _FOLLOWED for edit in edits):
        return (COMMON_KEY,)
    names: dict[str, set[str]] = {thing: set() for thing in _FOLLOWED}
    for edit in edits:
        names[edit.thing].add(edit.name)
    slots = {name.partition("/")[0] for name in names["rule"]} | names["slot"]
    for rule_set in (before, after):
        slots.update(_showing(names["item"], rule_set))
        slots.update(slot_id for one in names["segment"] for slot_id, _ in rules_reading(one, rule_set))
    together = {one.slot_id for rule_set in (before, after) for one in _decided_with(slots, rule_set)}
    return (STREAMED_KEY, *(slot_key(slot_id) for slot_id in sorted(together))) if together else ()


def _showing(item_ids: set[str], rule_set: RuleSet) -> Iterator[str]:
    """The slots that may show one of these items."""
    for slot in rule_set.slots.values():
        if not item_ids.isdisjoint(shown_by(slot, rule_set.library)):
            yield slot.slot_id


def _decided_with(slot_ids: set[str], rule_set: RuleSet) -> Iterator[Slot]:
    """These slots, and those that share a page with one: no item stands in two of them."""
    for slot_id in slot_ids & rule_set.pages.keys():
        yield from rule_set.pages[slot_id].slots
