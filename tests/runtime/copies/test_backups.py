"""Backups: whole or not there, noted, and restored only as they were written."""

import asyncio
import stat
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from personalize.errors import ExportRefused, StoreBusy, StoreUnavailable
from personalize.events.event import JOIN
from personalize.runtime.clock import FixedClock
from personalize.runtime.copies.backups import Restored, back_up, restore
from personalize.runtime.copies.erased import ErasedAgain
from personalize.settings import Settings
from personalize.stores.protocols import Export
from personalize.stores.sqlite.store import SqliteStore
from tests.stores.contract import opened
from tests.stores.samples import at, event, projectors, purchase

KEYS = ("a key that is long enough for a test of seals",)
SETTINGS = Settings(root=Path(), secret_keys=KEYS)
Scene = Callable[[SqliteStore], Awaitable[None]]


def with_store(folder: Path, scene: Scene) -> None:
    """Plays a scene with a store of a hundred events."""

    async def run() -> None:
        async with opened(SqliteStore(folder / "store.db")) as store:
            await store.apply([purchase(f"v:{number}") for number in range(100)], projectors())
            await scene(store)

    asyncio.run(run())


async def backed_up(store: SqliteStore, folder: Path) -> Path:
    target = folder / "kept" / "monday.db"
    target.parent.mkdir(exist_ok=True)
    await back_up(store, folder / "store.db", target, by="Ingrid", clock=FixedClock(at(7)))
    return target


async def events(store: SqliteStore) -> int:
    return len([event async for event in store.log()])


def restored_from(backup: Path, database: Path, *, replaces: bool = True) -> Restored:
    return restore(backup, database, SETTINGS, at=at(9), replaces=replaces)


def files_in(folder: Path) -> dict[str, int]:
    return {path.name: stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()}


def test_a_backup_is_its_owners_alone_and_noted_before_its_first_byte(tmp_path: Path) -> None:
    async def scene(store: SqliteStore) -> None:
        target = await backed_up(store, tmp_path)
        assert files_in(target.parent) == {"monday.db": 0o600, "monday.db.sha256": 0o600}
        (note,) = await store.exports()
        assert (note.by, note.what, note.where, note.ended_at) == ("Ingrid", "backup", str(target), at(7))
        async with opened(SqliteStore(target)) as copy:
            (begun,) = await copy.exports()
            assert begun == Export(note.export_id, at(7), "Ingrid", "backup", str(target))

    with_store(tmp_path, scene)


def test_a_restored_store_is_as_it_was_and_the_other_one_is_kept(tmp_path: Path) -> None:
    async def scene(store: SqliteStore) -> None:
        await backed_up(store, tmp_path)
        await store.apply([purchase("v:later")], projectors())

    with_store(tmp_path, scene)
    backup, database = tmp_path / "kept" / "monday.db", tmp_path / "store.db"
    with pytest.raises(ExportRefused, match="is there already: --replace"):
        restored_from(backup, database, replaces=False)
    restored = restored_from(backup, database)
    contents, aside = restored.contents, restored.aside
    assert (contents.events, contents.profiles, restored.erased) == (100, 100, ErasedAgain(0, True))
    assert aside == tmp_path / "store.db.replaced-20260301T120900Z"
    assert files_in(tmp_path).keys() == {"kept", "store.db", aside.name}

    async def look() -> None:
        async with opened(SqliteStore(database)) as restored, opened(SqliteStore(aside)) as old:
            assert (await events(restored), await events(old)) == (100, 101)

    asyncio.run(look())
    database.unlink()
    found = restored_from(backup, database, replaces=False)
    assert (found.contents.events, found.aside, found.erased) == (100, None, None)


