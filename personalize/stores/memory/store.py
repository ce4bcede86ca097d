"""A store in this process's memory: for tests, and for what the past looked like. Nothing survives it."""

import asyncio
from collections.abc import AsyncIterator, Callable, Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from functools import partial

from personalize.errors import StaleVersion, TakenOver, UnknownVersion
from personalize.events.event import Event
from personalize.profiles.encoding import decode_organization, decode_profile, holds_organization
from personalize.profiles.holding import NOTHING_HELD, Holding
from personalize.profiles.organization import Organization, is_organization
from personalize.profiles.profile import Profile
from personalize.stores.decoded import DecodedProfiles
from personalize.stores.erasing import (
    Sifted,
    copies_holding,
    gone_of,
    joined_by,
    joining,
    left_of,
    named_in,
    person_of,
    refusal_of,
    sifted,
)
from personalize.stores.erasing_again import erased_since, named_by, told_since
from personalize.stores.erasure import Erasure
from personalize.stores.membership import both_of
from personalize.stores.memory.desk import MemoryDesk
from personalize.stores.memory.log import MemoryLog
from personalize.stores.memory.removed import MemoryRemoved
from personalize.stores.memory.rows import MemoryRows, let_go, with_changes
from personalize.stores.outcomes import applied
from personalize.stores.past import past_of
from personalize.stores.projecting import PROFILES, Course, Rows, course, holding_of, read_by, settle_by
from personalize.stores.protocols import (
    NOTHING_LIVE,
    Applied,
    Filled,
    Filling,
    Live,
    Projector,
    Store,
    Summing,
    Trimming,
)
from personalize.stores.seals import Seals
from personalize.stores.stretches import ALL_PROFILES, Stretch, stretches_between

READ_AT_ONCE = 200


