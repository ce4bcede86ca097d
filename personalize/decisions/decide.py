"""The one function that decides what a page shows. Serving, previewing, explaining and simulating all ask it."""

from collections.abc import Hashable, Sequence
from functools import lru_cache
from typing import TypeGuard

from personalize.decisions.choose import choose
from personalize.decisions.context import Context
from personalize.decisions.decision import Decision, PageDecisions, Reason
from personalize.rules.definitions import Named, Slot
from personalize.rules.index.fact_index import MOST_REMEMBERED
from personalize.rules.index.index import Answers
from personalize.rules.pages import Page, RuleKey
from personalize.rules.ruleset import RuleSet

#: What each rule that was reached gave to its slot, by (slot id, rule id).
Notes = dict[RuleKey, tuple[str, ...]]


def decide(
    page: Page,
    context: Context,
    rule_set: RuleSet,
    *,
    shown: frozenset[str] = frozenset(),
    notes: Notes | None = None,
) -> PageDecisions:
    """What each slot of the page shows, by slot id, in the rule set's order.

    Pure: the same arguments give the same decisions. No item stands in two slots of a page, nor one that the
    page view has `shown` already. Explaining passes `notes` to be filled; the run is the same.
    """
    answers = context.answers(rule_set.index, page.reach)
    if page.decided is None or shown or notes is not None:
        return _Run(page, context, rule_set, answers, shown, notes).decisions()
    told: Hashable = answers.pattern(page.mask) if page.masks is None else answers.highest(page.masks)
    known: PageDecisions | None = page.decided.get(told)
    if known is None:
        if len(page.decided) >= MOST_REMEMBERED:
            page.decided.clear()
        known = page.decided[told] = _Run(page, context, rule_set, answers, shown, notes).decisions()
    return known


#: Most pages show what others have shown: the same decision is one object.
_decision = lru_cache(maxsize=4_096)(Decision)


class _Run:
    """One page being decided, slot by slot; `taken` are the items that it shows so far."""

    def __init__(
        self,
        page: Page,
        context: Context,
        rule_set: RuleSet,
        answers: Answers,
        shown: frozenset[str],
        notes: Notes | None,
    ) -> None:
        self._page = page
        self._now = context.now
        self._rule_set = rule_set
        self._answers = answers
        self._taken = set(shown)
        self._notes = notes

    def decisions(self) -> PageDecisions:
        """What each slot shows, by its id."""
        return PageDecisions(map(self._decide, self._page.slots))

    def _decide(self, slot: Slot) -> Decision:
        """Rules in order; the first that has something to show wins, and a slot that holds more goes on."""
        slot_id, room = slot.slot_id, slot.holds
        found: tuple[str, ...] = ()
        winner: str | None = None
        last: RuleKey | None = None
        for key in self._answers.matching(self._rule_set.rows[slot_id]):
            items = self._take(key, room)
            if items:
                found += items
                room -= len(items)
                winner = winner or key[1]
                if not room:
                    last = key
                    break
        if self._notes is not None:
            self._note_reached(self._notes, self._rule_set.rule_keys[slot_id], last)
        reason = Reason.RULE if found else Reason.DEFAULT
        if not found and self._may_show(slot.otherwise):
            found, reason = (slot.otherwise.text,), Reason.OTHERWISE
            self._taken.update(found)
        return _decision(slot_id, found, winner, reason, slot_id in self._page.personal, self._rule_set.version)

    def _take(self, key: RuleKey, room: int) -> tuple[str, ...]:
        """What a rule has to show to this visitor now, which is then taken."""
        rule_set = self._rule_set
        items = choose(rule_set.candidates[key], rule_set.library, self._now, room=room, taken=self._taken)
        self._taken.update(items)
        if self._notes is not None:
            self._notes[key] = items
        return items

    @staticmethod
    def _note_reached(notes: Notes, keys: Sequence[RuleKey], last: RuleKey | None) -> None:
        """Note the rules that were looked at and gave nothing; none behind the one that filled the slot."""
        for key in keys if last is None else keys[: keys.index(last) + 1]:
            notes.setdefault(key, ())

    def _may_show(self, named: Named | None) -> TypeGuard[Named]:
        item = None if named is None else self._rule_set.library.item(named.text)
        return item is not None and item.is_current(self._now) and item.item_id not in self._taken
