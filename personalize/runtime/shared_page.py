"""What stands on a page that others may see, too, as far as shared caches have to know it."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from personalize.decisions.decision import Decision
from personalize.rules.pages import Page
from personalize.rules.ruleset import RuleSet

#: What every page with our slots can be purged by.
COMMON_KEY = "personalize"


@dataclass(frozen=True, slots=True)
class SharedPage:
    """One page as it leaves: the `inputs` that may have told it apart, the `keys` that a cache can purge it by, and
    when the clock alone may change it: `changes_at`, None where it never will."""

    inputs: tuple[str, ...]
    keys: tuple[str, ...]
    changes_at: datetime | None

    def seconds_left(self, now: datetime) -> int | None:
        """For how many whole seconds it holds, fewer than none where it has changed meanwhile."""
        return None if self.changes_at is None else int((self.changes_at - now).total_seconds() // 1)


NOTHING_DECIDED = SharedPage((), (COMMON_KEY,), None)


def shared_page(rule_set: RuleSet, pages: Iterable[Page], decisions: Iterable[Decision], now: datetime) -> SharedPage:
    """What caches have to know of a page on which these slots were decided at this moment."""
    sharing, known = rule_set.sharing, tuple(pages)
    inputs = dict.fromkeys(name for page in known for name in sharing.inputs_of(page))
    changes = [at for page in known if (at := sharing.next_change(page, now)) is not None]
    slots, items = dict[str, None](), dict[str, None]()
    for decision in decisions:
        slots[f"slot-{decision.slot_id}"] = None
        items |= dict.fromkeys(f"item-{item_id}" for item_id in decision.item_ids)
    return SharedPage(tuple(inputs), (COMMON_KEY, *slots, *items), min(changes, default=None))


def any_shared_page(rule_set: RuleSet, now: datetime) -> SharedPage:
    """What caches have to know of a page on which any slots may come."""
    sharing = rule_set.sharing
    return SharedPage(sharing.inputs, (COMMON_KEY,), sharing.next_change_of_any(rule_set.pages.values(), now))
