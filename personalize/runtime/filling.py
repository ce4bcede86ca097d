"""Filling: what the live rules count and the stored profiles lack is counted from the log, slice by slice."""

import asyncio
import time
from collections.abc import Awaitable, Callable

from personalize.errors import StaleVersion, StoreError
from personalize.rules.ruleset import RuleSet
from personalize.runtime.clock import Clock
from personalize.runtime.health import Health
from personalize.runtime.jobs.lasting_task import LastingTask
from personalize.runtime.jobs.leased_job import LeasedJob
from personalize.runtime.publish import projectors_of
from personalize.settings import Settings
from personalize.stores.protocols import Filled, Store

_JOB = "fill"
#: How long one slice keeps other writers waiting, about.
SLICE_SECONDS = 0.05
#: How often somebody who waits looks whether the one who fills has come further.
LOOK_SECONDS = 0.5
_FEWEST, _MOST = 50, 10_000
#: A worker counts for half of the time: it has pages to serve.
_WORKERS_REST = 1.0


async def fill_up(
    store: Store,
    rule_set: RuleSet,
    settings: Settings,
    *,
    holder: str,
    clock: Clock,
    rest: float,
    goes_on: Callable[[Filled], bool] = lambda filled: True,
) -> None:
    """Fill what the live rule set lacks; done when its rules are no longer pending, whoever has filled it.

    Of all who call it one works, by the name `holder`, and the others look on, ready to take over. After each slice
    it rests for as many times the slice's length, so that pages and other writers have their turn. `goes_on` hears
    how far it has come, and may end it. Raises `StaleVersion` where another rule set goes live, and `StoreError`.
    """
    job = LeasedJob(store, _JOB, holder=holder, clock=clock)
    slices = _Slices(store, rule_set, settings, clock)
    try:
        while True:
            works = await job.is_ours()
            filled = await slices.next() if works else await slices.seen()
            is_done = filled.holding.covers(rule_set.needed) and (filled.rests or not works)
            if not goes_on(filled) or is_done:
                return
            await asyncio.sleep(slices.seconds * rest if works else LOOK_SECONDS)
    finally:
        await job.let_go()


class _Slices:
    """One slice after the other, each as large as can be done in `SLICE_SECONDS`."""

    def __init__(self, store: Store, rule_set: RuleSet, settings: Settings, clock: Clock) -> None:
        self._store = store
        self._version = rule_set.version
        self._projectors = projectors_of(rule_set, settings)
        self._clock = clock
        self._events = _FEWEST
        self.seconds = 0.0

    async def next(self) -> Filled:
        """Do one."""
        begun = time.perf_counter()
        filled = await self._store.fill(
            self._projectors, version=self._version, at=self._clock.now(), events=self._events
        )
        self.seconds = time.perf_counter() - begun
        fitting = int(self._events * SLICE_SECONDS / max(self.seconds, 1e-6))
        self._events = min(max(fitting, _FEWEST), 2 * self._events, _MOST)
        return filled

    async def seen(self) -> Filled:
        """How far somebody else has come."""
        live = await self._store.live()
        if live is not None and live.version != self._version:
            raise StaleVersion(live.version)
        return await self._store.filled()


class FillTask:
    """Fills in the background of a worker what the rule set that it serves lacks.

    `lacks` gives the rule set to fill for, None where there is nothing to do; `refresh` is awaited after each try.
    """

    def __init__(
        self,
        store: Store,
        settings: Settings,
        *,
        worker: str,
        clock: Clock,
        health: Health,
        lacks: Callable[[], RuleSet | None],
        refresh: Callable[[], Awaitable[None]],
    ) -> None:
        self._store = store
        self._settings = settings
        self._worker = worker
        self._clock = clock
        self._health = health
        self._lacks = lacks
        self._refresh = refresh
        self._task = LastingTask(self._fill, name="personalize-fill", failed=self._failed)

    def start(self) -> None:
        """Look after it from now on."""
        self._task.start()

    async def stop(self) -> None:
        """Stop; another worker goes on where this one was."""
        await self._task.stop()

    async def _fill(self) -> None:
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            rule_set = self._lacks()
            if rule_set is not None:
                await self._fill_for(rule_set)
                await self._refresh()

    async def _fill_for(self, rule_set: RuleSet) -> None:
        try:
            await fill_up(
                self._store, rule_set, self._settings, holder=self._worker, clock=self._clock, rest=_WORKERS_REST
            )
        except StaleVersion:
            pass  # the next look is after the newer one
        except StoreError as error:
            self._failed(error)

    def _failed(self, error: BaseException) -> None:
        self._health.failed("counters could not be filled", error, self._clock.now())
