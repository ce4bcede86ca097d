"""The page view of a request whose answer others will see, too: it looks at what an edge tells, and at nobody."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

from personalize.decisions.context import Context, RequestFacts, make_context
from personalize.decisions.decision import Decision
from personalize.rules.ruleset import RuleSet
from personalize.runtime.page_request import PageRequest
from personalize.runtime.page_view import PageView
from personalize.runtime.visitor import Visitor
from personalize.visitors.identity import Identity

if TYPE_CHECKING:
    from personalize.runtime.personalizer import Personalizer

_NOBODY: Final = Identity()


class VariantView(PageView):
    """Decides slots by inputs, the path and the clock alone; the same for all of whom the edge tells the same.

    `told` are the texts of the edge by the names of facts. What the site's own code asks of the visitor makes the
    response private, as ever, and is answered; only then is the page view counted.
    """

    def __init__(
        self, personalizer: "Personalizer", request: PageRequest, *, path: str, told: Mapping[str, str]
    ) -> None:
        super().__init__(personalizer, request)
        self._path = path
        self._told = told

    async def slot(self, slot_id: str) -> Decision:
        """The decision for a slot, for code that shows it itself; the response stays one for all."""
        decision = await self._decided(slot_id)
        return Decision(slot_id, version=decision.version) if self._conceals(decision) else decision

    async def finish(self, *, viewed: bool) -> None:
        """Queue what the site has recorded; who sees a page that caches keep is nobody's to count."""
        await super().finish(viewed=viewed and self.private)

    def _reading_for(self, slot_id: str) -> None:
        """Nothing of the visitor is read."""

    def _depend(self, *, on_visitor: bool) -> None:
        """What depends on inputs alone is for all."""

    def _conceals(self, decision: Decision) -> bool:
        """Behind a head that was not made for variants, none is shown."""
        return self.is_public and not self.allows_for_all and (decision.personal or decision.slot_id in self._late)

    def _make_context(self, rule_set: RuleSet, visitor: Visitor) -> Context:
        if self._context is None:
            context = make_context(
                rule_set.ground,
                self._personalizer.lifecycle,
                identity=_NOBODY,
                profile=None,
                facts=RequestFacts(path=self._path),
                now=visitor.now,
            )
            context.give(rule_set.sharing.values_of(self._told))
            for name in rule_set.sharing.undeclared(self._told):
                told = "the edge tells a value of %s that cache.inputs does not declare"
                self._personalizer.health.tell_once(f"input {name}", told, name)
            self._context = context
        return self._context
