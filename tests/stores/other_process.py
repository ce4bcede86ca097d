"""What another process does to a store while a test looks: `python -m tests.stores.other_process …`.

A store is named by its path, or by its address where it is a database.

Each says a line on its standard output when it is ready or has done something, and waits for a line on its
standard input before it begins, so that tests can let several begin at once.
"""

import asyncio
import os
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from personalize.profiles.counters import Counter
from personalize.runtime.clock import SystemClock
from personalize.runtime.jobs.leased_job import LeasedJob
from personalize.stores.opening import open_store
from personalize.stores.protocols import Store
from personalize.stores.sqlite.store import SqliteStore
from tests.stores.samples import BEGIN, projectors, purchase

#: What `fill_slice_by_slice` fills.
COUNTERS = (Counter("dear", "purchase", 5, matches=lambda properties: int(str(properties["amount"])) > 50),)
REPOSITORY = Path(__file__).resolve().parents[2]
AHEAD = 50


@contextmanager
def other_process(task: str, path: Path | str, *arguments: object) -> Iterator[subprocess.Popen[str]]:
    """Another process that is ready for its task; it is killed at the end, if it still runs."""
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.stores.other_process", task, str(path), *map(str, arguments)],
        cwd=REPOSITORY,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert line_from(process) == "ready"
        yield process
    finally:
        process.kill()
        process.communicate()


def line_from(process: subprocess.Popen[str]) -> str:
    """The next line that the process says; empty where it has ended."""
    assert process.stdout is not None
    return process.stdout.readline().rstrip("\n")


def line_to(process: subprocess.Popen[str], line: str = "go") -> None:
    """Let the process begin, or go on."""
    assert process.stdin is not None
    process.stdin.write(f"{line}\n")
    process.stdin.flush()


def say(line: str) -> None:
    """A line for the test."""
    print(line, flush=True)


def store_at(place: str) -> Store:
    """The store that a test named."""
    return open_store(place, Path()) if "://" in place else SqliteStore(Path(place), busy_seconds=30)


async def open_the_store(place: str) -> None:
    """Open and close it."""
    store = store_at(place)
    await store.open()
    await store.close()
    say("done")


async def count_up(place: str, sender: str, times: str) -> None:
    """That many purchases of one visitor, each a write of its own, some of them at once."""
    store = store_at(place)
    await store.open()
    for first in range(0, int(times), 10):
        await asyncio.gather(
            *(
                store.apply([purchase("v:ann", 1, event_id=f"{sender}-{number}")], projectors())
                for number in range(first, first + 10)
            )
        )
    await store.close()
    say("done")


async def hold_a_job(place: str) -> None:
    """Take the lease of a job, and keep it until killed."""
    store = store_at(place)
    await store.open()
    job = LeasedJob(store, "job", holder="the other", clock=SystemClock())
    say("held" if await job.is_ours() else "taken")
    while await job.is_ours():
        await asyncio.sleep(0.05)


async def keep_a_journal(place: str, journal: str, ahead: str = "0") -> None:
    """Write events until killed; each id is synced to the journal once the store has acknowledged it.

    With `ahead`, the planted fault: ids of so many events are in the journal before the store is asked.
    """
    store = store_at(place)
    await store.open()
    kept = os.open(journal, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    number = 0
    while True:
        ids = [f"{os.getpid()}-{number + each}" for each in range(int(ahead) or 1)]
        number += len(ids)
        for event_id in ids if int(ahead) else ():
            note(kept, event_id)
        for event_id in ids:
            await store.apply([purchase("v:ann", 1, event_id=event_id)], projectors())
            if not int(ahead):
                note(kept, event_id)


async def fill_slice_by_slice(place: str, events: str, stepwise: str = "") -> None:
    """Fill what is pending, so many events a slice, as whoever holds no lease would; say how far each slice came,
    and where it is to go stepwise, wait before the next one."""
    store = store_at(place)
    await store.open()
    live = await store.live()
    assert live is not None
    filled = await store.filled()
    while not filled.rests:
        filled = await store.fill(projectors(COUNTERS), version=live.version, at=BEGIN, events=int(events))
        say("done" if filled.filling is None else str(filled.filling.projected))
        if stepwise:
            sys.stdin.readline()
    await store.close()


def note(journal: int, event_id: str) -> None:
    """Put an id on the disk, then say it."""
    os.write(journal, f"{event_id}\n".encode())
    os.fsync(journal)
    say(event_id)


async def hold_the_write_lock(path: str) -> None:
    """Hold a transaction that may write until told to let go."""
    _hold(path, "BEGIN IMMEDIATE")


async def lock_everybody_out(path: str) -> None:
    """Hold the whole file, against readers too, until told to let go."""
    _hold(path, "PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE")


def _hold(path: str, lock: str) -> None:
    connection = sqlite3.connect(path, isolation_level=None)
    for statement in lock.split("; "):
        connection.execute(statement)
    say("held")
    sys.stdin.readline()
    connection.close()
    say("released")


TASKS: dict[str, Callable[..., object]] = {
    task.__name__: task
    for task in (
        *(open_the_store, count_up, hold_a_job, keep_a_journal, fill_slice_by_slice),
        *(hold_the_write_lock, lock_everybody_out),
    )
}

if __name__ == "__main__":
    say("ready")
    sys.stdin.readline()
    _, task_name, *arguments = sys.argv
    asyncio.run(TASKS[task_name](*arguments))  # type: ignore[arg-type]
