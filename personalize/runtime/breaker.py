"""Keeps pages from waiting for a store that does not answer: after a few have waited in vain, nobody waits."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from personalize.errors import StoreBusy, StoreError

T = TypeVar("T")

#: So many reads in a row without an answer open the breaker.
FAILURES = 5
#: How often an open breaker tries whether the store answers again.
PROBE_SECONDS = 0.5


class Breaker:
    """Stands between pages and a store whose reads may wait.

    A read that takes longer than `budget_seconds` raises `StoreBusy`. After `FAILURES` reads in a row that failed so,
    or with a `StoreError`, the breaker opens: every read raises `StoreBusy` at once, the store is left alone but for
    a `probe` now and then, in a task of its own, and the first one that succeeds closes it again. A store that hangs
    so costs a few visitors the budget, and the others nothing. (The pattern is Michael Nygard's, *Release It!*.)
    `failed` is told of a probe that raised anything else; the breaker closes then, and the next reads decide.
    """

    def __init__(
        self,
        probe: Callable[[], Awaitable[object]],
        *,
        budget_seconds: float,
        failed: Callable[[BaseException], None],
    ) -> None:
        self._probe = probe
        self._budget_seconds = budget_seconds
        self._told = failed
        self._failures = 0
        self._probing: asyncio.Task[None] | None = None

    @property
    def is_open(self) -> bool:
        """Whether the store is left alone."""
        return self._probing is not None

    async def read(self, ask: Callable[[], Awaitable[T]]) -> T:
        """What `ask` reads from the store. Raises `StoreBusy`, and what the store raises."""
        if self.is_open:
            raise StoreBusy("the store did not answer, and is left alone until it does")
        try:
            async with asyncio.timeout(self._budget_seconds):
                found = await ask()
        except TimeoutError as error:
            self._failed()
            raise StoreBusy(f"the store did not answer within {self._budget_seconds:g} seconds") from error
        except StoreError:
            self._failed()
            raise
        self._failures = 0
        return found

    async def stop(self) -> None:
        """Probe no longer, and begin anew closed."""
        if self._probing is not None:
            self._probing.cancel()
            await asyncio.wait({self._probing})

    def _failed(self) -> None:
        self._failures += 1
        if self._failures >= FAILURES and self._probing is None:
            self._probing = asyncio.create_task(self._until_it_answers(), name="personalize-breaker")
            self._probing.add_done_callback(self._close)

    def _close(self, probing: asyncio.Task[None]) -> None:
        self._probing, self._failures = None, 0
        error = None if probing.cancelled() else probing.exception()
        if error is not None:
            self._told(error)

    async def _until_it_answers(self) -> None:
        while True:
            await asyncio.sleep(PROBE_SECONDS)
            if await self._answers():
                return

    async def _answers(self) -> bool:
        """Whether the store answers in the time that a page has: one that crawls stays left alone."""
        try:
            async with asyncio.timeout(self._budget_seconds):
                await self._probe()
        except (TimeoutError, StoreError):
            return False
        return True
