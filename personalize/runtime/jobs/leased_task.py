"""A job in the background of a worker, done in steps by whichever worker has its lease."""

import asyncio
import time
from collections.abc import Awaitable, Callable

from personalize.errors import StoreError
from personalize.runtime.clock import Clock
from personalize.runtime.health import Health
from personalize.runtime.jobs.lasting_task import LastingTask
from personalize.runtime.jobs.leased_job import LeasedJob
from personalize.stores.protocols import Store

#: How often a worker looks whether there is anything to do.
LOOK_SECONDS = 1.0


class LeasedTask:
    """Does `step` while there is something to do, whenever no other worker does: it says whether there may be more.

    While this worker can't do it (`can`), it leaves the job to others. With `rests` it waits after each step for as
    long as that took, since a worker has pages to serve. A `StoreError` ends a look, and an accident the task for a
    moment; both are counted as `failure`.
    """

    def __init__(
        self,
        store: Store,
        job: str,
        step: Callable[[], Awaitable[bool]],
        *,
        worker: str,
        clock: Clock,
        health: Health,
        failure: str,
        can: Callable[[], bool] = lambda: True,
        rests: bool = False,
    ) -> None:
        self._step = step
        self._can = can
        self._clock = clock
        self._health = health
        self._failure = failure
        self._rests = rests
        self._job = LeasedJob(store, job, holder=worker, clock=clock)
        self._task = LastingTask(self._work, name=f"personalize-{job}", failed=self._failed)

    def start(self) -> None:
        """Begin, on the running loop."""
        self._task.start()

    async def stop(self) -> None:
        """Stop; another worker goes on. Harmless when it never began."""
        await self._task.stop()
        await self._job.let_go()

    async def _work(self) -> None:
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            try:
                await self._all_there_is()
            except StoreError as error:
                self._failed(error)

    async def _all_there_is(self) -> None:
        goes_on = True
        while goes_on and self._can() and await self._job.is_ours():
            begun = time.perf_counter()
            goes_on = await self._step()
            if goes_on and self._rests:
                await asyncio.sleep(time.perf_counter() - begun)

    def _failed(self, error: BaseException) -> None:
        self._health.failed(self._failure, error, self._clock.now())
