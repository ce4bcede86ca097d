"""Contexts away from any request: stored visitors and personas, for counting, explaining and simulating."""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from personalize.decisions.context import Context, RequestFacts, make_context
from personalize.problems import Problems
from personalize.profiles.encoding import decode_organization, holds_organization
from personalize.profiles.organization import ORGANIZATION_PREFIX, Organization
from personalize.profiles.profile import Profile
from personalize.rules.definitions import Persona
from personalize.rules.facts import ORGANIZATION_ROOT, OWN_ROOT
from personalize.rules.ground import Ground
from personalize.rules.paths import follow
from personalize.rules.ruleset import RuleSet
from personalize.runtime.in_parts import in_parts
from personalize.runtime.own_facts import OwnFactsAsked, load_own_facts
from personalize.runtime.persona_profile import given_values, persona_profile
from personalize.runtime.publish import lifecycle_of, projectors_of
from personalize.runtime.tally import Tally
from personalize.settings import Settings
from personalize.stores.projecting import PROFILES
from personalize.stores.protocols import Store
from personalize.stores.stretches import ALL_PROFILES, Stretch
from personalize.visitors.consent import Consent, granting
from personalize.visitors.identity import Identity
from personalize.zones import zone_named

#: What belongs to so many profiles is asked of a store at once.
ASKED_AT_ONCE = 500


def visitor_context(
    profile_id: str,
    profile: Profile | None,
    rule_set: RuleSet,
    settings: Settings,
    *,
    now: datetime,
    facts: RequestFacts | None = None,
    pending: Collection[str] = (),
    organization: Organization | None = None,
) -> Context:
    """A stored visitor as the rules would see them.

    What they agreed to is what their profile says; where it says nothing (an imported customer list), they
    count as having agreed to what the site asks for. Without `facts` no page is asked for. `pending` are the facts
    that the profile does not hold yet. `organization` is the one they belong to (`organization_of`).
    """
    stored = profile.consent if profile is not None else Consent()
    consent = stored if stored.decided else _asked_for(rule_set, settings)
    identity = Identity(profile_id=profile_id, consent=consent)
    return _context(rule_set.ground, identity, profile, rule_set, settings, now, facts, pending, organization)


def persona_context(
    persona: Persona, rule_set: RuleSet, settings: Settings, *, now: datetime, facts: RequestFacts | None = None
) -> Context:
    """A persona as the rules would see them: the facts given, and what follows from the profile that they would
    come from, where any of them is a stored one."""
    given = given_values(persona, now)
    profile = persona_profile(persona, given, now, lifecycle_of(settings), asks_for_page=facts is not None)
    identity = Identity(profile_id=f"p:{persona.persona_id}", consent=_asked_for(rule_set, settings))
    belongs = _persona_organization(persona, given)
    ground = replace(rule_set.ground, organization_attribute=None)  # they belong to what is given of it
    context = _context(ground, identity, profile, rule_set, settings, now, facts, organization=belongs)
    zone = zone_named(given.get(f"profile.{rule_set.schema.zone_attribute}"))
    if zone is not None:
        context = context.otherwise({}, local_zone=zone)
    context.give({**dict(_inside(given, rule_set)), **given, **dict(_own_values(persona, rule_set))})
    return context


def _persona_organization(persona: Persona, given: Mapping[str, object]) -> Organization | None:
    """What a persona belongs to of whose organization something is given: one of which nothing else is known."""
    is_told = any(name.startswith(f"{ORGANIZATION_ROOT}.") for name in given)
    if not is_told or given.get("organization.known") is False:
        return None
    return Organization(f"{ORGANIZATION_PREFIX}{persona.persona_id}", members=1)


def _inside(given: Mapping[str, object], rule_set: RuleSet) -> Iterator[tuple[str, object]]:
    """What paths lead to inside the values of any type that are given."""
    for fact in rule_set.facts.values():
        outer = f"{fact.root}.{fact.key}"
        if fact.path and outer in given:
            yield fact.name, follow(given[outer], fact.path)


def _own_values(persona: Persona, rule_set: RuleSet) -> Iterator[tuple[str, object]]:
    """What a persona is given of the site's own facts; a condition holds for the arguments that are listed."""
    for fact in rule_set.facts.values():
        if fact.root == OWN_ROOT and fact.key in persona.own:
            given = persona.own[fact.key]
            holds_for = given if isinstance(given, list) else []
            yield fact.name, given if fact.argument is None else fact.argument in holds_for


def _asked_for(rule_set: RuleSet, settings: Settings) -> Consent:
    own = {attribute.purpose for attribute in rule_set.schema.attributes.values()}
    own |= {event.purpose for event in rule_set.schema.events.values()}
    return granting({*settings.privacy.purposes, *own})


