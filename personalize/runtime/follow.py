"""Follows the `live` row: within two seconds every worker of every machine serves what was published."""

import asyncio
import logging
from collections.abc import Callable
from contextlib import suppress

from personalize.errors import InvalidFiles, StoreError, UnknownVersion
from personalize.rules.ruleset import RuleSet
from personalize.runtime.clock import Clock
from personalize.runtime.health import Health
from personalize.runtime.publish import saved_rule_set
from personalize.settings import Settings
from personalize.stores.protocols import Store, WorkerReport

#: How often the row is read; two readings and a load stay within the promised two seconds.
POLL_SECONDS = 0.75

logger = logging.getLogger("personalize")


class Follower:
    """Keeps one worker on the live rule set.

    `changed` is told of every rule set that goes live. One that can't be loaded is said in the log and the
    health figures, and the last good one stays.
    """

    def __init__(
        self,
        store: Store,
        settings: Settings,
        *,
        worker: str,
        clock: Clock,
        health: Health,
        changed: Callable[[RuleSet], None],
    ) -> None:
        self._store = store
        self._settings = settings
        self._worker = worker
        self._clock = clock
        self._health = health
        self._changed = changed
        self._serving: str | None = None
        self._refused: str | None = None
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Load what is live and go on following it; a store that can't be read is tried again later."""
        await self.refresh()
        self._task = asyncio.create_task(self._follow(), name="personalize-follow")

    async def stop(self) -> None:
        """Follow no longer."""
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task
            self._task = None

    async def refresh(self) -> None:
        """Bring the worker up to date now."""
        try:
            live = await self._store.live()
            if live is None or live.version in (self._serving, self._refused):
                return
            self._refused = live.version
            rule_set = await saved_rule_set(self._store, live.version, self._settings)
        except (StoreError, UnknownVersion) as error:
            self._refused = None
            self._health.failed("the live rule set could not be read", error, self._clock.now())
        except InvalidFiles as error:
            self._health.failed("the live rule set does not load", error, self._clock.now())
        else:
            self._refused, self._serving = None, rule_set.version
            self._changed(rule_set)
            logger.info("now serving rule set %s", rule_set.version)
            await self._report()

    async def _report(self) -> None:
        try:
            await self._store.report(WorkerReport(self._worker, self._serving, self._clock.now()))
        except StoreError as error:
            self._health.failed("the served version could not be reported", error, self._clock.now())

    async def _follow(self) -> None:
        while True:
            await asyncio.sleep(POLL_SECONDS)
            await self.refresh()
