"""Preview: one request for a page, decided for a persona by a draft, of which nothing is kept."""

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import partial
from typing import TYPE_CHECKING

from personalize.decisions.context import Context
from personalize.decisions.decide import decide
from personalize.decisions.decision import Decision, Reason
from personalize.decisions.explain import explain
from personalize.decisions.explanation import Explanation
from personalize.errors import InvalidFiles, StoreError, UnknownVersion
from personalize.events.event import JSONValue
from personalize.rules.definitions import Persona
from personalize.rules.ruleset import RuleSet
from personalize.runtime.offline import persona_context, visitor_context
from personalize.runtime.page_request import PageRequest
from personalize.runtime.page_view import Notice, PageView
from personalize.runtime.preview_links import Preview, PreviewLinks
from personalize.runtime.publish import saved_rule_set
from personalize.runtime.quiet_loading import let_go, pieces_of
from personalize.runtime.reading_apart import load_beside_pages
from personalize.visitors.consent import Consent
from personalize.visitors.identity import Identity

if TYPE_CHECKING:
    from personalize.runtime.personalizer import Personalizer

#: Drafts that a worker keeps ready; the one not looked at for longest goes first.
MOST_DRAFTS = 4
#: Whom a preview without a persona is asked for.
STRANGER = "v:stranger"


class Refusal(StrEnum):
    """Why a link shows no preview.

    `expired`; `forged`: not one of ours, or of another page than the one it is used on; `unavailable`: its rules
    can't be read or don't load in this worker.
    """

    EXPIRED = "expired"
    FORGED = "forged"
    UNAVAILABLE = "unavailable"


@dataclass(frozen=True, slots=True)
class OpenPreview:
    """A preview with its rules, ready to be shown.

    Previews use rule sets of their own, never the one that pages are decided by, and take a `turn` each: explaining
    is work for a thread, and what an index remembers is for one thread at a time.
    """

    preview: Preview
    rule_set: RuleSet
    turn: asyncio.Lock

    @property
    def persona(self) -> Persona | None:
        """Whom it is shown as, None for a stranger."""
        persona_id = self.preview.persona_id
        return None if persona_id is None else self.rule_set.personas[persona_id]


class Previews:
    """Opens links in one worker. Rule sets are loaded away from the loop, one at a time, and a few are kept."""

    def __init__(self, personalizer: "Personalizer") -> None:
        self._personalizer = personalizer
        self._links = PreviewLinks(personalizer.keys)
        self._drafts: OrderedDict[str, RuleSet] = OrderedDict()
        self._loading = asyncio.Lock()
        self._turn = asyncio.Lock()

    async def open(self, token: str, path: str) -> OpenPreview | Refusal:
        """The preview that this token opens on this path."""
        preview = self._links.read(token)
        if preview is None or preview.path != path:
            return Refusal.FORGED
        now = self._personalizer.clock.now()
        if now >= preview.expires_at:
            return Refusal.EXPIRED
        try:
            rule_set = await self._rule_set(preview.version)
        except (StoreError, UnknownVersion, InvalidFiles, OSError) as error:
            self._personalizer.health.failed("a preview could not be opened", error, now)
            return Refusal.UNAVAILABLE
        if preview.persona_id is not None and preview.persona_id not in rule_set.personas:
            return Refusal.FORGED
        return OpenPreview(preview, rule_set, self._turn)

    async def _rule_set(self, version: str) -> RuleSet:
        async with self._loading:
            known = self._drafts.get(version)
            if known is None:
                known = await self._loaded(version)
            self._drafts[version] = known
            self._drafts.move_to_end(version)
            if len(self._drafts) > MOST_DRAFTS:
                await let_go(pieces_of(self._drafts.popitem(last=False)[1]))
            return known

    async def _loaded(self, version: str) -> RuleSet:
        ours = self._personalizer
        load = partial(load_beside_pages, earlier=ours.rule_set, health=ours.health, clock=ours.clock)
        return await saved_rule_set(ours.store, version, ours.settings, load=load)


class PreviewPageView(PageView):
    """A page view of a persona, decided by the rules of a link; no profile is read, and nothing is recorded.

    `opened` is what the link shows. Each slot that is decided is explained, too: `explanations`, by slot. `unknown`
    names slots of the page that the rules don't define. `mark_item` is asked to mark the markup of each item of a slot.
    """

    def __init__(
        self,
        personalizer: "Personalizer",
        request: PageRequest,
        opened: OpenPreview,
        *,
        mark_item: Callable[[str, str], str],
    ) -> None:
        super().__init__(personalizer, request)
        self._rule_set = opened.rule_set
        self.opened = opened
        self._mark_item = mark_item
        self._met_unknown: dict[str, None] = {}
        self.now = opened.preview.at or self._visitor.now
        self.explanations: dict[str, Explanation] = {}
        self.private = True

    @property
    def unknown(self) -> tuple[str, ...]:
        """The slots of the page that the rules don't define, in the order in which they were met."""
        return tuple(self._met_unknown)

    @property
    def identity(self) -> Identity:
        """The persona, as nobody's own."""
        return self._persona_context().identity

    @property
    def consent(self) -> Consent:
        """What the persona has agreed to."""
        return self.identity.consent

    @property
    def notice(self) -> Notice:
        """No notice is shown: a persona has answered."""
        return replace(super().notice, shown=False)

    def meet_unknown(self, slot_ids: Iterable[str]) -> None:
        """Note slots that the rules don't define."""
        self._met_unknown.update(dict.fromkeys(sorted(slot_ids)))

    async def cookies(self) -> tuple[str, ...]:
        """None: a preview tells nobody apart."""
        return ()

    async def finish(self, *, viewed: bool) -> None:
        """Keep nothing."""
        self.close()

    def _persona_context(self) -> Context:
        if self._context is None:
            opened, settings, facts = self.opened, self._personalizer.settings, self._visitor.facts
            persona, rule_set = opened.persona, opened.rule_set
            if persona is None:
                self._context = visitor_context(STRANGER, None, rule_set, settings, now=self.now, facts=facts)
            else:
                self._context = persona_context(persona, rule_set, settings, now=self.now, facts=facts)
        return self._context

    def _reading_for(self, slot_id: str) -> Awaitable[None] | None:
        return None if slot_id in self._decisions else self._decide_page_of(slot_id)

    async def _decide_page_of(self, slot_id: str) -> None:
        """Decide and explain all slots of this one's page."""
        async with self.opened.turn:
            await self._explain_page_of(slot_id)

    async def _explain_page_of(self, slot_id: str) -> None:
        rule_set, shown = self.opened.rule_set, self._shown()
        page = rule_set.pages.get(slot_id)
        if page is None:
            self._decisions[slot_id] = Decision(slot_id, reason=Reason.UNKNOWN_SLOT)
            return
        context = self._persona_context()
        self._decisions.update(decide(page, context, rule_set, shown=shown))
        for slot in page.slots:
            why = await asyncio.to_thread(explain, slot.slot_id, context, rule_set, shown=shown)
            self.explanations[slot.slot_id] = why

    def _render(self, decision: Decision) -> str | None:
        markup = ""
        for item_id in decision.item_ids:
            item = super()._render(replace(decision, item_ids=(item_id,)))
            markup += self._mark_item(decision.slot_id, item or "")
        return markup or None

    def _count(self, outcomes: tuple[tuple[str, str], ...]) -> None:
        """Count nothing: the figures are of visitors."""

    def _tell(self, told: tuple[str, str, dict[str, JSONValue]]) -> bool:
        """Keep nothing, and let the site's code believe that it was kept."""
        return True
