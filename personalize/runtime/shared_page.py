"""What stands on a page that others may see, too, as far as shared caches have to know it."""

from collections.abc import Collection, Iterable
from datetime import datetime

from personalize.decisions.decision import Decision
from personalize.rules.pages import Page
from personalize.rules.ruleset import RuleSet

#: What every page with our slots can be purged by.
COMMON_KEY = "personalize"
#: And those besides whose slots were not known yet when their heads left.
STREAMED_KEY = "personalize-streamed"


def slot_key(slot_id: str) -> str:
    """What pages with this slot can be purged by."""
    return f"slot-{slot_id}"


class SharedPage:
    """One page as it leaves, decided `at` a moment; each answer is worked out when it is asked for.

    `pages` are those of its slots, None where any slot of the rule set may still come; then nothing is known of its
    `decisions`.
    """

    def __init__(
        self, rule_set: RuleSet, pages: Collection[Page] | None, decisions: Iterable[Decision], at: datetime
    ) -> None:
        self._rule_set = rule_set
        self._pages = pages
        self._decisions = decisions
        self._at = at

    @property
    def inputs(self) -> tuple[str, ...]:
        """The inputs that may have told it apart, by the names of facts."""
        sharing = self._rule_set.sharing
        if self._pages is None:
            return sharing.inputs
        return tuple(dict.fromkeys(name for page in self._pages for name in sharing.inputs_of(page)))

    @property
    def keys(self) -> tuple[str, ...]:
        """What a cache can purge it by: a key of all our pages, of each slot, of each item."""
        if self._pages is None:
            return (COMMON_KEY, STREAMED_KEY)
        decisions = tuple(self._decisions)
        slots = [slot_key(one.slot_id) for one in decisions]
        items = dict.fromkeys(f"item-{item_id}" for one in decisions for item_id in one.item_ids)
        return (COMMON_KEY, *slots, *items)

    def seconds_left(self, now: datetime) -> int | None:
        """For how many whole seconds it holds, fewer than none where it has changed meanwhile; None where the clock
        alone will never change it."""
        sharing = self._rule_set.sharing
        if self._pages is None:
            changes_at = sharing.next_change_of_any(self._rule_set.pages.values(), self._at)
        else:
            changes = (sharing.next_change(page, self._at) for page in self._pages)
            changes_at = min((at for at in changes if at is not None), default=None)
        return None if changes_at is None else int((changes_at - now).total_seconds() // 1)
