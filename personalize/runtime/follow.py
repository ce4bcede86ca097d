"""Follows the `live` row: within two seconds every worker of every machine serves what was published."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import TypeVar

from personalize.errors import InvalidFiles, NewerStore, StaleVersion, StoreError, UnknownVersion
from personalize.events.schema import Schema
from personalize.rules.pending import pending_facts
from personalize.rules.ruleset import RuleSet
from personalize.runtime.clock import Clock
from personalize.runtime.health import Health
from personalize.runtime.jobs.lasting_task import LastingTask
from personalize.runtime.patience import patience
from personalize.runtime.publish import Load, projectors_of, saved_rule_set
from personalize.runtime.quiet_loading import let_go, pieces_of
from personalize.runtime.reading_apart import load_beside_pages
from personalize.runtime.warming import warm
from personalize.settings import Settings
from personalize.stores.protocols import BACKUP, Filled, Live, Projector, Store, WorkerReport

T = TypeVar("T")

#: How often the row is read; two readings and a load stay within the promised two seconds.
POLL_SECONDS = 0.75
#: How long a version that doesn't load is left alone: what it misses, such as a template, may come.
RETRY_AFTER = timedelta(seconds=30)
#: How often a worker says that it is there, if nothing changes.
REPORT_EVERY = timedelta(seconds=30)

logger = logging.getLogger("personalize")


class Follower:
    """Keeps one worker on the live rule set.

    `changed` is told of every rule set that goes live, with what is still pending of it, and again when that
    changes. One that can't be loaded is said in the log and the health figures, the last good one stays, and every
    half minute it is tried again. `switched` is told at every look whether personalizing is switched off. `refused` is
    the version that is live and does not load here, if there is one; `filled` how the profiles stood at the last look,
    `backed_up_at` when the newest backup was done, at the last report, and `compaction_due_since` when somebody was
    erased whose bytes may be in the files still.
    """

    def __init__(
        self,
        store: Store,
        settings: Settings,
        *,
        worker: str,
        clock: Clock,
        health: Health,
        changed: Callable[[RuleSet, frozenset[str]], None],
        switched: Callable[[bool], None],
    ) -> None:
        self._store = store
        self._settings = settings
        self._worker = worker
        self._clock = clock
        self._health = health
        self._changed = changed
        self._switched = switched
        self._serving: RuleSet | None = None
        self.filled: Filled | None = None
        self.backed_up_at: datetime | None = None
        self.compaction_due_since: datetime | None = None
        self.refused: str | None = None
        self._refused_at: datetime | None = None
        self._uncounted: RuleSet | None = None
        self._reported: WorkerReport | None = None
        self._looking = asyncio.Lock()
        self._task = LastingTask(self._follow, name="personalize-follow", failed=self._failed)

    async def start(self, *, until: float | None = None) -> None:
        """Load what is live and go on following it; a store that can't be read, or has not answered `until` then (by
        the loop's clock), is tried again later."""
        self._looking = asyncio.Lock()  # of this loop: that of the last start may have been another one
        async with self._looking:
            await self._look(until=until)
        self._task.start()

    async def stop(self) -> None:
        """Follow no longer."""
        await self._task.stop()

    async def refresh(self, *, force: bool = False) -> None:
        """Bring the worker up to date now; with `force` the live version is loaded anew, though it is served or
        was refused, because the templates have changed.

        One look at a time: who comes while another one loads waits for it, and then looks for itself.
        """
        async with self._looking:
            if await self._look(force=force):
                await self._report()

    async def _look(self, *, force: bool = False, until: float | None = None) -> bool:
        """Bring the worker up to date; False where the store does not say to what. Loading takes the time it takes."""
        try:
            before = self.filled
            async with patience(until):
                live, self.filled = await self._read()
            if live is not None and (force or self._is_due(live)):
                await self._load(live, self.filled)
            # Also where the live one does not load here: it counts less of what is served, and others count for it.
            if self._serving is not None and (before is None or before.holding != self.filled.holding):
                self._changed(self._serving, pending_facts(self._serving, self.filled.holding))
        except StoreError as error:
            self._health.failed("the live rule set could not be read", error, self._clock.now())
            return False
        return True

    async def _read(self) -> tuple[Live | None, Filled]:
        switch = await self._store.switch()
        self._switched(switch is not None and switch.off)
        live = await self._store.live()
        # Read after the row: what it says holds for this version, or for a later one and so for less.
        return live, await self._store.filled()

    @property
    def served(self) -> RuleSet | None:
        """The rule set that is served, None for none."""
        return self._serving

    @property
    def lacks(self) -> RuleSet | None:
        """The rule set that is served, where the stored profiles lack something of it, or are to be tidied up."""
        served, filled = self._serving, self.filled
        if served is None or filled is None or self.refused is not None:
            return None
        return None if filled.rests and filled.holding.covers(served.needed) else served

    def _version(self) -> str | None:
        return self._serving.version if self._serving is not None else None

    def _is_due(self, live: Live) -> bool:
        """Whether the live version has to be loaded."""
        if live.version == self._version():
            self.refused = None
            return False
        if live.version != self.refused or self._refused_at is None:
            return True
        return abs(self._clock.now() - self._refused_at) >= RETRY_AFTER

    async def _load(self, live: Live, filled: Filled) -> None:
        try:
            rule_set = await saved_rule_set(self._store, live.version, self._settings, load=self._loading())
        except (InvalidFiles, UnknownVersion, OSError) as error:
            # What is served already stays good for counting, even where its templates no longer load.
            self.refused = live.version if live.version != self._version() else None
            self._refused_at = self._clock.now()
            self._health.failed("the live rule set does not load", error, self._refused_at)
            return
        await warm(rule_set, self._store, self._settings, now=self._clock.now())
        earlier = pieces_of(self._serving) if self._serving is not None else []
        self.refused, self._serving = None, rule_set
        self._uncounted = rule_set
        self._changed(rule_set, pending_facts(rule_set, filled.holding))
        logger.info("now serving rule set %s", rule_set.version)
        await let_go(earlier)

    def _loading(self) -> Load:
        """What loads another rule set; nobody may keep it, or the earlier one would be freed in one go."""
        return partial(load_beside_pages, earlier=self._serving, health=self._health, clock=self._clock)

    async def _catch_up(self) -> None:
        """Count what entered the log while the version that is served now did not load."""
        if self._uncounted is None:
            return
        rule_set, self._uncounted = self._uncounted, None
        try:
            await self._store.apply((), projectors_of(rule_set, self._settings), version=rule_set.version)
        except StaleVersion:
            return  # the next look loads the newer one
        except StoreError as error:
            self._uncounted = rule_set
            self._health.failed("events that waited could not be counted", error, self._clock.now())

    async def _report(self) -> None:
        """Say what is served, also that nothing is: when it changes, and now and then."""
        last, now = self._reported, self._clock.now()
        if last is not None and last.version == self._version() and abs(now - last.at) < REPORT_EVERY:
            return
        # One that fails is not repeated at every look: beside a locked store each would wait its seconds.
        self._reported = WorkerReport(self._worker, self._version(), now)
        try:
            await self._store.report(self._reported)
            backups = [export.ended_at for export in await self._store.exports() if export.what == BACKUP]
            self.backed_up_at = max((ended_at for ended_at in backups if ended_at is not None), default=None)
            self.compaction_due_since = await self._store.compaction_due_since()
        except StoreError as error:
            self._health.failed("the served version could not be reported", error, now)

    async def _follow(self) -> None:
        async with self._looking:
            await self._report()
        while True:
            await asyncio.sleep(POLL_SECONDS)
            await self.refresh()
            await self._catch_up()

    def _failed(self, error: BaseException) -> None:
        self._health.failed("following the live rule set broke off", error, self._clock.now())

    def is_older(self, error: NewerStore) -> None:
        """Say that a newer version has changed the store, and this worker only adds to its log by now."""
        self._health.failed("a newer version has changed the store", error, self._clock.now())


async def under_live(
    follower: Follower, rules: Callable[[], tuple[Schema, Sequence[Projector], str]], work: Callable[..., Awaitable[T]]
) -> T:
    """What `work` gives by the `projectors` and the `version` of what is live, as `rules` has them; one that was
    published meanwhile is loaded first. Where what is live does not load here, or a newer version of personalize has
    changed the store, it is given none."""
    while follower.refused is None:
        _, projectors, version = rules()
        try:
            return await work(projectors=projectors, version=version)
        except StaleVersion:
            await follower.refresh()
            if follower.refused is None and rules()[-1] == version:
                raise
        except NewerStore as error:
            follower.is_older(error)
            break
    return await work(projectors=(), version=None)
