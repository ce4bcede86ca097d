"""What the site's code takes back, and what it is told of what can't be."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from personalize.errors import EventConflict, EventRefused
from personalize.problems import Problems
from personalize.runtime.clock import FixedClock
from personalize.runtime.draft import read_draft
from personalize.runtime.personalizer import Personalizer
from personalize.runtime.publish import publish
from personalize.stores.memory.store import MemoryStore
from tests import desk
from tests.desk import desk_settings, write_desk

VALUE = "value: amount"
RULES = desk.RULES.replace("category: {type: text}", "category: {type: text}\n      gift: {type: bool}")
NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)


def played(folder: Path, scene: Callable[[Personalizer], Awaitable[None]]) -> Personalizer:
    """Play a scene with the worker of a small shop."""

    async def whole() -> Personalizer:
        write_desk(folder, rules=RULES.replace(VALUE, f"{VALUE}\n    interest: category"))
        settings, store = desk_settings(folder), MemoryStore()
        await publish(store, read_draft(settings, Problems()), settings, at=NOW - timedelta(days=99), by="ann")
        personalizer = Personalizer(settings, store=store, clock=FixedClock(NOW))
        await personalizer.start()
        try:
            await scene(personalizer)
        finally:
            await personalizer.stop()
        return personalizer

    return asyncio.run(whole())


async def bought(personalizer: Personalizer, profile_id: str = "u:7") -> tuple[int, int]:
    """How often and for how much."""
    profile = await personalizer.store.profile(profile_id)
    total = None if profile is None else profile.totals.get("purchase")
    return (0, 0) if total is None else (total.count, int(total.sum))


def test_an_event_that_is_taken_back_has_never_been_whoever_comes_first(tmp_path: Path) -> None:
    async def scene(personalizer: Personalizer) -> None:
        await personalizer.record("purchase", "u:7", {"amount": "29.90"}, event_id="a")
        assert await personalizer.retract("u:7", "a")
        assert await bought(personalizer) == (0, 0)
        assert not await personalizer.retract("u:7", "b")
        await personalizer.record("purchase", "u:7", {"amount": "5.00"}, event_id="b")
        await personalizer.record("purchase", "u:7", {"amount": "7.00"}, event_id="c", sender="till")
        assert await bought(personalizer) == (1, 700)
        assert await personalizer.retract("u:7", "c", sender="till")
        assert await bought(personalizer) == (0, 0)

    health = played(tmp_path, scene).health
    assert health.failures == {"a correction names no event of its visitor": 1}


def test_nobody_takes_back_what_is_somebody_elses_nor_a_join_or_a_consent(tmp_path: Path) -> None:
    async def scene(personalizer: Personalizer) -> None:
        await personalizer.record("purchase", "u:8", {"amount": "29.90"}, event_id="a")
        join = personalizer.event("join", "u:8", {"from": "v:ann"}, event_id="j", sender="site")
        consent = personalizer.event("consent", "u:8", {"granted": ["measure"]}, event_id="c", sender="site")
        await personalizer.ingest.record([join, consent])
        before = await personalizer.store.profile("u:8")
        assert not await personalizer.retract("u:7", "a")
        assert await personalizer.store.profile("u:8") == before
        assert [await personalizer.retract("u:8", name) for name in ("j", "c")] == [False, False]
        after = await personalizer.store.profile("u:8")
        assert after is not None and before is not None
        assert (after.joined_from, after.consent, after.totals) == (before.joined_from, before.consent, before.totals)

    played(tmp_path, scene)


def test_what_a_sender_tells_twice_counts_once_and_what_it_tells_otherwise_is_said_to_contradict(
    tmp_path: Path,
) -> None:
    async def scene(personalizer: Personalizer) -> None:
        for _ in range(2):
            await personalizer.record("purchase", "u:7", {"amount": "29.90"}, event_id="a")
        with pytest.raises(EventConflict, match='"site" has recorded another event as "a"') as caught:
            await personalizer.record("purchase", "u:7", {"amount": "31.00"}, event_id="a")
        assert (caught.value.sender, caught.value.event_id) == ("site", "a")
        assert await bought(personalizer) == (1, 2990)
        assert personalizer.ingest.conflicting == 1

    played(tmp_path, scene)


def test_a_clock_may_go_ahead_a_little(tmp_path: Path) -> None:
    async def scene(personalizer: Personalizer) -> None:
        await personalizer.record("purchase", "u:7", {"amount": "1.00"}, occurred_at=NOW + timedelta(minutes=5))
        with pytest.raises(EventRefused, match="E311: it is yet to occur, 6 minutes from now"):
            await personalizer.record("purchase", "u:7", {"amount": "1.00"}, occurred_at=NOW + timedelta(minutes=6))
        with pytest.raises(EventRefused, match="E308"):
            await personalizer.record("purchase", "u:7", {"amount": "1.00"}, occurred_at=NOW.replace(tzinfo=None))
        assert await bought(personalizer) == (1, 100)

    played(tmp_path, scene)


def test_a_join_is_undone_for_whatever_happened_before_and_since(tmp_path: Path) -> None:
    async def scene(personalizer: Personalizer) -> None:
        def at(days: int) -> datetime:
            return NOW - timedelta(days=days)

        async def buys(profile_id: str, days: int) -> None:
            await personalizer.record("purchase", profile_id, {"amount": "1.00"}, occurred_at=at(days))

        async def joins(browser: str, days: int) -> None:
            await personalizer.ingest.record(
                [personalizer.event("join", "u:7", {"from": browser}, occurred_at=at(days), event_id=f"join:{browser}")]
            )

        await buys("v:ann", 10)
        await buys("v:old", 40)
        await joins("v:ann", 5)
        await joins("v:old", 31)
        await buys("u:7", 2)
        await buys("v:ann", 6)
        assert await bought(personalizer) == (4, 400)
        await personalizer.undo_join("u:7", "v:ann")
        assert (await bought(personalizer), await bought(personalizer, "v:ann")) == ((2, 200), (2, 200))
        with pytest.raises(EventRefused, match='E313: "u:7" took "v:old" over 31 days ago: after 30 days'):
            await personalizer.undo_join("u:7", "v:old")
        for login, browser in (("u:8", "v:ann"), ("u:7", "v:bob"), ("v:ann", "u:7")):
            with pytest.raises(EventRefused, match="E312"):
                await personalizer.undo_join(login, browser)
        await joins("v:ann", 0)
        assert await bought(personalizer) == (2, 200), "the browser told of it once, and that is undone"

    played(tmp_path, scene)


def test_a_gift_counts_and_teaches_nothing_whenever_that_is_said(tmp_path: Path) -> None:
    async def scene(personalizer: Personalizer) -> None:
        for event_id, category in (("a", "tents"), ("b", "maps")):
            bought = {"amount": "1.00", "category": category}
            await personalizer.record("purchase", "u:7", bought, event_id=event_id)
        await personalizer.record("purchase", "u:7", {"amount": "1.00", "category": "ropes", "gift": True})
        assert await personalizer.disown("u:7", "a")
        profile = await personalizer.store.profile("u:7")
        assert profile is not None
        assert (profile.totals["purchase"].count, set(profile.interests)) == (3, {"maps"})

    played(tmp_path, scene)
