"""One page view: each slot is decided once, what was shown and what the site tells us is queued at the end."""

from collections.abc import Awaitable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from personalize.decisions.context import Context, make_context
from personalize.decisions.decide import decide
from personalize.decisions.decision import Decision, PageDecisions, Reason
from personalize.events.event import CONSENT, JOIN, JSONValue
from personalize.events.schema import DEFAULT_PURPOSE
from personalize.profiles.organization import Organization
from personalize.profiles.profile import Profile
from personalize.profiles.unit import unit_of
from personalize.rules.definitions import Placement
from personalize.rules.pages import Page
from personalize.rules.ruleset import RuleSet
from personalize.runtime.about_visitor import AboutVisitor
from personalize.runtime.cache_facts import CacheFacts
from personalize.runtime.own_facts import OwnFactsAsked
from personalize.runtime.page_events import Happening, PageEvents, PageFacts, filling_of, page_facts
from personalize.runtime.page_request import PageRequest
from personalize.runtime.seen import SeenMarks
from personalize.runtime.shown import markup_of, outcome_of, shown_alike
from personalize.runtime.site_events import SiteEvents
from personalize.runtime.sources import Scope
from personalize.runtime.visitor import Visitor
from personalize.visitors.consent import MEASURE_PURPOSE, Consent
from personalize.visitors.identity import Identity

if TYPE_CHECKING:
    from personalize.runtime.personalizer import Personalizer

#: Where the page view of a request stands in `scope["state"]`: `request.state.page_view` in Starlette.
STATE_KEY: Final = "page_view"
_NOTHING: Final[frozenset[str]] = frozenset()


@dataclass(frozen=True, slots=True)
class Notice:
    """What a consent notice on the page needs: whether to show it, where its form goes, its hidden fields."""

    shown: bool
    action: str
    fields: Mapping[str, str]