def _context(
    ground: Ground,
    identity: Identity,
    profile: Profile | None,
    rule_set: RuleSet,
    settings: Settings,
    now: datetime,
    facts: RequestFacts | None,
    pending: Collection[str] = (),
    organization: Organization | None = None,
) -> Context:
    return make_context(
        ground,
        lifecycle_of(settings),
        identity=identity,
        profile=profile,
        facts=facts,
        now=now,
        pending=pending,
        own=_own_answers(rule_set, settings, now),
        organization=organization,
    )


def _own_answers(rule_set: RuleSet, settings: Settings, now: datetime) -> OwnFactsAsked | None:
    own_facts = load_own_facts(settings, Problems())
    if not own_facts:
        return None
    return OwnFactsAsked(own_facts, rule_set.conventions, now, scope=None, failed=_passed_over)


def _passed_over(what: str, error: BaseException | None) -> None:
    """Whoever asks away from a page sees the answer itself: that the fact raised, or that it is missing."""


async def organization_of(profile: Profile | None, store: Store, rule_set: RuleSet) -> Organization | None:
    """What a stored visitor belongs to, as the store has it; None where no rule asks for it."""
    organization_id = None if rule_set.belonging is None else rule_set.belonging.organization_id(profile)
    if organization_id is None:
        return None
    return await store.organization(organization_id) or Organization(organization_id)


async def organizations_of(
    profiles: Sequence[Profile], store: Store, rule_set: RuleSet
) -> Sequence[Organization | None]:
    """The same for many, in their order; the store is asked once."""
    belonging = rule_set.belonging
    named = [None if belonging is None else belonging.organization_id(profile) for profile in profiles]
    ids = sorted({one for one in named if one is not None})
    rows = await store.kept(PROFILES, ids) if ids else {}
    found = {key: decode_organization(row) for key, row in rows.items() if holds_organization(row)}
    return [None if one is None else found.get(one) or Organization(one) for one in named]


async def store_for(store: Store, rule_set: RuleSet, settings: Settings, *, at: datetime | None) -> Store:
    """A store whose profiles are right for this rule set, at this moment of the past if one is given.

    That is the store itself where its profiles hold what the rule set needs; otherwise one projected from the log.
    """
    if at is None and (await store.filled()).holding.covers(rule_set.needed):
        return store
    end = at if at is not None else datetime.max.replace(tzinfo=rule_set.conventions.zone)
    return await store.as_of(end, projectors_of(rule_set, settings))


def is_visitor(profile: Profile) -> bool:
    """Whether a stored profile stands for a visitor: not where it went into another by a join and nothing has
    happened under its id since."""
    return profile.joined is None or profile.events > 1


class SegmentCount:
    """How many visitors are in each segment of a rule set at one moment, as far as they were added."""

    def __init__(self, rule_set: RuleSet, settings: Settings, now: datetime) -> None:
        self.visitors = 0
        self._rule_set = rule_set
        self._settings = settings
        self._now = now
        self._reach = rule_set.index.reach((), rule_set.segments)
        self._tally = Tally()

    @property
    def members(self) -> Mapping[str, int]:
        """The visitors of each segment, by its id."""
        number = self._rule_set.index.segments.number
        return {one: self._tally[number[one]] for one in self._rule_set.segments}

    def add(self, profile: Profile, organization: Organization | None) -> None:
        """Count the visitor of a stored profile, who belongs to this organization. Profiles that went into another by
        a join are not visitors of their own."""
        if not is_visitor(profile):
            return
        self.visitors += 1
        context = visitor_context(
            profile.profile_id, profile, self._rule_set, self._settings, now=self._now, organization=organization
        )
        self._tally.add(context.answers(self._rule_set.index, self._reach).members)


async def count_segments(
    store: Store,
    rule_set: RuleSet,
    settings: Settings,
    *,
    now: datetime,
    within: Stretch = ALL_PROFILES,
    progress: Callable[[int], None] | None = None,
) -> tuple[Mapping[str, int], int]:
    """How many stored visitors of a stretch are in each segment at this moment, and how many there are.

    `progress` is told now and then how many more were counted.
    """
    count = SegmentCount(rule_set, settings, now)
    told = 0
    async for profiles in in_parts(store.profiles(within), ASKED_AT_ONCE):
        for profile, belongs in zip(profiles, await organizations_of(profiles, store, rule_set), strict=True):
            count.add(profile, belongs)
        if progress is not None:
            progress(count.visitors - told)
            told = count.visitors
    return count.members, count.visitors
