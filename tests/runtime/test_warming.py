"""What is served next has been asked about stored visitors before any page asks it."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from personalize.errors import StoreError
from personalize.profiles.profile import Profile
from personalize.runtime import warming
from personalize.stores.memory.store import MemoryStore
from personalize.wrap import wrap
from tests.desk import ITEMS, desk_settings, published, write_desk
from tests.driver import running

PURCHASE = {"amount": 1, "category": "socks"}


async def page(scope: dict[str, object], receive: object, send: object) -> None:
    """A site that nobody asks for a page."""
    while True:
        message = await receive()  # type: ignore[operator]
        await send({"type": f"{message['type']}.complete"})  # type: ignore[operator]
        if message["type"] == "lifespan.shutdown":
            return


def known_values(app: object) -> set[object]:
    """The numbers of purchases that the index has met."""
    rule_set = app.personalizer.rule_set  # type: ignore[attr-defined]
    return set(rule_set.index.fact("purchase.count").memories[int]) - {None}


def test_a_rule_set_that_goes_live_has_met_stored_visitors(tmp_path: Path) -> None:
    async def run() -> None:
        write_desk(tmp_path)
        app = wrap(page, desk_settings(tmp_path))
        async with running(app):
            await published(app)
            assert known_values(app) == set()
            await app.personalizer.record("purchase", "u:1", PURCHASE)
            write_desk(tmp_path, items=dict.fromkeys(ITEMS, "Another title"))
            await published(app)
            assert known_values(app) == {1}

    asyncio.run(run())


def test_no_more_visitors_are_asked_about_than_warm_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    async def run() -> None:
        monkeypatch.setattr(warming, "MOST_ASKED", 3)
        write_desk(tmp_path)
        settings = desk_settings(tmp_path)
        app = wrap(page, settings)
        async with running(app):
            await published(app)
            for number in range(5):
                await app.personalizer.record("purchase", f"u:{number}", PURCHASE)
            rule_set, now = app.personalizer.rule_set, app.personalizer.clock.now()
            assert rule_set is not None
            assert await warming.warm(rule_set, app.personalizer.store, settings, now=now) == 3

    asyncio.run(run())


def test_a_store_that_cannot_be_read_keeps_nothing_from_being_served(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    class Unread(MemoryStore):
        async def profiles(self) -> AsyncIterator[Profile]:
            raise StoreError("locked")
            yield Profile("")

    async def run() -> None:
        write_desk(tmp_path)
        app = wrap(page, desk_settings(tmp_path), store=Unread())
        async with running(app):
            await published(app)
            assert app.personalizer.rule_set is not None

    asyncio.run(run())
