"""What goes of one person: what is too old, what nobody came back for, and what consent no longer covers."""

from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from datetime import datetime

from personalize.events.event import CONSENT, JOIN, KEPT_TOTALS, UNDO, Event, EventName, JSONValue
from personalize.events.schema import Schema
from personalize.privacy_settings import PrivacySettings
from personalize.profiles.in_force import ANONYMOUS_PREFIX, DECIDING_TYPES, InForce, anonymous_of, in_force, name_of
from personalize.profiles.keeping import Keeping
from personalize.profiles.kept_totals import summed, type_of
from personalize.profiles.organization import is_organization
from personalize.profiles.profile import Profile
from personalize.profiles.watched import WATCH, WatchProjector, change_told
from personalize.runtime.withdrawing import withdraw
from personalize.stores.floors import Floors
from personalize.stores.protocols import Projector, Store, Summing, Trimming
from personalize.visitors.arms import is_arm


@dataclass(frozen=True, slots=True)
class Removed:
    """What was removed: profiles whole, and events, those of the profiles among them."""

    profiles: int = 0
    events: int = 0

    def __add__(self, other: "Removed") -> "Removed":
        return Removed(self.profiles + other.profiles, self.events + other.events)


class Remover:
    """Removes of single people what may not be kept any more at the moment `now`; raises `StoreError`, and
    `StaleVersion` where other rules are live than those of `version`.

    A browser that no login has taken over, and from which nothing has come for `privacy.forget_after`, is forgotten
    whole; what a login's refusal came by stays. What was measured of an arm goes as old as that. Safe to do again, and
    beside another one.
    """

    def __init__(
        self,
        store: Store,
        privacy: PrivacySettings,
        schema: Schema,
        projectors: Sequence[Projector],
        *,
        version: str | None,
        now: datetime,
    ) -> None:
        self.now = now
        self.keeping = Keeping(schema, privacy.ages)
        self._store = store
        self._privacy = privacy
        self._schema = schema
        self._projectors = projectors
        self._version = version
        keeping = self.keeping
        self._sums = {each.name for each in schema.events.values() if each.keeps_totals and keeping.age_of(each.name)}

    @property
    def floors(self) -> Floors:
        """From when on the log is complete after this."""
        events = self._privacy.keep_events
        return Floors(None if events is None else self.now - events, self.keeping.oldest_by_type(self.now))

    def moments(self, event: Event) -> Iterator[datetime]:
        """The moments behind which an event may have to go; that of a browser's silence while it lies ahead."""
        grows_old_at = self.keeping.grows_old_at(event)
        if grows_old_at is not None:
            yield grows_old_at
        silent_at = event.received_at + self._privacy.forget_after
        if silent_at >= self.now and any(map(_is_forgotten_in_time, concerned(event))):
            yield silent_at

    def who_may_go(self, event: Event) -> Iterator[str]:
        """Of whom something may have to go, as far as this event tells: it may be too old, or the last of a browser."""
        grows_old_at = self.keeping.grows_old_at(event)
        if grows_old_at is not None and grows_old_at < self.now:
            yield event.profile_id
        if event.received_at + self._privacy.forget_after < self.now:
            yield from filter(_is_forgotten_in_time, concerned(event))

    async def remove(self, old: Iterable[str], new: Iterable[str]) -> Removed:
        """Remove of those of whom something may be too old, and of whom there is news; and of whomever this sets free:
        who a refusal held, say, is not held any more when that is gone."""
        removed = Removed()
        waiting = dict.fromkeys(new, False) | dict.fromkeys(old, True)
        while waiting:
            profile_id, may_be_old = waiting.popitem()
            if is_organization(profile_id):
                continue
            profile = await self._store.profile(profile_id)
            gone = await self._too_old(profile_id, profile) if may_be_old else Removed()
            gone += Removed(0, await self._not_covered(profile_id))
            if gone.events:
                removed += gone
                waiting |= dict.fromkeys([profile_id, *await self._partners(profile_id, profile)], True)
        return removed

    async def _not_covered(self, profile_id: str) -> int:
        purposes = self._privacy.purposes
        return await withdraw(self._store, profile_id, self._schema, purposes, self._projectors, version=self._version)

    async def _too_old(self, profile_id: str, profile: Profile | None) -> Removed:
        newest = await self._newest_of(profile_id)
        if newest is None:
            return Removed()
        is_nobodys = profile_id.startswith(ANONYMOUS_PREFIX) and (profile is None or profile.joined is None)
        if is_nobodys and newest.received_at + self._privacy.forget_after < self.now:
            claimed = profile is not None and bool(profile.ties.claimed_by)
            gone = await self._trim(profile_id, _consents_of if claimed else _nothing_of)
            return Removed(int(gone > 0 and not claimed), gone)
        standings = await self._standings(profile_id)

        def left(event: Event) -> Event | None:
            if is_arm(profile_id) and event.received_at + self._privacy.forget_after < self.now:
                return None
            return event if change_told(event) in standings else self.keeping.left_of(event, self.now)

        if not self._sums:
            return Removed(0, await self._trim(profile_id, left))
        return Removed(0, await self._sum_up(profile_id, left))

    async def _standings(self, profile_id: str) -> Collection[tuple[str, JSONValue] | None]:
        """The latest change of each watched segment, which says whether they are in it."""
        row = (await self._store.kept(WATCH, [profile_id])).get(profile_id)
        standings = {} if row is None else WatchProjector().decode(row).standings
        return [(segment_id, standing.number) for segment_id, standing in standings.items()]

    async def _sum_up(self, profile_id: str, left: Trimming) -> int:
        """Trim a history in which events are to leave their totals; only those seen before it begins, since corrections
        and joins were looked at by then."""
        found: dict[EventName, str] = {}
        async with aclosing(self._store.history(profile_id)) as history:  # type: ignore[type-var]
            async for event in history:
                if event.type in self._sums and left(event) is None:
                    found[name_of(event)] = event.type
        types, force = frozenset(found.values()), in_force(await self._deciding(profile_id) if found else ())

        def trimmed(event: Event) -> Event | None:
            if event.type == KEPT_TOTALS and type_of(event) in types:
                return None  # those go on in the new ones
            return event if event.type in self._sums and name_of(event) not in found else left(event)

        return await self._trim(profile_id, trimmed, self._summing(force))

    def _summing(self, force: InForce) -> Summing:
        def sums(gone: Sequence[Event]) -> Sequence[Event]:
            happened = [event for event in gone if not _is_retracted(event, force)]
            return summed(happened, self._schema, lambda event: force.owner(event) == event.profile_id, at=self.now)

        return sums

    async def _trim(self, profile_id: str, trimmed: Trimming, summed: Summing | None = None) -> int:
        return await self._store.trim(profile_id, trimmed, self._projectors, version=self._version, summed=summed)

    async def _newest_of(self, profile_id: str) -> Event | None:
        async with aclosing(self._store.history(profile_id)) as history:  # type: ignore[type-var]
            return await anext(history, None)

    async def _deciding(self, profile_id: str) -> Sequence[Event]:
        """The events that decide what others mean, of all whom joins hold together with a profile."""
        found: list[Event] = []
        waiting, seen = [profile_id], {profile_id}
        while waiting:
            one = waiting.pop()
            events = await self._of_types(one, DECIDING_TYPES)
            found += events
            others = {*claimed_by(await self._store.profile(one)), *joined_ids(events)} - seen
            waiting += sorted(others)
            seen |= others
        return found

    async def _partners(self, profile_id: str, profile: Profile | None) -> Collection[str]:
        """Those whom joins hold together with a profile, as it was before something went."""
        into = () if profile is None or profile.joined is None else (profile.joined.into,)
        joins = await self._of_types(profile_id, frozenset({JOIN, UNDO}))
        return {*into, *claimed_by(profile), *joined_ids(joins)}

    async def _of_types(self, profile_id: str, types: frozenset[str]) -> Sequence[Event]:
        async with aclosing(self._store.history(profile_id)) as history:  # type: ignore[type-var]
            return [event async for event in history if event.type in types]


def _is_forgotten_in_time(profile_id: str) -> bool:
    """Whether what came under this id is kept for `privacy.forget_after` at most: a browser's, or an arm's."""
    return profile_id.startswith(ANONYMOUS_PREFIX) or is_arm(profile_id)


def concerned(event: Event) -> tuple[str, ...]:
    """The profiles that an event concerns: the one that it was sent with, and a browser that it joins or parts."""
    joined_id = anonymous_of(event) if event.type in (JOIN, UNDO) else None
    return (event.profile_id,) if joined_id is None else (event.profile_id, joined_id)


def claimed_by(profile: Profile | None) -> tuple[str, ...]:
    """The logins that a browser was ever to be joined into."""
    return () if profile is None else profile.ties.claimed_by


def joined_ids(events: Iterable[Event]) -> Iterator[str]:
    """The browsers that events join, or part."""
    return (one for event in events for one in concerned(event)[1:])


def _is_retracted(event: Event, force: InForce) -> bool:
    return any((one, name_of(event)) in force.retracted for one in (event.profile_id, force.owner(event)))


def _nothing_of(event: Event) -> Event | None:
    return None


def _consents_of(event: Event) -> Event | None:
    return event if event.type == CONSENT else None