class MemoryStore(MemoryRows, MemoryRemoved, MemoryDesk):
    """Obeys the laws of every store, on the event loop alone; to erase, it takes the `keys` of the site.

    Rows are kept as bytes, as they would be on a disk, so nothing that it gives away can change what it keeps; what
    pages have read of them lies beside, for the next page (`decoded`).
    """

    #: It lies in the memory of this process.
    is_shared = False

    def __init__(self, keys: Sequence[str] = ()) -> None:
        super().__init__()
        self._seals = Seals(keys)
        self._log = MemoryLog()
        self._projected = 0
        self._rule_sets: dict[str, dict[str, str]] = {}
        self._lives: list[Live] = []
        self._holding = NOTHING_HELD
        self._filling: Filling | None = None
        self._beside: dict[str, dict[str, bytes]] = {}
        self._decoded = DecodedProfiles()

    async def open(self) -> None:
        """Nothing has to be made ready."""

    async def close(self) -> None:
        """Nothing has to be let go of."""

    async def apply(
        self, events: Sequence[Event], projectors: Sequence[Projector], *, version: str | None = None
    ) -> Applied:
        """Append the events that are new and project them; where anything raises, nothing has changed."""
        if version is not None:
            self._refuse_stale(version)
        any_sifted = self._erased or self._floors
        sifting = sifted(events, self._erased_at, self._floors) if any_sifted else Sifted(events)
        new, others = self._log.sorted_out(sifting.taken)
        self._log.append(new)
        served = self._projections
        try:
            changes = {
                one.name: self._changes(one, self._projected, None, served.get(one.name, {})) for one in projectors
            }
        except BaseException:
            self._log.take_back(len(new))
            raise
        for name, changed in changes.items():
            served[name] = with_changes(served.get(name, {}), changed)
        if projectors:
            held, is_first = holding_of(projectors), self._projected == 0
            self._holding = held if is_first else self._holding.kept_under(held)
            self._projected = len(self._log)
        for profile_id, moment in sifting.following:
            with suppress(TakenOver):
                self._erase_person(profile_id, moment, projectors)
        return applied(events, sifting, others)

    async def profile(self, profile_id: str) -> Profile | None:
        """The stored profile, or None."""
        return self.profile_at_once(profile_id)

    def profile_at_once(self, profile_id: str) -> Profile | None:
        """The same."""
        row = self._projections.get(PROFILES, {}).get(profile_id)
        return None if row is None else self._decoded.profile(profile_id, row)

    async def organization(self, organization_id: str) -> Organization | None:
        """The stored organization, or None."""
        data = self._projections.get(PROFILES, {}).get(organization_id)
        return None if data is None or not holds_organization(data) else decode_organization(data)

    async def profile_with_organization(self, profile_id: str) -> tuple[Profile | None, Organization | None]:
        """The stored profile, and the organization that it is a member of."""
        return await both_of(self, profile_id)

    async def profiles(self, within: Stretch = ALL_PROFILES) -> AsyncIterator[Profile]:
        """The profiles of a stretch by id."""
        rows = self._projections.get(PROFILES, {})
        inside = [key for key in rows if within.holds(key) and not is_organization(key)]
        for number, data in enumerate([rows[key] for key in sorted(inside)]):
            yield decode_profile(data)
            await _breathe(number)

    async def stretches(self, profiles: int) -> Sequence[Stretch]:
        """All profiles in stretches of so many."""
        ids = sorted(key for key in self._projections.get(PROFILES, {}) if not is_organization(key))
        return stretches_between(ids[profiles - 1 : -1 : profiles])

    async def history(self, profile_id: str) -> AsyncIterator[Event]:
        """The events sent with this profile id, newest entry of the log first."""
        for number, event in enumerate(self._log.history(profile_id)[::-1]):
            yield event
            await _breathe(number)

    async def latest(self, type_: str, profile_ids: Sequence[str], *, entries: int) -> Mapping[str, Event]:
        """Of each of these ids the event of a type that occurred last."""
        found = {each: self._log.latest(type_, each, entries) for each in profile_ids}
        return {each: event for each, event in found.items() if event is not None}

    async def log(self) -> AsyncIterator[Event]:
        """The whole log in the order of arrival, up to what it held when the reading began."""
        for number, event in enumerate(self._log[:]):
            yield event
            await _breathe(number)

    async def last_entry(self) -> int:
        """The number of the last entry of the log."""
        return self._log.last_entry

    async def entries(self, after: int, until: int) -> Sequence[Event]:
        """A stretch of the log."""
        return self._log.stretch(after, until)

    async def rebuild(self, projectors: Sequence[Projector]) -> int:
        """Project the whole log again; where a projector raises, nothing has changed."""
        rebuilt = {one.name: with_changes({}, self._changes(one, 0, None, {})) for one in projectors}
        if projectors:
            self._serve(rebuilt, holding_of(projectors))
        return len(self._log)

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
        if version is not None:
            self._refuse_stale(version)
        seal = self._seals.seal(profile_id)
        profiles, gone = self._erase_person(profile_id, at, projectors)
        copies = copies_holding(await self.exports(), [event.received_at for event in gone])
        self._erasures.append(Erasure(seal.hex(), at, by, profiles, len(gone), copies))
        return self._erasures[-1]

    async def trim(
        self,
        profile_id: str,
        trimmed: Trimming,
        projectors: Sequence[Projector],
        *,
        version: str | None = None,
        summed: Summing | None = None,
    ) -> int:
        """Trim one history, and project anew what it was in; where a projector raises, nothing has changed."""
        if version is not None:
            self._refuse_stale(version)
        before = (self._log, self._projected, self._filling)
        changed = self._rewrite(lambda event: left_of(event, trimmed) if event.profile_id == profile_id else event)
        try:
            if summed is not None:
                self._stand_in(summed(gone_of(changed, trimmed)))
            anew = self._anew(profile_id, projectors)
        except BaseException:
            self._log, self._projected, self._filling = before
            raise
        for kept, changes in anew:
            with_changes(kept, changes)
        return len(changed)

    async def take_over(
        self, erasures: Sequence[Erasure], sealed: Sequence[tuple[str, datetime]], projectors: Sequence[Projector] = ()
    ) -> int:
        """Keep the receipts and the seals of another store beside its own, and erase whom they name."""
        since = erased_since(sealed, await self.sealed())
        named = list(named_by(since, self._log.ids() if since else (), self._seals))
        found = sum([await self._erase_again(profile_id, at, projectors) for profile_id, at in named])
        self._keep_removed(erasures, sealed)
        return found

    async def erased_at(self, profile_id: str) -> datetime | None:
        """When the profile of this id was erased last; None where it never was."""
        return self._erased_at(profile_id)

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

    async def set_live(
        self,
        live: Live,
        projectors: Sequence[Projector] = (),
        *,
        expected: str | None = None,
        at_once: int = 0,
    ) -> None:
        """Make a saved version live, if the expected one still is, and fill what it needs at once or begin to."""
        before = self._lives[-1].version if self._lives else NOTHING_LIVE
        if expected is not None and before != expected:
            raise StaleVersion(before)
        if live.version not in self._rule_sets:
            raise UnknownVersion(live.version)
        needed = holding_of(projectors)
        if not self._holding.covers(needed) and len(self._log) <= at_once:
            await self.rebuild(projectors)
        self._settle(needed, live.at)
        self._lives.append(live)

    async def filled(self) -> Filled:
        """What the served rows hold, and how far a filling has come."""
        return Filled(self._holding, self._filling, len(self._log))

    async def fill(self, projectors: Sequence[Projector], *, version: str, at: datetime, events: int) -> Filled:
        """One slice of a filling; where a projector raises, nothing has changed."""
        self._refuse_stale(version)
        self._settle(holding_of(projectors), at)
        filling = self._filling
        if filling is not None:
            until = min(filling.projected + events, len(self._log))
            beside = self._beside
            changes = {
                one.name: self._changes(one, filling.projected, until, beside.get(one.name, {})) for one in projectors
            }
            for name, changed in changes.items():
                beside[name] = with_changes(beside.get(name, {}), changed)
            self._filling = replace(filling, projected=until)
            if until == len(self._log):
                self._serve(beside, filling.holding)
        return await self.filled()

    def _serve(self, rows: dict[str, dict[str, bytes]], holding: Holding) -> None:
        """Put rows that have the whole log in them in the place of the served ones."""
        self._projections |= rows
        self._decoded.forget()
        self._projected, self._holding = len(self._log), holding
        self._filling, self._beside = None, {}

    def _settle(self, needed: Holding, at: datetime) -> None:
        """Bring what is held and being filled in line with what is needed from now on."""
        filling = None if self._filling is None else self._filling.holding
        what = course(self._holding, filling, needed)
        self._holding = self._holding.kept_under(needed)
        if self._filling is not None and what is Course.GO_ON:
            self._filling = replace(self._filling, holding=self._filling.holding.kept_under(needed))
        else:
            self._filling, self._beside = None, {}
        if what is Course.BEGIN:
            self._filling = Filling(needed, 0, at)

    def _stand_in(self, events: Sequence[Event]) -> None:
        """Append events that stand for others; they are projected with these, unless events wait before them."""
        waits = self._projected < len(self._log)
        self._log.append(events)
        self._projected = self._projected if waits else len(self._log)

    def _erased_at(self, profile_id: str) -> datetime | None:
        moments = [self._erased[seal] for seal in self._seals.all_of(profile_id) if seal in self._erased]
        return max(moments, default=None)

    def _erase_person(
        self, profile_id: str, at: datetime, projectors: Sequence[Projector]
    ) -> tuple[int, Sequence[Event]]:
        """Everything of one person, for a seal of each id; how many profiles it was, and which events."""
        served = self._projections.get(PROFILES, {})
        ids = set(person_of(profile_id, lambda each: _decoded(served.get(each)), self._joining))
        return len(ids & served.keys()), self._erase_ids(ids, at, projectors)

    async def _erase_again(self, profile_id: str, at: datetime, projectors: Sequence[Projector]) -> bool:
        """Erase one id as of a moment; False where nothing here is so old. Where a projector raises, nothing has
        changed."""
        history = self._log.history(profile_id)
        since = told_since(profile_id, history, at)
        if since and len(since) == len(history):
            return False
        before = (self._log, self._projected, self._filling, dict(self._erased))
        rows = [{name: dict(kept) for name, kept in each.items()} for each in (self._projections, self._beside)]
        try:
            self._erase_ids({profile_id}, at, projectors)
            if since:
                await self.apply(since, projectors)
        except BaseException:
            self._log, self._projected, self._filling, self._erased = before
            self._projections, self._beside = rows
            raise
        return True

    def _erase_ids(self, ids: Collection[str], at: datetime, projectors: Sequence[Projector]) -> Sequence[Event]:
        """Everything of these ids and nobody else, for a seal of each; which events."""
        served = self._projections.get(PROFILES, {})
        left = {named for each in ids for named in named_in(self._log.history(each))}
        gone = self._rewrite(lambda event: None if event.profile_id in ids or joined_by(event) in ids else event)
        left = (left | {event.profile_id for event in gone}).difference(ids)
        for each in ids:
            self._seals_of_gone(each, at)
        for projections in (self._projections, self._beside):
            let_go(projections, ids, left)
        for each in sorted(left):
            refusal = refusal_of(_decoded(served.get(each)), self._log.history(each), at)
            self._stand_in(() if refusal is None else (refusal,))
        for each in sorted(left):
            for kept, changes in self._anew(each, projectors):
                with_changes(kept, changes)
        return gone

    def _seals_of_gone(self, profile_id: str, at: datetime) -> None:
        seal = self._seals.seal(profile_id)
        self._erased[seal] = max(at, self._erased.get(seal, at))

    def _joining(self, profile_id: str) -> Sequence[str]:
        return joining(self._log.history(profile_id))

    def _rewrite(self, left: Callable[[Event], Event | None]) -> Sequence[Event]:
        """Leave that of the log, and give the events that went or changed. Whoever reads the old one goes on with what
        they began with."""
        self._log, changed, stays = self._log.rewritten(left)
        self._decoded.forget()
        self._projected = sum(stays[: self._projected])
        if self._filling is not None:
            self._filling = replace(self._filling, projected=sum(stays[: self._filling.projected]))
        return changed

    def _anew(
        self, profile_id: str, projectors: Sequence[Projector]
    ) -> list[tuple[dict[str, bytes], Sequence[tuple[str, bytes | None]]]]:
        """What a profile is projected anew to among the rows that are served, and those that are filled."""
        filling = [] if self._filling is None else [(self._beside, self._filling.projected)]
        found: list[tuple[dict[str, bytes], Sequence[tuple[str, bytes | None]]]] = []
        for served, until in [(self._projections, self._projected), *filling]:
            for one in projectors:
                rows, kept = Rows(one), served.setdefault(one.name, {})
                rows.project_anew(profile_id)
                settle_by(kept.get, partial(self._log.part, until), rows.settle())
                found.append((kept, list(rows.changes())))
        return found

    def _changes(
        self, projector: Projector, after: int, until: int | None, kept: Mapping[str, bytes]
    ) -> list[tuple[str, bytes | None]]:
        """The rows that the entries of the log behind one and up to another change, by default up to its end."""
        rows = Rows(projector)
        read_by(kept.get, rows.project(self._log[after:until]))
        settle_by(kept.get, partial(self._log.part, until), rows.settle())
        return list(rows.changes())

    def _refuse_stale(self, version: str) -> None:
        if self._lives and self._lives[-1].version != version:
            raise StaleVersion(self._lives[-1].version)


def _decoded(data: bytes | None) -> Profile | None:
    return None if data is None else decode_profile(data)


async def _breathe(number: int) -> None:
    """Let others run now and then while much is read."""
    if number % READ_AT_ONCE == READ_AT_ONCE - 1:
        await asyncio.sleep(0)
