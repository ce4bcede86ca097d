"""A SQLite store at size: how fast batches of events become durable and projected, and how long a page's read takes.

The store grows by its own writer. A page leaves two events, its view and what stood on it, and one page in ten a
purchase; whose page it is, chance says, of all visitors alike: the worst order that there is for a disk. At each size
batches of 10,000 events, each one synced transaction, are written to a copy of the file, with ids ordered by time, as
ours are, and with random ones. In turn with them a bare program does the least that is to be done: it sends the same
statements with the same values, recorded before, on a connection like ours to a copy of its own. Reading is measured
beside the bare `SELECT`.

    python -m benchmarks.event_log [--events 20000 200000] [--profiles 20000] [--keep FOLDER]

Several sizes tell what growing costs. What was built in a folder stays there, as a site whose store commands can be
tried on, and is not built again: 10,000,000 events of 1,000,000 visitors take an hour, and the room of three files.
"""

import argparse
import asyncio
import gc
import hashlib
import random
import shutil
import sqlite3
import statistics
import tempfile
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from benchmarks.package_measured import say_what_is_measured
from personalize.decisions.decision import Decision
from personalize.events.event import Event, JSONValue
from personalize.problems import Problems
from personalize.runtime.draft import read_draft
from personalize.runtime.page_events import Happening, PageEvents, filling_of
from personalize.runtime.publish import projectors_of, publish
from personalize.settings import load_settings
from personalize.stores.protocols import Projector
from personalize.stores.seals import Seals
from personalize.stores.sqlite.erasing import apply
from personalize.stores.sqlite.link import link_for_reading, link_for_writing
from personalize.stores.sqlite.projections import PROFILE
from personalize.stores.sqlite.store import SqliteStore
from personalize.stores.sqlite.tables import LAST_SEQ
from personalize.visitors.tokens import visitor_id_from

BATCH, ROUNDS, READS, READ_ROUNDS = 10_000, 10, 1_000, 20
BEGIN = datetime(2026, 1, 1, tzinfo=UTC)
BETWEEN_PAGES = timedelta(seconds=5)
SITE = """
store = "sqlite:store.db"
secret_keys = ["a key only for this benchmark, long enough to be one"]
"""
RULES = """
events:
  purchase: {properties: {amount: {type: money}, category: {type: text}}, value: amount}
segments:
  buyers: {who: {did: purchase, where: {category: tents}, times: {at_least: 2}, within: 90 days}}
  spenders: {who: {purchase.total: {at_least: 100}}}
  comers: {who: {visitor.visits: {at_least: 5}}}
"""
PATHS = tuple(f"/{part}/{page}" for part in ("shop", "news", "help", "blog") for page in range(25))
SHOWN = tuple(
    filling_of(Decision(slot_id=slot, item_ids=(item,), rule_id=rule))
    for slot, item, rule in (("home-hero", "summer-tents", "comers-first"), ("home-side", "socks", "everybody"))
)


# What happens -------------------------------------------------------------------------------------------


def batch_of(number: int, profiles: int, *, random_ids: bool = False) -> list[Event]:
    """The events of one batch; the same for the same number."""
    chance, pages = random.Random(number), range(number * BATCH, (number + 1) * BATCH)
    happened = (event for page in pages for event in _page(page, chance, profiles))
    events = [event for event, _ in zip(happened, range(BATCH), strict=False)]
    return [replace(event, event_id=chance.randbytes(16).hex()) for event in events] if random_ids else events


def _page(page: int, chance: random.Random, profiles: int) -> list[Event]:
    at = BEGIN + BETWEEN_PAGES * page / 2.1
    facts = (chance.choice(PATHS), "newsletter", "email", "summer", "mobile", "en", None)
    bought: dict[str, JSONValue] = {"amount": chance.randrange(10_000), "category": chance.choice(["tents", "socks"])}
    told = (Happening("purchase", bought),) if chance.random() < 0.1 else ()
    view = PageEvents(profile_id(chance.randrange(profiles)), at, "v1", facts, SHOWN, told)
    return view.events(chance.randbytes(10))


def profile_id(visitor: int) -> str:
    """An id as cookies have it: random, though the same for the same visitor."""
    return f"v:{visitor_id_from(hashlib.blake2b(visitor.to_bytes(8), digest_size=16).digest())}"


# The store ----------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Site:
    """A folder with a site's files and its store."""

    store: Path
    keys: tuple[str, ...]
    projectors: Sequence[Projector]


