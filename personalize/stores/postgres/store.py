"""A store in a PostgreSQL database: any number of workers of any number of machines."""

from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import datetime
from functools import partial

from personalize.events.event import Event, to_micros
from personalize.profiles.encoding import decode_organization, decode_profile, holds_organization
from personalize.profiles.organization import Organization
from personalize.profiles.profile import Profile
from personalize.profiles.queue import RowChange, moment_as_bytes
from personalize.stores.erasing_again import IDS_AT_ONCE, erased_since, named_by
from personalize.stores.erasure import Erasure
from personalize.stores.floors import Floors
from personalize.stores.memory.store import MemoryStore
from personalize.stores.past import past_of
from personalize.stores.postgres import (
    applying,
    erasing,
    erasing_again,
    generations,
    log,
    projections,
    tables,
    trimming,
)
from personalize.stores.postgres.address import Address
from personalize.stores.postgres.kept import kept_text, text_kept
from personalize.stores.postgres.link import Link
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
from personalize.stores.stretches import ALL_PROFILES, Stretch, stretches_between

READ_AT_ONCE = 200
#: Transactions of one process at the same time: while the server writes one, events of the other become rows.
COMMITS_AT_ONCE = 2


class PostgresStore:
    """Keeps everything in one schema of the database at `address`; to erase, it takes the `keys` of the site (see
    `stores.seals`).

    Reading a profile is one round trip. Events that come together share a transaction. Writes of many processes for
    different profiles run beside one another, those for the same one wait in turn, and nothing is added up twice or
    lost. Use it from one event loop at a time.

    A server that is gone makes calls raise `StoreUnavailable`; they succeed again, on new connections, as soon as it
    is back.
    """

    #: A network lies between.
    profile_at_once = None
    #: Any machine may connect.
    is_shared = True

    def __init__(self, address: Address, *, keys: Sequence[str] = ()) -> None:
        self._link = Link(address, learnt=projections.PROFILE)
        self._seals = Seals(keys)
        self._commits = SharedCommits(self._apply, at_once=COMMITS_AT_ONCE)

    async def open(self) -> None:
        """Connect, and make the schema or bring it up to date.

        Where this raises, every later call tries again by itself, until `close`.
        """
        await self._link.open()

    async def close(self) -> None:
        """Finish the writes given so far and let go of the connections."""
        await self._commits.finish()
        await self._link.close()

    async def apply(
        self, events: Sequence[Event], projectors: Sequence[Projector], *, version: str | None = None
    ) -> Applied:
        """Append the events that are new and project them, in one transaction; durable when it returns.

        What many ask for at the same time shares a transaction; see `SharedCommits`."""
        return await self._commits.write(events, projectors, version)

    async def _apply(self, events: Sequence[Event], projectors: Sequence[Projector], version: str | None) -> Applied:
        given, adds_only = (events, projectors, version, self._seals), not projectors
        try:
            return await self._link.write(lambda connection: applying.apply(connection, *given), adds_only=adds_only)
        except applying.NeedsToBeAlone:
            return await self._link.write(
                lambda connection: applying.apply_alone(connection, *given), alone=True, adds_only=adds_only
            )

    async def profile(self, profile_id: str) -> Profile | None:
        """The stored profile, or None."""
        found = await self._link.fetch(projections.PROFILE, kept_text(profile_id))
        return decode_profile(found[0][0]) if found else None

    async def organization(self, organization_id: str) -> Organization | None:
        """The stored organization, or None."""
        found = await self._link.fetch(projections.PROFILE, kept_text(organization_id))
        return decode_organization(found[0][0]) if found and holds_organization(found[0][0]) else None

    async def profile_with_organization(self, profile_id: str) -> tuple[Profile | None, Organization | None]:
        """The stored profile, and the organization that it is a member of: one round trip."""
        found = await self._link.fetch(projections.PROFILE_WITH_ORGANIZATION, kept_text(profile_id))
        if not found:
            return None, None
        row, beside = found[0]
        is_there = beside is not None and holds_organization(beside)
        return decode_profile(row), decode_organization(beside) if is_there else None

    async def profiles(self, within: Stretch = ALL_PROFILES) -> AsyncIterator[Profile]:
        """The profiles of a stretch by id; each as it was when its part of the table was read."""
        key, until = kept_text(within.after), None if within.until is None else kept_text(within.until)
        while found := await self._link.fetch(projections.PROFILE_ROWS, key, until, READ_AT_ONCE):
            for _, data in found:
                yield decode_profile(data)
            key = found[-1][0]

    async def stretches(self, profiles: int) -> Sequence[Stretch]:
        """All profiles in stretches of so many; only the index of their ids is read."""
        ends: list[str] = []
        after = ""
        # The last id and the one behind it: where there is none behind it, no other stretch follows.
        while len(found := await self._link.fetch(projections.PROFILE_KEYS, after, profiles - 1)) == 2:
            after = found[0][0]
            ends.append(text_kept(after))
        return stretches_between(ends)

    async def profile_ids(self, after: str, *, rows: int) -> Sequence[str]:
        """The ids of the next profiles behind an id; only their index is read."""
        return [text_kept(key) for (key,) in await self._link.fetch(projections.NEXT_KEYS, kept_text(after), rows)]

    async def history(self, profile_id: str) -> AsyncIterator[Event]:
        """The events sent with this profile id, newest entry of the log first."""
        before = log.BEYOND_ALL_SEQS
        while found := await self._link.fetch(log.HISTORY, kept_text(profile_id), before, READ_AT_ONCE):
            for row in found:
                yield log.event_from_row(row)
            before = log.seq_of(found[-1])

    async def latest(self, type_: str, profile_ids: Sequence[str], *, entries: int) -> Mapping[str, Event]:
        """Of each of these ids the event of a type that occurred last: one round trip."""
        found = await self._link.fetch(log.LATEST, list(map(kept_text, profile_ids)), kept_text(type_), entries)
        return {event.profile_id: event for event in map(log.event_from_row, found)}

    async def log(self) -> AsyncIterator[Event]:
        """The whole log in the order of arrival, up to what it held when the reading began."""
        last, seq = await self.last_entry(), 0
        while found := await self._link.fetch(log.LOG, seq, last, READ_AT_ONCE):
            for row in found:
                yield log.event_from_row(row)
            seq = log.seq_of(found[-1])

    async def last_entry(self) -> int:
        """The number of the last entry of the log; whoever has a smaller one and is still writing is waited for."""
        return await self._link.write(log.last_seq, alone=True, adds_only=True)

    async def entries(self, after: int, until: int) -> Sequence[Event]:
        """A stretch of the log."""
        return [log.event_from_row(row) for row in await self._link.fetch(log.LOG, after, until, until - after)]

    async def rebuild(self, projectors: Sequence[Projector]) -> int:
        """Project the whole log again, in one transaction; other writes wait for it."""
        return await self._link.write(partial(generations.rebuild, projectors=projectors), alone=True)

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
        return await self._link.write(partial(erase, projectors=projectors, version=version), alone=True)

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
        trim = partial(trimming.trim, profile_id=profile_id, trimmed=trimmed, summed=summed)
        return await self._link.write(partial(trim, projectors=projectors, version=version), alone=True)

    async def erased_at(self, profile_id: str) -> datetime | None:
        """When the profile of this id was erased last; None where it never was."""
        return erasing.moment_from(await self._link.fetch(erasing.ERASED_AT, self._seals.all_of(profile_id)))

    async def floors(self) -> Floors:
        """How far back the log reaches."""
        return erasing.floors_kept(await self._link.fetch(erasing.FLOORS))

    async def raise_floors(self, floors: Floors) -> None:
        """Take nothing any more that lies below these floors."""
        await self._link.write(partial(erasing.raise_floors, floors=floors))

    async def erasures(self) -> Sequence[Erasure]:
        """The receipts of all erasures, oldest first."""
        return [erasing.erasure_from_row(row) for row in await self._link.fetch(erasing.ERASURES)]

    async def sealed(self) -> Sequence[tuple[str, datetime]]:
        """The seal of every erased id, and when it was erased last."""
        return [(seal.hex(), at) for seal, at in await self._link.fetch(erasing.SEALED)]

    async def take_over(
        self, erasures: Sequence[Erasure], sealed: Sequence[tuple[str, datetime]], projectors: Sequence[Projector] = ()
    ) -> int:
        """Keep the receipts and the seals of another store beside its own, and erase whom they name."""
        since, found = erased_since(sealed, await self.sealed()), 0
        async for profile_id, at in self._named_by(since):
            again = partial(erasing_again.erase_again, profile_id=profile_id, at=at, seals=self._seals)
            found += await self._link.write(partial(again, projectors=projectors), alone=True)
        await self._link.write(partial(erasing_again.keep, erasures=erasures, sealed=sealed), alone=True)
        return found

    async def _named_by(self, since: Mapping[bytes, datetime]) -> AsyncIterator[tuple[str, datetime]]:
        if since:
            self._seals.require()
        for statement in erasing_again.IDS if since else ():
            after = ""
            while found := await self._link.fetch(statement, after, IDS_AT_ONCE):
                for named in named_by(since, [text_kept(each) for (each,) in found], self._seals):
                    yield named
                after = found[-1][0]

    async def compact(self, *, at: datetime) -> None:
        """Write the tables anew (`VACUUM FULL`), so that no byte of what was deleted is left in them; needs as much
        room again, and everybody waits. The server's own log and its backups keep it for as long as they are kept."""
        for statement in erasing.COMPACT:
            await self._link.execute(statement)
        await self._link.write(lambda connection: connection.execute(erasing.NOTE_COMPACTION, at))

    async def compaction_due_since(self) -> datetime | None:
        """When the first erasure was that no compaction has followed."""
        ((found,),) = await self._link.fetch(erasing.COMPACTION_DUE)
        since: datetime | None = found
        return since

    async def as_of(self, moment: datetime, projectors: Sequence[Projector]) -> Store:
        """A read-only store, in memory, of what had occurred before the moment."""
        return await past_of(self, MemoryStore(), moment, projectors)

    async def save_rule_set(self, version: str, files: Mapping[str, str], at: datetime) -> None:
        """Keep the text of a rule set's files under its version; saving it again changes nothing."""
        await self._link.write(partial(tables.save_rule_set, version=version, files=files, at=at))

    async def rule_set(self, version: str) -> Mapping[str, str]:
        """The files of a saved version. Raises `UnknownVersion`."""
        return tables.files_of(version, await self._link.fetch(tables.RULE_SET, version))

    async def versions(self) -> Sequence[Live]:
        """Every version that has been live, oldest first; one that was live twice stands twice."""
        return [tables.live_from_row(row) for row in await self._link.fetch(tables.LIVES)]

    async def live(self) -> Live | None:
        """What is live now, or None."""
        found = await self._link.fetch(tables.LIVE)
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
        moving = partial(generations.set_live, live=live, projectors=projectors, expected=expected, at_once=at_once)
        await self._link.write(moving, alone=True)

    async def filled(self) -> Filled:
        """What the served rows hold, and how far a filling has come."""
        return generations.filled_from(await self._link.fetch(generations.FILLED))

    async def fill(self, projectors: Sequence[Projector], *, version: str, at: datetime, events: int) -> Filled:
        """One slice of a filling, in one transaction with the mark of how far it came; other writes wait for it."""
        filling = partial(generations.fill, projectors=projectors, version=version, at=at, events=events)
        return await self._link.write(filling, alone=True)

    async def keep_token(self, token: AccessToken) -> None:
        """Keep what is known of a token; of what was known before, revocation and use stand."""
        await self._link.write(partial(tables.keep_token, token=token))

    async def tokens(self) -> Sequence[AccessToken]:
        """Every token there was, oldest first."""
        return [tables.token_from_row(row) for row in await self._link.fetch(tables.TOKENS)]

    async def kept(self, projection: str, keys: Sequence[str]) -> Mapping[str, bytes]:
        """The rows with these keys, of those that there are."""
        found = await self._link.fetch(projections.KEPT, projection, list(map(kept_text, keys)))
        return {text_kept(key): row for key, row in found}

    async def due(self, queue: str, *, at: datetime | None, rows: int) -> Sequence[tuple[str, bytes]]:
        """The rows whose moment has come, the earliest first."""
        until = moment_as_bytes(None if at is None else to_micros(at))
        return [(text_kept(key), row) for key, row in await self._link.fetch(projections.DUE[queue], until, rows)]

    async def found(self, term: bytes, *, rows: int) -> Sequence[str]:
        """The keys that lead from a term to visitors."""
        return [text_kept(key) for (key,) in await self._link.fetch(projections.FOUND, term, rows)]

    async def exchange(self, projection: str, changes: Sequence[RowChange]) -> int:
        """Change the rows that are still as they were seen."""
        return await self._link.write(partial(projections.exchange, projection=projection, changes=changes))

    async def lease(self, lease: Lease, *, at: datetime) -> bool:
        """Take or keep a job that nobody else holds."""
        return await self._link.write(partial(tables.lease, wanted=lease, at=at))

    async def release(self, job: str, holder: str) -> None:
        """Let go of a job."""
        await self._link.write(partial(tables.release, job=job, holder=holder))

    async def set_switch(self, switch: Switch) -> None:
        """Switch personalizing off or on."""
        await self._link.write(partial(tables.set_switch, switch=switch))

    async def switch(self) -> Switch | None:
        """How it was switched last."""
        found = await self._link.fetch(tables.SWITCH)
        return tables.switch_from_row(found[0]) if found else None

    async def note_export(self, export: Export) -> None:
        """Write down that a copy is being made, or was."""
        await self._link.write(partial(tables.note_export, export=export))

    async def exports(self) -> Sequence[Export]:
        """Every copy, in the order in which they were begun."""
        return [tables.export_from_row(row) for row in await self._link.fetch(tables.EXPORTS)]

    async def report(self, report: WorkerReport) -> None:
        """Put a worker's report in place of its last one."""
        await self._link.write(partial(tables.report, worker=report))

    async def workers(self) -> Sequence[WorkerReport]:
        """The last report of every worker, by name."""
        return [tables.worker_from_row(row) for row in await self._link.fetch(tables.WORKERS)]
