"""The process under test: records event after event and says which ones were kept, until it is killed.

`python -m tests.trust.recorder STORE FIRST [COUNT] [--careless] [--hasty]`: events are numbered from FIRST; after COUNT
of them it ends. A careless one does not sync what it commits, a hasty one says that it has kept what was refused: the
planted bugs that the tests have to find.
"""

import asyncio
import os
import sys
from collections.abc import Callable
from pathlib import Path

from personalize.errors import StoreError
from personalize.stores.sqlite import link as sqlite_link
from personalize.stores.sqlite import schema as sqlite_schema
from personalize.stores.sqlite.store import SqliteStore
from tests.stores.samples import PROFILES, projectors, purchase

RETRY_SECONDS = 0.01


def careless(use_log: Callable[..., None]) -> Callable[..., None]:
    """A connection that leaves it to the machine when commits reach the disk."""

    def use(connection: object, *arguments: object) -> None:
        use_log(connection, *arguments)
        connection.execute("PRAGMA synchronous = NORMAL")  # type: ignore[attr-defined]

    return use


def say(line: str) -> None:
    """A line for the test, in one write."""
    os.write(1, f"{line}\n".encode())


async def record(path: Path, first: int, count: int, *, is_hasty: bool) -> None:
    """Record so many events, each until it is kept."""
    store = SqliteStore(path)
    for number in range(first, first + count):
        event = purchase(PROFILES[number % len(PROFILES)], event_id=f"e{number}")
        while True:
            try:
                await store.open()
                await store.apply([event], projectors())
            except StoreError as error:
                say(f"refused {number} {error}")
                await asyncio.sleep(RETRY_SECONDS)
            else:
                say(f"kept {number}")
                break
            if is_hasty:
                say(f"kept {number}")
                break
    await store.close()


if __name__ == "__main__":
    words = [word for word in sys.argv[1:] if not word.startswith("--")]
    if "--careless" in sys.argv:
        sqlite_link.use_write_ahead_log = careless(sqlite_schema.use_write_ahead_log)
    path, first, *count = words
    is_hasty = "--hasty" in sys.argv
    asyncio.run(record(Path(path), int(first), int(count[0]) if count else sys.maxsize, is_hasty=is_hasty))
