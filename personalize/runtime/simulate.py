"""Simulation: what a draft would show to the visitors of the last days, against what is live."""

import asyncio
import heapq
from collections import Counter
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from types import MappingProxyType

from personalize.decisions.context import RequestFacts
from personalize.decisions.reach import ChangeCount, Changes, Decisions, ReachCount, SlotReach
from personalize.hashing import share
from personalize.profiles.profile import Profile
from personalize.rules.facts import OWN_ROOT
from personalize.rules.ruleset import RuleSet
from personalize.rules.unanswerable import Unanswerable
from personalize.runtime.latest_visit import latest_page, reads_page, unknown_facts, visiting
from personalize.runtime.offline import is_visitor, organization_of, store_for, visitor_context
from personalize.settings import Settings
from personalize.stores.protocols import Store

#: How many visitors are asked where nobody says otherwise: a share of 1 % is then known to 0.2 points.
USUAL_SAMPLE = 10_000
USUAL_DAYS = 28
#: Names the split that samples are drawn by: the same visitors are asked each time, whatever the rules.
_SAMPLE = "simulate"
_TOLD_EVERY = 500

#: Told now and then how many visitors were looked at or asked, and of how many, where that is known.
Progress = Callable[[int, int | None], None]


@dataclass(frozen=True, slots=True)
class Simulation:
    """What a rule set would show at `moment` to visitors with a profile who were seen since `since`.

    There are `visitors` of them, of whom `asked` were asked: all, or a random sample. `with_page` is how many of
    those had a page view that rules could be asked about, None where no rule reads one. `unknown` names facts that
    rules read and the log does not keep, so that they were missing. `changes`, and `before`, the slots of what was
    live, are None where nothing was.
    """

    version: str
    against: str | None
    moment: datetime
    since: datetime
    visitors: int
    asked: int
    with_page: int | None
    unknown: tuple[str, ...]
    raised: Mapping[str, int]
    slots: Mapping[str, SlotReach]
    changes: Changes | None
    before: Mapping[str, SlotReach] | None = None

    @property
    def is_sample(self) -> bool:
        """Whether only some of the visitors were asked."""
        return self.asked < self.visitors


async def simulate(
    store: Store,
    rule_set: RuleSet,
    settings: Settings,
    *,
    now: datetime,
    at: datetime | None = None,
    days: int = USUAL_DAYS,
    against: RuleSet | None = None,
    sample: int | None = USUAL_SAMPLE,
    progress: Progress | None = None,
) -> Simulation:
    """Ask a rule set about stored visitors, each as if their latest visit went on at the moment `at`, or `now`.

    Visitors are those with a profile who were seen in the `days` before that moment; for a moment to come, in
    the days until now. For one of the past only what had occurred before it is known. At most `sample` of them are
    asked, drawn by a hash of their ids, so that the same ones are asked the next time; None asks all. `against`
    is the rule set to compare with, usually the live one.
    """
    moment = now if at is None else at
    since = min(moment, now) - timedelta(days=days)
    past = at if at is not None and at < now else None
    own = _Side(await store_for(store, rule_set, settings, at=past), rule_set, settings, moment)
    before: _Before | None = None
    if against is not None:
        fits_both = rule_set.needed.covers(against.needed)
        its_store = own.store if fits_both else await store_for(store, against, settings, at=past)
        before = _Before(_Side(its_store, against, settings, moment), own)
    crowd = _Crowd(own.store, since, sample, progress or _nobody)
    reads = any(reads_page(one) for one in (rule_set, against) if one is not None)
    with_page = 0
    async for profile in crowd:
        page = await latest_page(own.store, profile, since) if reads else None
        with_page += page is not None
        shown = await own.ask(profile, page)
        if before is not None:
            await before.compare(profile, page, shown)
    return Simulation(
        version=rule_set.version,
        against=against.version if against is not None else None,
        moment=moment,
        since=since,
        visitors=crowd.visitors,
        asked=crowd.asked,
        with_page=with_page if reads else None,
        unknown=unknown_facts(rule_set),
        raised=MappingProxyType(+own.raised),
        slots=own.count.slots(),
        changes=before.count.changes() if before is not None else None,
        before=before.side.count.slots() if before is not None else None,
    )


def _nobody(_done: int, _total: int | None) -> None:
    """Nobody is told of the progress."""


class _Side:
    """One of the two rule sets that are asked, with the store whose profiles are right for it."""

    def __init__(self, store: Store, rule_set: RuleSet, settings: Settings, moment: datetime) -> None:
        self.store = store
        self.rule_set = rule_set
        self.count = ReachCount(rule_set)
        self.raised: Counter[str] = Counter()
        self._own_names = tuple(name for name, fact in rule_set.facts.items() if fact.root == OWN_ROOT)
        self._settings = settings
        self._moment = moment

    async def ask(self, profile: Profile, page: RequestFacts | None) -> Decisions:
        """What this visitor would be shown on a page of their latest visit."""
        context = visitor_context(
            profile.profile_id,
            visiting(profile, self._moment),
            self.rule_set,
            self._settings,
            now=self._moment,
            facts=page or RequestFacts(),
            organization=await organization_of(profile, self.store, self.rule_set),
        )
        shown = self.count.ask(context)
        for name in self._own_names:
            self.raised[name] += context.values[name] is Unanswerable.RAISED
        return shown


class _Before:
    """The rule set to compare with, and what changes against it."""

    def __init__(self, side: _Side, after: _Side) -> None:
        self.side = side
        self._has_own_profiles = side.store is not after.store
        self.count = ChangeCount(side.rule_set, after.rule_set)

    async def compare(self, profile: Profile, page: RequestFacts | None, shown: Decisions) -> None:
        """Count whether this visitor, who is `shown` this by the other rules, was shown something else."""
        counted = await self.side.store.profile(profile.profile_id) if self._has_own_profiles else None
        self.count.compare(await self.side.ask(counted or profile, page), shown)


class _Crowd:
    """The visitors to ask: those seen since then, all or so many of them; read once, from the first to the last."""

    def __init__(self, store: Store, since: datetime, most: int | None, told: Progress) -> None:
        self._store = store
        self._since = since
        self._most = most
        self._told = told
        self.visitors = 0
        self.asked = 0

    async def __aiter__(self) -> AsyncIterator[Profile]:
        if self._most is None:
            async for profile in self._seen():
                self.asked += 1
                yield profile
            return
        drawn = await self._drawn(self._most)
        for profile in drawn:
            self.asked += 1
            if self.asked % _TOLD_EVERY == 0:
                self._told(self.asked, len(drawn))
                await asyncio.sleep(0)
            yield profile

    async def _drawn(self, most: int) -> list[Profile]:
        """The visitors whose hashes are smallest, in the order of their ids: a random sample that is always the
        same, drawn in one reading though their number is not known before its end."""
        heap: list[tuple[float, str, Profile]] = []
        async for profile in self._seen():
            place = (-share(_SAMPLE, profile.profile_id), profile.profile_id, profile)
            if len(heap) < most:
                heapq.heappush(heap, place)
            elif place[:2] > heap[0][:2]:
                heapq.heapreplace(heap, place)
        return [profile for _, _, profile in sorted(heap, key=lambda place: place[1])]

    async def _seen(self) -> AsyncIterator[Profile]:
        read = 0
        async for profile in self._store.profiles():
            read += 1
            if read % _TOLD_EVERY == 0:
                self._told(read, None)
            if profile.last_seen_at is not None and profile.last_seen_at >= self._since and is_visitor(profile):
                self.visitors += 1
                yield profile
