"""All that a rule can see of one page view: who, what is known of them, the request, and now."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from datetime import datetime, tzinfo
from types import MappingProxyType
from typing import Any, Final

from personalize.decisions.fact_readers import Plan, plan_of, reader_of
from personalize.events.event import WEB
from personalize.events.schema import DEFAULT_PURPOSE
from personalize.light_values import light_dataclass
from personalize.profiles.lifecycle import Lifecycle
from personalize.profiles.organization import Organization
from personalize.profiles.profile import Profile, Visit
from personalize.profiles.seen import last_seen_before
from personalize.profiles.visits import begins_with_page, visit_with_page
from personalize.rules.facts import LOCAL_NOW, Fact
from personalize.rules.ground import Ground
from personalize.rules.index.index import Answers, Index, Reach
from personalize.rules.unanswerable import Unanswerable
from personalize.visitors.consent import Consent
from personalize.visitors.identity import Identity
from personalize.zones import zone_named

_NOTHING: Final[Mapping[str, Any]] = MappingProxyType({})
#: In the place of a value that nobody has asked for.
_NOT_YET: Final = object()
_NO_PURPOSES: Final[frozenset[str]] = frozenset()
#: For how many different grants it is kept how the facts of a reach are worked out.
_MOST_PLANS: Final = 64


@light_dataclass(frozen=False, slots=True)
class RequestFacts:
    """What one request tells of itself; None where it doesn't.

    `query` holds every value of a parameter in order; `headers` are by lower-case name; `language` is a
    lower-case primary tag (`nb`); `prefetch` says that nobody looks at the page yet. `unanswerable` are the names of
    fields that the site would have told, and its code raised. `channel` is where it is shown, in one word.
    """

    path: Final[str | None]
    host: Final[str | None]
    query: Final[Mapping[str, tuple[str, ...]]]
    referrer: Final[str | None]
    source: Final[str | None]
    medium: Final[str | None]
    campaign: Final[str | None]
    device: Final[str | None]
    browser: Final[str | None]
    os: Final[str | None]
    language: Final[str | None]
    country: Final[str | None]
    region: Final[str | None]
    city: Final[str | None]
    bot: Final[bool]
    prefetch: Final[bool]
    headers: Final[Mapping[str, str]]
    cookies: Final[Mapping[str, str]]
    unanswerable: Final[frozenset[str]]
    channel: Final[str]

    def __init__(
        self,
        path: str | None = None,
        host: str | None = None,
        query: Mapping[str, tuple[str, ...]] = _NOTHING,
        referrer: str | None = None,
        source: str | None = None,
        medium: str | None = None,
        campaign: str | None = None,
        device: str | None = None,
        browser: str | None = None,
        os: str | None = None,
        language: str | None = None,
        country: str | None = None,
        region: str | None = None,
        city: str | None = None,
        bot: bool = False,
        prefetch: bool = False,
        headers: Mapping[str, str] = _NOTHING,
        cookies: Mapping[str, str] = _NOTHING,
        unanswerable: frozenset[str] = _NO_PURPOSES,
        channel: str = WEB,
    ) -> None:
        self.path = path
        self.host = host
        self.query = query
        self.referrer = referrer
        self.source = source
        self.medium = medium
        self.campaign = campaign
        self.device = device
        self.browser = browser
        self.os = os
        self.language = language
        self.country = country
        self.region = region
        self.city = city
        self.bot = bot
        self.prefetch = prefetch
        self.headers = headers
        self.cookies = cookies
        self.unanswerable = unanswerable
        self.channel = channel


#: The value of a fact of the site's own, by the values of the facts that it reads: None where it is missing,
#: `Unanswerable` where it raised. It never raises itself.
OwnAnswers = Callable[[Fact, Mapping[str, object]], object]


class Context:
    """One page view as the rules see it: the values of facts by name, each worked out when somebody first asks. None
    is missing, `Unanswerable` what nobody can tell.

    `profile` is already cut to what the visitor's consent grants, or None; `facts` is None where no page is
    asked for (counting segments). `now` is an aware UTC datetime; `local_zone` is the visitor's own where it is known,
    else the site's. `own` works out the facts of the site's own code from those that they read; None where there are
    none. `organization` is the one that the visitor belongs to, None for none.
    """

    def __init__(
        self,
        ground: Ground,
        lifecycle: Lifecycle,
        identity: Identity,
        profile: Profile | None,
        facts: RequestFacts | None,
        now: datetime,
        local_zone: tzinfo,
        own: OwnAnswers | None = None,
        organization: Organization | None = None,
    ) -> None:
        self.ground: Final[Ground] = ground
        self.lifecycle: Final[Lifecycle] = lifecycle
        self.identity: Final[Identity] = identity
        self.profile: Final[Profile | None] = profile
        self.facts: Final[RequestFacts | None] = facts
        self.now: Final[datetime] = now
        self.local_zone: Final[tzinfo] = local_zone
        self.own: Final[OwnAnswers | None] = own
        self.organization: Final[Organization | None] = organization
        self._granted = identity.consent.granted or _NO_PURPOSES
        self._values: dict[str, object] = {}
        self._given = _NOTHING
        self._is_visit_known = False
        self._visit: Visit | None = None

    def __getitem__(self, name: str) -> object:
        known = self._values.get(name, _NOT_YET)
        if known is _NOT_YET:
            known = self._values[name] = self._worked_out(name)
        return known

    def get(self, name: str, default: Any = None) -> Any:
        """The value as far as it is worked out, else the default; what the visitor's clock says is told at any time."""
        return self[name] if name == LOCAL_NOW else self._values.get(name, default)

    def _worked_out(self, name: str) -> object:
        if name == LOCAL_NOW:
            return self.now.astimezone(self.local_zone)
        fact = self.ground.facts.get(name)
        return None if fact is None else reader_of(fact, self._granted)(self, fact)

    def give(self, values: Mapping[str, object]) -> None:
        """Say what some facts are, whatever would be worked out."""
        self._given = {**self._given, **values}
        self._values.update(values)

    def answers(self, index: Index, reach: Reach) -> Answers:
        """What these facts make of the conditions that a reach covers."""
        planned, told = self.told(reach)
        return Answers(index, planned, told, self, self.now)

    def told(self, reach: Reach) -> tuple[Reach, list[object]]:
        """The values of all that a reach depends on, and the reach in their order: many are worked out at once, which
        is quicker than one by one."""
        if self._given:  # what was given is not worked out
            return reach, [self[name] for name in reach.fact_names]
        told: list[object] = []
        plan: Plan = reach.plans.get(self._granted) or self._planned(reach)
        for read in plan.groups:
            told += read(self)
        return plan.reach, told

    def _planned(self, reach: Reach) -> Plan:
        """How to work out the facts of a reach: the same for all who have granted the same."""
        if len(reach.plans) >= _MOST_PLANS:
            reach.plans.clear()
        plan = reach.plans[self._granted] = plan_of(reach, self._granted)
        return plan

    @property
    def consent(self) -> Consent:
        """What the visitor has decided."""
        return self.identity.consent

    @property
    def visit(self) -> Visit | None:
        """The visit that this page view belongs to; the stored one where no page is asked for."""
        if not self._is_visit_known:
            self._visit, self._is_visit_known = self._with_page(self._stored_visit), True
        return self._visit

    @property
    def origin(self) -> Visit | RequestFacts | None:
        """What tells where that visit comes from: this page, where it begins with it, else the stored one. Most rules
        ask nothing else of a visit, and no new one has to be made for that."""
        stored, page = self._stored_visit, self.facts
        begins = page is not None and begins_with_page(stored, self.now, self.lifecycle.visit_ends_after)
        return page if begins else stored

    @property
    def _stored_visit(self) -> Visit | None:
        return None if self.profile is None or DEFAULT_PURPOSE not in self._granted else self.profile.visit

    def _goes_on(self, visit: Visit) -> bool:
        return visit.started_at <= self.now <= visit.last_page_at + self.lifecycle.visit_ends_after

    def _with_page(self, stored: Visit | None) -> Visit | None:
        if self.facts is None:
            return stored
        seen, ends_after = None, self.lifecycle.visit_ends_after
        if self.profile is not None and DEFAULT_PURPOSE in self._granted and not (stored and self._goes_on(stored)):
            seen = last_seen_before(self.profile, self.now, ends_after)
        return visit_with_page(stored, self.facts, self.now, seen, ends_after)

    @property
    def attributes(self) -> Mapping[str, object]:
        """The attributes that a content item may show, by name."""
        if self.profile is None:
            return {}
        return {name: stored.value for name, stored in self.profile.attributes.items()}

    def otherwise(
        self, values: Mapping[str, object], *, now: datetime | None = None, local_zone: tzinfo | None = None
    ) -> "Context":
        """The same page view with other values of some facts, at another moment or in another zone; what was given
        stays as it was given, and all else is worked out anew."""
        other = Context(
            self.ground,
            self.lifecycle,
            self.identity,
            self.profile,
            self.facts,
            now or self.now,
            local_zone or self.local_zone,
            self.own,
            self.organization,
        )
        other.give({**self._given, **values})
        other._values.pop(LOCAL_NOW, None)  # it is told anew
        return other


