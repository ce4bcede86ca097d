"""Retention: what is older than the site keeps it goes, bit by bit, from the log and all that was made of it."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import aclosing
from datetime import datetime, timedelta

from personalize.errors import StaleVersion, StoreError
from personalize.events.schema import Schema
from personalize.privacy_settings import PrivacySettings
from personalize.runtime.clock import Clock
from personalize.runtime.health import Health
from personalize.runtime.jobs.ageing import AgeingLog, next_look
from personalize.runtime.jobs.lasting_task import LastingTask
from personalize.runtime.jobs.leased_job import LeasedJob
from personalize.runtime.jobs.removing import Removed, Remover
from personalize.stores.protocols import Projector, Store

_JOB = "retention"
#: How often a round is done, by whichever worker comes first.
EVERY = timedelta(days=1)
LOOK_SECONDS = 600.0


async def _always() -> bool:
    return True


async def remove_old(
    store: Store,
    privacy: PrivacySettings,
    schema: Schema,
    projectors: Sequence[Projector],
    *,
    version: str | None,
    now: datetime,
    goes_on: Callable[[], Awaitable[bool]] = _always,
) -> Removed | None:
    """One round: what is too old goes (see `Keeping`), browsers from which nothing has come for
    `privacy.forget_after`, and what consent no longer covers. What has grown too old is refused from its beginning on.

    It looks at stretches of the log in which there is something to do, and rests after each for as long as that took: a
    worker has pages to serve. None where `goes_on` has said no in between; the next round goes on there. Raises
    `StoreError`, and `StaleVersion`.
    """
    remover = Remover(store, privacy, schema, projectors, version=version, now=now)
    ageing, removed, begun = AgeingLog(store, _meaning_of(privacy, schema)), Removed(), time.perf_counter()
    await store.raise_floors(remover.floors)
    async with aclosing(ageing.to_look_at(now)) as stretches:  # type: ignore[type-var]  # it is a generator
        async for stretch in stretches:
            old = {each for event in stretch.events for each in remover.who_may_go(event)}
            new = {event.profile_id for event in stretch.events} if stretch.is_new else ()
            removed += await remover.remove(old, new)
            left = stretch.events if stretch.number is None else await ageing.events(stretch.number)
            moments = [moment for event in left for moment in remover.moments(event)]
            await ageing.settled(stretch, next_look(moments, now, at_least=EVERY))
            await asyncio.sleep(time.perf_counter() - begun)
            if not await goes_on():
                return None
            begun = time.perf_counter()
    await ageing.ended(now)
    return removed


async def is_due(store: Store, privacy: PrivacySettings, schema: Schema, now: datetime) -> bool:
    """Whether the last round that came to its end was done a day ago, or by other rules, or by a clock that has gone
    back since."""
    ended_at = (await AgeingLog(store, _meaning_of(privacy, schema)).mark()).ended_at
    return ended_at is None or abs(now - ended_at) >= EVERY


def _meaning_of(privacy: PrivacySettings, schema: Schema) -> str:
    """Whatever decides what goes, beside the log and the clock."""
    events = [(each.name, each.purpose, each.keep, each.keeps_totals) for each in schema.events.values()]
    attributes = [(each.name, each.purpose) for each in schema.attributes.values()]
    kept = (privacy.purposes, privacy.forget_after, privacy.keep_events, sorted(map(str, privacy.keep)))
    return repr((sorted(events, key=repr), sorted(attributes), kept))


class RetentionTask:
    """Does a round once a day, in the background of one worker.

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
        self._clock = clock
        self._health = health
        self._rules = rules
        self._job = LeasedJob(store, _JOB, holder=worker, clock=clock)
        self._task = LastingTask(self._run, name="personalize-retention", failed=self._failed)

    def start(self) -> None:
        """Look after it from now on."""
        self._task.start()

    async def stop(self) -> None:
        """Stop; another worker goes on where this one was."""
        await self._task.stop()
        await self._job.let_go()

    async def round(self) -> Removed | None:
        """Do a round, where none was done within a day by anybody; what it removed. None where it was not its time, or
        it broke off; the next one goes on there."""
        now, rules = self._clock.now(), self._rules()
        if rules is None:
            return None
        schema, projectors, version = rules
        try:
            if not await is_due(self._store, self._privacy, schema, now) or not await self._job.is_ours():
                return None
            return await remove_old(
                self._store, self._privacy, schema, projectors, version=version, now=now, goes_on=self._job.is_ours
            )
        except StaleVersion:
            return None
        except StoreError as error:
            self._failed(error)
            return None
        finally:
            await self._job.let_go()

    async def _run(self) -> None:
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            await self.round()

    def _failed(self, error: BaseException) -> None:
        self._health.failed("what is too old could not be removed", error, self._clock.now())
