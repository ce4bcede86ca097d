"""What the head of a response has to go by when it tells caches for whom, and for how long, the page is."""

from collections.abc import Callable, Collection, Mapping
from datetime import datetime

from personalize.decisions.decision import Decision
from personalize.light_values import light_dataclass
from personalize.rules.pages import Page
from personalize.rules.ruleset import RuleSet
from personalize.runtime.shared_page import SharedPage
from personalize.runtime.visitor import Visitor


@light_dataclass(frozen=True, slots=True)
class CacheFacts:
    """One page view as its head is about to leave: who asks, the slots of which `pages` were decided, and how.

    `tell_once` logs a finding that would otherwise come with every page.
    """

    visitor: Visitor
    rule_set: RuleSet | None
    pages: Collection[Page]
    decisions: Mapping[str, Decision]
    now: datetime
    tell_once: Callable[[str, str], None]

    def shared_page(self, *, is_whole: bool) -> SharedPage | None:
        """What was decided, as caches have to know it; where the page is not whole, all that slots may show. None where
        nothing is live."""
        if self.rule_set is None:
            return None
        return SharedPage(self.rule_set, self.pages if is_whole else None, self.decisions.values(), self.visitor.now)
