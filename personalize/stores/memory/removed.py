"""What a store in memory keeps of what was removed from it: for nothing of that to come back."""

from collections.abc import Sequence
from datetime import datetime

from personalize.stores.erasure import Erasure
from personalize.stores.floors import NO_FLOORS, Floors


class MemoryRemoved:
    """Seals and receipts of erasures, and how far back the log reaches, as `Store` describes them."""

    def __init__(self) -> None:
        super().__init__()
        self._erased: dict[bytes, datetime] = {}
        self._erasures: list[Erasure] = []
        self._compacted_at: datetime | None = None
        self._floors = NO_FLOORS

    async def floors(self) -> Floors:
        """How far back the log reaches."""
        return self._floors

    async def raise_floors(self, floors: Floors) -> None:
        """Take nothing any more that lies below these floors."""
        self._floors = self._floors.raised(floors)

    async def erasures(self) -> Sequence[Erasure]:
        """The receipts of all erasures, oldest first."""
        return list(self._erasures)

    async def sealed(self) -> Sequence[tuple[str, datetime]]:
        """The seal of every erased id, and when it was erased last."""
        return [(seal.hex(), self._erased[seal]) for seal in sorted(self._erased)]

    def _keep_removed(self, erasures: Sequence[Erasure], sealed: Sequence[tuple[str, datetime]]) -> None:
        """Keep the receipts and the seals of another store beside its own."""
        self._erasures += [each for each in erasures if each not in self._erasures]
        for seal, at in sealed:
            self._erased[bytes.fromhex(seal)] = max(at, self._erased.get(bytes.fromhex(seal), at))

    async def compact(self, *, at: datetime) -> None:
        """Nothing is left of what is deleted here."""
        self._compacted_at = at

    async def compaction_due_since(self) -> datetime | None:
        """When the first erasure was that no compaction has followed."""
        compacted_at = self._compacted_at
        due = [each.at for each in self._erasures if compacted_at is None or each.at > compacted_at]
        return min(due, default=None)
