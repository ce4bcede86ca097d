"""Retention: what is older than the site keeps it goes, bit by bit, from the log and all that was made of it."""

import asyncio
import time
from collections.abc import Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from datetime import datetime, timedelta

from personalize.errors import StaleVersion, StoreError
from personalize.events.event import CONSENT, INTEREST, JOIN, MARK, RETRACT, SET, UNDO, Event
from personalize.events.schema import Schema
from personalize.privacy_settings import PrivacySettings
from personalize.profiles.in_force import ANONYMOUS_PREFIX
from personalize.profiles.profile import Profile
from personalize.runtime.clock import Clock
from personalize.runtime.health import Health
from personalize.runtime.lasting_task import LastingTask
from personalize.runtime.withdrawing import withdraw
from personalize.stores.protocols import Lease, Projector, Store

_JOB = "retention"
#: How often all profiles are gone through, by whichever worker comes first.
EVERY = timedelta(days=1)
LOOK_SECONDS = 600.0
#: After so many profiles the job rests for as long as they took: a worker has pages to serve.
_AT_ONCE = 50
#: What a visitor is, rather than what they once did: it lasts as long as the profile.
_LASTING = frozenset({SET, INTEREST, CONSENT, JOIN, UNDO, RETRACT, MARK})


@dataclass(frozen=True, slots=True)
class Removed:
    """What one round has removed: profiles whole, and events, those of the profiles among them."""

    profiles: int = 0
    events: int = 0


async def remove_old(
    store: Store,
    privacy: PrivacySettings,
    schema: Schema,
    projectors: Sequence[Projector],
    *,
    version: str | None,
    now: datetime,
) -> Removed:
    """One round through all profiles: what is too old goes, and what consent no longer covers.

    Of an anonymous visitor from whom nothing has come for `privacy.forget_after` nothing is left. What somebody did
    longer ago than `privacy.keep_events` goes, where that is set; what they said of themselves stays. Events that
    occurred before that are refused from the beginning of the round on. Raises `StoreError`, and `StaleVersion`.
    """
    removed, begun = Removed(), time.perf_counter()
    oldest = None if privacy.keep_events is None else now - privacy.keep_events
    if oldest is not None:
        await store.raise_floor(oldest)
    number = 0
    async with aclosing(store.profiles()) as profiles:  # type: ignore[type-var]  # all are generators
        async for profile in profiles:
            gone = await _remove_of(store, profile, now - privacy.forget_after, oldest, projectors, version)
            events = gone.events + await withdraw(
                store, profile.profile_id, schema, privacy.purposes, projectors, version=version
            )
            removed = Removed(removed.profiles + gone.profiles, removed.events + events)
            number += 1
            if number % _AT_ONCE == 0:
                await asyncio.sleep(time.perf_counter() - begun)
                begun = time.perf_counter()
    return removed


async def _remove_of(
    store: Store,
    profile: Profile,
    silent_since: datetime,
    oldest: datetime | None,
    projectors: Sequence[Projector],
    version: str | None,
) -> Removed:
    profile_id, came_last, any_old = profile.profile_id, None, False
    is_anonymous = profile_id.startswith(ANONYMOUS_PREFIX) and profile.joined is None
    async with aclosing(store.history(profile_id)) as history:  # type: ignore[type-var]  # all are generators
        async for event in history:
            came_last = came_last or event.received_at
            any_old = any_old or _is_old(event, oldest)
            if any_old or oldest is None:
                break
    if is_anonymous and came_last is not None and came_last < silent_since:
        return Removed(1, await store.trim(profile_id, lambda event: None, projectors, version=version))
    if not any_old:
        return Removed()
    return Removed(0, await store.trim(profile_id, _left_since(oldest), projectors, version=version))


def _left_since(oldest: datetime | None) -> Callable[[Event], Event | None]:
    return lambda event: None if _is_old(event, oldest) else event


def _is_old(event: Event, oldest: datetime | None) -> bool:
    return oldest is not None and event.occurred_at < oldest and event.type not in _LASTING


class RetentionTask:
    """Goes through all profiles once a day, in the background of one worker.

    `rules` gives what is served: the schema, the projectors, and the version; None while that can't be counted with.
    """

    def __init__(
        self,
        store: Store,
        privacy: PrivacySettings,
        *,
        worker: str,
        clock: Clock,
        health: Health,
        rules: Callable[[], tuple[Schema, Sequence[Projector], str | None] | None],
    ) -> None:
        self._store = store
        self._privacy = privacy
        self._worker = worker
        self._clock = clock
        self._health = health
        self._rules = rules
        self._task = LastingTask(self._run, name="personalize-retention", failed=self._failed)

    def start(self) -> None:
        """Look after it from now on."""
        self._task.start()

    async def stop(self) -> None:
        """Stop; the next round begins a day after the last one, wherever it came to."""
        await self._task.stop()

    async def round(self) -> Removed | None:
        """Do a round, where none was begun within a day by anybody; what it removed. None where it was not its time,
        or it broke off; another worker begins anew then."""
        now, rules = self._clock.now(), self._rules()
        # The lease lasts until the next round is due, so nothing else has to be remembered of the last one.
        lease = Lease(_JOB, f"{self._worker} {now.isoformat()}", now + EVERY)
        try:
            if rules is None or not await self._store.lease(lease, at=now):
                return None
            schema, projectors, version = rules
            return await remove_old(self._store, self._privacy, schema, projectors, version=version, now=now)
        except StaleVersion:
            await self._store.release(lease.job, lease.holder)
        except StoreError as error:
            self._failed(error)
            await self._store.release(lease.job, lease.holder)
        return None

    async def _run(self) -> None:
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            await self.round()

    def _failed(self, error: BaseException) -> None:
        self._health.failed("what is too old could not be removed", error, self._clock.now())
