"""A long log is rebuilt in parts, and nothing shows where one part ends."""

import asyncio
from collections.abc import Sequence
from pathlib import Path

import pytest

from personalize.stores.protocols import Applied
from personalize.stores.sqlite import tables as sqlite_tables
from personalize.stores.sqlite.store import SqliteStore
from tests.stores.contract import contents, opened
from tests.stores.samples import event, projectors, purchase


@pytest.mark.parametrize("events", [0, 3, 4, 30, 31])
def test_a_log_longer_than_one_part_is_rebuilt_as_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, events: int
) -> None:
    monkeypatch.setattr(sqlite_tables, "EVENTS_AT_ONCE", 3)
    monkeypatch.setattr(sqlite_tables, "ROWS_IN_MEMORY", 2)
    mixed = [purchase(f"v:{number % 7}", number, minutes=number) for number in range(events)]
    joins = [event("join", "u:1", {"from": f"v:{number}"}, minutes=15) for number in range(7)]

    async def scene() -> None:
        async with opened(SqliteStore(tmp_path / "x.db")) as store:
            await store.apply([*mixed[:16], *joins, *mixed[16:]], projectors())
            before = await contents(store)
            assert await store.rebuild(projectors()) == events + len(joins)
            assert await contents(store) == before

    asyncio.run(scene())


def test_a_batch_longer_than_one_part_is_projected_as_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bought = [purchase(f"v:{number % 7}", number, minutes=number) for number in range(40)]
    joins = [event("join", "u:1", {"from": f"v:{number}"}, minutes=15) for number in range(7)]
    batch = [*bought[:9], *joins, *bought[9:], event("retract", "v:1", {"sender": "till", "event": bought[8].event_id})]

    async def kept(path: Path) -> object:
        async with opened(SqliteStore(path)) as store:
            await store.apply(batch, projectors())
            return await contents(store)

    whole = asyncio.run(kept(tmp_path / "whole.db"))
    monkeypatch.setattr(sqlite_tables, "EVENTS_AT_ONCE", 3)
    monkeypatch.setattr(sqlite_tables, "ROWS_OF_A_BATCH", 2)
    assert asyncio.run(kept(tmp_path / "parts.db")) == whole


@pytest.mark.parametrize("places", [[0], [14, 15], [64, 65], [114], range(115)])
def test_what_the_log_has_already_is_found_wherever_it_stands_in_a_batch(tmp_path: Path, places: Sequence[int]) -> None:
    """Fifteen go over one by one, and then twice fifty."""
    bought = [purchase(f"v:{number % 3}", number, minutes=number) for number in range(115)]
    known = [bought[place] for place in places]

    async def scene() -> None:
        async with opened(SqliteStore(tmp_path / "x.db")) as store:
            await store.apply(known, projectors())
            assert await store.apply(bought, projectors()) == Applied(new=115 - len(known), repeated=len(known))
            log = [each async for each in store.log()]
            assert log == [*known, *(each for each in bought if each not in known)]

    asyncio.run(scene())
