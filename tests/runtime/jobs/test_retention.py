"""What is older than the site keeps it goes, from the log and from what was made of it."""

import asyncio
from dataclasses import replace
from datetime import datetime, timedelta

from personalize.errors import StoreUnavailable
from personalize.events.event import Event
from personalize.privacy_settings import PrivacySettings
from personalize.runtime.clock import FixedClock
from personalize.runtime.health import Health
from personalize.runtime.jobs.removing import Removed
from personalize.runtime.jobs.retention import EVERY, RetentionTask, remove_old
from personalize.stores.floors import NO_FLOORS, Floors
from personalize.stores.memory.store import MemoryStore
from personalize.stores.protocols import NOTHING_LIVE, Store
from tests.stores.erasure_contract import KEYS, join
from tests.stores.filling_contract import Make, play
from tests.stores.samples import SCHEMA, all_of, at, event, projectors, purchase

PRIVACY = PrivacySettings(forget_after=timedelta(minutes=100), keep_events=timedelta(minutes=50))


async def swept(store: Store, minutes: float, privacy: PrivacySettings = PRIVACY) -> Removed:
    removed = await remove_old(store, privacy, SCHEMA, projectors(), version=None, now=at(minutes))
    assert removed is not None
    return removed


async def fill(store: Store, *events: Event) -> None:
    await store.apply(events, projectors())


async def types_of(store: Store, profile_id: str) -> list[str]:
    return [each.type for each in await all_of(store.history(profile_id))][::-1]


def test_a_browser_that_was_silent_for_long_is_forgotten_whole_and_a_login_is_not(make: Make) -> None:
    async def scene(store: Store) -> None:
        told = [
            purchase("v:ann"),
            event("set", "v:ann", {"country": "NO"}),
            purchase("u:1"),
            purchase("v:bob", minutes=3),
        ]
        await fill(store, *told)
        privacy = replace(PRIVACY, keep_events=None)
        assert await swept(store, 100, privacy) == Removed(0, 0)
        assert await swept(store, 101, privacy) == Removed(profiles=1, events=2)
        assert {each.profile_id for each in await all_of(store.profiles())} == {"u:1", "v:bob"}
        assert {each.profile_id for each in await all_of(store.log())} == {"u:1", "v:bob"}
        assert await store.floors() == NO_FLOORS
        # It is forgotten, not erased: whoever comes back late is welcome.
        assert (await store.apply([purchase("v:ann", minutes=200)], projectors())).new == 1

    play(make, scene)


def test_what_was_measured_of_an_arm_goes_when_it_is_as_old_as_silence_may_last(make: Make) -> None:
    async def scene(store: Store) -> None:
        await fill(store, event("impression", "a:7", {"slots": []}), event("impression", "a:7", {"slots": []}, 50))
        privacy = replace(PRIVACY, keep_events=None)
        assert await swept(store, 100, privacy) == Removed(0, 0)
        assert await swept(store, 101, privacy) == Removed(profiles=0, events=1)
        assert len(await types_of(store, "a:7")) == 1
        assert await all_of(store.profiles()) == []

    play(make, scene)


def test_a_browser_of_a_login_lasts_as_long_as_the_login(make: Make) -> None:
    async def scene(store: Store) -> None:
        await fill(store, purchase("v:ann"), join("u:1", "v:ann", 1), purchase("u:1", minutes=2))
        assert await swept(store, 500, replace(PRIVACY, keep_events=None)) == Removed(0, 0)
        profile = await store.profile("u:1")
        assert profile is not None and profile.totals["purchase"].count == 2

    play(make, scene)


def test_what_somebody_did_long_ago_goes_and_what_they_said_of_themselves_stays(make: Make) -> None:
    async def scene(store: Store) -> None:
        told = [
            event("set", "u:1", {"country": "NO"}),
            event("consent", "u:1", {"granted": ["measure", "personalize"]}),
        ]
        done = [event("page_view", "u:1", {"path": "/"}, 1), purchase("u:1", minutes=9.9), purchase("u:1", minutes=10)]
        await fill(store, *told, *done, purchase("v:ann", minutes=1), join("u:1", "v:ann", 2))
        assert await swept(store, 60) == Removed(profiles=0, events=3)
        assert await types_of(store, "u:1") == ["set", "consent", "purchase", "join"]
        profile = await store.profile("u:1")
        assert profile is not None and profile.totals["purchase"].count == 1
        assert profile.attributes["country"].value == "NO" and profile.joined_from == ("v:ann",)

    play(make, scene)


def test_what_would_go_at_once_is_not_taken_any_more(make: Make) -> None:
    async def scene(store: Store) -> None:
        await fill(store, purchase("u:1", minutes=20))
        await swept(store, 60)
        assert (await store.floors()).of_all == at(10)
        applied = await store.apply([purchase("u:1", minutes=9), purchase("u:1", minutes=11)], projectors())
        assert (applied.new, len(applied.refused)) == (1, 1)

    play(make, scene)


def test_what_consent_no_longer_covers_goes_with_the_next_round(make: Make) -> None:
    async def scene(store: Store) -> None:
        await fill(store, purchase("u:1", minutes=30), event("consent", "u:1", {"granted": ["measure"]}, 31))
        assert await swept(store, 60) == Removed(profiles=0, events=1)
        assert await types_of(store, "u:1") == ["consent"]

    play(make, scene)


def task(store: Store, now: datetime, worker: str = "one", health: Health | None = None) -> RetentionTask:
    return RetentionTask(
        store,
        PRIVACY,
        worker=worker,
        clock=FixedClock(now),
        health=health or Health(),
        rules=lambda: (SCHEMA, projectors(), NOTHING_LIVE),
    )


def test_of_all_workers_one_does_the_round_of_a_day(make: Make) -> None:
    async def scene(store: Store) -> None:
        noon = at(60)
        await fill(store, purchase("u:1"))
        assert await task(store, noon).round() == Removed(0, 1)
        for later in (noon + timedelta(minutes=1), noon + EVERY / 2):
            assert await task(store, later, "two").round() is None
            assert await task(store, later).round() is None
        assert await task(store, noon + EVERY, "two").round() == Removed(0, 0)
        assert await task(store, noon - EVERY, "two").round() == Removed(0, 0), "the clock was wrong, and is set right"

    play(make, scene)


class Gone(MemoryStore):
    """A store that can't write any more."""

    async def raise_floors(self, floors: Floors) -> None:
        raise StoreUnavailable("the disk is full")


def test_a_round_that_breaks_off_is_counted_and_the_next_worker_begins_anew() -> None:
    async def scene() -> None:
        store, health = Gone(KEYS), Health()
        await store.apply([purchase("u:1")], projectors())
        assert await task(store, at(60), health=health).round() is None
        assert health.failures == {"what is too old could not be removed": 1}
        assert await task(store, at(60), "two", health).round() is None
        assert health.failures["what is too old could not be removed"] == 2

    asyncio.run(scene())


def test_while_the_live_rules_do_not_load_nothing_is_done(make: Make) -> None:
    async def scene(store: Store) -> None:
        await fill(store, purchase("u:1"))
        waiting = RetentionTask(
            store, PRIVACY, worker="one", clock=FixedClock(at(60)), health=Health(), rules=lambda: None
        )
        assert await waiting.round() is None
        assert len(await all_of(store.log())) == 1

    play(make, scene)
