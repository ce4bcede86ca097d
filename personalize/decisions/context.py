"""All that a rule can see of one page view: who, what is known of them, the request, and now."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import field, replace
from datetime import datetime, tzinfo
from types import MappingProxyType
from typing import Any

from personalize.decisions.fact_readers import Plan, plan_of, reader_of
from personalize.events.event import WEB
from personalize.events.schema import DEFAULT_PURPOSE
from personalize.light_values import light_dataclass
from personalize.profiles.lifecycle import Lifecycle
from personalize.profiles.organization import Organization
from personalize.profiles.profile import Profile, Visit
from personalize.profiles.seen import last_seen_before
from personalize.profiles.visits import visit_with_page
from personalize.rules.facts import LOCAL_NOW, Fact
from personalize.rules.index.index import Reach
from personalize.rules.unanswerable import Unanswerable
from personalize.visitors.consent import Consent
from personalize.visitors.identity import Identity
from personalize.zones import zone_named


@light_dataclass(frozen=True, slots=True)
class RequestFacts:
    """What one request tells of itself; None where it doesn't.

    `query` holds every value of a parameter in order; `headers` are by lower-case name; `language` is a
    lower-case primary tag (`nb`); `prefetch` says that nobody looks at the page yet. `unanswerable` are the names of
    fields that the site would have told, and its code raised. `channel` is where it is shown, in one word.
    """

    path: str | None = None
    host: str | None = None
    query: Mapping[str, tuple[str, ...]] = field(default_factory=lambda: MappingProxyType({}))
    referrer: str | None = None
    source: str | None = None
    medium: str | None = None
    campaign: str | None = None
    device: str | None = None
    browser: str | None = None
    os: str | None = None
    language: str | None = None
    country: str | None = None
    region: str | None = None
    city: str | None = None
    bot: bool = False
    prefetch: bool = False
    headers: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    cookies: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    unanswerable: frozenset[str] = frozenset()
    channel: str = WEB


@light_dataclass(frozen=True, slots=True)
class Context:
    """One page view as the rules see it.

    `profile` is already cut to what the visitor's consent grants, or None; `facts` is None where no page is
    asked for (counting segments). `now` is an aware UTC datetime, `zone` the site's; `local_zone` is the visitor's
    own where it is known, else the site's, too. `values` answers facts by name.
    `own` works out the facts of the site's own code from those that they read; None where there are none.
    `organization` is the one that the visitor belongs to, None for none.
    """

    identity: Identity
    profile: Profile | None
    facts: RequestFacts | None
    now: datetime
    zone: tzinfo
    local_zone: tzinfo
    lifecycle: Lifecycle
    values: "FactValues"
    own: "OwnAnswers | None" = None
    organization: Organization | None = None

    @property
    def consent(self) -> Consent:
        """What the visitor has decided."""
        return self.identity.consent

    @property
    def attributes(self) -> Mapping[str, object]:
        """The attributes that a content item may show, by name."""
        if self.profile is None:
            return {}
        return {name: stored.value for name, stored in self.profile.attributes.items()}


#: The value of a fact of the site's own, by the values of the facts that it reads: None where it is missing,
#: `Unanswerable` where it raised. It never raises itself.
OwnAnswers = Callable[[Fact, Mapping[str, object]], object]


def make_context(
    *,
    identity: Identity,
    profile: Profile | None,
    facts: RequestFacts | None,
    now: datetime,
    zone: tzinfo,
    lifecycle: Lifecycle,
    catalogue: Mapping[str, Fact],
    purposes: Mapping[str, str] | None = None,
    pending: Collection[str] = (),
    own: "OwnAnswers | None" = None,
    zone_attribute: str | None = None,
    organization: Organization | None = None,
    organization_attribute: str | None = None,
) -> Context:
    """The context of a page view; facts whose purpose is not granted are left out here and nowhere else.

    `catalogue` holds the facts that the rule set reads, by name; any other is missing. `purposes` are those of
    the declared attributes, so that attributes a template may show are cut as well. `pending` are the names of
    facts that the stored profiles don't hold yet: they can't be answered, whoever asks. `own` works out the facts
    of the site's own code. `zone_attribute` names the attribute that tells the visitor's time zone, and
    `organization_attribute` the one that names their `organization`: who may not be known by it belongs to none here.
    """
    permitted = _permitted(profile, identity.consent, purposes or {})
    values = FactValues(catalogue, identity.consent.granted or frozenset())
    if pending:
        values.give(dict.fromkeys(pending, Unanswerable.PENDING))
    local_zone = zone if zone_attribute is None else _visitors_zone(permitted, zone_attribute) or zone
    names = permitted.attributes if permitted is not None else {}
    where = organization if organization_attribute is None or organization_attribute in names else None
    context = Context(identity, permitted, facts, now, zone, local_zone, lifecycle, values, own, where)
    values.bind(context)
    return context


def _visitors_zone(profile: Profile | None, zone_attribute: str) -> tzinfo | None:
    stored = None if profile is None else profile.attributes.get(zone_attribute)
    return None if stored is None else zone_named(stored.value)


def context_if(context: Context, *, now: datetime, values: Mapping[str, object]) -> Context:
    """The same page view at another moment, with other values of some facts; what was given stays as it was given,
    and all else is worked out anew."""
    other = replace(context, now=now, values=context.values.anew(values))
    other.values.bind(other)
    return other


def _permitted(profile: Profile | None, consent: Consent, purposes: Mapping[str, str]) -> Profile | None:
    if profile is None or not consent.permits_identifier:
        return None
    granted = consent.granted or frozenset()
    if DEFAULT_PURPOSE in granted and granted.issuperset(purposes.values()):
        return profile
    names = [name for name in profile.attributes if purposes.get(name, DEFAULT_PURPOSE) in granted]
    if len(names) == len(profile.attributes):
        return profile
    return replace(profile, attributes=MappingProxyType({name: profile.attributes[name] for name in names}))


_NOTHING: Mapping[str, object] = MappingProxyType({})
#: For how many different grants it is kept how the facts of a reach are worked out.
_MOST_PLANS = 64


class FactValues(dict[str, object]):
    """The values of facts by name, each worked out once, when a rule first asks; None is missing, `Unanswerable`
    what nobody can tell."""

    __slots__ = ("_catalogue", "_context", "_given", "_granted", "_is_visit_known", "_visit")

    def __init__(self, catalogue: Mapping[str, Fact], granted: frozenset[str]) -> None:
        self._catalogue = catalogue
        self._granted = granted
        self._given: Mapping[str, object] = _NOTHING
        self._context: Context | None = None
        self._visit: Visit | None = None
        self._is_visit_known = False

    def give(self, values: Mapping[str, object]) -> None:
        """Say what some facts are, whatever would be worked out."""
        self._given = {**self._given, **values}
        self.update(values)

    def anew(self, values: Mapping[str, object]) -> "FactValues":
        """Facts of the same visitor with nothing worked out yet; given is what was, and these values."""
        fresh = FactValues(self._catalogue, self._granted)
        fresh.give({**self._given, **values})
        return fresh

    def bind(self, context: Context | None) -> None:
        """Say whose facts these are; None where nobody will ask for more of them."""
        self._context = context
        if context is not None:
            self.pop(LOCAL_NOW, None)  # it is told anew, in this context's zone

    def work_out(self, reach: Reach) -> None:
        """Work out all that a reach depends on, which is quicker than one by one when they are missed."""
        context = self._context
        if context is None:
            return
        if self._given:  # what was given is not worked out
            for name in reach.fact_names:
                self[name]
            return
        groups, others = reach.plans.get(self._granted) or self._planned(reach)
        for names, read_all in groups:
            for name, value in zip(names, read_all(context), strict=True):  # a third of what `update` takes
                self[name] = value
        for name, read, fact in others:
            if name not in self:
                self[name] = read(context, fact)

    def _planned(self, reach: Reach) -> Plan:
        """How to work out each fact of a reach: the same for all who have granted the same."""
        if len(reach.plans) >= _MOST_PLANS:
            reach.plans.clear()
        plan = reach.plans[self._granted] = plan_of(reach.facts, self._granted)
        return plan

    def get(self, name: str, default: Any = None) -> Any:
        """The value as far as it is worked out, else the default; what the visitor's clock says is told at any time."""
        return self[name] if name == LOCAL_NOW else super().get(name, default)

    def __missing__(self, name: str) -> object:
        if name == LOCAL_NOW and self._context is not None:
            local = self[name] = self._context.now.astimezone(self._context.local_zone)
            return local
        fact, context = self._catalogue.get(name), self._context
        value = self[name] = None if fact is None or context is None else reader_of(fact, self._granted)(context, fact)
        return value

    @property
    def visit(self) -> Visit | None:
        """The visit that this page view belongs to; the stored one where no page is asked for."""
        if not self._is_visit_known and self._context is not None:
            self._visit, self._is_visit_known = _visit(self._context), True
        return self._visit


def _visit(context: Context) -> Visit | None:
    known = context.profile if DEFAULT_PURPOSE in (context.identity.consent.granted or ()) else None
    stored = known.visit if known is not None else None
    if context.facts is None:
        return stored
    ends_after = context.lifecycle.visit_ends_after
    goes_on = stored is not None and stored.started_at <= context.now <= stored.last_page_at + ends_after
    seen = None if known is None or goes_on else last_seen_before(known, context.now, ends_after)
    return visit_with_page(stored, context.facts, context.now, seen, ends_after)
