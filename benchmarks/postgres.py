"""What a PostgreSQL store costs beside the bare driver: reading a page's profile, and writing events.

    python -m benchmarks.postgres [EVENTS]

Starts a server of its own, as the tests do, but one that syncs to the disk. What a page's read takes is printed beside
the same statement sent by asyncpg alone, taken in turns; the least of some rounds counts. Events are written in
batches, by one who waits for each and by several at once, and one by one by tills that each wait for their own.
"""

import asyncio
import sys
import time
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime, timedelta

import asyncpg

from benchmarks.package_measured import say_what_is_measured
from personalize.events.event import Event, minted_event_id
from personalize.profiles.project import ProfileProjector
from personalize.stores.postgres.address import address_of
from personalize.stores.postgres.projections import PROFILE
from personalize.stores.postgres.store import PostgresStore
from tests.postgres_server import PostgresServer, own_postgres

EVENTS, BATCH, VISITORS = 50_000, 1_000, 20_000
READS, ROUNDS = 300, 7
TILLS, WRITERS = (1, 16, 64, 256), 3
PROJECTORS = [ProfileProjector()]
BEGIN = datetime(2026, 3, 1, tzinfo=UTC)


def some_events(first: int, count: int) -> list[Event]:
    """Page views of many visitors, with the ids that the middleware gives."""
    events = []
    for number in range(first, first + count):
        at = BEGIN + timedelta(milliseconds=number)
        events.append(
            Event(
                event_id=minted_event_id(at, number.to_bytes(8)),
                sender="web",
                type="page_view",
                profile_id=f"v:{number * 7919 % VISITORS:032x}",
                occurred_at=at,
                received_at=at,
                properties={"path": "/tents", "source": "newsletter", "device": "mobile"},
            )
        )
    return events


async def seconds_for(work: Callable[[], Awaitable[object]], times: int) -> float:
    """How long one of so many takes."""
    began = time.perf_counter()
    for _ in range(times):
        await work()
    return (time.perf_counter() - began) / times


async def reading(store: PostgresStore, server: PostgresServer) -> None:
    """A page's read against the same point read on a connection of its own, and against the driver's own pool."""
    profile_id = some_events(0, 1)[0].profile_id
    options = {"server_settings": {"search_path": "personalize"}}
    bare = await asyncpg.connect(server.url, **options)
    pool = await asyncpg.create_pool(server.url, min_size=1, max_size=4, **options)
    found = await store.profile(profile_id)
    assert found is not None and found.profile_id == profile_id
    cases: dict[str, Callable[[], Awaitable[object]]] = {
        "bare asyncpg connection": lambda: bare.fetchrow(PROFILE, profile_id),
        "asyncpg's pool as it comes": lambda: pool.fetchrow(PROFILE, profile_id),
        "a page's profile, read and decoded": lambda: store.profile(profile_id),
    }
    best = dict.fromkeys(cases, float("inf"))
    for _ in range(ROUNDS):
        for name, work in cases.items():
            best[name] = min(best[name], await seconds_for(work, READS))
    base = best["bare asyncpg connection"]
    for name, seconds in best.items():
        print(f"{name:<36} {seconds * 1e6:7.0f} µs   {seconds / base:.2f}")
    await bare.close()
    await pool.close()


async def writing(store: PostgresStore, events: int) -> int:
    """Events durable and projected, in batches; the number of the next event."""
    print("events a second, durable and projected, by the clock:")
    for writers in (1, WRITERS):
        batches = [some_events(first, BATCH) for first in range((writers > 1) * events, events << (writers > 1), BATCH)]
        seconds = await seconds_of(store, [batches[number::writers] for number in range(writers)])
        print(f"  batches of {BATCH:,}, {writers} at once {events / seconds:13,.0f}")
    return 2 * events


async def recording(store: PostgresStore, first: int) -> None:
    """The same by tills that each wait for their event."""
    for tills in TILLS:
        events = some_events(first, max(500, 40 * tills))
        first += len(events)
        seconds = await seconds_of(store, [[[event] for event in events[number::tills]] for number in range(tills)])
        print(f"  {tills:>4} who each wait for their own {len(events) / seconds:10,.0f}")


async def seconds_of(store: PostgresStore, batches_of_each: Sequence[Sequence[Sequence[Event]]]) -> float:
    """How long it takes until all who write at once have written their batches, one after the other."""

    async def write(batches: Sequence[Sequence[Event]]) -> None:
        for batch in batches:
            assert (await store.apply(batch, PROJECTORS)).new == len(batch)

    began = time.perf_counter()
    await asyncio.gather(*map(write, batches_of_each))
    return time.perf_counter() - began


async def main(events: int) -> None:
    """Both, on a server that is gone afterwards."""
    with own_postgres(careful=True) as server:
        store = PostgresStore(address_of(server.url))
        await store.open()
        await recording(store, await writing(store, events))
        await reading(store, server)
        await store.close()


if __name__ == "__main__":
    say_what_is_measured()
    asyncio.run(main(int(sys.argv[1]) if len(sys.argv) > 1 else EVENTS))
