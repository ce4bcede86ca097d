"""One page view: who looks is found out when the first slot asks, and each slot is decided once."""

import asyncio
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

from personalize.decisions.context import Context, RequestFacts, make_context
from personalize.decisions.decide import decide
from personalize.decisions.decision import Decision, Reason
from personalize.errors import EventRefused, StoreError
from personalize.events.event import IMPRESSION, JOIN, PAGE_VIEW, SET, Event, JSONValue
from personalize.events.validate import check_attributes, check_event
from personalize.profiles.profile import Profile
from personalize.rules.ruleset import Page, RuleSet
from personalize.runtime.sources import Scope
from personalize.visitors.consent import Consent, stricter
from personalize.visitors.cookies import cookie_name, cookie_values, delete_cookie, set_cookie
from personalize.visitors.identity import Identity, identify

if TYPE_CHECKING:
    from personalize.runtime.personalizer import Personalizer

#: The consent that page views and impressions need, unless a site's declaration says otherwise.
_PAGE_VIEW_PURPOSE = "personalize"
_IMPRESSION_PURPOSE = "measure"
_DAY_SECONDS = 86_400

logger = logging.getLogger("personalize")


@dataclass(frozen=True, slots=True)
class Notice:
    """What a consent notice on the page needs: whether to show it, and the hidden fields of its form."""

    shown: bool
    action: str
    fields: Mapping[str, str]


