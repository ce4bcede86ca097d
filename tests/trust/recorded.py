"""What a recorder says that it keeps, and what its store holds."""

import asyncio
import sqlite3
import subprocess
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from personalize.stores.sqlite.store import SqliteStore
from tests.stores.contract import opened
from tests.stores.samples import projectors


@dataclass(frozen=True, slots=True)
class Said:
    """What a recorder said of some events: the numbers that it kept, and how many tries were refused meanwhile."""

    kept: list[int]
    refused: int


def numbers_said(process: "subprocess.Popen[str]", count: int) -> Said:
    """What the recorder says until it has kept so many more events."""
    assert process.stdout is not None
    kept: list[int] = []
    refused = 0
    while len(kept) < count and (line := process.stdout.readline()):
        said, number, *_ = line.split()
        if said == "kept":
            kept.append(int(number))
        else:
            refused += 1
    assert len(kept) == count, "the recorder has ended"
    return Said(kept, refused)


def numbers_kept(process: "subprocess.Popen[str]", count: int) -> list[int]:
    """The numbers of the next events, so many, that the recorder says it has kept."""
    return numbers_said(process, count).kept


def numbers_in(path: Path) -> list[int]:
    """The numbers of the events in a store, whose file is whole and whose profiles are as rebuilt."""

    async def read() -> list[int]:
        async with opened(SqliteStore(path)) as store:
            numbers = [int(event.event_id.removeprefix("e")) async for event in store.log()]
            live = [profile async for profile in store.profiles()]
            await store.rebuild(projectors())
            assert [profile async for profile in store.profiles()] == live
            return numbers

    numbers = asyncio.run(read())
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    return numbers
