"""A store behind a network that fails as one is told to."""

import asyncio
from enum import Enum, auto

from personalize.errors import StoreUnavailable
from personalize.profiles.profile import Profile
from personalize.stores.memory.store import MemoryStore


class Fault(Enum):
    """What is wrong with the store."""

    NONE = auto()
    HANGS = auto()
    REFUSES = auto()


class FaultyStore(MemoryStore):
    """Reading a profile takes its time, or never ends, or fails. `asked` counts the reads, `most_at_once` those
    that were under way together."""

    def __init__(self) -> None:
        super().__init__()
        self.fault = Fault.NONE
        self.delay_seconds = 0.0
        self.asked = 0
        self.most_at_once = 0
        self._under_way = 0

    async def profile(self, profile_id: str) -> Profile | None:
        """The stored profile, after what the network does to the question."""
        self.asked += 1
        self._under_way += 1
        self.most_at_once = max(self.most_at_once, self._under_way)
        try:
            await asyncio.sleep(self.delay_seconds)
            if self.fault is Fault.HANGS:
                await asyncio.Event().wait()
            if self.fault is Fault.REFUSES:
                raise StoreUnavailable("the connection was refused")
            return await super().profile(profile_id)
        finally:
            self._under_way -= 1
