"""Batches that come while others are being written share the next transaction: as one, so their statements are few."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import TypeAlias

from personalize.errors import StaleVersion, StoreError, StoreUnavailable
from personalize.events.event import Event
from personalize.stores.outcomes import parted
from personalize.stores.protocols import Applied, Projector

MOST_EVENTS_OF_A_COMMIT = 1_000
FINISH_SECONDS = 5.0

#: Writes events in one transaction, durable when it returns; see `Store.apply`.
Apply: TypeAlias = Callable[[Sequence[Event], Sequence[Projector], str | None], Awaitable[Applied]]


@dataclass(slots=True, eq=False)
class _Batch:
    events: Sequence[Event]
    projectors: Sequence[Projector]
    version: str | None
    applied: "asyncio.Future[Applied]"

    def goes_with(self, other: "_Batch") -> bool:
        """Whether both can be written as one: they are for the same rules."""
        if self.version != other.version or len(self.projectors) != len(other.projectors):
            return False
        return all(one is another for one, another in zip(self.projectors, other.projectors, strict=True))


class SharedCommits:
    """Gives `apply` what waits at the same time as one batch, and answers each of those who wait by itself.

    Nobody waits for others to come: what comes first is written at once, and what comes meanwhile is gathered. An
    error that one of them alone may be at fault for reaches nobody else: each is then written again by itself. Nobody
    is at fault for `of_all`: that reaches all. At most `at_once` transactions are under way.
    """

    def __init__(
        self,
        apply: Apply,
        *,
        at_once: int = 1,
        of_all: tuple[type[StoreError], ...] = (StoreUnavailable, StaleVersion),
    ) -> None:
        self._apply = apply
        self._at_once = at_once
        self._of_all = of_all
        self._waiting: deque[_Batch] = deque()
        self._writing: set[asyncio.Task[None]] = set()

    async def write(self, events: Sequence[Event], projectors: Sequence[Projector], version: str | None) -> Applied:
        """What became of these events, once they are durable. Raises what `apply` raises."""
        batch = _Batch(events, projectors, version, asyncio.get_running_loop().create_future())
        self._waiting.append(batch)
        if len(self._writing) < self._at_once:
            task = asyncio.create_task(self._write_all(), name="personalize writes")
            self._writing.add(task)
        return await batch.applied

    async def finish(self) -> None:
        """Wait until all that was given so far is written, for a while."""
        if self._writing:
            await asyncio.wait(self._writing, timeout=FINISH_SECONDS)

    async def _write_all(self) -> None:
        this = asyncio.current_task()
        assert this is not None
        try:
            while batches := self._taken():
                await self._write(batches)
        finally:
            # Not in a callback, which comes later: whoever is given meanwhile would wait for a task that has ended.
            self._writing.remove(this)

    def _taken(self) -> list[_Batch]:
        """The next that can be written as one; nobody waits any more for one that is done."""
        taken: list[_Batch] = []
        room = MOST_EVENTS_OF_A_COMMIT
        while self._waiting:
            batch = self._waiting[0]
            if batch.applied.done():
                self._waiting.popleft()
                continue
            room -= len(batch.events)
            if taken and (room < 0 or not batch.goes_with(taken[0])):
                break
            taken.append(self._waiting.popleft())
        return taken

    async def _write(self, batches: Sequence[_Batch]) -> None:
        first = batches[0]
        events = first.events if len(batches) == 1 else list(chain.from_iterable(each.events for each in batches))
        writing = asyncio.ensure_future(self._apply(events, first.projectors, first.version))
        await asyncio.wait({writing})
        error = writing.exception()
        if error is not None and len(batches) > 1 and not isinstance(error, self._of_all):
            await asyncio.gather(*(self._write([batch]) for batch in batches))
            return
        waiting = [batch for batch in batches if not batch.applied.done()]
        if error is not None:
            for batch in waiting:
                batch.applied.set_exception(error)
            return
        shares = dict(zip(batches, parted(writing.result(), [len(each.events) for each in batches]), strict=True))
        for batch in waiting:
            batch.applied.set_result(shares[batch])
