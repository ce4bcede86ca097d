"""Filling what the live rules count: by one worker at a time, slice by slice, while the site goes on."""

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from personalize.errors import StaleVersion
from personalize.events.event import Event
from personalize.problems import Problems
from personalize.rules.pending import pending_facts, pending_rules
from personalize.rules.ruleset import RuleSet
from personalize.runtime import filling, publish
from personalize.runtime import follow as follow_module
from personalize.runtime.clock import FixedClock
from personalize.runtime.draft import read_draft
from personalize.runtime.filling import fill_up
from personalize.runtime.jobs.leased_job import LEASE_LASTS, LeasedJob
from personalize.runtime.personalizer import Personalizer
from personalize.runtime.publish import projectors_of, roll_back
from personalize.settings import Settings
from personalize.stores.memory.store import MemoryStore
from personalize.stores.protocols import Filled
from tests.desk import RULES, desk_settings, write_desk

NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)
SOCKS = RULES.replace("category: tents", "category: socks")


@pytest.fixture(autouse=True)
def every_log_is_a_long_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(publish, "COUNTED_AT_ONCE", 0)
    monkeypatch.setattr(filling, "LOOK_SECONDS", 0.001)
    monkeypatch.setattr(follow_module, "POLL_SECONDS", 0.001)


async def published(store: MemoryStore, settings: Settings, folder: Path, rules: str) -> RuleSet:
    write_desk(folder, rules=rules)
    return await publish.publish(store, read_draft(settings, Problems()), settings, at=NOON, by="a test")


def purchases(number: int, category: str = "socks", profile_id: str = "u:anna") -> list[Event]:
    return [
        Event(
            event_id=f"{category} {profile_id} {each}",
            sender="till",
            type="purchase",
            profile_id=profile_id,
            occurred_at=NOON - timedelta(hours=each),
            received_at=NOON,
            properties={"amount": 100, "category": category},
        )
        for each in range(number)
    ]


async def sold(store: MemoryStore, settings: Settings, folder: Path, number: int = 300) -> RuleSet:
    """A shop that counts tents, sells socks, and asks for socks from now on."""
    tents = await published(store, settings, folder, RULES)
    await store.apply(purchases(number), projectors_of(tents, settings), version=tents.version)
    return await published(store, settings, folder, SOCKS)


async def times_of(store: MemoryStore, rule_set: RuleSet, profile_id: str = "u:anna") -> int:
    profile = await store.profile(profile_id)
    (counter,) = rule_set.counters
    return 0 if profile is None else len(profile.recent.get(counter.key, ()))


def test_a_rule_is_pending_until_its_counter_is_filled(tmp_path: Path) -> None:
    async def run() -> None:
        settings, store = desk_settings(tmp_path), MemoryStore()
        rule_set = await sold(store, settings, tmp_path)
        (counter,) = rule_set.counters
        held = (await store.filled()).holding
        pending = pending_facts(rule_set, held)
        assert pending == {f"did.{counter.key}"}
        waiting = pending_rules(rule_set, pending)
        assert waiting and set(waiting) < {key for keys in rule_set.rule_keys.values() for key in keys}
        await fill_up(store, rule_set, settings, holder="a:1", clock=FixedClock(NOON), rest=0)
        held = (await store.filled()).holding
        assert not pending_facts(rule_set, held) and not pending_rules(rule_set, ())
        assert await times_of(store, rule_set) == counter.limit

    asyncio.run(run())


def test_totals_are_pending_while_they_are_added_up_by_another_property(tmp_path: Path) -> None:
    async def run() -> None:
        settings, store = desk_settings(tmp_path), MemoryStore()
        without = RULES.replace("    value: amount\n", "")
        before = await published(store, settings, tmp_path, without)
        await store.apply(purchases(3), projectors_of(before, settings))
        rules = RULES + (
            "  spent:\n    rules:\n"
            "      - {id: much, to: {not: {purchase.total: {at_least: 2}}}, show: things/season}\n"
            "      - {id: often, to: {purchase.count: {at_least: 2}}, show: things/season}\n"
        )
        after = await published(store, settings, tmp_path, rules)
        pending = pending_facts(after, (await store.filled()).holding)
        assert pending == {"purchase.total"}
        assert pending_rules(after, pending) == (("spent", "much"),)

    asyncio.run(run())


