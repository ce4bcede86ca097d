"""What a store can do. There is one write, `apply`; everything else reads, or moves the one `live` row."""

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from types import MappingProxyType
from typing import Any, Protocol, TypeAlias

from personalize.events.event import Event
from personalize.profiles.holding import Holding
from personalize.profiles.organization import Organization
from personalize.profiles.profile import Profile
from personalize.profiles.queue import RowChange
from personalize.stores.erasure import Erasure
from personalize.stores.floors import Floors
from personalize.stores.refusing import Refused
from personalize.stores.replay import Replay
from personalize.stores.stretches import ALL_PROFILES, Stretch

#: Where a version is expected: that none is live yet.
NOTHING_LIVE = ""
#: What an `Export` is called that is a backup.
BACKUP = "backup"
#: How long the report of a worker that is no more is kept.
REPORTS_LAST = timedelta(days=1)


class Projector(Protocol):
    """Turns events into the rows of one projection; pure, so that rebuilding gives the same rows.

    `name` is the projection, `"profiles"` for the profiles. Rows are immutable values of the projector's own
    type; `encode` and `decode` turn one into bytes and back, losing nothing.
    """

    @property
    def name(self) -> str:
        """The projection that the rows belong to."""

    @property
    def holding(self) -> Holding:
        """What the rows hold, once the whole log was projected."""

    def reads(self, event: Event, rows: Mapping[str, Any]) -> tuple[str, ...]:
        """The keys of the rows that this event may touch, as far as `rows` (read so far) tells; asked again
        after those were read, until it names nothing new. A key without a row is in `rows` as None; rows beyond
        those that it names change nothing."""

    def project(self, event: Event, rows: Mapping[str, Any]) -> Mapping[str, Any]:
        """The rows that this event changes, by key, as they are after it. One that is `Anew` is yet to be projected."""

    def replay(self, key: str) -> Replay:
        """Projecting the row of this key anew, and whatever rows hang together with it."""

    def encode(self, row: Any) -> bytes:
        """The row as bytes."""

    def decode(self, data: bytes) -> Any:
        """The row that `encode` wrote."""


class Outcome(StrEnum):
    """What became of one event. `CONFLICTING` says something else than another of its sender and id: that stays."""

    NEW = "new"
    REPEATED = "repeated"
    CONFLICTING = "conflicting"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Applied:
    """How many events of a batch were new, how many the log had already, how many contradict what it has, and which
    it refused. `others` has the outcome of those that are not new, by their place in the batch."""

    new: int
    repeated: int
    refused: tuple[Refused, ...] = ()
    conflicting: int = 0
    others: Mapping[int, Outcome] = field(default_factory=lambda: MappingProxyType({}), compare=False)

    def outcome(self, place: int) -> Outcome:
        """What became of the event at this place of the batch, counted from 0."""
        return self.others.get(place, Outcome.NEW)


@dataclass(frozen=True, slots=True)
class Live:
    """Which rule set is live, since when, and who put it there."""

    version: str
    at: datetime
    by: str


@dataclass(frozen=True, slots=True)
class Switch:
    """Whether every page is left untouched (`off`), since when, and who decided so."""

    off: bool
    at: datetime
    by: str


@dataclass(frozen=True, slots=True)
class Export:
    """That what is stored was copied to a place outside of the store, by an export or a backup.

    `what` is what was copied (`log`, `profiles`, `all`, `backup`), `where` the place, and `by` who asked for it.
    `ended_at` is None while it is under way, and for ever where it broke off.
    """

    export_id: str
    begun_at: datetime
    by: str
    what: str
    where: str
    ended_at: datetime | None = None

    def may_hold(self, received_at: datetime) -> bool:
        """Whether something that the store received at this moment may be in the copy."""
        return self.ended_at is None or received_at <= self.ended_at


@dataclass(frozen=True, slots=True)
class AccessToken:
    """What is kept of a token of the API: never the token itself, but its SHA-256 (`digest`, in hex).

    `name` is whom it was made for, and the sender of what comes with it: several tokens may share one, so that the
    next is handed out before the last is revoked. `used_at` is coarse.
    """

    digest: str
    name: str
    scopes: frozenset[str]
    created_at: datetime
    expires_at: datetime | None = None
    used_at: datetime | None = None
    revoked_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class WorkerReport:
    """What one worker last said of itself: the version it serves, and when."""

    worker: str
    version: str | None
    at: datetime


