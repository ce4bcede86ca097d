"""A store in one SQLite file: no server, any number of workers of one machine."""

import asyncio
import json
import sqlite3
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from personalize.errors import StoreError, StoreUnavailable
from personalize.events.event import Event, to_micros
from personalize.profiles.encoding import decode_organization, decode_profile, holds_organization
from personalize.profiles.organization import Organization
from personalize.profiles.profile import Profile
from personalize.profiles.queue import RowChange, moment_as_bytes
from personalize.stores.erasing_again import IDS_AT_ONCE, erased_since, named_by
from personalize.stores.erasure import Erasure
from personalize.stores.floors import Floors
from personalize.stores.membership import both_of
from personalize.stores.memory.store import MemoryStore
from personalize.stores.past import past_of
from personalize.stores.protocols import (
    AccessToken,
    Applied,
    Export,
    Filled,
    Lease,
    Live,
    Projector,
    Store,
    Summing,
    Switch,
    Trimming,
    WorkerReport,
)
from personalize.stores.seals import Seals
from personalize.stores.shared_commits import SharedCommits
from personalize.stores.sqlite import erasing, erasing_again, generations, projections, tables
from personalize.stores.sqlite.reader import Reader
from personalize.stores.sqlite.schema import refuse_newer_file
from personalize.stores.sqlite.writer import Writer
from personalize.stores.stretches import ALL_PROFILES, Stretch, stretches_between

T = TypeVar("T")

READ_AT_ONCE = 200


