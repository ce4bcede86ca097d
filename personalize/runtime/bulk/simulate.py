"""Simulation: what a draft would show to the visitors of the last days, against what is live."""

import asyncio
import heapq
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from types import MappingProxyType

from personalize.decisions.reach import Changes, SlotReach
from personalize.profiles.profile import Profile
from personalize.rules.ruleset import RuleSet
from personalize.runtime.bulk.drawing import place_of, was_seen
from personalize.runtime.bulk.simulation_count import SimulationCount
from personalize.runtime.in_parts import in_parts
from personalize.runtime.latest_visit import latest_pages, page_since, unknown_facts
from personalize.runtime.offline import ASKED_AT_ONCE, organizations_of, store_for
from personalize.settings import Settings
from personalize.stores.protocols import Store

#: How many visitors are asked where nobody says otherwise: a share of 1 % is then known to 0.2 points.
USUAL_SAMPLE = 10_000
USUAL_DAYS = 28
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
    count = SimulationCount(rule_set, against, settings, moment=moment, since=since)
    kept = its = await store_for(store, rule_set, settings, at=past)
    if against is not None and not rule_set.needed.covers(against.needed):
        its = await store_for(store, against, settings, at=past)
    crowd = _Crowd(kept, since, sample, progress or _nobody)
    async for part in in_parts(aiter(crowd), ASKED_AT_ONCE):
        pages = await latest_pages(kept, part) if count.reads_page else [None] * len(part)
        facts = [page_since(page, since) for page in pages]
        belong = await organizations_of(part, kept, rule_set)
        shown = [count.ask(*asked) for asked in zip(part, facts, belong, strict=True)]
        if against is not None:
            were = part if its is kept else [await its.profile(each.profile_id) or each for each in part]
            belonged = await organizations_of(were, its, against)
            for asked in zip(were, facts, belonged, shown, strict=True):
                count.compare(*asked)
    return simulation_of(count, moment=moment, since=since, visitors=crowd.visitors)


def simulation_of(
    count: SimulationCount, *, moment: datetime, since: datetime, visitors: int | None = None
) -> Simulation:
    """What was counted, of so many visitors, by default of those who were asked."""
    own, before = count.own, count.before
    return Simulation(
        version=own.rule_set.version,
        against=before.rule_set.version if before is not None else None,
        moment=moment,
        since=since,
        visitors=count.visitors if visitors is None else visitors,
        asked=count.visitors,
        with_page=count.with_page if count.reads_page else None,
        unknown=unknown_facts(own.rule_set),
        raised=MappingProxyType(+own.raised),
        slots=own.count.slots(),
        changes=count.changes.changes() if count.changes is not None else None,
        before=before.count.slots() if before is not None else None,
    )


def _nobody(_done: int, _total: int | None) -> None:
    """Nobody is told of the progress."""


class _Crowd:
    """The visitors to ask: those seen since then, all or so many of them; read once, from the first to the last."""

    def __init__(self, store: Store, since: datetime, most: int | None, told: Progress) -> None:
        self._store = store
        self._since = since
        self._most = most
        self._told = told
        self.visitors = 0

    async def __aiter__(self) -> AsyncIterator[Profile]:
        if self._most is None:
            async for profile in self._seen():
                yield profile
            return
        drawn = await self._drawn(self._most)
        for asked, profile in enumerate(drawn, 1):
            if asked % _TOLD_EVERY == 0:
                self._told(asked, len(drawn))
                await asyncio.sleep(0)
            yield profile

    async def _drawn(self, most: int) -> list[Profile]:
        """The visitors whose hashes are smallest, in the order of their ids: a random sample that is always the
        same, drawn in one reading though their number is not known before its end."""
        heap: list[tuple[float, str, Profile]] = []
        async for profile in self._seen():
            place = (*place_of(profile.profile_id), profile)
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
            if was_seen(profile, self._since):
                self.visitors += 1
                yield profile
