"""Jobs: work that of all workers, on all machines, one does at a time."""

from contextlib import suppress
from datetime import datetime, timedelta

from personalize.errors import StoreError
from personalize.runtime.clock import Clock
from personalize.stores.protocols import Lease, Store

#: How long a lease lasts; a job whose worker died is taken over by another one after that.
LEASE_LASTS = timedelta(seconds=10)


class LeasedJob:
    """One job, as one worker sees it: it is done by whoever holds its lease.

    A lease ends by itself where its holder does not renew it, since who was killed can't give it back, and where the
    clock has gone back so far that it would last longer than any does. A worker
    that only slept may so believe for a moment that it still holds it: a job has to bear that two do it at once,
    and loses nothing by it but time.
    """

    def __init__(self, store: Store, name: str, *, holder: str, clock: Clock) -> None:
        self._store = store
        self._name = name
        self._holder = holder
        self._clock = clock
        self._until: datetime | None = None

    async def is_ours(self) -> bool:
        """Whether this worker does the job now: it takes the lease where nobody has it, and keeps it."""
        now = self._clock.now()
        if self._until is None or not LEASE_LASTS / 2 <= self._until - now <= LEASE_LASTS:
            lease = Lease(self._name, self._holder, now + LEASE_LASTS)
            self._until = lease.until if await self._store.lease(lease, at=now) else None
        return self._until is not None

    async def let_go(self) -> None:
        """Leave the job to the next one; where the store can't be reached, the lease ends by itself."""
        if self._until is not None:
            self._until = None
            with suppress(StoreError):
                await self._store.release(self._name, self._holder)