class PageView:
    """What one request for a page is to us. Costs nothing until something asks.

    `private` says that the response depends on the visitor and belongs in no shared cache.
    """

    def __init__(self, personalizer: "Personalizer", scope: Scope, facts: Callable[[], RequestFacts]) -> None:
        self._personalizer = personalizer
        self._read_facts = facts
        self._waiting: list[tuple[str, str, dict[str, JSONValue]]] = []
        self._decisions: dict[str, Decision] = {}
        self._rule_set: RuleSet | None = personalizer.rule_set
        self._degraded = False
        self.scope = scope
        self.private = False
        self.now = personalizer.clock.now()
        self.filled: list[str] = []

    # Who is looking ------------------------------------------------------------------------------------

    @cached_property
    def facts(self) -> RequestFacts:
        """What the request tells of itself; a fact source of the site that fails adds nothing."""
        facts = self._read_facts()
        if self._personalizer.facts is None:
            return facts
        try:
            return replace(facts, **self._personalizer.facts.facts(self.scope))
        except Exception as error:  # noqa: BLE001  recognising the visitor must not break the page
            self._failed("the fact source failed", error)
            return facts

    @cached_property
    def consent(self) -> Consent:
        """What the visitor has decided; a consent source that fails counts as no decision."""
        try:
            return self._personalizer.consent.read(self.scope)
        except Exception as error:  # noqa: BLE001  recognising the visitor must not break the page
            self._failed("the consent source failed", error)
            return Consent()

    @cached_property
    def identity(self) -> Identity:
        """Who is looking, computed from the request alone."""
        personalizer = self._personalizer
        try:
            user_id = personalizer.login.user_id(self.scope)
        except Exception as error:  # noqa: BLE001  recognising the visitor must not break the page
            self._failed("the login source failed", error)
            user_id = None
        return identify(
            cookie_values=cookie_values(self.scope.get("headers", ()), self._cookie_name),
            user_id=user_id,
            consent=self.consent,
            tokens=personalizer.tokens,
            fresh=lambda: personalizer.chance(16),
            may_mint=self._is_person and self._is_navigation and personalizer.records,
        )

    @property
    def effective_consent(self) -> Consent:
        """What holds on this page: of the browser's decision and the stored one the stricter."""
        return stricter(self._profile.consent, self.consent) if self._profile is not None else self.consent

    @property
    def _is_person(self) -> bool:
        return not (self.facts.bot or self.facts.prefetch) and self.scope.get("method") == "GET"

    @property
    def _is_navigation(self) -> bool:
        """Whether the page itself is asked for, not a part of one: parts come several at once."""
        destination = self.facts.headers.get("sec-fetch-dest")
        return destination == "document" if destination else "text/html" in self.facts.headers.get("accept", "")

    @property
    def _secure(self) -> bool:
        return bool(self.scope.get("scheme") == "https")

    @property
    def _cookie_name(self) -> str:
        return cookie_name(self._personalizer.settings.cookie.name, secure=self._secure)

    # What is shown -------------------------------------------------------------------------------------

    @property
    def decisions(self) -> Mapping[str, Decision]:
        """What has been decided on this page so far, by slot."""
        return dict(self._decisions)

    async def slot(self, slot_id: str) -> Decision:
        """The decision for a slot, for code that shows it itself; the response becomes private by it."""
        self.private = True
        return await self.decide(slot_id)

    async def markup(self, slot_id: str, *, public_only: bool = False) -> str | None:
        """What to write into a slot, or None to keep the site's own markup. Never raises.

        `public_only` is for a response whose headers have left already: a personal decision keeps the site's
        own markup then.
        """
        try:
            decision = await self.decide(slot_id)
            if public_only and decision.personal:
                return None
            self.private = self.private or decision.personal
            markup = await self._render(decision)
        except Exception as error:  # noqa: BLE001  filling a slot must not break the page
            self._failed("a slot could not be filled", error)
            return None
        if markup is not None:
            self.filled.append(slot_id)
        self._personalizer.health.decided(decision, filled=markup is not None)
        return markup

    async def decide(self, slot_id: str) -> Decision:
        """The decision for a slot; all slots of its page are decided together, when the first is asked for."""
        known = self._decisions.get(slot_id)
        if known is not None:
            return known
        page = self._rule_set.pages.get(slot_id) if self._rule_set is not None else None
        if page is None or self._rule_set is None:
            self._decisions[slot_id] = Decision(slot_id, reason=Reason.UNKNOWN_SLOT)
        else:
            self._decisions.update(await self._decide_page(page, self._rule_set))
        return self._decisions[slot_id]

    async def _decide_page(self, page: Page, rule_set: RuleSet) -> Mapping[str, Decision]:
        if page.stored:
            await self._read_profile()
        shown = frozenset(item_id for decision in self._decisions.values() for item_id in decision.item_ids)
        decisions = decide(page, self._context(rule_set), rule_set, shown=shown)
        if not self._degraded:
            return decisions
        lost = {one: Decision(one, reason=Reason.DEGRADED, personal=True) for one in page.stored}
        return {**decisions, **lost}

    async def _render(self, decision: Decision) -> str | None:
        if not decision.item_ids or self._rule_set is None:
            return None
        items = [self._rule_set.library.items[item_id] for item_id in decision.item_ids]
        values = self._context(self._rule_set).attributes if decision.personal else {}
        return "".join(item.rendering.markup(values) for item in items)

    # What is known -------------------------------------------------------------------------------------

    _profile: Profile | None = None
    _profile_read = False
    _made_context: Context | None = None

    async def _read_profile(self) -> None:
        """Read the profile, once; where that fails or takes too long, its slots keep the site's own markup."""
        if self._profile_read or self.identity.profile_id is None:
            return
        self._profile_read = True
        try:
            async with asyncio.timeout(self._personalizer.settings.time_budget_seconds):
                self._profile = await self._personalizer.store.profile(self.identity.profile_id)
        except (StoreError, TimeoutError) as error:
            self._degraded = True
            self._failed("the profile could not be read", error)

    def _context(self, rule_set: RuleSet) -> Context:
        if self._made_context is None:
            self._made_context = make_context(
                identity=replace(self.identity, consent=self.effective_consent),
                profile=self._profile,
                facts=self.facts,
                now=self.now,
                zone=rule_set.conventions.zone,
                lifecycle=self._personalizer.lifecycle,
                catalogue=rule_set.facts,
                purposes=rule_set.purposes,
            )
        return self._made_context

    # What the site tells us ----------------------------------------------------------------------------

    def record(self, type: str, /, **properties: object) -> bool:
        """Queue an event of a declared type for this visitor, written after the response.

        Returns False, with the reason in the log, for what the schema doesn't allow; without the visitor's
        consent it is left out. Use `await personalizer.record(…)` where the next page has to see it.
        """
        schema = self._personalizer.schema
        try:
            known = check_event(type, properties, schema, zone=self._personalizer.zone)
        except EventRefused as error:
            self._refused(error)
            return False
        self._waiting.append((type, schema.events[type].purpose, known))
        return True

    def set(self, **attributes: object) -> bool:
        """Queue new values of declared attributes for this visitor; None removes one. See `record`."""
        schema = self._personalizer.schema
        try:
            known = check_attributes(attributes, schema, zone=self._personalizer.zone)
        except EventRefused as error:
            self._refused(error)
            return False
        for name, value in known.items():
            self._waiting.append((SET, schema.attributes[name].purpose, {name: value}))
        return True

    @property
    def notice(self) -> Notice:
        """What a consent notice on this page needs; the page becomes private, for it depends on the visitor."""
        self.private = True
        facts = self.facts
        root_path = self.scope.get("root_path", "")
        fields = {
            "landing_path": facts.path,
            "source": facts.source,
            "medium": facts.medium,
            "campaign": facts.campaign,
            "back": f"{root_path}{facts.path}",
        }
        return Notice(
            shown=not self.consent.decided,
            action=f"{root_path}{self._personalizer.settings.prefix}/consent",
            fields={name: value for name, value in fields.items() if value is not None},
        )

    # After the response --------------------------------------------------------------------------------

    def cookies(self) -> tuple[str, ...]:
        """The `Set-Cookie` values that a private response carries."""
        identity = self.identity
        if not self._personalizer.records:
            return ()
        if identity.leaves:
            return (delete_cookie(self._cookie_name, secure=self._secure),)
        if identity.visitor_id is None or not (identity.is_new or identity.renews or self._begins_visit):
            return ()
        return (self.identifier_cookie(identity.visitor_id),)

    @property
    def _begins_visit(self) -> bool:
        """Whether this page opens a visit of somebody we know: then the cookie's life begins anew."""
        if self._profile is None or self._profile.visit is None or not self._is_navigation:
            return False
        return self.now - self._profile.visit.last_page_at > self._personalizer.lifecycle.visit_ends_after

    def identifier_cookie(self, visitor_id: str) -> str:
        """The `Set-Cookie` value that keeps this id."""
        days = self._personalizer.settings.cookie.max_age_days
        return set_cookie(
            self._cookie_name,
            self._personalizer.tokens.sign(visitor_id),
            secure=self._secure,
            max_age_seconds=days * _DAY_SECONDS,
        )

    def finish(self, *, viewed: bool) -> None:
        """Queue what happened, once the response has left. `viewed` says that a page with slots was delivered
        to a person; otherwise only what the site itself recorded is kept."""
        if not self._personalizer.records or not (viewed or self._waiting):
            return
        identity = self.identity
        if identity.profile_id is None or (identity.is_new and identity.user_id is None):
            return  # nobody, or somebody whose browser has yet to show that it keeps our cookie
        for event in self._events(identity.profile_id, viewed=viewed and self._is_person):
            if not self._personalizer.ingest.put(event):
                self._failed("the queue was full, an event was dropped", None)

    def _events(self, profile_id: str, *, viewed: bool) -> list[Event]:
        make = self._personalizer.event
        consent = self.effective_consent
        events: list[Event] = []
        if viewed and self.identity.joins is not None:
            joins = self.identity.joins
            events.append(make(JOIN, profile_id, {"from": joins}, event_id=f"join:{joins}"))
        if viewed and consent.allows(_PAGE_VIEW_PURPOSE):
            events.append(make(PAGE_VIEW, profile_id, _page_facts(self.facts), occurred_at=self.now))
        if viewed and consent.allows(_IMPRESSION_PURPOSE):
            events += [make(IMPRESSION, profile_id, self._shown(slot_id)) for slot_id in self.filled]
        for type_, purpose, properties in self._waiting:
            if consent.allows(purpose):
                events.append(make(type_, profile_id, properties, occurred_at=self.now))
        return events

    def _shown(self, slot_id: str) -> dict[str, JSONValue]:
        decision = self._decisions[slot_id]
        items: list[JSONValue] = list(decision.item_ids)
        return {"slot": slot_id, "items": items, "rule": decision.rule_id}

    def _refused(self, error: EventRefused) -> None:
        logger.error("%s", error)
        self._failed("an event of the site was refused", error)

    def _failed(self, what: str, error: BaseException | None) -> None:
        self._personalizer.health.failed(what, error, self.now)


def _page_facts(facts: RequestFacts) -> dict[str, JSONValue]:
    """The facts of a page view that rules may read later; never the query string."""
    kept: dict[str, JSONValue] = {
        "path": facts.path,
        "source": facts.source,
        "medium": facts.medium,
        "campaign": facts.campaign,
        "device": facts.device,
        "language": facts.language,
        "country": facts.country,
    }
    return {name: value for name, value in kept.items() if value is not None}
