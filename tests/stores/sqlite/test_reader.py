"""Pages read what is stored by now, and a row that is as it was has no work done to it twice."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from personalize.errors import StoreUnavailable
from personalize.stores.sqlite.reader import Reader
from personalize.stores.sqlite.store import SqliteStore
from personalize.stores.sqlite.writer import Writer
from tests.stores.contract import opened
from tests.stores.samples import projectors, purchase


def read_by(path: Path, scene: Callable[[Reader, SqliteStore], Awaitable[None]]) -> None:
    """Play a scene with a reader, and a store that another process has opened: one thing was bought."""

    async def play() -> None:
        async with opened(SqliteStore(path)) as other:
            await other.apply([purchase("v:ann")], projectors())
            writer = Writer(path, busy_seconds=0)
            reader = Reader(path, writer)
            try:
                await scene(reader, other)
            finally:
                reader.close()
                writer.stop()

    asyncio.run(play())


def test_a_row_that_is_as_it_was_is_decoded_once(tmp_path: Path) -> None:
    async def scene(reader: Reader, _: SqliteStore) -> None:
        assert reader.profile("v:ann") is reader.profile("v:ann")

    read_by(tmp_path / "x.db", scene)


def test_what_another_process_writes_is_read_at_once(tmp_path: Path) -> None:
    async def scene(reader: Reader, other: SqliteStore) -> None:
        for number in range(1, 20):
            profile = reader.profile("v:ann")
            assert profile is not None
            assert profile.events == number
            await other.apply([purchase("v:ann")], projectors())

    read_by(tmp_path / "x.db", scene)


def test_who_was_erased_is_read_no_more(tmp_path: Path) -> None:
    async def scene(reader: Reader, other: SqliteStore) -> None:
        assert reader.profile("v:ann") is not None
        await other._write(lambda connection: connection.execute("DELETE FROM projection_profiles"))
        assert reader.profile("v:ann") is None

    read_by(tmp_path / "x.db", scene)


def test_what_was_decoded_is_kept_no_longer_than_until_the_file_is_looked_at_again(tmp_path: Path) -> None:
    async def scene(reader: Reader, _: SqliteStore) -> None:
        before = reader.profile("v:ann")
        await asyncio.sleep(0.11)
        reader.rows("SELECT 1")
        assert reader.profile("v:ann") == before
        assert reader.profile("v:ann") is not before

    read_by(tmp_path / "x.db", scene)


def test_a_reader_reads_on_after_what_went_wrong(tmp_path: Path) -> None:
    async def scene(reader: Reader, _: SqliteStore) -> None:
        with pytest.raises(StoreUnavailable, match="no such table: nowhere"):
            reader.rows("SELECT 1 FROM nowhere")
        assert reader.profile("v:ann") is not None

    read_by(tmp_path / "x.db", scene)
