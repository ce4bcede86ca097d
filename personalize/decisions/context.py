"""All that a rule can see of one page view: who, what is known of them, the request, and now."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import field, replace
from datetime import datetime, tzinfo
from decimal import Decimal
from operator import attrgetter
from types import MappingProxyType
from typing import TypeAlias

from personalize.events.schema import DEFAULT_PURPOSE
from personalize.hashing import share
from personalize.light_values import light_dataclass
from personalize.profiles.lifecycle import Lifecycle, is_new, state_of
from personalize.profiles.organization import Organization
from personalize.profiles.profile import AttributeValue, Profile, SharedTotals, Visit
from personalize.profiles.seen import last_seen_before
from personalize.profiles.stated import favourite, interest_in
from personalize.profiles.unit import unit_of
from personalize.profiles.visits import PageFacts, visit_with_page
from personalize.rules.beside import pairs
from personalize.rules.fact_values import fact_value
from personalize.rules.facts import (
    INTEREST_ROOT,
    LOCAL_NOW,
    ORGANIZATION_ROOT,
    OWN_ROOT,
    PAIR_ROOT,
    SPLIT_ROOT,
    Fact,
    FactType,
)
from personalize.rules.index import Reach
from personalize.rules.now_facts import now_value
from personalize.rules.paths import follow
from personalize.rules.unanswerable import Unanswerable
from personalize.visitors.consent import Consent
from personalize.visitors.identity import Identity
from personalize.zones import zone_named


@light_dataclass(frozen=True, slots=True)
class RequestFacts:
    """What one request tells of itself; None where it doesn't.

    `query` holds every value of a parameter in order; `headers` are by lower-case name; `language` is a
    lower-case primary tag (`nb`); `prefetch` says that nobody looks at the page yet. `unanswerable` are the names of
    fields that the site would have told, and its code raised.
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
    local_zone = _visitors_zone(permitted, zone_attribute) or zone
    names = permitted.attributes if permitted is not None else {}
    where = organization if organization_attribute is None or organization_attribute in names else None
    context = Context(identity, permitted, facts, now, zone, local_zone, lifecycle, values, own, where)
    values.bind(context)
    return context


def _visitors_zone(profile: Profile | None, zone_attribute: str | None) -> tzinfo | None:
    stored = None if profile is None or zone_attribute is None else profile.attributes.get(zone_attribute)
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
            self[LOCAL_NOW] = context.now.astimezone(context.local_zone)

    def work_out(self, reach: Reach) -> None:
        """Work out all that a reach depends on, which is quicker than one by one when they are missed."""
        context = self._context
        if context is None:
            return
        for name, read, fact in reach.plans.get(self._granted) or self._planned(reach):
            if name not in self:
                self[name] = read(context, fact)

    def _planned(self, reach: Reach) -> "_Plan":
        """How to work out each fact of a reach: the same for all who have granted the same."""
        if len(reach.plans) >= _MOST_PLANS:
            reach.plans.clear()
        plan = reach.plans[self._granted] = tuple((fact.name, self._reader(fact), fact) for fact in reach.facts)
        return plan

    def _reader(self, fact: Fact) -> "_Reader":
        is_granted = fact.purpose is None or fact.purpose in self._granted
        return _READERS.get(fact.root, _event_value) if is_granted else _nothing

    def __missing__(self, name: str) -> object:
        fact, context = self._catalogue.get(name), self._context
        value = self[name] = None if fact is None or context is None else self._reader(fact)(context, fact)
        return value

    @property
    def visit(self) -> Visit | None:
        """The visit that this page view belongs to; the stored one where no page is asked for."""
        if not self._is_visit_known and self._context is not None:
            self._visit, self._is_visit_known = _visit(self._context), True
        return self._visit


def _nothing(context: Context, fact: Fact) -> None:
    """What is known of a fact whose purpose is not granted."""


def _profile_value(context: Context, fact: Fact) -> object:
    """An attribute as it is declared now: what is of another type, or no choice any more, is missing."""
    stored = context.profile.attributes.get(fact.key) if context.profile is not None else None
    return _attribute_value(stored, fact, context.zone)


def _attribute_value(stored: AttributeValue | None, fact: Fact, zone: tzinfo) -> object:
    if stored is None:
        return None
    if not fact.many:
        value = follow(stored.value, fact.path) if fact.path else stored.value
        value = fact_value(value, fact.type, zone)
        return value if not fact.choices or _is_choice(value, fact) else None
    if not isinstance(stored.value, list):
        return None
    values = [one for item in stored.value if (one := fact_value(item, fact.type, zone)) is not None]
    return values if values or not stored.value else None


def _is_choice(value: object, fact: Fact) -> bool:
    if isinstance(value, str) and fact.fold:
        return value.casefold() in (choice.casefold() for choice in fact.choices)
    return value in fact.choices


def _event_value(context: Context, fact: Fact) -> object:
    if context.profile is None:
        return None
    totals = context.profile.totals.get(fact.root)
    if totals is None:
        return 0 if fact.key in ("count", "total") else None
    return _TOTALS[fact.key](totals)


_TOTALS: Mapping[str, Callable[..., object]] = {
    "count": attrgetter("count"),
    "total": attrgetter("sum"),
    "average": lambda totals: Decimal(totals.sum) / totals.count,
    "first": attrgetter("first_at"),
    "last": attrgetter("last_at"),
    "first_value": attrgetter("first_value"),
    "last_value": attrgetter("last_value"),
}


