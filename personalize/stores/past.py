"""The past is a store: a read-only one, projected in memory from what had occurred before a moment."""

from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import datetime

from personalize.errors import ReadOnlyStore
from personalize.events.event import Event
from personalize.profiles.organization import Organization
from personalize.profiles.profile import Profile
from personalize.profiles.queue import RowChange
from personalize.stores.erasure import Erasure
from personalize.stores.floors import Floors
from personalize.stores.membership import both_of
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
from personalize.stores.stretches import ALL_PROFILES, Stretch

EVENTS_AT_ONCE = 1_000


async def past_of(now: Store, empty: Store, moment: datetime, projectors: Sequence[Projector]) -> Store:
    """What `now` would hold if nothing had occurred since `moment`, projected into the `empty` store.

    Events count by when they occurred, in the order of the log; so one that was imported yesterday and
    occurred last year belongs to last year.
    """
    part: list[Event] = []
    async for event in now.log():
        if event.occurred_at < moment:
            part.append(event)
        if len(part) == EVENTS_AT_ONCE:
            await empty.apply(part, projectors)
            part = []
    await empty.apply(part, projectors)
    return PastStore(empty, now)


class PastStore:
    """Profiles, history and log of `then`; whatever would write raises `ReadOnlyStore`.

    Rule sets, and which of them is live, are those of `now`: the question is what today's rules would have
    made of the visitors of that day. Closing it leaves the store of now open.
    """

    #: Whether somebody was erased since is asked of the present, wherever that lies.
    profile_at_once = None
    #: It lies in the memory of this process.
    is_shared = False

    def __init__(self, then: Store, now: Store) -> None:
        self._then = then
        self._now = now

    async def open(self) -> None:
        """Nothing has to be made ready."""

    async def close(self) -> None:
        """Let go of the past; the store of now stays open."""
        await self._then.close()

    async def apply(
        self, events: Sequence[Event], projectors: Sequence[Projector], *, version: str | None = None
    ) -> Applied:
        """Raises `ReadOnlyStore`."""
        raise _read_only()

    async def profile(self, profile_id: str) -> Profile | None:
        """The profile as it was, or None; also where it was erased since, for a past that is served for long."""
        return None if await self.erased_at(profile_id) is not None else await self._then.profile(profile_id)

    async def organization(self, organization_id: str) -> Organization | None:
        """The organization as it was, or None."""
        return await self._then.organization(organization_id)

    async def profile_with_organization(self, profile_id: str) -> tuple[Profile | None, Organization | None]:
        """Both as they were."""
        return await both_of(self, profile_id)

    def profiles(self, within: Stretch = ALL_PROFILES) -> AsyncIterator[Profile]:
        """The profiles of a stretch as they were, by id."""
        return self._then.profiles(within)

    async def stretches(self, profiles: int) -> Sequence[Stretch]:
        """All profiles of then in stretches of so many."""
        return await self._then.stretches(profiles)

    async def profile_ids(self, after: str, *, rows: int) -> Sequence[str]:
        """The ids of the next profiles of then behind an id."""
        return await self._then.profile_ids(after, rows=rows)

    def history(self, profile_id: str) -> AsyncIterator[Event]:
        """What had occurred and was sent with this profile id, newest entry of the log first."""
        return self._then.history(profile_id)

    async def latest(self, type_: str, profile_ids: Sequence[str], *, entries: int) -> Mapping[str, Event]:
        """Of each of these ids the event of a type that had occurred last."""
        return await self._then.latest(type_, profile_ids, entries=entries)

    def log(self) -> AsyncIterator[Event]:
        """What had occurred, in the order of arrival."""
        return self._then.log()

    async def last_entry(self) -> int:
        """The number of the last entry of then."""
        return await self._then.last_entry()

    async def entries(self, after: int, until: int) -> Sequence[Event]:
        """Entries of then."""
        return await self._then.entries(after, until)

    async def rebuild(self, projectors: Sequence[Projector]) -> int:
        """Raises `ReadOnlyStore`."""
        raise _read_only()

    async def erase(
        self,
        profile_id: str,
        *,
        at: datetime,
        by: str,
        projectors: Sequence[Projector] = (),
        version: str | None = None,
    ) -> Erasure:
        """Raises `ReadOnlyStore`."""
        raise _read_only()

    async def trim(
        self,
        profile_id: str,
        trimmed: Trimming,
        projectors: Sequence[Projector],
        *,
        version: str | None = None,
        summed: Summing | None = None,
    ) -> int:
        """Raises `ReadOnlyStore`."""
        raise _read_only()

    async def erased_at(self, profile_id: str) -> datetime | None:
        """When the profile of this id was erased, until now."""
        return await self._now.erased_at(profile_id)

    async def floors(self) -> Floors:
        """How far back the log of now reaches."""
        return await self._now.floors()

    async def raise_floors(self, floors: Floors) -> None:
        """Raises `ReadOnlyStore`."""
        raise _read_only()

    async def erasures(self) -> Sequence[Erasure]:
        """The receipts of all erasures until now."""
        return await self._now.erasures()

    async def sealed(self) -> Sequence[tuple[str, datetime]]:
        """The seals of now."""
        return await self._now.sealed()

    async def take_over(
        self, erasures: Sequence[Erasure], sealed: Sequence[tuple[str, datetime]], projectors: Sequence[Projector] = ()
    ) -> int:
        """Raises `ReadOnlyStore`."""
        raise _read_only()

    async def compact(self, *, at: datetime) -> None:
        """Raises `ReadOnlyStore`."""
        raise _read_only()

    async def compaction_due_since(self) -> datetime | None:
        """As it is now."""
        return await self._now.compaction_due_since()

    async def as_of(self, moment: datetime, projectors: Sequence[Projector]) -> Store:
        """A store of a moment further back."""
        return PastStore(await self._then.as_of(moment, projectors), self._now)

    async def save_rule_set(self, version: str, files: Mapping[str, str], at: datetime) -> None:
        """Raises `ReadOnlyStore`."""
        raise _read_only()

    async def rule_set(self, version: str) -> Mapping[str, str]:
        """The files of a version that is saved now. Raises `UnknownVersion`."""
        return await self._now.rule_set(version)

    async def versions(self) -> Sequence[Live]:
        """Every version that has been live until now, oldest first."""
        return await self._now.versions()

    async def live(self) -> Live | None:
        """What is live now, or None."""
        return await self._now.live()

    async def set_live(
        self,
        live: Live,
        projectors: Sequence[Projector] = (),
        *,
        expected: str | None = None,
        at_once: int = 0,
    ) -> None:
        """Raises `ReadOnlyStore`."""
        raise _read_only()

    async def set_switch(self, switch: Switch) -> None:
        """Raises `ReadOnlyStore`."""
        raise _read_only()

    async def switch(self) -> Switch | None:
        """How it is switched now."""
        return await self._now.switch()

    async def note_export(self, export: Export) -> None:
        """Raises `ReadOnlyStore`."""
        raise _read_only()

    async def exports(self) -> Sequence[Export]:
        """The copies that were made up to now."""
        return await self._now.exports()

    async def filled(self) -> Filled:
        """What the profiles were projected for; nothing is under way."""
        return await self._then.filled()

    async def fill(self, projectors: Sequence[Projector], *, version: str, at: datetime, events: int) -> Filled:
        """Raises `ReadOnlyStore`."""
        raise _read_only()

    async def keep_token(self, token: AccessToken) -> None:
        """Raises `ReadOnlyStore`."""
        raise _read_only()

    async def tokens(self) -> Sequence[AccessToken]:
        """The tokens of now."""
        return await self._now.tokens()

    async def kept(self, projection: str, keys: Sequence[str]) -> Mapping[str, bytes]:
        """The rows as they were."""
        return await self._then.kept(projection, keys)

    async def due(self, queue: str, *, at: datetime | None, rows: int) -> Sequence[tuple[str, bytes]]:
        """The rows of then whose moment had come."""
        return await self._then.due(queue, at=at, rows=rows)

    async def found(self, term: bytes, *, rows: int) -> Sequence[str]:
        """What led to visitors then."""
        return await self._then.found(term, rows=rows)

    async def exchange(self, projection: str, changes: Sequence[RowChange]) -> int:
        """Raises `ReadOnlyStore`."""
        raise _read_only()

    async def lease(self, lease: Lease, *, at: datetime) -> bool:
        """Raises `ReadOnlyStore`."""
        raise _read_only()

    async def release(self, job: str, holder: str) -> None:
        """Raises `ReadOnlyStore`."""
        raise _read_only()

    async def report(self, report: WorkerReport) -> None:
        """Raises `ReadOnlyStore`."""
        raise _read_only()

    async def workers(self) -> Sequence[WorkerReport]:
        """The last report of every worker of now."""
        return await self._now.workers()


def _read_only() -> ReadOnlyStore:
    return ReadOnlyStore("a store of the past can only be read")