@dataclass(frozen=True, slots=True)
class Filling:
    """Rows that are being projected anew from the log, beside those that are served, to take their place.

    `holding` is what they will hold, `projected` how many entries of the log are in them, `since` when they were
    begun.
    """

    holding: Holding
    projected: int
    since: datetime


@dataclass(frozen=True, slots=True)
class Filled:
    """What the served rows hold (`holding`), and what is under way to hold more.

    `events` is how many entries the log has. `discarded` says that rows which were served before, or were never
    finished, still have to be cleared away.
    """

    holding: Holding
    filling: Filling | None
    events: int
    discarded: bool = False

    @property
    def rests(self) -> bool:
        """Whether nothing is under way."""
        return self.filling is None and not self.discarded


@dataclass(frozen=True, slots=True)
class Lease:
    """That one worker alone does a job, until a moment; whoever holds it may take it again."""

    job: str
    holder: str
    until: datetime

    def longest(self, at: datetime) -> datetime:
        """Until when somebody else's lease may last that is believed `at` this moment: twice as long as this one, as
        the clocks of two machines go apart. A longer one was given by a clock that has gone back since."""
        return self.until + (self.until - at)


#: What is left of an event, perhaps with fewer properties; None where nothing is.
Trimming: TypeAlias = Callable[[Event], Event | None]
#: The events that stand for those that went, which are given in the order of the log.
Summing: TypeAlias = Callable[[Sequence[Event]], Sequence[Event]]