async def site_in(folder: Path) -> Site:
    """The site of this folder, made where it is missing."""
    for name, text in (("personalize.toml", SITE), ("rules/all.yaml", RULES), ("content/none.yaml", "")):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")
    settings = load_settings(folder / "personalize.toml", {})
    store = SqliteStore(folder / "store.db", keys=settings.secret_keys)
    await store.open()
    rule_set = await publish(store, read_draft(settings, Problems()), settings, at=BEGIN, by="a benchmark")
    await store.close()
    return Site(folder / "store.db", settings.secret_keys, projectors_of(rule_set, settings))


async def grow(site: Site, events: int, profiles: int) -> None:
    """Write batches until the log has so many events."""
    store = SqliteStore(site.store, keys=site.keys)
    await store.open()
    first, last = events_in(site.store) // BATCH, events // BATCH
    began = time.monotonic()
    for number in range(first, last):
        await store.apply(batch_of(number, profiles), site.projectors)
        done, seconds = number + 1 - first, time.monotonic() - began
        rate, left = done * BATCH / seconds, (last - first - done) * seconds / done
        print(f"\r{(number + 1) * BATCH:,} events, {rate:,.0f} a second, {left / 60:.0f} min left ", end="", flush=True)
    print("\r" + " " * 60, end="\r")
    await store.close()


def events_in(path: Path) -> int:
    """How many events the log has ever had."""
    link = link_for_reading(path)
    (found,) = link.connection.execute(LAST_SEQ).fetchone()
    link.close()
    return int(found)


# Measuring ----------------------------------------------------------------------------------------------


class Recorder:
    """Stands before a connection, and keeps what was sent to it."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self.sent: list[tuple[str, Any, bool]] = []

    def cursor(self) -> "Recorder":
        """What keeps what is sent to it, too."""
        return self

    def execute(self, sql: str, parameters: Sequence[Any] = ()) -> sqlite3.Cursor:
        """Send a statement."""
        self.sent.append((sql, tuple(parameters), False))
        return self._connection.execute(sql, parameters)

    def executemany(self, sql: str, rows: Iterable[Sequence[Any]]) -> sqlite3.Cursor:
        """Send one statement with many values."""
        kept = list(rows)
        self.sent.append((sql, kept, True))
        return self._connection.executemany(sql, kept)


class Writers:
    """Our writer and the bare one, each with a copy of the store."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._seals = Seals(site.keys)
        self._files = [site.store.with_name(f"{name}.db") for name in ("ours", "bare")]
        for file in self._files:
            shutil.copy(site.store, file)
        self.ours, self.bare = (link_for_writing(file, create=False, busy_seconds=5).connection for file in self._files)

    def recorded(self, batches: Sequence[list[Event]]) -> list[list[tuple[str, Any, bool]]]:
        """The statements that write these batches, one after the other; nothing of it stays."""
        self.bare.execute("BEGIN IMMEDIATE")
        recorded = []
        for batch in batches:
            recorder = Recorder(self.bare)
            self._apply(recorder, batch)  # type: ignore[arg-type]
            recorded.append(recorder.sent)
        self.bare.execute("ROLLBACK")
        return recorded

    def write(self, batch: list[Event]) -> None:
        """A batch as the store writes it."""
        self.ours.execute("BEGIN IMMEDIATE")
        self._apply(self.ours, batch)
        self.ours.execute("COMMIT")

    def send(self, statements: Sequence[tuple[str, Any, bool]]) -> None:
        """The statements of a batch, and nothing else."""
        connection = self.bare
        connection.execute("BEGIN IMMEDIATE")
        for sql, values, many in statements:
            if many:
                connection.executemany(sql, values)
            else:
                connection.execute(sql, values).fetchall()
        connection.execute("COMMIT")

    def compare(self, batch: list[Event]) -> None:
        """Make sure that both have written the same."""
        for sql, values in [(LAST_SEQ, ()), *((PROFILE, (event.profile_id,)) for event in batch)]:
            ours, bare = (one.execute(sql, values).fetchone() for one in (self.ours, self.bare))
            assert ours == bare, (sql, values)

    def close(self) -> None:
        """Remove both copies."""
        for connection, file in zip((self.ours, self.bare), self._files, strict=True):
            connection.close()
            file.unlink()

    def _apply(self, connection: sqlite3.Connection, batch: list[Event]) -> None:
        applied = apply(connection, batch, self._site.projectors, None, self._seals)
        assert applied.new == len(batch)


@dataclass(frozen=True)
class Spent:
    """What one batch took."""

    wall: float
    cpu: float