def test_of_two_workers_one_fills_and_the_other_takes_over_when_it_is_gone(tmp_path: Path) -> None:
    class Clock:
        moment = NOON

        def now(self) -> datetime:
            return self.moment

    async def run() -> None:
        settings, store, clock = desk_settings(tmp_path), MemoryStore(), Clock()
        rule_set = await sold(store, settings, tmp_path)
        gone = LeasedJob(store, "fill", holder="gone:1", clock=clock)
        assert await gone.is_ours()
        seen: list[Filled] = []

        def look(filled: Filled) -> bool:
            seen.append(filled)
            if len(seen) == 3:
                assert filled.filling is not None and filled.filling.projected == 0
                clock.moment += LEASE_LASTS
            return True

        await fill_up(store, rule_set, settings, holder="here:1", clock=clock, rest=0, goes_on=look)
        assert (await store.filled()).rests and len(seen) > 3
        assert await times_of(store, rule_set) > 0

    asyncio.run(run())


def test_many_who_fill_at_once_count_each_event_once(tmp_path: Path) -> None:
    async def run() -> None:
        settings, store = desk_settings(tmp_path), MemoryStore()
        rule_set = await sold(store, settings, tmp_path)
        projectors = projectors_of(rule_set, settings)

        async def go(events: int) -> None:
            while not (await store.fill(projectors, version=rule_set.version, at=NOON, events=events)).holding.covers(
                rule_set.needed
            ):
                await asyncio.sleep(0)

        await asyncio.gather(go(7), go(11), go(13))
        live = [profile async for profile in store.profiles()]
        await store.rebuild(projectors)
        assert [profile async for profile in store.profiles()] == live

    asyncio.run(run())


def test_who_waits_for_a_version_that_another_one_replaces_is_told(tmp_path: Path) -> None:
    async def run() -> None:
        settings, store = desk_settings(tmp_path), MemoryStore()
        rule_set = await sold(store, settings, tmp_path)

        async def go_back() -> None:
            await roll_back(store, settings, at=NOON, by="a test")

        waits = LeasedJob(store, "fill", holder="other:1", clock=FixedClock(NOON))
        assert await waits.is_ours()
        looking = asyncio.create_task(
            fill_up(store, rule_set, settings, holder="here:1", clock=FixedClock(NOON), rest=0)
        )
        await asyncio.sleep(0.01)
        await go_back()
        with pytest.raises(StaleVersion):
            await looking

    asyncio.run(run())


def test_a_worker_fills_in_the_background_and_its_pages_follow(tmp_path: Path) -> None:
    async def run() -> None:
        settings, store = desk_settings(tmp_path), MemoryStore()
        tents = await published(store, settings, tmp_path, RULES)
        await store.apply(purchases(300), projectors_of(tents, settings), version=tents.version)
        personalizer = Personalizer(settings, store=store)
        await personalizer.start()
        try:
            rule_set = await published(store, settings, tmp_path, SOCKS)
            await personalizer.refresh()
            assert personalizer.rule_set is not None and personalizer.rule_set.version == rule_set.version
            assert personalizer.pending == pending_facts(rule_set, (await store.filled()).holding) != frozenset()
            await personalizer.record("purchase", "u:bert", {"amount": 1, "category": "socks"})
            async with asyncio.timeout(20):
                while personalizer.pending:
                    await asyncio.sleep(0.001)
            assert await times_of(store, rule_set, "u:bert") == 1
            live = [profile async for profile in store.profiles()]
            await store.rebuild(projectors_of(rule_set, settings))
            assert [profile async for profile in store.profiles()] == live
        finally:
            await personalizer.stop()

    asyncio.run(run())
