"""The store in a file keeps every law, and what only a file can promise."""

import asyncio
import os
import shutil
import sqlite3
from collections.abc import Awaitable, Callable
from contextlib import closing, suppress
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from personalize.errors import StoreBusy, StoreError, StoreUnavailable
from personalize.stores.protocols import Applied, Live, Store, WorkerReport
from personalize.stores.sqlite.store import SqliteStore
from tests.stores.contract import Make, StoreContract, contents, opened, save
from tests.stores.erasure_contract import KEYS
from tests.stores.other_process import line_from, line_to, other_process
from tests.stores.samples import all_of, at, projectors, purchase


class TestSqliteStore(StoreContract):
    @pytest.fixture
    def make(self, tmp_path: Path) -> Make:
        numbers = count()
        return lambda: SqliteStore(tmp_path / f"{next(numbers)}.db", keys=KEYS)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "var" / "personalize.db"


def run_with(path: Path, scene: Callable[[SqliteStore], Awaitable[None]]) -> None:
    """Plays a scene with an open store, in which one visitor has bought something."""

    async def whole() -> None:
        async with opened(SqliteStore(path)) as store:
            await store.apply([purchase(event_id="first")], projectors())
            assert isinstance(store, SqliteStore)
            await scene(store)

    asyncio.run(whole())


async def works(store: Store) -> None:
    """The store reads what was there before, and writes."""
    assert await store.profile("v:ann") is not None
    assert await store.apply([purchase()], projectors()) == Applied(new=1, repeated=0)


async def works_when_new(store: Store) -> None:
    """The store opens an empty place and writes."""
    await store.open()
    assert await store.apply([purchase()], projectors()) == Applied(new=1, repeated=0)


def clear(folder: Path) -> None:
    """Delete a store: the file, and what SQLite keeps beside it."""
    for each in list(folder.iterdir()):
        each.unlink()


def put(store: Path, place: Path) -> None:
    """Move a store, its write-ahead log with it."""
    store.replace(place)
    log = Path(f"{store}-wal")
    if log.exists():
        log.replace(f"{place}-wal")


def damage(store: Path) -> None:
    """Overwrite all but the first page with nothing."""
    data = store.read_bytes()
    store.write_bytes(data[:4096] + bytes(len(data) - 4096))


async def is_unavailable(store: Store, reason: str) -> None:
    """Neither reads nor writes, and says why."""
    with pytest.raises(StoreUnavailable, match=reason):
        await store.profile("v:ann")
    with pytest.raises(StoreUnavailable, match=reason):
        await all_of(store.log())
    with pytest.raises(StoreUnavailable, match=reason):
        await store.apply([purchase()], projectors())
    with pytest.raises(StoreUnavailable, match=reason):
        await store.report(WorkerReport("a:1", None, at(0)))


def test_what_was_kept_is_there_when_the_store_is_opened_again(path: Path) -> None:
    async def scene() -> None:
        async with opened(SqliteStore(path)) as store:
            await store.apply([purchase(), purchase("u:1")], projectors())
            await save(store, "v1")
            await store.set_live(Live("v1", at(1), "ann"))
            await store.report(WorkerReport("a:1", "v1", at(2)))
            before = await contents(store)
        async with opened(SqliteStore(path)) as store:
            assert await contents(store) == before
            assert list(await store.versions()) == [Live("v1", at(1), "ann")]
            assert await store.rule_set("v1") == {"rules/v1.yaml": "v1"}
            assert list(await store.workers()) == [WorkerReport("a:1", "v1", at(2))]

    asyncio.run(scene())


def test_a_closed_store_leaves_one_file_and_says_that_it_is_closed(path: Path) -> None:
    async def scene(store: SqliteStore) -> None:
        await store.close()
        assert [each.name for each in path.parent.iterdir()] == [path.name]
        await is_unavailable(store, "is not open")
        await store.close()
        await store.open()
        await works(store)

    run_with(path, scene)


def test_what_was_given_before_closing_is_still_written(path: Path) -> None:
    async def scene(store: SqliteStore) -> None:
        writes = [asyncio.ensure_future(store.apply([purchase()], projectors())) for _ in range(20)]
        await asyncio.sleep(0)
        await store.close()
        assert await asyncio.gather(*writes) == [Applied(new=1, repeated=0)] * 20

    run_with(path, scene)


def test_a_path_may_have_any_characters(tmp_path: Path) -> None:
    odd = tmp_path / "100% søk?#" / "ä b.db"
    run_with(odd, works)
    assert odd.is_file()


