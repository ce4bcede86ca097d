"""Exporting: one point of the log, a folder that is whole or not there, and a note of each copy."""

import asyncio
import stat
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from pathlib import Path

import pytest

from personalize.errors import ExportRefused, StoreUnavailable
from personalize.events.event import Event
from personalize.exports.manifest import Content, Manifest, read_manifest
from personalize.runtime.clock import FixedClock
from personalize.runtime.copies.exporting import What, export_store
from personalize.stores.memory.store import MemoryStore
from personalize.stores.protocols import Export
from tests.stores.samples import at, projectors, purchase

Scene = Callable[[MemoryStore], Awaitable[None]]


def with_store(scene: Scene, store: MemoryStore | None = None) -> None:
    """Plays a scene with a store of 2,500 events of 50 visitors."""

    async def run() -> None:
        filled = MemoryStore() if store is None else store
        events = [purchase(f"v:{number % 50:02}", minutes=number) for number in range(2_500)]
        await filled.apply(events, projectors())
        await scene(filled)

    asyncio.run(run())


async def exported(store: MemoryStore, folder: Path, what: What = "all", **more: object) -> Manifest:
    return await export_store(
        store,
        folder,
        format_="jsonl",
        what=what,
        by="Ingrid",
        clock=FixedClock(at(9_000)),
        **more,  # type: ignore[arg-type]
    )


def test_what_happens_meanwhile_is_not_in_it(tmp_path: Path) -> None:
    async def scene(store: MemoryStore) -> None:
        told: list[tuple[Content, int, int | None]] = []
        log = store.log

        async def log_with_news():  # type: ignore[no-untyped-def]
            async for event in log():
                if event.event_id.endswith("7"):
                    await store.apply([purchase("v:late")], projectors())
                yield event

        store.log = log_with_news  # type: ignore[method-assign]
        manifest = await exported(store, tmp_path / "out", "log", progress=lambda *said: told.append(said))
        assert manifest.rows("events") == 2_500
        assert told[-1] == ("events", 2_500, 2_500)
        assert b"v:late" not in (tmp_path / "out" / "events.jsonl").read_bytes()

    with_store(scene)


def test_what_stands_beside_profiles_is_asked_of_the_store_in_stretches(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of one that lies behind a network, each question is a round trip."""
    asked: list[int] = []

    class Counted(MemoryStore):
        async def latest(self, type_: str, profile_ids: Sequence[str], *, entries: int) -> Mapping[str, Event]:
            asked.append(len(profile_ids))
            return await super().latest(type_, profile_ids, entries=entries)

        def history(self, profile_id: str) -> AsyncIterator[Event]:
            raise AssertionError("a history is read of one visitor alone")

    monkeypatch.setattr("personalize.runtime.copies.exporting.ASKED_AT_ONCE", 20)

    async def scene(store: MemoryStore) -> None:
        assert (await exported(store, tmp_path / "out", "profiles")).rows("profiles") == 50
        assert asked == [20, 20, 10]

    with_store(scene, Counted())


def left_in(folder: Path) -> list[str]:
    return [path.name for path in folder.rglob("*")]


@pytest.mark.parametrize(("what", "contents"), [("log", {"events", "lives"}), ("profiles", {"profiles"})])
def test_an_export_holds_what_was_asked_for_and_is_its_owners_alone(
    tmp_path: Path, what: What, contents: set[str]
) -> None:
    async def scene(store: MemoryStore) -> None:
        manifest = await exported(store, tmp_path / "deep" / "out", what)
        assert {file.content for file in manifest.files} == contents
        assert read_manifest(tmp_path / "deep" / "out") == manifest
        assert stat.S_IMODE((tmp_path / "deep" / "out").stat().st_mode) == 0o700
        assert manifest.rows("profiles") == (50 if what == "profiles" else 0)

    with_store(scene)


def test_each_copy_is_noted_before_its_first_byte_and_again_when_it_is_done(tmp_path: Path) -> None:
    noted: list[tuple[Export, int]] = []

    class Noting(MemoryStore):
        async def note_export(self, export: Export) -> None:
            noted.append((export, len(left_in(tmp_path))))
            await super().note_export(export)

    async def scene(store: MemoryStore) -> None:
        await exported(store, tmp_path / "out")
        (begun, files), (done, _) = noted
        assert (begun.ended_at, files) == (None, 1)  # the empty folder
        assert done.ended_at == at(9_000)
        assert list(await store.exports()) == [done]
        assert (done.by, done.what, done.where) == ("Ingrid", "all", str(tmp_path / "out"))
        assert done.may_hold(at(8_000)) and not done.may_hold(at(9_001))

    with_store(scene, Noting())


def test_nothing_is_left_of_an_export_that_fails_but_the_note(tmp_path: Path) -> None:
    class Failing(MemoryStore):
        async def versions(self):  # type: ignore[no-untyped-def]
            raise StoreUnavailable("the disk reports an error")

    async def scene(store: MemoryStore) -> None:
        with pytest.raises(StoreUnavailable):
            await exported(store, tmp_path / "out")
        assert left_in(tmp_path) == []
        (note,) = await store.exports()
        assert note.ended_at is None

    with_store(scene, Failing())


def test_nothing_that_is_there_is_written_over(tmp_path: Path) -> None:
    async def scene(store: MemoryStore) -> None:
        (tmp_path / "file").write_text("mine")
        (tmp_path / "out.part").mkdir()
        for name, why in {"file": "is there already", "out": "another export writes it, or one broke off"}.items():
            with pytest.raises(ExportRefused, match=why):
                await exported(store, tmp_path / name)
        assert list(await store.exports()) == []
        (tmp_path / "out.part").rmdir()
        (tmp_path / "out").mkdir()
        await exported(store, tmp_path / "out")
        with pytest.raises(ExportRefused, match="is there already"):
            await exported(store, tmp_path / "out")

    with_store(scene)


def test_a_full_disk_is_told_and_nothing_is_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(self: object, events: list[Event]) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("personalize.exports.json_lines.JsonLinesWriter.write", full)

    async def scene(store: MemoryStore) -> None:
        with pytest.raises(ExportRefused, match=r"out.part cannot be written: No space left on device"):
            await exported(store, tmp_path / "out")
        assert left_in(tmp_path) == []

    with_store(scene)