def spent(work: Callable[[], object]) -> Spent:
    """Seconds by the clock and of the processor."""
    wall, cpu = time.perf_counter(), time.process_time()
    work()
    return Spent(time.perf_counter() - wall, time.process_time() - cpu)


def measure_writing(site: Site, profiles: int, *, random_ids: bool) -> None:
    """Print how fast batches are written at this size."""
    size = events_in(site.store)
    batches = [batch_of(size // BATCH + n, profiles, random_ids=random_ids) for n in range(ROUNDS + 1)]
    writers = Writers(site)
    recorded = writers.recorded(batches)
    # What waits here for its turn is nothing that a site would have in memory.
    gc.collect()
    gc.freeze()
    ours, bare = [], []
    for batch, statements in zip(batches, recorded, strict=True):
        ours.append(spent(lambda batch=batch: writers.write(batch)))  # type: ignore[misc]
        bare.append(spent(lambda statements=statements: writers.send(statements)))  # type: ignore[misc]
    writers.compare(batches[-1])
    writers.close()
    gc.unfreeze()
    del ours[0], bare[0]
    print(_line("random" if random_ids else "ordered", ours, bare), flush=True)


def _line(ids: str, ours: Sequence[Spent], bare: Sequence[Spent]) -> str:
    walls = sorted(one.wall for one in ours)
    share = statistics.median(b.wall / o.wall for o, b in zip(ours, bare, strict=True))
    cpu_share = statistics.median(b.cpu / o.cpu for o, b in zip(ours, bare, strict=True))
    rate, cpu_rate = BATCH / statistics.median(walls), BATCH / statistics.median(one.cpu for one in ours)
    return (
        f"{ids:10}{rate:>10,.0f}{BATCH / walls[0]:>9,.0f}{BATCH / walls[-1]:>9,.0f}{cpu_rate:>12,.0f}"
        f"{share:>10.2f}{cpu_share:>13.2f}"
    )


async def measure_reading(site: Site, profiles: int) -> None:
    """Print how long a page's read takes, beside the bare statement for the same visitors."""
    store, bare = SqliteStore(site.store), link_for_reading(site.store).connection
    await store.open()
    chance = random.Random(7)
    theirs: list[float] = []
    ours: list[float] = []
    for _ in range(READ_ROUNDS):
        # The first read of a row brings it into memory: each of the two has that as often as the other.
        asked = [[profile_id(chance.randrange(profiles)) for _ in range(READS)] for _ in range(2)]
        for one in asked[0]:
            began = time.perf_counter()
            bare.execute(PROFILE, (one,)).fetchone()
            theirs.append(time.perf_counter() - began)
        for one in asked[1]:
            began = time.perf_counter()
            await store.profile(one)
            ours.append(time.perf_counter() - began)
    await store.close()
    bare.close()
    print(f"{'reading':24}{'median us':>12}{'p99 us':>10}")
    for name, times in (("SELECT, bare", sorted(theirs)), ("a profile, decoded", sorted(ours))):
        print(f"{name:24}{1e6 * statistics.median(times):>12.1f}{1e6 * times[int(0.99 * len(times))]:>10.1f}")
    print(f"{'times the bare one':24}{statistics.median(ours) / statistics.median(theirs):>12.2f}")


async def measure(folder: Path, sizes: Sequence[int], profiles: int) -> None:
    """Grow the store from size to size, and print the figures of each."""
    site = await site_in(folder)
    for size in sorted(sizes):
        if events_in(site.store) > size:
            continue
        await grow(site, size, profiles)
        print(f"{size:,} events of {profiles:,} visitors: {site.store.stat().st_size / 1e6:,.0f} MB")
        print(f"{'ids':10}{'events/s':>10}{'best':>9}{'worst':>9}{'per CPU s':>12}{'of bare':>10}{'of its CPU':>13}")
        for random_ids in (False, True):
            measure_writing(site, profiles, random_ids=random_ids)
        await measure_reading(site, profiles)


def main(folder: Path | None, sizes: Sequence[int], profiles: int) -> None:
    """Measure in this folder, or in one that is gone afterwards."""
    if folder is not None:
        asyncio.run(measure(folder, sizes, profiles))
        return
    with tempfile.TemporaryDirectory() as name:
        asyncio.run(measure(Path(name), sizes, profiles))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--events", type=int, nargs="+", default=[20_000, 200_000])
    parser.add_argument("--profiles", type=int, default=20_000)
    parser.add_argument("--keep", type=Path)
    told = parser.parse_args()
    say_what_is_measured()
    main(told.keep, told.events, told.profiles)
