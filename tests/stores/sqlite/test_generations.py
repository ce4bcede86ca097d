"""Generations in a file: whoever dies while they are filled loses nothing, and nothing of them is left behind."""

import asyncio
import sqlite3
from pathlib import Path

from personalize.stores.holding_text import holding_as_text, holding_from_text
from personalize.stores.projecting import holding_of
from personalize.stores.protocols import Live
from personalize.stores.sqlite.store import SqliteStore
from tests.stores.contract import opened
from tests.stores.other_process import COUNTERS, line_from, line_to, other_process
from tests.stores.samples import all_of, at, event, projectors, purchase

EVENTS = 400


async def pending(path: Path) -> None:
    """A log of which nothing is counted yet that is asked for."""
    async with opened(SqliteStore(path)) as store:
        await store.save_rule_set("v1", {}, at(0))
        log = [purchase(f"v:{number % 7}", amount=number % 100, minutes=number) for number in range(EVENTS)]
        await store.apply([*log, event("join", "u:1", {"from": "v:3"}, minutes=EVENTS)], projectors())
        await store.set_live(Live("v1", at(0), "ann"), projectors(COUNTERS))


async def is_as_rebuilt(path: Path, *, events: int) -> None:
    async with opened(SqliteStore(path)) as store:
        filled = await store.filled()
        assert filled.rests and filled.events == events
        assert filled.holding == holding_of(projectors(COUNTERS))
        live = await all_of(store.profiles())
        assert sum(len(profile.recent.get("dear", ())) for profile in live) == 5 * 7
        await store.rebuild(projectors(COUNTERS))
        assert await all_of(store.profiles()) == live


async def record(path: Path, number: int) -> None:
    async with opened(SqliteStore(path)) as store:
        late = purchase("v:3", amount=99, minutes=number - 50)
        await store.apply([late], projectors(COUNTERS), version="v1")


def test_who_is_killed_while_filling_loses_nothing_and_another_one_goes_on_from_there(tmp_path: Path) -> None:
    path = tmp_path / "x.db"
    asyncio.run(pending(path))
    reached = 0
    for number in range(3):
        with other_process("fill_slice_by_slice", path, 11, "stepwise") as process:
            for _ in range(4):
                line_to(process)
                told = int(line_from(process))
                assert told >= reached + 11
                reached = told
            line_to(process)  # and is killed in the middle of the next one
            process.kill()
            process.wait()
        asyncio.run(record(path, number))
    with other_process("fill_slice_by_slice", path, 11) as process:
        line_to(process)
        assert int(line_from(process)) >= reached + 11
        while line_from(process) != "":
            pass
    asyncio.run(is_as_rebuilt(path, events=EVENTS + 1 + 3))


def test_two_processes_that_fill_at_once_count_each_event_once(tmp_path: Path) -> None:
    path = tmp_path / "x.db"
    asyncio.run(pending(path))
    with other_process("fill_slice_by_slice", path, 3) as one, other_process("fill_slice_by_slice", path, 2) as other:
        line_to(one)
        line_to(other)
        for number in range(5):
            asyncio.run(record(path, number))
        for process in (one, other):
            while line_from(process) != "":
                pass
            assert process.wait() == 0
    asyncio.run(is_as_rebuilt(path, events=EVENTS + 1 + 5))


def test_rows_that_were_served_before_are_cleared_away(tmp_path: Path) -> None:
    async def scene() -> None:
        await pending(tmp_path / "x.db")
        async with opened(SqliteStore(tmp_path / "x.db")) as store:
            while not (await store.fill(projectors(COUNTERS), version="v1", at=at(1), events=50)).rests:
                pass
            assert await store.profile("v:1") is not None

    asyncio.run(scene())
    connection = sqlite3.connect(tmp_path / "x.db")
    names = {name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE name LIKE 'projection%'")}
    assert names == {f"projection_{one}" for one in ("ageing", "marks", "outbox", "profiles", "search", "watch")}
    assert connection.execute("SELECT count(*), min(state) FROM generations").fetchall() == [(1, "served")]
    connection.close()


def test_a_holding_comes_back_as_it_was_written() -> None:
    holding = holding_of(projectors(COUNTERS))
    assert holding_from_text(holding_as_text(holding)) == holding
    assert (dict(holding.counters), holding.values) == ({"dear": 5}, {("purchase", "amount")})
