"""From page views to the store: a bounded queue, so that no page waits for a write and none is lost unsaid."""

import asyncio
import os
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from threading import Lock

from personalize.errors import StoreError
from personalize.events.event import Event
from personalize.runtime.page_events import CHANCE_BYTES, PageEvents
from personalize.stores.protocols import Applied

FIRST_RETRY_SECONDS = 0.1
LONGEST_RETRY_SECONDS = 5.0


class Ingest:
    """Takes events at once and writes them in batches, from one background task.

    `write` is given at most `batch_size` events, when so many wait or `flush_seconds` after the last look. While
    the store can't write (`StoreError`), a batch is tried again and again, after ever longer pauses, and up to
    `queue_size` events wait; what comes then is dropped and counted. A batch that fails for another reason is
    split until the event at fault stands alone; that one is dropped, the others are written. `chance` gives the
    random bytes of the ids that events of page views get.

    `on_failure` is told of every failed try: the error, and how many events were lost for good by it (0 where
    the batch will be tried again). Counted since the beginning: `written` (done with), of these `conflicting` (the log
    has another event under their id), `dropped`, `failed_batches` (tries that failed); `last_error` is the newest of
    their errors.
    """

    def __init__(
        self,
        write: Callable[[Sequence[Event]], Awaitable[Applied]],
        *,
        queue_size: int = 10_000,
        batch_size: int = 1_000,
        flush_seconds: float = 0.2,
        on_failure: Callable[[Exception, int], None],
        chance: Callable[[int], bytes] = os.urandom,
    ) -> None:
        self._write = write
        self._queue_size = queue_size
        self._batch_size = batch_size
        self._flush_seconds = flush_seconds
        self._on_failure = on_failure
        self._chance = chance
        self._counting = Lock()
        self._queue: deque[Event | PageEvents] = deque()
        self._queued = 0
        self._in_hand: deque[list[Event]] = deque()
        self._held = 0
        self._wake = asyncio.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._task: asyncio.Task[None] | None = None
        self._stopping = False
        self.written = 0
        self.conflicting = 0
        self.dropped = 0
        self.failed_batches = 0
        self.last_error: Exception | None = None

    @property
    def waiting(self) -> int:
        """How many events are neither written nor dropped yet."""
        return self._queued + self._held

    def put(self, happened: Event | PageEvents) -> bool:
        """Queue an event, or those of a page view; False where there was no room. Never waits, and may be called from
        any thread."""
        count = len(happened) if isinstance(happened, PageEvents) else 1
        if not count:
            return True
        with self._counting:
            queued = self._queued + count
            if queued + self._held > self._queue_size or self._stopping:
                self.dropped += count
                return False
            self._queued = queued
            self._queue.append(happened)
        if queued - count < self._batch_size <= queued and self._loop is not None:
            self._loop.call_soon_threadsafe(self._wake.set)
        return True

    async def record(self, events: Sequence[Event]) -> Applied:
        """Write events now, ahead of what is queued; durable when it returns.

        Raises what `write` raises: `StoreError` where they were not kept.
        """
        applied = await self._write(events)
        self._wrote(applied, len(events))
        return applied

    def start(self) -> None:
        """Begin to write what is queued, on the running loop; harmless when it has begun."""
        if self._task is None:
            self._stopping, self._wake = False, asyncio.Event()  # an event belongs to the loop that it was first met on
            self._loop = asyncio.get_running_loop()
            self._task = self._loop.create_task(self._run(), name="personalize ingest")

    async def stop(self, *, within_seconds: float = 5.0) -> None:
        """Write what is queued and end; what isn't acknowledged in that time is counted as dropped."""
        task, self._task, self._loop = self._task, None, None
        self._stopping = True
        self._wake.set()
        if task is not None:
            await asyncio.wait({task}, timeout=within_seconds)
            task.cancel()
            await asyncio.wait({task})
        self._give_up()
        if task is not None and not task.cancelled():
            task.result()

    async def _run(self) -> None:
        while self.waiting or not self._stopping:
            if not self._in_hand:
                await self._for_a_batch()
                self._take()
            await self._flush()

    async def _for_a_batch(self) -> None:
        """Until a batch is there, or it is time, or this is to end."""
        if self._queued < self._batch_size and not self._stopping:
            await self._pause(self._flush_seconds)

    async def _pause(self, seconds: float) -> None:
        """That long, or until a batch is full or this is to end."""
        self._wake.clear()
        try:
            async with asyncio.timeout(seconds):
                await self._wake.wait()
        except TimeoutError:
            return

    def _take(self) -> None:
        """Take what makes a batch out of the queue; where a page view has more events than fit in, they make two."""
        taken: list[Event] = []
        # All at once: each time, the system is asked for it.
        chance, used = self._chance(CHANCE_BYTES * min(len(self._queue), self._batch_size)), 0
        while self._queue and len(taken) < self._batch_size:
            happened = self._queue.popleft()
            if isinstance(happened, PageEvents):
                taken += happened.events(chance[used : used + CHANCE_BYTES])
                used += CHANCE_BYTES
            else:
                taken.append(happened)
        with self._counting:
            self._queued -= len(taken)
            self._held = len(taken)
        batch_size = self._batch_size
        self._in_hand.extend(taken[first : first + batch_size] for first in range(0, len(taken), batch_size))

    async def _flush(self) -> None:
        """Write what is in hand: one batch, or the parts of one that failed."""
        retry_seconds = FIRST_RETRY_SECONDS
        while self._in_hand:
            batch = self._in_hand[0]
            try:
                applied = await self._write(batch)
            except StoreError as error:
                self._failed(error, lost=0)
            except Exception as error:  # noqa: BLE001 - one event that can't be projected must not stop the rest
                self._set_apart(error)
                continue
            else:
                self._done_with(batch)
                self._wrote(applied, len(batch))
                continue
            await self._pause(retry_seconds)
            retry_seconds = min(2 * retry_seconds, LONGEST_RETRY_SECONDS)

    def _wrote(self, applied: Applied, events: int) -> None:
        self.written += events
        self.conflicting += applied.conflicting

    def _set_apart(self, error: Exception) -> None:
        """Halve the batch in hand, or drop it where it is a single event: the one at fault."""
        batch = self._in_hand[0]
        if len(batch) == 1:
            self.dropped += 1
            self._done_with(batch)
            self._failed(error, lost=1)
            return
        middle = len(batch) // 2
        self._in_hand[0] = batch[middle:]
        self._in_hand.appendleft(batch[:middle])
        self._failed(error, lost=0)

    def _done_with(self, batch: list[Event]) -> None:
        self._in_hand.popleft()
        self._held -= len(batch)

    def _failed(self, error: Exception, *, lost: int) -> None:
        self.failed_batches += 1
        self.last_error = error
        self._on_failure(error, lost)

    def _give_up(self) -> None:
        """Count what is still there as dropped."""
        lost = self.waiting
        self._queue.clear()
        self._in_hand.clear()
        self._queued = self._held = 0
        if lost:
            self.dropped += lost
            self._failed(self.last_error or TimeoutError("the site stopped before they were written"), lost=lost)