def test_who_was_erased_since_does_not_come_back(tmp_path: Path) -> None:
    """Neither they nor their browsers, no byte of them; who was erased before and came back stays."""
    backup, database = tmp_path / "kept.db", tmp_path / "store.db"

    async def before() -> None:
        async with opened(SqliteStore(database, keys=KEYS)) as store:
            everybody = [purchase(each, event_id=f"{each}-1") for each in ("u:canary", "v:canary", "u:back", "u:stays")]
            join = event(JOIN, "u:canary", {"from": "v:canary"}, minutes=1)
            await store.apply([*everybody, join], projectors())
            await store.erase("u:back", at=at(2), by="Ingrid")
            await store.apply([purchase("u:back", minutes=3)], projectors())
            await back_up(store, database, backup, by="Ingrid", clock=FixedClock(at(4)))
            await store.erase("u:canary", at=at(5), by="Ingrid")

    async def after() -> None:
        async with opened(SqliteStore(database, keys=KEYS)) as store:
            assert [each.profile_id async for each in store.profiles()] == ["u:back", "u:stays"]
            late = await store.apply([purchase("v:canary", minutes=1), purchase("u:canary", minutes=2)], projectors())
            assert (late.new, len(late.refused)) == (0, 2)
            assert len(await store.erasures()) == 2

    asyncio.run(before())
    restored = restored_from(backup, database)
    assert (restored.contents.events, restored.contents.profiles, restored.erased) == (2, 2, ErasedAgain(2, True))
    assert b"canary" in backup.read_bytes() and b"canary" not in database.read_bytes()
    asyncio.run(after())


def test_a_backup_that_is_not_as_it_was_written_changes_nothing(tmp_path: Path) -> None:
    async def scene(store: SqliteStore) -> None:
        await backed_up(store, tmp_path)

    with_store(tmp_path, scene)
    backup, database = tmp_path / "kept" / "monday.db", tmp_path / "store.db"
    whole, before = backup.read_bytes(), database.read_bytes()
    flipped = whole.replace(b"v:42", b"v:43")  # whole to SQLite, and no longer true
    for altered in (flipped, whole[:-4_096]):
        backup.write_bytes(altered)
        with pytest.raises(ExportRefused, match=r"is cut or altered: it has another SHA-256 than monday\.db\.sha256"):
            restored_from(backup, database)
    backup.write_bytes(whole)
    backup.with_name("monday.db.sha256").unlink()
    with pytest.raises(ExportRefused, match=r"sha256 is missing.*sha256sum"):
        restored_from(backup, database)
    assert files_in(tmp_path).keys() == {"kept", "store.db"}
    assert database.read_bytes() == before


def test_the_store_of_a_running_site_is_not_replaced(tmp_path: Path) -> None:
    async def scene(store: SqliteStore) -> None:
        backup = await backed_up(store, tmp_path)
        with pytest.raises(StoreBusy, match="stop the site first"):
            restore(backup, tmp_path / "store.db", SETTINGS, at=at(9), replaces=True)
        await store.apply([purchase("v:later")], projectors())
        assert await events(store) == 101
        assert "store.db.part" not in files_in(tmp_path)

    with_store(tmp_path, scene)


def test_a_store_that_is_damaged_is_replaced_all_the_same(tmp_path: Path) -> None:
    async def scene(store: SqliteStore) -> None:
        await backed_up(store, tmp_path)

    with_store(tmp_path, scene)
    (tmp_path / "store.db").write_bytes(b"\x00" * 50_000)
    restored = restored_from(tmp_path / "kept" / "monday.db", tmp_path / "store.db")
    assert restored.contents.events == 100 and restored.erased is None
    assert restored.aside is not None and restored.aside.read_bytes() == b"\x00" * 50_000


def test_nothing_is_left_of_a_backup_that_fails_but_the_note(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise StoreUnavailable("the disk is full")

    monkeypatch.setattr("personalize.stores.sqlite.backup.check_database", broken)

    async def scene(store: SqliteStore) -> None:
        with pytest.raises(StoreUnavailable, match="the disk is full"):
            await backed_up(store, tmp_path)
        assert files_in(tmp_path / "kept") == {}
        assert [note.ended_at for note in await store.exports()] == [None]

    with_store(tmp_path, scene)


def test_nothing_that_is_there_is_written_over(tmp_path: Path) -> None:
    async def scene(store: SqliteStore) -> None:
        await backed_up(store, tmp_path)
        with pytest.raises(ExportRefused, match="is there already"):
            await backed_up(store, tmp_path)

    with_store(tmp_path, scene)