# Somebody else has it -------------------------------------------------------------------------------------


def test_a_writer_elsewhere_keeps_nobody_from_reading(path: Path) -> None:
    async def scene(store: SqliteStore) -> None:
        with other_process("hold_the_write_lock", path) as other:
            line_to(other)
            assert line_from(other) == "held"
            assert await store.profile("v:ann") is not None
            assert len(await all_of(store.log())) == 1

    run_with(path, scene)


def test_a_page_never_waits_for_a_lock(path: Path) -> None:
    """Readers of a write-ahead log can be kept out only by who opens the file first, for itself alone."""

    async def scene(store: SqliteStore) -> None:
        elsewhere = path.with_name("restored.db")
        shutil.copy(path, elsewhere)
        shutil.copy(f"{path}-wal", f"{elsewhere}-wal")
        with other_process("lock_everybody_out", elsewhere) as other:
            line_to(other)
            assert line_from(other) == "held"
            put(elsewhere, path)
            with pytest.raises(StoreBusy):
                await store.profile("v:ann")
            waits = store._opened().linked().connection.execute("PRAGMA busy_timeout").fetchone()
            assert waits == (0,)
            line_to(other)
            assert line_from(other) == "released"
        await works(store)

    run_with(path, scene)


def test_opening_a_locked_file_is_refused_in_time_and_works_later_by_itself(path: Path) -> None:
    async def scene() -> None:
        async with opened(SqliteStore(path)) as store:
            await store.apply([purchase()], projectors())
        store = SqliteStore(path, busy_seconds=0.05)
        with other_process("lock_everybody_out", path) as other:
            line_to(other)
            assert line_from(other) == "held"
            with pytest.raises(StoreBusy):
                await store.open()
            line_to(other)
            assert line_from(other) == "released"
        await works(store)
        await store.close()

    asyncio.run(scene())


# It is not there, or not what it was --------------------------------------------------------------------------


def test_a_deleted_file_is_missed_and_not_replaced_by_an_empty_one(path: Path) -> None:
    async def scene(store: SqliteStore) -> None:
        clear(path.parent)
        await is_unavailable(store, "is gone")
        assert list(path.parent.iterdir()) == []

    run_with(path, scene)


def test_a_file_that_comes_back_is_used_again(path: Path) -> None:
    async def scene(store: SqliteStore) -> None:
        away = path.parent.rename(path.parent.with_name("away"))
        await is_unavailable(store, "is gone")
        away.rename(path.parent)
        await works(store)

    run_with(path, scene)


def take_away_what_lies_beside(path: Path) -> None:
    """Delete the write-ahead log of a file, and the index of that."""
    for name in ("wal", "shm"):
        Path(f"{path}-{name}").unlink()


async def with_another_file_in_its_place(path: Path, tmp_path: Path) -> str:
    """Put another store in the place of one that is in use, and leave its write-ahead log where it is; then take that
    away. What SQLite says of the file afterwards."""
    another = tmp_path / "another.db"
    async with opened(SqliteStore(another)) as other:
        await other.apply([purchase(f"v:new{number % 100}") for number in range(2_000)], projectors())
    async with opened(SqliteStore(path)) as store:
        await store.apply([purchase(f"v:old{number % 300}") for number in range(6_000)], projectors())
        with closing(sqlite3.connect(path)) as connection:
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        await store.apply([purchase("v:old3")], projectors())
        another.replace(path)
        await asyncio.sleep(0.2)  # whether the file is still there is looked at ten times a second
        for _ in range(2):
            with suppress(StoreUnavailable):
                await store.profile("v:new3")
            with pytest.raises(StoreUnavailable, match="take them away"):
                await store.apply([purchase("v:new3")], projectors())
        take_away_what_lies_beside(path)
        await store.apply([purchase("v:new3")], projectors())
        assert len(await all_of(store.log())) == 2_001
    with closing(sqlite3.connect(path)) as connection:
        return str(connection.execute("PRAGMA integrity_check").fetchone()[0])


def test_another_file_is_not_used_beside_the_log_of_the_one_before(path: Path, tmp_path: Path) -> None:
    assert asyncio.run(with_another_file_in_its_place(path, tmp_path)) == "ok"