def make_context(
    ground: Ground,
    lifecycle: Lifecycle,
    *,
    identity: Identity,
    profile: Profile | None,
    facts: RequestFacts | None,
    now: datetime,
    pending: Collection[str] = (),
    own: OwnAnswers | None = None,
    organization: Organization | None = None,
) -> Context:
    """The context of a page view; facts whose purpose is not granted are left out here and nowhere else.

    `pending` are the names of facts that the stored profiles don't hold yet: they can't be answered, whoever asks.
    `own` works out the facts of the site's own code. Who may not be known by what names their `organization` belongs
    to none here.
    """
    permitted = _permitted(profile, identity.consent, ground)
    local_zone, where = ground.zone, organization
    if ground.zone_attribute is not None:
        local_zone = _visitors_zone(permitted, ground.zone_attribute) or local_zone
    if where is not None and ground.organization_attribute is not None:
        names = permitted.attributes if permitted is not None else {}
        where = where if ground.organization_attribute in names else None
    context = Context(ground, lifecycle, identity, permitted, facts, now, local_zone, own, where)
    if pending:
        context.give(dict.fromkeys(pending, Unanswerable.PENDING))
    return context


def _visitors_zone(profile: Profile | None, zone_attribute: str) -> tzinfo | None:
    stored = None if profile is None else profile.attributes.get(zone_attribute)
    return None if stored is None else zone_named(stored.value)


def _permitted(profile: Profile | None, consent: Consent, ground: Ground) -> Profile | None:
    if profile is None or not consent.permits_identifier:
        return None
    granted = consent.granted or frozenset()
    if granted >= ground.all_purposes:
        return profile
    purposes = ground.purposes
    names = [name for name in profile.attributes if purposes.get(name, DEFAULT_PURPOSE) in granted]
    if len(names) == len(profile.attributes):
        return profile
    return replace(profile, attributes=MappingProxyType({name: profile.attributes[name] for name in names}))
