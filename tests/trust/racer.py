"""Writes about the same visitors as another process: `python -m tests.trust.racer STORE NAME COUNT [--bare]`.

It says "ready", waits for a line, writes, and says "done". A bare one uses no transactions: the planted bug.
"""

import asyncio
import random
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from personalize.events.event import JOIN, SET, Event
from personalize.stores.sqlite.link import Link
from personalize.stores.sqlite.store import SqliteStore
from personalize.stores.sqlite.writer import Writer
from tests.stores.samples import event, projectors, purchase

BROWSERS = tuple(f"v:{number}" for number in range(6))
LOGINS = tuple(f"u:{number}" for number in range(4))
#: Everybody into everybody: browsers into logins, logins into one another and into themselves, again and again.
JOINS = tuple((into, taken) for into in LOGINS for taken in (*BROWSERS, *LOGINS)) * 2


def all_that_is_told(name: str, count: int) -> list[Event]:
    """Purchases and attributes of its own, and joins that the other one tells of, too; in an order of its own."""
    bought = [purchase("v:ann", 1, event_id=f"{name}-{number}") for number in range(count)]
    attributes = [
        event(SET, "v:ann", {f"{name}{number}": number}, number, f"{name}-set-{number}")
        for number in range(count // 20)
    ]
    joins = [event(JOIN, into, {"from": taken}, number, f"join-{number}") for number, (into, taken) in enumerate(JOINS)]
    spent = [purchase(each, 1, event_id=f"{name}-{each}") for each in (*BROWSERS, *LOGINS)]
    told = [*bought, *attributes, *joins, *spent]
    random.Random(name).shuffle(told)
    return told


async def write(path: Path, name: str, count: int) -> None:
    """Tell all of it, ten at once."""
    store = SqliteStore(path, busy_seconds=30)
    await store.open()
    told = all_that_is_told(name, count)
    for at in range(0, len(told), 10):
        await asyncio.gather(*(store.apply([one], projectors()) for one in told[at : at + 10]))
    await store.close()


def without_transactions() -> None:
    """Plant the bug: what is read and what is written are no longer one."""

    def begun(self: Writer) -> Link:
        return self._linked()

    @contextmanager
    def committed(self: Writer, link: Link) -> Iterator[None]:
        yield

    Writer._begun, Writer._committed = begun, committed  # type: ignore[method-assign, assignment]


if __name__ == "__main__":
    if "--bare" in sys.argv:
        without_transactions()
    print("ready", flush=True)
    sys.stdin.readline()
    asyncio.run(write(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])))
    print("done", flush=True)
