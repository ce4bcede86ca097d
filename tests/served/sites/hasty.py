"""A planted bug: the API answers before the store has written, as one that queues would."""

import asyncio
from collections.abc import Sequence

from personalize.events.event import Event
from personalize.runtime.ingest import Ingest
from personalize.stores.protocols import Applied
from tests.served.shop import app

__all__ = ["app"]

_record = Ingest.record
_LATE_SECONDS = 0.3
_writing: set[asyncio.Task[None]] = set()


async def hasty(self: Ingest, events: Sequence[Event]) -> Applied:
    """Say that it is kept, and keep it a moment later."""
    task = asyncio.create_task(_later(self, events))
    _writing.add(task)
    task.add_done_callback(_writing.discard)
    return Applied(new=len(events), repeated=0)


async def _later(ingest: Ingest, events: Sequence[Event]) -> None:
    await asyncio.sleep(_LATE_SECONDS)
    await _record(ingest, events)


Ingest.record = hasty  # type: ignore[method-assign]