class PageView(SiteEvents):
    """What one request for a page is to us. Costs next to nothing until something asks.

    `private` says that the response depends on the visitor and belongs in no shared cache; whatever a site reads
    here of the visitor makes it so. `is_public` says that its head has left as a public one: from then on
    nothing that depends on the visitor is shown, nor what will change with the clock, unless that head allows for
    whatever any slot may show (`allows_for_all`). `has_decided` says that slots were decided, so that the response may
    depend on rules. Where personalizing is switched off (`is_off`) it answers as for nobody, and keeps nothing.
    """

    private: bool = False
    is_public: bool = False
    allows_for_all: bool = False
    has_decided: bool = False
    _counts_page: bool = True
    # What most of what a site serves never comes to; an attribute that an instance is given costs each of them.
    _filled: tuple[JSONValue, ...] = ()
    _pages: tuple[Page, ...] = ()
    _late: frozenset[str] = _NOTHING
    _looker: Visitor | None = None
    _context: Context | None = None
    _known: Profile | None = None
    _belongs: Organization | None = None
    _alike: PageDecisions | None = None

    def __init__(self, personalizer: "Personalizer", request: PageRequest, *, is_off: bool = False) -> None:
        self._personalizer, self._request = personalizer, request
        self._came_at = personalizer.seconds()
        self._rule_set: RuleSet | None = None if is_off else personalizer.rule_set
        self._pending = personalizer.pending
        if is_off:
            self._is_off = self._is_over = True
        self._decisions: dict[str, Decision] = {}

    @property
    def version(self) -> str | None:
        """That of the rule set that decides this page, None where nothing is live."""
        return self._rule_set.version if self._rule_set is not None else None

    @property
    def _visitor(self) -> Visitor:
        """Who looks at the page; most of what a site serves asks nothing of anybody."""
        if self._looker is None:
            self._looker = self._recognised()
        return self._looker

    def _recognised(self) -> Visitor:
        """Once the site has returned, no login can be seen any more."""
        if not self._request.scope:
            told = "who looks at a page was first asked for behind its response, where no login is seen: ask before"
            self._personalizer.health.tell_once("late visitor", told)
        return Visitor(self._personalizer, self._request, datetime.fromtimestamp(self._came_at, UTC))

    @property
    def identity(self) -> Identity:
        """Who is looking; the response becomes private by it."""
        self.private = True
        return self._visitor.identity

    @property
    def consent(self) -> Consent:
        """What the visitor has decided; the response becomes private by it."""
        self.private = True
        return self._visitor.consent

    def knows(self, slot_id: str) -> bool:
        """Whether the rule set defines this slot."""
        return self._rule_set is not None and slot_id in self._rule_set.slots

    @property
    def prefix(self) -> str:
        """Where our own pages are, as browsers know it."""
        return f"{self._request.root_path}{self._personalizer.settings.prefix}"

    def seen_mark(self, slot_id: str, marks: SeenMarks) -> str:
        """What the script of the page tells when this slot, which was filled, came into view."""
        assert self._rule_set is not None
        return marks.write(self._decisions[slot_id], self._rule_set)

    @property
    def placements(self) -> Mapping[str, Placement]:
        """The slots that stand where a selector finds them."""
        return self._rule_set.placements if self._rule_set is not None else {}

    def meet_unknown(self, slot_ids: Iterable[str]) -> None:
        """Count slots of the page that the rule set doesn't define; where nothing is live that goes without saying."""
        if self._rule_set is not None:
            for slot_id in slot_ids:
                self._personalizer.health.met(((slot_id, Reason.UNKNOWN_SLOT),))

    def meet_doubt(self, slot_id: str, why_kept: str | None, sentence: str) -> None:
        """Count a slot that keeps the site's own markup for what stands around it, and say so once in the log; with
        None it is filled all the same."""
        health = self._personalizer.health
        if why_kept is not None:
            health.met(((slot_id, why_kept),))
        health.tell_once(f"slot {slot_id}: {sentence}", "the slot %r %s", slot_id, sentence)

    def meet_compressed(self, coding: str, *, is_read: bool) -> None:
        """Say once that pages come compressed by this, and count one that can't be read, so that nobody knows its
        slots."""
        if not is_read:
            self._personalizer.health.skip_page("encoded")
        what = "each is read and leaves plain" if is_read else "which can't be read here"
        self._personalizer.health.tell_once(f"coding {coding}", "pages come compressed by %r, %s", coding, what)

    # What is shown -------------------------------------------------------------------------------------

    @property
    def decisions(self) -> Mapping[str, Decision]:
        """What has been decided on this page so far, by slot; the response becomes private by it."""
        self.private = True
        return dict(self._decisions)

    async def slot(self, slot_id: str) -> Decision:
        """The decision for a slot, for code that shows it itself; the response becomes private by it.

        Once a public head has left, a decision that depends on the visitor is the default one, and the log says
        so: ask before the response begins.
        """
        decision = await self._decided(slot_id)
        if self._conceals(decision):
            if self.is_public:
                self._personalizer.health.tell_once("late slot", "slot(%r) was asked for behind a public head", slot_id)
            decision = Decision(slot_id, version=decision.version)
        self.private = True
        return decision

    async def markups(self, slot_ids: Sequence[str]) -> Sequence[str | None]:
        """What to write into each of these slots, or None to keep the site's own markup. Never raises."""
        markups: list[str | None] = []
        outcomes: list[tuple[str, str]] = []
        for slot_id in slot_ids:
            markup = None
            try:
                if (reading := self._reading_for(slot_id)) is not None:  # as in `_decided`, without the way there
                    await reading
                decision = self._decide(slot_id)
                if not markups and (shown := self._shown_to_others(slot_ids)) is not None:
                    return shown
                self._depend(on_visitor=decision.personal)
                if not self._conceals(decision):
                    markup = self._render(decision)
                    outcomes.append(outcome_of(decision))
            except Exception as error:  # noqa: BLE001  filling a slot must not break the page
                self.private = True
                self._visitor.failed("a slot could not be filled", error)
            markups.append(markup)
        self._count(tuple(outcomes))
        return markups

    def _shown_to_others(self, slot_ids: Sequence[str]) -> Sequence[str | None] | None:
        """The markup of these slots, where it is the same for all for whom they are decided so, and nothing of it is to
        be concealed."""
        alike, rule_set = self._alike, self._rule_set
        if alike is None or rule_set is None or self.is_public:
            return None
        shown = shown_alike(alike, slot_ids, rule_set.library)
        if shown is None or (shown.is_personal and self._visitor.is_elsewhere):
            return None
        self._depend(on_visitor=shown.is_personal)
        self._filled += shown.filled
        self._count(shown.outcomes)
        return shown.markups

    def _depend(self, *, on_visitor: bool) -> None:
        """Take note that what the page shows depends on the visitor."""
        self.private = self.private or on_visitor

    def _conceals(self, decision: Decision) -> bool:
        """Whether what depends on the visitor may not be seen: behind a public head, and by scripts of other sites."""
        if self.is_public and decision.slot_id in self._late:
            return True
        return decision.personal and (self.is_public or self._visitor.is_elsewhere)

    def _count(self, outcomes: tuple[tuple[str, str], ...]) -> None:
        self._personalizer.health.met(outcomes)

    async def _decided(self, slot_id: str) -> Decision:
        """The decision for a slot, and what it depends on read before."""
        if (reading := self._reading_for(slot_id)) is not None:
            await reading
        return self._decide(slot_id)

    def _reading_for(self, slot_id: str) -> Awaitable[None] | None:
        """What has to be waited for before a slot can be decided; None where that is nothing."""
        rule_set = self._rule_set
        if rule_set is None or slot_id in self._decisions:
            return None
        page = rule_set.pages.get(slot_id)
        if page is None or not page.stored:
            return None
        if page.asks_organization and rule_set.belonging is not None:
            return self._visitor.read_profile_and_organization(rule_set.belonging)
        return self._visitor.reading()

    def _decide(self, slot_id: str) -> Decision:
        """The decision for a slot; all slots of its page are decided together, when the first is asked for."""
        decided = self._decisions
        if slot_id in decided:
            return decided[slot_id]
        rule_set = self._rule_set
        page = None if rule_set is None else rule_set.pages.get(slot_id)
        if page is None or rule_set is None:
            unknown = decided[slot_id] = Decision(slot_id, reason=Reason.UNKNOWN_SLOT)
            return unknown
        self.has_decided = True
        self._pages += (page,)
        if self.is_public and not self.allows_for_all:
            self._meet_late(page, rule_set)
        visitor = self._visitor
        context = self._context = self._make_context(rule_set, visitor)
        decisions = decide(page, context, rule_set, shown=self._shown() if decided else _NOTHING)
        degraded = visitor.degraded
        self._alike = None if decided or degraded else decisions
        decided.update(decisions)
        if degraded:
            decided.update({one: Decision(one, reason=Reason.DEGRADED, personal=True) for one in page.stored})
        return decided[slot_id]

    def _meet_late(self, page: Page, rule_set: RuleSet) -> None:
        """Note slots that are about to be decided behind a head that knows nothing of them."""
        if rule_set.sharing.next_change(page, self._visitor.now) is not None:
            self._late |= {slot.slot_id for slot in page.slots}

    def _shown(self) -> frozenset[str]:
        """The items that stand on the page; behind a public head personal decisions are not among them."""
        written = [one for one in self._decisions.values() if not self._conceals(one)]
        return frozenset(item_id for decision in written for item_id in decision.item_ids)

    def _make_context(self, rule_set: RuleSet, visitor: Visitor) -> Context:
        """The context of this page view; made anew where more of the visitor was read since."""
        if self._context is not None and self._known is visitor.profile and self._belongs is visitor.organization:
            return self._context
        self._known, self._belongs = visitor.profile, visitor.organization
        identity, consent = visitor.identity, visitor.consent
        return make_context(
            rule_set.ground,
            self._personalizer.lifecycle,
            identity=identity if identity.consent is consent else replace(identity, consent=consent),
            profile=visitor.profile,
            facts=visitor.facts,
            now=visitor.now,
            pending=self._pending,
            own=self._own_answers(rule_set) if self._personalizer.own_facts else None,
            organization=visitor.organization,
        )

    def _own_answers(self, rule_set: RuleSet) -> OwnFactsAsked:
        """What works out the facts of the site's own code."""
        own_facts, visitor = self._personalizer.own_facts, self._visitor
        return OwnFactsAsked(
            own_facts, rule_set.conventions, visitor.now, scope=visitor.request.scope_as_sent, failed=visitor.failed
        )

    def _render(self, decision: Decision) -> str | None:
        """The markup of what was decided, which then stands on the page; None where that is the site's own."""
        if not decision.item_ids or self._rule_set is None:
            return None
        markup = markup_of(decision, self._rule_set.library, self._attributes)
        self._filled += (filling_of(decision),)
        return markup

    def _attributes(self) -> Mapping[str, object]:
        """What of the visitor content may show."""
        return {} if self._context is None else self._context.attributes

    def for_caches(self) -> CacheFacts:
        """What the head of the response has to go by, when it tells caches for whom the page is."""
        health, now = self._personalizer.health, self._personalizer.clock.now()
        return CacheFacts(self._visitor, self._rule_set, self._pages, self._decisions, now, health.tell_once)

    def about_visitor(self) -> AboutVisitor:
        """What the visitor may ask of us, and tell us, about themselves; the response becomes private by it."""
        self.private = True
        return AboutVisitor(self._personalizer, self._visitor)

    @property
    def notice(self) -> Notice:
        """What a consent notice on this page needs; the page becomes private, for it depends on the visitor."""
        self.private = True
        facts = self._visitor.facts
        fields = {
            "landing_path": facts.path,
            "source": facts.source,
            "medium": facts.medium,
            "campaign": facts.campaign,
            "back": f"{self._request.root_path}{facts.path or '/'}",
        }
        return Notice(
            shown=not self._is_off and not self._visitor.decision.decided,
            action=f"{self.prefix}/consent",
            fields={name: value for name, value in fields.items() if value is not None},
        )

    # Around the response -------------------------------------------------------------------------------

    @property
    def is_told_all(self) -> bool:
        """Whether there is no cookie that the page has to carry."""
        return self._visitor.is_told_all

    async def cookies(self) -> tuple[str, ...]:
        """The `Set-Cookie` values that a private page carries, asked for once, when its head is about to leave.

        What a new id takes along (the anonymous past that joins a login, a decision that the login has yet to be
        told) is queued here: the browser will not come back with the old one.
        """
        visitor = self._visitor
        identity, decision = visitor.identity, visitor.decision
        if not self._personalizer.records:
            return ()
        cookies = [visitor.cookie_without_consent()] if visitor.is_asked_anew else []
        if decision.is_news and visitor.opens_page and self._tell_login(decision):
            cookies.append(visitor.cookie_with_consent(Consent(decision.granted)))
        if identity.leaves:
            cookies.append(visitor.cookie_without_id())
        cookies += visitor.cookies_of_arm(decision, identity.arm if identity.is_new else None)
        if identity.visitor_id is not None and visitor.wants_cookie_with(identity) and await self._take_along(identity):
            cookies.append(visitor.cookie_with_id(identity.visitor_id))
        return tuple(cookies)

    def _tell_login(self, decision: Consent) -> bool:
        """Keep with the login what was decided where it could not be seen; false where that is to be tried again."""
        user_id = self._visitor.user_id
        granted: list[JSONValue] = []
        granted.extend(sorted(decision.granted or ()))
        return user_id is None or self._queue(f"u:{user_id}", told=[Happening(CONSENT, {"granted": granted})])

    async def _take_along(self, identity: Identity) -> bool:
        """Join the anonymous past to the login that takes its browser over; false, so that no id is set, where the
        login has refused."""
        if identity.user_id is not None and not (await self._visitor.settled_consent()).permits_identifier:
            return False
        if identity.joins is None or identity.profile_id is None:
            return True
        if unit_of(identity.profile_id, self._visitor.profile, identity.joins) != identity.joins:
            self._personalizer.health.units_changed += 1
        join = Happening(JOIN, {"from": identity.joins}, f"join:{identity.joins}")
        return self._queue(identity.profile_id, told=[join])

    async def finish(self, *, viewed: bool) -> None:
        """Queue what happened, once the response has left. `viewed` says that a page with slots was delivered;
        otherwise, and for robots, only what the site itself recorded is kept."""
        self.close()
        if not self._personalizer.records or not (viewed or self.told):
            return
        visitor = self._visitor
        identity = visitor.identity
        if (identity.profile_id or identity.arm) is None or (identity.is_new and identity.user_id is None):
            return  # nobody, or somebody whose browser has yet to show that it keeps our cookie
        consent = visitor.known_consent if visitor.user_id is None else await visitor.settled_consent()
        kept_under = identity.profile_id if consent.permits_identifier else identity.arm
        if kept_under is None:
            return
        granted = consent.granted or _NOTHING
        viewed = viewed and visitor.is_person
        counts_page = viewed and self._counts_page and DEFAULT_PURPOSE in granted
        self._queue(
            kept_under,
            page=page_facts(visitor.facts) if counts_page else None,
            shown=self._filled if viewed and MEASURE_PURPOSE in granted else (),
            told=self._kept_of_told(granted, only_measured=consent.only_measures) if self.told else (),
        )

    def _queue(
        self,
        profile_id: str,
        *,
        page: PageFacts | None = None,
        shown: Sequence[JSONValue] = (),
        told: Sequence[Happening] = (),
    ) -> bool:
        """Queue what happened on this page view; false where there was no room for it."""
        happened = PageEvents(profile_id, self._visitor.now, self.version, page, shown, told)
        if self._personalizer.ingest.put(happened):
            return True
        self._visitor.failed("the queue was full, an event was dropped", None)
        return False


def page_view_of(scope: Scope) -> PageView:
    """The page view of a request that the middleware has wrapped. Raises KeyError for any other."""
    page_view: PageView = scope["state"][STATE_KEY]
    return page_view