def test_a_store_that_takes_any_log_for_its_own_is_found_out(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("personalize.stores.sqlite.link._refuse_a_log_of_another", lambda *_: None)
    with pytest.raises((pytest.fail.Exception, StoreError, sqlite3.DatabaseError)):
        asyncio.run(with_another_file_in_its_place(path, tmp_path))


def test_a_backup_that_is_put_in_its_place_is_used_from_then_on(path: Path, tmp_path: Path) -> None:
    async def scene(store: SqliteStore) -> None:
        backup = tmp_path / "backup.db"
        async with opened(SqliteStore(backup)) as other:
            await other.apply([purchase("v:ann", 5), purchase("v:ann", 6)], projectors())
        clear(path.parent)
        put(backup, path)
        assert len(await all_of(store.log())) == 2
        await works(store)
        assert len(await all_of(store.log())) == 3

    run_with(path, scene)


def test_an_empty_file_in_its_place_becomes_a_store_with_the_first_write(path: Path, tmp_path: Path) -> None:
    async def scene(store: SqliteStore) -> None:
        clear(path.parent)
        (tmp_path / "empty.db").touch()
        put(tmp_path / "empty.db", path)
        with pytest.raises(StoreUnavailable):
            await store.profile("v:ann")
        await store.apply([purchase()], projectors())
        assert await store.profile("v:ann") is not None

    run_with(path, scene)


def test_a_full_disk_refuses_writes_keeps_what_was_and_is_forgotten_when_there_is_room(path: Path) -> None:
    async def scene(store: SqliteStore) -> None:
        before = await contents(store)
        await store._write(lambda connection: connection.execute("PRAGMA max_page_count = 1").fetchone())
        large = [purchase(f"v:{number:0500d}") for number in range(200)]
        with pytest.raises(StoreUnavailable, match="the disk is full"):
            await store.apply(large, projectors())
        assert await contents(store) == before
        assert await store.apply(large, projectors()) == Applied(new=200, repeated=0)

    run_with(path, scene)


def test_a_file_that_is_no_database_is_said_to_be_none(path: Path) -> None:
    path.parent.mkdir()
    path.write_text("Dear diary, " * 1000)

    async def scene() -> None:
        store = SqliteStore(path)
        with pytest.raises(StoreUnavailable, match="it is not a SQLite database"):
            await store.open()
        await is_unavailable(store, "it is not a SQLite database")
        clear(path.parent)
        await works_when_new(store)
        await store.close()

    asyncio.run(scene())


def test_a_damaged_file_is_said_to_be_damaged(path: Path) -> None:
    async def scene() -> None:
        async with opened(SqliteStore(path)) as store:
            await store.apply([purchase(f"v:{number}") for number in range(2000)], projectors())
        damage(path)
        store = SqliteStore(path)
        with pytest.raises(StoreUnavailable, match="it is damaged: put a backup in its place"):
            await store.open()
            await store.profile("v:1")
        await store.close()

    asyncio.run(scene())


def test_what_people_did_is_readable_for_the_owner_alone(path: Path) -> None:
    async def scene() -> None:
        async with opened(SqliteStore(path)) as store:
            await store.apply([purchase("v:1")], projectors())
            rights = {found.name: found.stat().st_mode & 0o077 for found in path.parent.iterdir()}
            assert rights and not any(rights.values())

    asyncio.run(scene())


def test_a_folder_that_is_closed_while_the_store_is_open_is_a_failure_of_the_store(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    look = os.stat

    def closed(place: object, **more: Any) -> os.stat_result:
        if str(place) == str(path):
            raise PermissionError(13, "Permission denied", str(place))
        return look(place, **more)  # type: ignore[arg-type]

    async def scene(store: SqliteStore) -> None:
        # Rights do not stop root, who may run this test.
        with monkeypatch.context() as patch:
            patch.setattr(os, "stat", closed)
            await is_unavailable(store, "its folder closed")
        await works(store)

    run_with(path, scene)


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "var").write_text("a file, not a folder")

    async def scene() -> None:
        store = SqliteStore(tmp_path / "var" / "deep" / "personalize.db")
        with pytest.raises(StoreUnavailable, match=r"the folder .*deep of the store cannot be made"):
            await store.open()
        await store.close()

    asyncio.run(scene())


def test_a_path_that_cannot_be_opened_is_said_with_what_to_look_for(path: Path) -> None:
    path.mkdir(parents=True)

    async def scene() -> None:
        store = SqliteStore(path)
        with pytest.raises(StoreUnavailable, match="does the folder exist, and may this process write there"):
            await store.open()
        await store.close()

    asyncio.run(scene())


def test_reading_never_writes(path: Path) -> None:
    async def scene(store: SqliteStore) -> None:
        with pytest.raises(sqlite3.OperationalError, match="readonly"):
            store._opened().linked().connection.execute("DELETE FROM events")

    run_with(path, scene)