def _visitor_value(context: Context, fact: Fact) -> object:
    profile = context.profile
    if fact.key == "known":
        return profile is not None and context.consent.allows(DEFAULT_PURPOSE)
    if profile is None:
        return None
    return _VISITOR[fact.key](context, profile)


_VISITOR: Mapping[str, Callable[[Context, Profile], object]] = {
    "new": lambda context, profile: is_new(profile, context.values.visit, context.now, context.lifecycle),
    "visits": lambda context, profile: visit.number if (visit := context.values.visit) is not None else 0,
    "first_seen": lambda context, profile: profile.first_seen_at,
    "last_seen": lambda context, profile: profile.last_seen_at,
    "state": lambda context, profile: state_of(profile, context.values.visit, context.now, context.lifecycle),
}


def _page_value(context: Context, fact: Fact) -> object:
    facts = context.facts
    if facts is None:
        return None
    if "." not in fact.key:
        return Unanswerable.RAISED if fact.key in facts.unanswerable else getattr(facts, fact.key)
    family, _, name = fact.key.partition(".")
    if family == "query":
        return list(facts.query.get(name, ())) or None
    found = facts.headers.get(name.lower()) if family == "header" else facts.cookies.get(name)
    return None if found is None else [found]


def _visit(context: Context) -> Visit | None:
    known = context.profile if context.consent.allows(DEFAULT_PURPOSE) else None
    stored = known.visit if known is not None else None
    if context.facts is None:
        return stored
    page = PageFacts(
        path=context.facts.path,
        source=context.facts.source,
        medium=context.facts.medium,
        campaign=context.facts.campaign,
    )
    ends_after = context.lifecycle.visit_ends_after
    goes_on = stored is not None and stored.started_at <= context.now <= stored.last_page_at + ends_after
    seen = None if known is None or goes_on else last_seen_before(known, context.now, ends_after)
    return visit_with_page(stored, page, context.now, seen, ends_after)


def _visit_value(context: Context, fact: Fact) -> object:
    visit = context.values.visit
    return getattr(visit, "started_at" if fact.key == "started" else fact.key) if visit is not None else None


def _split_value(context: Context, fact: Fact) -> object:
    if not fact.parts:
        profile = context.profile if context.consent.permits_identifier else None
        unit: object = unit_of(context.identity.profile_id, profile, context.identity.joins)
    else:
        unit = context.values[fact.parts[0].name]
    if isinstance(unit, Unanswerable):
        return unit
    return share(fact.key, str(unit)) if isinstance(unit, str | int | Decimal) else None


def _pair_value(context: Context, fact: Fact) -> object:
    left, right = (context.values[part.name] for part in fact.parts)
    unanswerable = left if isinstance(left, Unanswerable) else right
    return unanswerable if isinstance(unanswerable, Unanswerable) else pairs(left, right, fold=fact.fold)


def _now_value(context: Context, fact: Fact) -> object:
    if fact.type is FactType.INSTANT:
        return context.now
    local = context.values[LOCAL_NOW]
    assert isinstance(local, datetime)
    return now_value(fact, local)


def _counter_value(context: Context, fact: Fact) -> object:
    return context.profile.recent.get(fact.key, ()) if context.profile is not None else None


def _interest_value(context: Context, fact: Fact) -> object:
    profile, half_life = context.profile, context.lifecycle.interest_half_life
    if profile is None:
        return None
    if fact.type is FactType.TEXT:
        return favourite(profile.interests, profile.stated, context.now, half_life)
    return interest_in(fact.key, profile.interests, profile.stated, context.now, half_life)


def _organization_value(context: Context, fact: Fact) -> object:
    """What is known of the organization, and of what its members share: nothing where they belong to none."""
    organization = context.organization
    if fact.key == "known":
        return organization is not None
    if organization is None:
        return None
    if fact.key == "members":
        return organization.members
    event, _, key = fact.key.rpartition(".")
    if not event or fact.path:
        return _attribute_value(organization.attributes.get(fact.key), fact, context.zone)
    shared = organization.totals.get(event)
    if shared is None:
        return 0 if key in ("count", "total") else None
    return _SHARED[key](shared)


_SHARED: Mapping[str, Callable[[SharedTotals], object]] = {
    "count": attrgetter("count"),
    "total": attrgetter("sum"),
    "average": lambda shared: Decimal(shared.sum) / shared.count,
}


def _own_value(context: Context, fact: Fact) -> object:
    if context.own is None:
        return None
    read = {part.name: context.values[part.name] for part in fact.parts}
    unanswerable = [value for value in read.values() if isinstance(value, Unanswerable)]
    return unanswerable[0] if unanswerable else context.own(fact, read)


_Reader: TypeAlias = Callable[[Context, Fact], object]
_Plan: TypeAlias = tuple[tuple[str, _Reader, Fact], ...]
_READERS: Mapping[str, _Reader] = {
    OWN_ROOT: _own_value,
    PAIR_ROOT: _pair_value,
    SPLIT_ROOT: _split_value,
    "profile": _profile_value,
    "visitor": _visitor_value,
    "page": _page_value,
    "visit": _visit_value,
    "now": _now_value,
    "did": _counter_value,
    INTEREST_ROOT: _interest_value,
    ORGANIZATION_ROOT: _organization_value,
}