class Store(Protocol):
    """Where events, profiles and rule sets are kept.

    Every method raises `StoreBusy` where the store is locked or too slow, and `StoreUnavailable` where it
    can't be reached or written; nothing is half done then. `is_shared` says whether another process that opens the
    same store finds the same profiles.
    """

    @property
    def profile_at_once(self) -> Callable[[str], Profile | None] | None:
        """What gives the stored profile, or None, without waiting for anything, so that a page needs no more than to
        call it. None where reading may take its time (a network lies between), and a page has to watch the clock."""

    @property
    def is_shared(self) -> bool:
        """Whether other processes see the same."""

    async def open(self) -> None:
        """Make ready: connect, create or migrate the schema. Safe to call from several processes at once."""

    async def close(self) -> None:
        """Let go of connections and threads; what was applied is durable."""

    async def apply(
        self, events: Sequence[Event], projectors: Sequence[Projector], *, version: str | None = None
    ) -> Applied:
        """Append the events that are new and bring every projection up to date, in one transaction.

        An event with the sender and id of one in the log is left out: the first one is kept, and `conflicting` counts
        those that say something else (`stores.outcomes`). Durable when it returns. `version` is the rule set that
        the projectors were made for: where another one is live by now, nothing is written and `StaleVersion` is
        raised, so no counter ever misses an event. None asks for no such check.

        What the rows hold from then on (`filled`) is what these projectors count, as far as all before them have
        counted it, too.

        Without projectors the events only enter the log. They wait there: the next call with projectors, though
        it brings no event, projects them first, in the order of the log.

        What tells of somebody who was erased, or is older than the log (`floors`), is left out (`stores.erasing`)
        and named in `refused`.
        """

    async def profile(self, profile_id: str) -> Profile | None:
        """The stored profile, or None. Never waits for a lock."""

    async def organization(self, organization_id: str) -> Organization | None:
        """The stored organization of this id (`o:…`), or None. Never waits for a lock."""

    async def profile_with_organization(self, profile_id: str) -> tuple[Profile | None, Organization | None]:
        """Both at once: the stored profile, and the organization that it is a member of."""

    def profiles(self, within: Stretch = ALL_PROFILES) -> AsyncIterator[Profile]:
        """The stored profiles of a stretch, in order of their ids."""

    async def stretches(self, profiles: int) -> Sequence[Stretch]:
        """All stored profiles in stretches of so many, the last of at most as many. Together they are all ids there
        can be, so that somebody who comes meanwhile is in one of them."""

    async def profile_ids(self, after: str, *, rows: int) -> Sequence[str]:
        """The ids of the next stored profiles behind an id, in their order; at most so many."""

    def history(self, profile_id: str) -> AsyncIterator[Event]:
        """The events sent with this profile id, newest entry of the log first."""

    async def latest(self, type_: str, profile_ids: Sequence[str], *, entries: int) -> Mapping[str, Event]:
        """Of each of these ids the event of a type that occurred last, of several at one moment the one that came last;
        as far as there is one among the last `entries` of its history."""

    def log(self) -> AsyncIterator[Event]:
        """The whole log in the order of arrival."""

    async def last_entry(self) -> int:
        """The number of the last entry of the log; all up to it can be read, and none is given twice."""

    async def entries(self, after: int, until: int) -> Sequence[Event]:
        """The entries of the log behind a number and up to another, those that are left of them."""

    async def rebuild(self, projectors: Sequence[Projector]) -> int:
        """Throw the projections away and project the whole log again, in one transaction; the number of
        events read. A filling that was under way is done with."""

    async def erase(
        self,
        profile_id: str,
        *,
        at: datetime,
        by: str,
        projectors: Sequence[Projector] = (),
        version: str | None = None,
    ) -> Erasure:
        """Erase a person, in one transaction: the profile, the anonymous ones that joined it, all their events, and
        their rows in every projection, served or not. What stays is the receipt, and a seal of each id.

        Who stays, and was held together with them by joins, is projected anew; without projectors they forget the names
        alone. A login that refuses since an erased browser had goes on refusing. `version` is as for `apply`.

        An id of which nothing is kept is sealed all the same. Raises `TakenOver` for an anonymous profile that
        joined a known one, whose person it belongs to.
        """

    async def trim(
        self,
        profile_id: str,
        trimmed: Trimming,
        projectors: Sequence[Projector],
        *,
        version: str | None = None,
        summed: Summing | None = None,
    ) -> int:
        """Trim one history, in one transaction: events for which `trimmed` gives None go from the log, those for which
        it gives other properties get them, and whoever joins hold together with it is projected anew, in every
        generation. How many events went or changed.

        What `summed` makes of those that went enters the log at its end, in their place: events of the same profile,
        whose sender and id may be those of one that went. `version` is as for `apply`. Unlike the erased, what goes
        here may come again, down to the `floors`.
        """

    async def erased_at(self, profile_id: str) -> datetime | None:
        """When the profile of this id was erased last; None where it never was."""

    async def floors(self) -> Floors:
        """How far back the log reaches."""

    async def raise_floors(self, floors: Floors) -> None:
        """Take nothing any more that lies below these floors; none of them ever sinks again."""

    async def erasures(self) -> Sequence[Erasure]:
        """The receipts of all erasures, oldest first."""

    async def sealed(self) -> Sequence[tuple[str, datetime]]:
        """The seal of every erased id, in hex, and when it was erased last; in the order of the seals."""

    async def take_over(
        self, erasures: Sequence[Erasure], sealed: Sequence[tuple[str, datetime]], projectors: Sequence[Projector] = ()
    ) -> int:
        """Keep the receipts and the seals of another copy of this store beside its own, and erase here whom they name;
        how many ids that were.

        Of each id goes what had occurred until that store erased it; what a login did since stays, as it does where
        somebody comes back. Who stays is projected anew, as by `erase`. Each id is a transaction of its own, and the
        seals are kept last: who calls again goes on where it broke off. What is kept already is not kept twice.
        """

    async def compact(self, *, at: datetime) -> None:
        """Write what is kept anew, so that no file holds a byte of what was deleted before this moment. Takes as long
        as copying the store does, and other writes wait for it."""

    async def compaction_due_since(self) -> datetime | None:
        """When the first erasure was that no compaction has followed; None where there is none."""

    async def as_of(self, moment: datetime, projectors: Sequence[Projector]) -> "Store":
        """A read-only store of what had occurred before the moment; its `apply` raises `ReadOnlyStore`."""

    async def save_rule_set(self, version: str, files: Mapping[str, str], at: datetime) -> None:
        """Keep the text of a rule set's files (path -> text) under its version; saving it again is harmless."""

    async def rule_set(self, version: str) -> Mapping[str, str]:
        """The files of a saved version. Raises `UnknownVersion`."""

    async def versions(self) -> Sequence[Live]:
        """Every version that has been live, oldest first."""

    async def live(self) -> Live | None:
        """What is live now, or None where nothing was ever published."""

    async def set_live(
        self,
        live: Live,
        projectors: Sequence[Projector] = (),
        *,
        expected: str | None = None,
        at_once: int = 0,
    ) -> None:
        """Move the one `live` row to a saved version, whose projectors these are.

        From then on the served rows hold what these projectors go on counting, and no more. What they need and
        the rows lack is projected in the same transaction where the log has at most `at_once` entries; from a
        longer one it begins to be filled, and `fill` goes on with it.

        `expected` is the version that the caller saw live, or `NOTHING_LIVE`: where another one is live by
        now, nothing is changed and `StaleVersion` is raised. None asks for no such check. Raises
        `UnknownVersion`.
        """

    async def set_switch(self, switch: Switch) -> None:
        """Switch personalizing off or on, for every worker that follows this store."""

    async def switch(self) -> Switch | None:
        """How it was switched last, None where it never was."""

    async def note_export(self, export: Export) -> None:
        """Write down that a copy is being made, or with `ended_at` that it was: it replaces what was written under
        its id. Whoever erases a visitor is told of the copies that may hold them."""

    async def exports(self) -> Sequence[Export]:
        """Every copy that was ever made, in the order in which they were begun."""

    async def filled(self) -> Filled:
        """What the served rows hold, and how far the filling of what they lack has come."""

    async def fill(self, projectors: Sequence[Projector], *, version: str, at: datetime, events: int) -> Filled:
        """One slice of filling what the rows of these projectors lack; where it has brought things then.

        Projects at most `events` more entries of the log, in one transaction with the mark of how far it came. So
        it goes on where it was, whoever does the next slice; and two who do it at once do each entry once. With
        the last entry the new rows take the place of the served ones. What is discarded is cleared by as many rows.

        Raises `StaleVersion` where another version than this one is live by now.
        """

    async def keep_token(self, token: AccessToken) -> None:
        """Keep what is known of a token. Where it is known already, the earlier revocation and the later use stand, so
        that no late note of a use brings a revoked one back; all else stays as it was kept first."""

    async def tokens(self) -> Sequence[AccessToken]:
        """Every token there was, in the order of their making; revoked ones, too."""

    async def kept(self, projection: str, keys: Sequence[str]) -> Mapping[str, bytes]:
        """The rows of a projection with these keys, as their projector wrote them; those that there are."""

    async def due(self, queue: str, *, at: datetime | None, rows: int) -> Sequence[tuple[str, bytes]]:
        """At most so many rows of a projection that is a queue (`profiles.queue`) whose moment has come, with their
        keys; the earliest first. Without a moment, also those that wait for none."""

    async def found(self, term: bytes, *, rows: int) -> Sequence[str]:
        """The keys that lead from a term to visitors, in their order (`profiles.searched`); at most so many."""

    async def exchange(self, projection: str, changes: Sequence[RowChange]) -> int:
        """Change rows that no event tells of, such as when to look at somebody again, in one transaction. Each that is
        not what the caller has seen any more stays as it is; how many were changed. A rebuilding forgets them."""

    async def lease(self, lease: Lease, *, at: datetime) -> bool:
        """Take a job, or hold it longer; False where somebody else holds it beyond this moment, and not beyond the
        longest that a lease may last (see `Lease`)."""

    async def release(self, job: str, holder: str) -> None:
        """Let go of a job; harmless where it is not held."""

    async def report(self, report: WorkerReport) -> None:
        """Say what a worker serves; replaces its last report. Those older by more than `REPORTS_LAST` are dropped."""

    async def workers(self) -> Sequence[WorkerReport]:
        """The last report of every worker."""
