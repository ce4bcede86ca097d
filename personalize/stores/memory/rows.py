"""The rows of projections in a store in memory: how they are read, and changed by hand."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from heapq import nsmallest

from personalize.events.event import to_micros
from personalize.profiles.organization import is_organization
from personalize.profiles.queue import RowChange, moment_as_bytes
from personalize.profiles.searched import SEARCH
from personalize.stores.erasing import forgetting, keys_about, names_any, organization_without
from personalize.stores.projecting import MARKS, PROFILES


def with_changes(rows: dict[str, bytes], changes: Sequence[tuple[str, bytes | None]]) -> dict[str, bytes]:
    """The same rows, after these changes."""
    for key, data in changes:
        if data is None:
            rows.pop(key, None)
        else:
            rows[key] = data
    return rows


def let_go(projections: Mapping[str, dict[str, bytes]], ids: Collection[str], left: Iterable[str]) -> None:
    """Remove the rows of those who are gone from a generation, and their names from the rows of those left."""
    profile_rows = projections.get(PROFILES, {})
    for each in sorted(ids):
        if (organization := organization_without(profile_rows.get(each), profile_rows.get)) is not None:
            with_changes(profile_rows, [organization])
    for projection, rows in projections.items():
        gone = [key for each in sorted(ids) for key in keys_about(each, projection, rows.get(each))]
        with_changes(rows, [(key, None) for key in gone])
        with_changes(rows, [(each, forgetting(projection, rows[each], ids)) for each in left if each in rows])
    marks = projections.get(MARKS, {})
    with_changes(marks, [(key, None) for key, row in marks.items() if names_any(row, ids)])


class MemoryRows:
    """The served rows by projection and key, as `Store` describes them."""

    def __init__(self) -> None:
        super().__init__()
        self._projections: dict[str, dict[str, bytes]] = {}

    async def profile_ids(self, after: str, *, rows: int) -> Sequence[str]:
        """The ids of the next stored profiles behind an id."""
        ids = (key for key in self._projections.get(PROFILES, {}) if key > after and not is_organization(key))
        return nsmallest(rows, ids)

    async def kept(self, projection: str, keys: Sequence[str]) -> Mapping[str, bytes]:
        """The rows with these keys, of those that there are."""
        rows = self._projections.get(projection, {})
        return {key: rows[key] for key in keys if key in rows}

    async def due(self, queue: str, *, at: datetime | None, rows: int) -> Sequence[tuple[str, bytes]]:
        """The rows whose moment has come, the earliest first."""
        until = moment_as_bytes(None if at is None else to_micros(at))
        found = [(key, row) for key, row in self._projections.get(queue, {}).items() if row[: len(until)] <= until]
        return sorted(found, key=lambda each: (each[1][: len(until)], each[0]))[:rows]

    async def found(self, term: bytes, *, rows: int) -> Sequence[str]:
        """The keys that lead from a term to visitors."""
        return sorted(key for key, row in self._projections.get(SEARCH, {}).items() if row[: len(term)] == term)[:rows]

    async def exchange(self, projection: str, changes: Sequence[RowChange]) -> int:
        """Change the rows that are still as they were seen."""
        rows = self._projections.setdefault(projection, {})
        good = [change for change in changes if rows.get(change.key) == change.seen]
        with_changes(rows, [(change.key, change.then) for change in good])
        return len(good)
