"""Publishing and rolling back: what is live is one row, and what it counts is right from its first moment."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from personalize.errors import InvalidFiles, UnknownVersion
from personalize.events.event import Event
from personalize.problems import Problems
from personalize.runtime.draft import read_draft
from personalize.runtime.publish import live_rule_set, projectors_of, publish, roll_back, version_before
from personalize.settings import Settings
from personalize.stores.memory.store import MemoryStore
from personalize.stores.protocols import Live
from tests.desk import RULES, desk_settings, write_desk

NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)


async def publish_files(store: MemoryStore, settings: Settings, at: datetime = NOON) -> str:
    rule_set = await publish(store, read_draft(settings, Problems()), settings, at=at, by="a test")
    return rule_set.version


def purchase(number: int, category: str) -> Event:
    return Event(
        event_id=f"e{number}",
        sender="till",
        type="purchase",
        profile_id="u:anna",
        occurred_at=NOON - timedelta(days=number),
        received_at=NOON,
        properties={"amount": 100 * number, "category": category},
    )


def test_what_is_published_is_live_and_its_text_is_kept(tmp_path: Path) -> None:
    async def run() -> None:
        write_desk(tmp_path)
        settings, store = desk_settings(tmp_path), MemoryStore()
        version = await publish_files(store, settings)
        live = await store.live()
        assert live is not None and (live.version, live.by) == (version, "a test")
        assert (await store.rule_set(version))["rules/all.yaml"] == RULES
        assert (await live_rule_set(store, settings)).version == version  # type: ignore[union-attr]

    asyncio.run(run())


def test_of_two_that_publish_at_once_the_later_finds_the_counters_of_its_own_filled(tmp_path: Path) -> None:
    class Overtaken(MemoryStore):
        """While the first publishing weighs what is live, another one moves the row."""

        other: Callable[[], Awaitable[object]] | None = None

        async def live(self) -> Live | None:
            found = await super().live()
            other, self.other = self.other, None
            if other is not None:
                await other()
            return found

    async def run() -> None:
        settings, store = desk_settings(tmp_path), Overtaken()
        write_desk(tmp_path, rules=RULES.replace("category: tents", "category: socks"))
        other = read_draft(settings, Problems())
        write_desk(tmp_path)
        await publish_files(store, settings)
        now = projectors_of(await live_rule_set(store, settings), settings)
        await store.apply([purchase(1, "socks"), purchase(2, "tents")], now)
        write_desk(tmp_path, rules=RULES.replace("holds: 2", "holds: 3"))  # counts as the live one does
        store.other = lambda: publish(store, other, settings, at=NOON, by="another")
        version = await publish_files(store, settings)
        lives = await store.versions()
        assert [live.version for live in lives][1:] == [other.version, version]
        assert [live.at for live in lives] == sorted({live.at for live in lives})
        after = await live_rule_set(store, settings)
        profile = await store.profile("u:anna")
        assert profile is not None and after is not None
        assert [len(profile.recent[counter.key]) for counter in after.counters] == [1]

    asyncio.run(run())


def test_publishing_the_same_files_again_changes_nothing(tmp_path: Path) -> None:
    async def run() -> None:
        write_desk(tmp_path)
        settings, store = desk_settings(tmp_path), MemoryStore()
        first = await publish_files(store, settings)
        assert await publish_files(store, settings, NOON + timedelta(hours=1)) == first
        assert len(await store.versions()) == 1

    asyncio.run(run())


def test_a_broken_file_never_replaces_what_is_live(tmp_path: Path) -> None:
    async def run() -> None:
        write_desk(tmp_path)
        settings, store = desk_settings(tmp_path), MemoryStore()
        version = await publish_files(store, settings)
        write_desk(tmp_path, rules=RULES.replace("segment: buyers", "segment: byers"))
        with pytest.raises(InvalidFiles) as refused:
            await publish_files(store, settings)
        (problem,) = refused.value.problems
        assert problem.code == "E222" and problem.file == "rules/all.yaml"
        assert problem.hint is not None and "buyers" in problem.hint
        assert (await store.live()).version == version  # type: ignore[union-attr]

    asyncio.run(run())


def test_a_new_behaviour_condition_counts_what_happened_before_it_was_published(tmp_path: Path) -> None:
    async def run() -> None:
        write_desk(tmp_path)
        settings, store = desk_settings(tmp_path), MemoryStore()
        await publish_files(store, settings)
        before = await live_rule_set(store, settings)
        await store.apply([purchase(1, "socks"), purchase(2, "tents")], projectors_of(before, settings))
        write_desk(tmp_path, rules=RULES.replace("category: tents", "category: socks"))
        await publish_files(store, settings)
        after = await live_rule_set(store, settings)
        profile = await store.profile("u:anna")
        assert profile is not None and after is not None
        (counter,) = after.counters
        assert len(profile.recent[counter.key]) == 1
        assert profile.totals["purchase"].count == 2

    asyncio.run(run())


def test_a_new_value_to_add_up_is_added_up_over_the_whole_past(tmp_path: Path) -> None:
    async def run() -> None:
        write_desk(tmp_path, rules=RULES.replace("    value: amount\n", ""))
        settings, store = desk_settings(tmp_path), MemoryStore()
        await publish_files(store, settings)
        await store.apply([purchase(1, "socks"), purchase(2, "tents")], projectors_of(None, settings))
        write_desk(tmp_path)
        await publish_files(store, settings)
        profile = await store.profile("u:anna")
        assert profile is not None and profile.totals["purchase"].sum == 300

    asyncio.run(run())


def test_roll_back_makes_the_version_before_live_again(tmp_path: Path) -> None:
    async def run() -> None:
        write_desk(tmp_path)
        settings, store = desk_settings(tmp_path), MemoryStore()
        first = await publish_files(store, settings)
        write_desk(tmp_path, rules=RULES.replace("holds: 2", "holds: 3"))
        second = await publish_files(store, settings)
        rolled = await roll_back(store, settings, at=NOON, by="a test")
        assert rolled.version == first
        assert [live.version for live in await store.versions()] == [first, second, first]
        named = await roll_back(store, settings, at=NOON, by="a test", version=second)
        assert named.version == second

    asyncio.run(run())


def test_roll_back_without_a_version_before_says_so(tmp_path: Path) -> None:
    async def run() -> None:
        write_desk(tmp_path)
        settings, store = desk_settings(tmp_path), MemoryStore()
        await publish_files(store, settings)
        with pytest.raises(UnknownVersion):
            await roll_back(store, settings, at=NOON, by="a test")
        with pytest.raises(UnknownVersion):
            await roll_back(store, settings, at=NOON, by="a test", version="0123456789abcdef")

    asyncio.run(run())


@pytest.mark.parametrize(
    ("lives", "before"),
    [
        ("", None),
        ("A", None),
        ("AB", "A"),
        ("ABC", "B"),
        ("ABCB", "A"),
        ("ABCBA", None),
        ("ABCBD", "B"),
        ("ABCA", None),
        ("ABCAC", "A"),
        ("ABCBC", "B"),
        ("ABAB", "A"),
    ],
)
def test_the_version_before_lies_on_the_way_that_led_here(lives: str, before: str | None) -> None:
    moved = [Live(version, NOON + timedelta(hours=hour), "a test") for hour, version in enumerate(lives)]
    assert version_before(moved) == before