class SqliteStore:
    """Keeps everything in the file at `path`; to erase, it takes the `keys` of the site (see `stores.seals`).

    Reads run on the event loop (a few microseconds; a hop to a thread costs twenty times that) and never wait:
    a locked file is `StoreBusy` at once. Writes run in one thread, which waits up to `busy_seconds` for other
    processes; writes that come in together share one synced commit. Use it from one event loop at a time.

    A file that is deleted, exchanged, full or read-only while it is open makes calls raise `StoreUnavailable`;
    they succeed again, on a new connection, as soon as the file is back. Only the first opening creates it.
    """

    #: Any process of the machine may open the file.
    is_shared = True

    def __init__(self, path: Path, *, keys: Sequence[str] = (), busy_seconds: float = 5.0) -> None:
        self._path = path
        self._seals = Seals(keys)
        self._busy_seconds = busy_seconds
        self._writer: Writer | None = None
        self._commits = SharedCommits(self._apply, of_all=(StoreError,))
        self._reader: Reader | None = None

    async def open(self) -> None:
        """Create the file, its folder and its schema where they are missing, and begin to write.

        Where this raises, every later call tries again by itself, until `close`.
        """
        if self._writer is None:
            self._writer = Writer(self._path, busy_seconds=self._busy_seconds)
            self._reader = Reader(self._path, self._writer)
        await self._write(lambda connection: None)

    async def close(self) -> None:
        """Finish the writes given so far and let go of the file."""
        await self._commits.finish()
        reader, self._reader = self._reader, None
        writer, self._writer = self._writer, None
        if reader is not None:
            reader.close()
        if writer is not None:
            await asyncio.to_thread(writer.stop)

    async def apply(
        self, events: Sequence[Event], projectors: Sequence[Projector], *, version: str | None = None
    ) -> Applied:
        """Append the events that are new and project them, in one transaction; synced when it returns.

        What is asked for while another one is written shares the next transaction; see `SharedCommits`."""
        return await self._commits.write(events, projectors, version)

    async def _apply(self, events: Sequence[Event], projectors: Sequence[Projector], version: str | None) -> Applied:
        return await self._write(
            partial(erasing.apply, events=events, projectors=projectors, version=version, seals=self._seals),
            adds_only=not projectors,
        )

    def profile_at_once(self, profile_id: str) -> Profile | None:
        """The stored profile, or None; on the loop, without waiting."""
        return self._opened().profile(profile_id)

    async def profile(self, profile_id: str) -> Profile | None:
        """The same."""
        return self.profile_at_once(profile_id)

    async def organization(self, organization_id: str) -> Organization | None:
        """The stored organization, or None; on the loop, without waiting."""
        found = self._read(projections.PROFILE, (organization_id,))
        return decode_organization(found[0][0]) if found and holds_organization(found[0][0]) else None

    async def profile_with_organization(self, profile_id: str) -> tuple[Profile | None, Organization | None]:
        """The stored profile, and the organization that it is a member of; on the loop, without waiting."""
        return await both_of(self, profile_id)

    async def profiles(self, within: Stretch = ALL_PROFILES) -> AsyncIterator[Profile]:
        """The profiles of a stretch by id; each as it was when its part of the table was read."""
        key, until = within.after, projections.BEYOND_ALL_KEYS if within.until is None else within.until
        while found := self._read(projections.PROFILE_ROWS, (key, until, READ_AT_ONCE)):
            for _, data in found:
                yield decode_profile(data)
            key = found[-1][0]
            await asyncio.sleep(0)

    async def stretches(self, profiles: int) -> Sequence[Stretch]:
        """All profiles in stretches of so many; only the index of their ids is read."""
        ends: list[str] = []
        after = ""
        # The last id and the one behind it: where there is none behind it, no other stretch follows.
        while len(found := self._read(projections.PROFILE_KEYS, (after, profiles - 1))) == 2:
            after = found[0][0]
            ends.append(after)
            await asyncio.sleep(0)
        return stretches_between(ends)

    async def profile_ids(self, after: str, *, rows: int) -> Sequence[str]:
        """The ids of the next profiles behind an id; only their index is read."""
        return [key for (key,) in self._read(projections.NEXT_KEYS, (after, rows))]

    async def history(self, profile_id: str) -> AsyncIterator[Event]:
        """The events sent with this profile id, newest entry of the log first."""
        head = self._read(tables.HEAD, (profile_id,))
        seq = head[0][0] if head else None
        while seq is not None:
            found = self._read(tables.HISTORY, (seq, READ_AT_ONCE))
            for row in found:
                yield tables.event_from_row(row)
            seq = tables.previous_of(found[-1]) if found else None
            await asyncio.sleep(0)

    async def latest(self, type_: str, profile_ids: Sequence[str], *, entries: int) -> Mapping[str, Event]:
        """Of each of these ids the event of a type that occurred last."""
        found: dict[str, Event] = {}
        for each in profile_ids:
            for row in self._read(tables.LATEST, (each, entries, type_)):
                found[each] = tables.event_from_row(row)
        return found

    async def log(self) -> AsyncIterator[Event]:
        """The whole log in the order of arrival, up to what it held when the reading began."""
        last = self._read(tables.LAST_SEQ)[0][0]
        seq = 0
        while found := self._read(tables.LOG, (seq, last, READ_AT_ONCE)):
            for row in found:
                yield tables.event_from_row(row)
            seq = tables.seq_of(found[-1])
            await asyncio.sleep(0)

    async def last_entry(self) -> int:
        """The number of the last entry of the log."""
        last: int = self._read(tables.LAST_SEQ)[0][0]
        return last

    async def entries(self, after: int, until: int) -> Sequence[Event]:
        """A stretch of the log."""
        return [tables.event_from_row(row) for row in self._read(tables.LOG, (after, until, until - after))]

    async def rebuild(self, projectors: Sequence[Projector]) -> int:
        """Project the whole log again, in one transaction; other writes wait for it."""
        return await self._write(partial(generations.rebuild, projectors=projectors))

    async def erase(
        self,
        profile_id: str,
        *,
        at: datetime,
        by: str,
        projectors: Sequence[Projector] = (),
        version: str | None = None,
    ) -> Erasure:
        """Erase a person, and keep the receipt."""
        erase = partial(erasing.erase, profile_id=profile_id, at=at, by=by, seals=self._seals)
        return await self._write(partial(erase, projectors=projectors, version=version))

    async def trim(
        self,
        profile_id: str,
        trimmed: Trimming,
        projectors: Sequence[Projector],
        *,
        version: str | None = None,
        summed: Summing | None = None,
    ) -> int:
        """Trim one history, and project anew what it was in."""
        trim = partial(erasing.trim, profile_id=profile_id, trimmed=trimmed, summed=summed)
        return await self._write(partial(trim, projectors=projectors, version=version))

    async def erased_at(self, profile_id: str) -> datetime | None:
        """When the profile of this id was erased last; None where it never was."""
        seals = self._seals.all_of(profile_id)
        return erasing.moment_from([row for seal in seals for row in self._read(erasing.ERASED_AT, (seal,))])

    async def floors(self) -> Floors:
        """How far back the log reaches."""
        return erasing.floors_kept(self._read(erasing.FLOORS))

    async def raise_floors(self, floors: Floors) -> None:
        """Take nothing any more that lies below these floors."""
        await self._write(partial(erasing.raise_floors, floors=floors))

    async def erasures(self) -> Sequence[Erasure]:
        """The receipts of all erasures, oldest first."""
        return [erasing.erasure_from_row(row) for row in self._read(erasing.ERASURES)]

    async def sealed(self) -> Sequence[tuple[str, datetime]]:
        """The seal of every erased id, and when it was erased last."""
        return [erasing.sealed_from_row(row) for row in self._read(erasing.SEALED)]

    async def take_over(
        self, erasures: Sequence[Erasure], sealed: Sequence[tuple[str, datetime]], projectors: Sequence[Projector] = ()
    ) -> int:
        """Keep the receipts and the seals of another store beside its own, and erase whom they name."""
        since, found = erased_since(sealed, await self.sealed()), 0
        async for profile_id, at in self._named_by(since):
            again = partial(erasing_again.erase_again, profile_id=profile_id, at=at, seals=self._seals)
            found += await self._write(partial(again, projectors=projectors))
        await self._write(partial(erasing_again.keep, erasures=erasures, sealed=sealed))
        return found

    async def _named_by(self, since: Mapping[bytes, datetime]) -> AsyncIterator[tuple[str, datetime]]:
        if since:
            self._seals.require()
        for statement in erasing_again.IDS if since else ():
            after = ""
            while ids := [each for (each,) in self._read(statement, (after, IDS_AT_ONCE))]:
                for named in named_by(since, ids, self._seals):
                    yield named
                after = ids[-1]
                await asyncio.sleep(0)

    async def compact(self, *, at: datetime) -> None:
        """Copy what is kept to new pages, so that no byte of what was deleted is left; needs as much room again."""
        if self._writer is None:
            raise self._closed()
        await asyncio.wrap_future(self._writer.submit_bare(erasing.compact))
        await self._write(partial(erasing.note_compaction, at=at))

    async def compaction_due_since(self) -> datetime | None:
        """When the first erasure was that no compaction has followed."""
        return erasing.moment_from([row for row in self._read(erasing.COMPACTION_DUE) if row[0] is not None])

    async def as_of(self, moment: datetime, projectors: Sequence[Projector]) -> Store:
        """A read-only store, in memory, of what had occurred before the moment."""
        return await past_of(self, MemoryStore(), moment, projectors)

    async def save_rule_set(self, version: str, files: Mapping[str, str], at: datetime) -> None:
        """Keep the text of a rule set's files under its version; saving it again changes nothing."""
        await self._write(partial(tables.save_rule_set, version=version, files=files, at=at))

    async def rule_set(self, version: str) -> Mapping[str, str]:
        """The files of a saved version. Raises `UnknownVersion`."""
        return tables.files_of(version, self._read(tables.RULE_SET, (version,)))

    async def versions(self) -> Sequence[Live]:
        """Every version that has been live, oldest first; one that was live twice stands twice."""
        return [tables.live_from_row(row) for row in self._read(tables.LIVES)]

    async def live(self) -> Live | None:
        """What is live now, or None."""
        found = self._read(tables.LIVE)
        return tables.live_from_row(found[0]) if found else None

    async def set_live(
        self,
        live: Live,
        projectors: Sequence[Projector] = (),
        *,
        expected: str | None = None,
        at_once: int = 0,
    ) -> None:
        """Make a saved version live, if what is live is still the expected one, and fill what it needs at once
        or begin to; all in one transaction."""
        await self._write(
            partial(generations.set_live, live=live, projectors=projectors, expected=expected, at_once=at_once)
        )

    async def filled(self) -> Filled:
        """What the served rows hold, and how far a filling has come."""
        return generations.filled_from(self._read(generations.FILLED))

    async def fill(self, projectors: Sequence[Projector], *, version: str, at: datetime, events: int) -> Filled:
        """One slice of a filling, in one transaction with the mark of how far it came."""
        return await self._write(
            partial(generations.fill, projectors=projectors, version=version, at=at, events=events)
        )

    async def keep_token(self, token: AccessToken) -> None:
        """Keep what is known of a token; of what was known before, revocation and use stand."""
        await self._write(partial(tables.keep_token, token=token))

    async def tokens(self) -> Sequence[AccessToken]:
        """Every token there was, oldest first."""
        return [tables.token_from_row(row) for row in self._read(tables.TOKENS)]

    async def kept(self, projection: str, keys: Sequence[str]) -> Mapping[str, bytes]:
        """The rows with these keys, of those that there are."""
        return dict(self._read(projections.kept_rows(projection), (json.dumps(keys),)))

    async def due(self, queue: str, *, at: datetime | None, rows: int) -> Sequence[tuple[str, bytes]]:
        """The rows whose moment has come, the earliest first."""
        found = self._read(projections.due_rows(queue), (moment_as_bytes(None if at is None else to_micros(at)), rows))
        return [(key, row) for key, row in found]

    async def found(self, term: bytes, *, rows: int) -> Sequence[str]:
        """The keys that lead from a term to visitors."""
        return [key for (key,) in self._read(projections.FOUND, (term, rows))]

    async def exchange(self, projection: str, changes: Sequence[RowChange]) -> int:
        """Change the rows that are still as they were seen."""
        return await self._write(partial(projections.exchange, projection=projection, changes=changes))

    async def lease(self, lease: Lease, *, at: datetime) -> bool:
        """Take or keep a job that nobody else holds."""
        return await self._write(partial(tables.lease, wanted=lease, at=at))

    async def release(self, job: str, holder: str) -> None:
        """Let go of a job."""
        await self._write(partial(tables.release, job=job, holder=holder))

    async def set_switch(self, switch: Switch) -> None:
        """Switch personalizing off or on."""
        await self._write(partial(tables.set_switch, switch=switch))

    async def switch(self) -> Switch | None:
        """How it was switched last."""
        found = self._read(tables.SWITCH)
        return tables.switch_from_row(found[0]) if found else None

    async def note_export(self, export: Export) -> None:
        """Write down that a copy is being made, or was."""
        await self._write(partial(tables.note_export, export=export))

    async def exports(self) -> Sequence[Export]:
        """Every copy, in the order in which they were begun."""
        return [tables.export_from_row(row) for row in self._read(tables.EXPORTS)]

    async def report(self, report: WorkerReport) -> None:
        """Put a worker's report in place of its last one."""
        await self._write(partial(tables.report, worker=report))

    async def workers(self) -> Sequence[WorkerReport]:
        """The last report of every worker, by name."""
        return [tables.worker_from_row(row) for row in self._read(tables.WORKERS)]

    async def _write(self, work: Callable[[sqlite3.Connection], T], *, adds_only: bool = False) -> T:
        if self._writer is None:
            raise self._closed()

        def fenced(connection: sqlite3.Connection) -> T:
            refuse_newer_file(connection, adds_only=adds_only)
            return work(connection)

        return await asyncio.wrap_future(self._writer.submit(fenced))

    def _read(self, sql: str, parameters: tuple[object, ...] = ()) -> list[tuple[Any, ...]]:
        """The rows that a statement finds."""
        return self._opened().rows(sql, parameters)

    def _opened(self) -> Reader:
        if self._reader is None:
            raise self._closed()
        return self._reader

    def _closed(self) -> StoreUnavailable:
        return StoreUnavailable(f"the store {self._path} is not open")
