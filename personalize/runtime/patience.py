"""How long a site that starts waits for its store, before it serves its pages without it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from personalize.errors import StoreBusy
from personalize.settings import Settings

#: So that the first page leaves within a second, whatever the store does.
PATIENCE_SECONDS = 0.8


def patient_until(settings: Settings) -> float | None:
    """When, by the loop's clock, a start that begins now waits no longer; None, for ever, where nobody visits: somebody
    looks at the past, or develops."""
    has_visitors = settings.at is None and settings.reload != "save"
    return asyncio.get_running_loop().time() + PATIENCE_SECONDS if has_visitors else None


@asynccontextmanager
async def patience(until: float | None) -> AsyncIterator[None]:
    """What the block asks of the store has until then. Raises `StoreBusy` where it is still waiting by then.

    What needs no waiting is done at any time, and so is never too late: reading a file, beside a writer that hangs.
    """
    try:
        async with asyncio.timeout_at(until):
            yield
    except TimeoutError as error:
        raise StoreBusy(f"the store has not answered within {PATIENCE_SECONDS:g} seconds") from error
