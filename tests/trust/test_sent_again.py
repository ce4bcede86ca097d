"""Events that are sent again and again: shuffled, behind restarts, a month later. Each counts once."""

import asyncio
import random
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest
from starlette.applications import Starlette

from personalize.wrap import wrap
from tests.api.channel import channel, purchase
from tests.desk import desk_settings, published, write_desk, written
from tests.driver import running
from tests.trust.moving_clock import MovingClock
from tests.trust.trials import SEED, trials

EVENTS = trials(400, 100_000)
MOST_TIMES = 5
BATCH = 250
BUYERS = 40
BEGIN = datetime(2026, 10, 1, 12, tzinfo=UTC)
#: When the site is started again, and what is still to be sent is sent.
RESTARTS = (timedelta(0), timedelta(hours=1), timedelta(days=30))


def bought(number: int) -> dict[str, Any]:
    """An event that is the same whenever it is sent."""
    return purchase(f"r{number}", f"u:{number % BUYERS}", at=(BEGIN - timedelta(minutes=number % 1_000)).isoformat())


def sendings(dice: random.Random) -> list[list[int]]:
    """What is sent in each life of the site: every event one to five times, in any order."""
    lives: list[list[int]] = [[] for _ in RESTARTS]
    for number in range(EVENTS):
        for _ in range(dice.randint(1, MOST_TIMES)):
            dice.choice(lives).append(number)
    for life in lives:
        dice.shuffle(life)
    return lives


async def send(folder: Path, numbers: Sequence[int], moment: datetime) -> list[str]:
    """Start the site at this moment and send it events; what it said of each."""
    said: list[str] = []
    app = wrap(Starlette(), desk_settings(folder), clock=MovingClock(moment))
    with patch("personalize.runtime.access.BELIEVED_SECONDS", 0):
        async with running(app):
            await published(app)
            till = await channel(app, "events:write")
            for at in range(0, len(numbers), BATCH):
                batch = [bought(number) for number in numbers[at : at + BATCH]]
                told = await till.call("/events/batch", {"events": batch})
                assert told.status == 200, told.values
                said += [one["outcome"] for one in told.values["outcomes"]]
    return said


async def counted(folder: Path) -> tuple[int, int]:
    """How many events the log has, and how many the profiles count."""
    app = wrap(Starlette(), desk_settings(folder), clock=MovingClock(BEGIN + RESTARTS[-1]))
    async with running(app):
        profiles = [one async for one in app.personalizer.store.profiles()]
        return len(await written(app)), sum(one.totals["purchase"].count for one in profiles)


def test_a_conflict_does_not_hide_behind_a_month(tmp_path: Path) -> None:
    async def scene() -> None:
        write_desk(tmp_path)
        assert await send(tmp_path, [1, 1], BEGIN) == ["new", "repeated"]
        with patch.dict(globals(), bought=lambda number: {**purchase(f"r{number}", "u:1"), "channel": "other"}):
            assert await send(tmp_path, [1], BEGIN + timedelta(days=30)) == ["refused"]
        assert await counted(tmp_path) == (1, 1)

    asyncio.run(scene())


@pytest.mark.trust(tries=EVENTS)
def test_however_often_and_late_an_event_is_sent_it_counts_once_and_is_answered_alike(tmp_path: Path) -> None:
    async def scene() -> None:
        write_desk(tmp_path)
        known: set[int] = set()
        for numbers, later in zip(sendings(random.Random(SEED)), RESTARTS, strict=True):
            said = await send(tmp_path, numbers, BEGIN + later)
            for number, outcome in zip(numbers, said, strict=True):
                assert outcome == ("repeated" if number in known else "new"), number
                known.add(number)
        assert await counted(tmp_path) == (EVENTS, EVENTS)

    asyncio.run(scene())


@pytest.mark.trust
@pytest.mark.planted
def test_a_store_that_remembers_ids_for_a_day_is_found_out(tmp_path: Path) -> None:
    """As queues do that tell events apart within a window."""

    async def scene() -> None:
        write_desk(tmp_path)
        await send(tmp_path, range(20), BEGIN)
        with closing(sqlite3.connect(tmp_path / "store.db")) as store:
            store.execute("UPDATE events SET event_id = event_id || ' of long ago'")
            store.commit()
        assert set(await send(tmp_path, range(20), BEGIN + timedelta(days=30))) != {"repeated"}
        assert await counted(tmp_path) != (20, 20)

    asyncio.run(scene())
