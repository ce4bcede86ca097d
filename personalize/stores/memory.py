"""A store in this process's memory: for tests, and for what the past looked like. Nothing survives it."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from personalize.errors import StaleVersion, UnknownVersion
from personalize.events.event import Event
from personalize.profiles.encoding import decode_profile
from personalize.profiles.profile import Profile
from personalize.stores.event_text import properties_as_text, properties_from_text
from personalize.stores.past import past_of
from personalize.stores.projecting import PROFILES, Rows
from personalize.stores.protocols import (
    NOTHING_LIVE,
    REPORTS_LAST,
    Applied,
    Live,
    Projector,
    Store,
    WorkerReport,
)

READ_AT_ONCE = 200


class MemoryStore:
    """Obeys the laws of every store, on the event loop alone. Rows are kept as bytes, as they would be on a
    disk, so nothing that it gives away can change what it keeps."""

    #: A profile is read at once.
    waits = False

    def __init__(self) -> None:
        self._log: list[Event] = []
        self._projected = 0
        self._known: set[tuple[str, str]] = set()
        self._entries: dict[str, list[int]] = {}
        self._projections: dict[str, dict[str, bytes]] = {}
        self._rule_sets: dict[str, dict[str, str]] = {}
        self._lives: list[Live] = []
        self._workers: dict[str, WorkerReport] = {}

    async def open(self) -> None:
        """Nothing has to be made ready."""

    async def close(self) -> None:
        """Nothing has to be let go of."""

    async def apply(
        self, events: Sequence[Event], projectors: Sequence[Projector], *, version: str | None = None
    ) -> Applied:
        """Append the events that are new and project them; where anything raises, nothing has changed."""
        if version is not None and self._lives and self._lives[-1].version != version:
            raise StaleVersion(self._lives[-1].version)
        new = self._new(events)
        waiting = [*self._log[self._projected :], *new]
        changes = {
            projector.name: self._changes(projector, waiting, self._projections.get(projector.name, {}))
            for projector in projectors
        }
        self._append(new)
        for name, changed in changes.items():
            self._keep(self._projections.setdefault(name, {}), changed)
        if projectors:
            self._projected = len(self._log)
        return Applied(new=len(new), repeated=len(events) - len(new))

    async def profile(self, profile_id: str) -> Profile | None:
        """The stored profile, or None."""
        data = self._projections.get(PROFILES, {}).get(profile_id)
        return None if data is None else decode_profile(data)

    async def profiles(self) -> AsyncIterator[Profile]:
        """All profiles by id."""
        for number, data in enumerate([row for _, row in sorted(self._projections.get(PROFILES, {}).items())]):
            yield decode_profile(data)
            await _breathe(number)

    async def history(self, profile_id: str) -> AsyncIterator[Event]:
        """The events sent with this profile id, newest entry of the log first."""
        for number, entry in enumerate(self._entries.get(profile_id, [])[::-1]):
            yield self._log[entry]
            await _breathe(number)

    async def log(self) -> AsyncIterator[Event]:
        """The whole log in the order of arrival, up to what it held when the reading began."""
        for number in range(len(self._log)):
            yield self._log[number]
            await _breathe(number)

    async def rebuild(self, projectors: Sequence[Projector]) -> int:
        """Project the whole log again; where a projector raises, nothing has changed."""
        rebuilt = {projector.name: self._changes(projector, self._log, {}) for projector in projectors}
        for name, changes in rebuilt.items():
            self._projections[name] = {}
            self._keep(self._projections[name], changes)
        if projectors:
            self._projected = len(self._log)
        return len(self._log)

    async def as_of(self, moment: datetime, projectors: Sequence[Projector]) -> Store:
        """A read-only store of what had occurred before the moment."""
        return await past_of(self, MemoryStore(), moment, projectors)

    async def save_rule_set(self, version: str, files: Mapping[str, str], at: datetime) -> None:
        """Keep the text of a rule set's files under its version; saving it again changes nothing."""
        self._rule_sets.setdefault(version, dict(files))

    async def rule_set(self, version: str) -> Mapping[str, str]:
        """The files of a saved version. Raises `UnknownVersion`."""
        if version not in self._rule_sets:
            raise UnknownVersion(version)
        return dict(self._rule_sets[version])

    async def versions(self) -> Sequence[Live]:
        """Every version that has been live, oldest first; one that was live twice stands twice."""
        return list(self._lives)

    async def live(self) -> Live | None:
        """What is live now, or None."""
        return self._lives[-1] if self._lives else None

    async def set_live(self, live: Live, rebuild: Sequence[Projector] = (), *, expected: str | None = None) -> None:
        """Make a saved version live and project the log for it, if what is live is still the expected one."""
        before = self._lives[-1].version if self._lives else NOTHING_LIVE
        if expected is not None and before != expected:
            raise StaleVersion(before)
        if live.version not in self._rule_sets:
            raise UnknownVersion(live.version)
        await self.rebuild(rebuild)
        self._lives.append(live)

    async def report(self, report: WorkerReport) -> None:
        """Put a worker's report in place of its last one."""
        oldest = report.at - REPORTS_LAST
        kept = {name: each for name, each in self._workers.items() if each.at >= oldest}
        self._workers = {**kept, report.worker: report}

    async def workers(self) -> Sequence[WorkerReport]:
        """The last report of every worker, by name."""
        return [self._workers[name] for name in sorted(self._workers)]

    def _new(self, events: Sequence[Event]) -> list[Event]:
        """The events that the log has not, each once, and its own: what is no JSON raises here."""
        new: dict[tuple[str, str], Event] = {}
        for event in events:
            key = (event.sender, event.event_id)
            if key not in self._known and key not in new:
                kept = properties_from_text(properties_as_text(event.properties))
                new[key] = replace(event, properties=kept)
        return list(new.values())

    def _append(self, events: Sequence[Event]) -> None:
        for event in events:
            self._known.add((event.sender, event.event_id))
            self._entries.setdefault(event.profile_id, []).append(len(self._log))
            self._log.append(event)

    @staticmethod
    def _changes(
        projector: Projector, events: Sequence[Event], kept: Mapping[str, bytes]
    ) -> list[tuple[str, bytes | None]]:
        rows = Rows(projector, kept.get)
        for event in events:
            rows.project(event)
        return list(rows.changes())

    @staticmethod
    def _keep(kept: dict[str, bytes], changes: Sequence[tuple[str, bytes | None]]) -> None:
        for key, data in changes:
            if data is None:
                kept.pop(key, None)
            else:
                kept[key] = data


async def _breathe(number: int) -> None:
    """Let others run now and then while much is read."""
    if number % READ_AT_ONCE == READ_AT_ONCE - 1:
        await asyncio.sleep(0)
