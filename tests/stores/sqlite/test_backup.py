"""Copies of a store under load: nothing is missing that was written before, and nothing that was deleted is there."""

import asyncio
import shutil
import sqlite3
from contextlib import closing, suppress
from pathlib import Path

import pytest

from personalize.errors import StoreBusy, StoreUnavailable
from personalize.stores.sqlite.backup import check_database, close_for_all, copy_database
from personalize.stores.sqlite.store import SqliteStore
from tests.stores.contract import opened
from tests.stores.samples import projectors, purchase
from tests.trust.trials import trials

COPIES = trials(4, 100)


def events_in(path: Path) -> set[str]:
    with closing(sqlite3.connect(path)) as connection:
        return {event_id for (event_id,) in connection.execute("SELECT event_id FROM events")}


@pytest.mark.trust(tries=COPIES)
def test_all_that_was_written_before_is_in_a_copy_made_while_others_write(tmp_path: Path) -> None:
    """And its twin: a copy of the file alone, as `cp` makes it, lacks what stands in the write-ahead log."""
    lacking: list[set[str]] = []
    written: set[str] = set()
    done = asyncio.Event()

    async def write(store: SqliteStore, name: str) -> None:
        number = 0
        while not done.is_set():
            batch = [purchase(f"v:{number % 40}", event_id=f"{name}-{number}-{one}") for one in range(5)]
            await store.apply(batch, projectors())
            written.update(event.event_id for event in batch)
            number += 1

    async def one_copy(path: Path) -> None:
        before = set(written)
        while len(written) == len(before):
            await asyncio.sleep(0.05)
        before = set(written)
        await asyncio.to_thread(copy_database, path, tmp_path / "copy.db", lambda: True)
        assert before <= events_in(tmp_path / "copy.db")
        assert check_database(tmp_path / "copy.db").events == len(events_in(tmp_path / "copy.db"))
        await asyncio.to_thread((tmp_path / "copy.db").unlink)
        shutil.copyfile(path, tmp_path / "naive.db")
        lacking.append(before)
        with suppress(sqlite3.DatabaseError):  # not even a table may be there
            lacking[-1] -= events_in(tmp_path / "naive.db")

    async def copy(path: Path) -> None:
        try:
            for _ in range(COPIES):
                await one_copy(path)
        finally:
            done.set()

    async def scene() -> None:
        async with opened(SqliteStore(tmp_path / "store.db")) as store:
            await asyncio.gather(write(store, "a"), write(store, "b"), copy(tmp_path / "store.db"))

    asyncio.run(scene())
    assert any(lacking), "a copy of the file alone"


def test_a_copy_opens_as_the_same_store(tmp_path: Path) -> None:
    async def scene() -> None:
        async with opened(SqliteStore(tmp_path / "store.db")) as store:
            await store.apply([purchase(), purchase("u:1")], projectors())
            contents = copy_database(tmp_path / "store.db", tmp_path / "copy.db", lambda: True)
            assert (contents.events, contents.profiles) == (2, 2)
            assert contents.size_bytes == (tmp_path / "copy.db").stat().st_size
            async with opened(SqliteStore(tmp_path / "copy.db")) as copy:
                assert [one async for one in copy.log()] == [one async for one in store.log()]
                assert [one async for one in copy.profiles()] == [one async for one in store.profiles()]

    asyncio.run(scene())


def test_what_was_deleted_is_not_in_a_copy_though_its_bytes_are_still_in_the_file(tmp_path: Path) -> None:
    path, canary = tmp_path / "store.db", b"canary-4711"

    async def scene() -> None:
        async with opened(SqliteStore(path)) as store:
            await store.apply([purchase(event_id=f"canary-4711-{number}") for number in range(500)], projectors())

    asyncio.run(scene())
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA secure_delete = OFF")
        connection.execute("DELETE FROM events")
        connection.commit()
    assert canary in path.read_bytes()
    copy_database(path, tmp_path / "copy.db", lambda: True)
    assert canary not in (tmp_path / "copy.db").read_bytes()


def test_a_damaged_copy_and_what_is_no_store_are_noticed(tmp_path: Path) -> None:
    path = tmp_path / "store.db"

    async def scene() -> None:
        async with opened(SqliteStore(path)) as store:
            await store.apply([purchase(f"v:{number}") for number in range(2_000)], projectors())

    asyncio.run(scene())
    whole = path.read_bytes()
    for damage in (whole[: len(whole) // 2], whole[:40_960] + b"\xff" * 4_096 + whole[45_056:]):
        path.write_bytes(damage)
        with pytest.raises(StoreUnavailable, match="damaged"):
            check_database(path)
    path.write_bytes(b"no database at all" * 1_000)
    with pytest.raises(StoreUnavailable, match="not a SQLite database"):
        check_database(path)


def test_who_no_longer_waits_stops_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("personalize.stores.sqlite.backup._STEPS_BETWEEN", 10)

    async def scene() -> None:
        async with opened(SqliteStore(tmp_path / "store.db")) as store:
            await store.apply([purchase() for _ in range(100)], projectors())

    asyncio.run(scene())
    with pytest.raises(StoreUnavailable, match="interrupted"):
        copy_database(tmp_path / "store.db", tmp_path / "copy.db", lambda: False)


def test_a_store_that_somebody_has_open_is_not_taken_from_them(tmp_path: Path) -> None:
    path = tmp_path / "store.db"

    async def scene() -> None:
        async with opened(SqliteStore(path)) as store:
            await store.apply([purchase()], projectors())
            with pytest.raises(StoreBusy, match="is in use: stop the site first"):
                close_for_all(path)

    asyncio.run(scene())
    close_for_all(path)
    assert [each.name for each in tmp_path.iterdir()] == ["store.db"]
