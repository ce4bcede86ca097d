"""What is recorded by several at once is written together: one transaction, one sync to the disk, one answer each."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from personalize.errors import StoreError
from personalize.events.event import Event
from personalize.stores.protocols import Applied


@dataclass(frozen=True, slots=True)
class _Share:
    """The events of one call; it is over once `applied` is."""

    events: Sequence[Event]
    applied: "asyncio.Future[Applied]"

    def succeed(self, applied: Applied) -> None:
        if not self.applied.done():
            self.applied.set_result(applied)

    def fail(self, error: Exception) -> None:
        if not self.applied.done():
            self.applied.set_exception(error)


class GroupCommit:
    """Gives `write` the events of all calls that came while it was busy, in their order, at most `most_events` at once.

    The events of one call stay together. Where the store can't write, all calls hear so; where anything else goes
    wrong, each is written alone, so that an error reaches whoever brought it and nobody else.
    """

    def __init__(self, write: Callable[[Sequence[Event]], Awaitable[Applied]], most_events: int) -> None:
        self._write = write
        self._most_events = most_events
        self._waiting: deque[_Share] = deque()
        self._task: asyncio.Task[None] | None = None

    async def write(self, events: Sequence[Event]) -> Applied:
        """Write events with those of others; what became of these. They may be kept, too, where this is cancelled."""
        share = _Share(events, asyncio.get_running_loop().create_future())
        self._waiting.append(share)
        if self._task is None:
            self._task = asyncio.create_task(self._run(), name="personalize group commit")
        return await share.applied

    async def _run(self) -> None:
        try:
            while self._waiting:
                await self._commit(self._taken())
        finally:
            self._task = None

    def _taken(self) -> list[_Share]:
        """The calls whose turn it is: one, and as many more as fit in."""
        taken = [self._waiting.popleft()]
        room = self._most_events - len(taken[0].events)
        while self._waiting and (room := room - len(self._waiting[0].events)) >= 0:
            taken.append(self._waiting.popleft())
        return taken

    async def _commit(self, shares: Sequence[_Share]) -> None:
        try:
            applied = await self._write([event for share in shares for event in share.events])
        except StoreError as error:
            for share in shares:
                share.fail(error)
        except Exception as error:  # noqa: BLE001 - one event that can't be projected must not stop the rest
            if len(shares) == 1:
                shares[0].fail(error)
                return
            for share in shares:
                await self._commit([share])
        else:
            first = 0
            for share in shares:
                share.succeed(applied.of(share.events, first))
                first += len(share.events)
