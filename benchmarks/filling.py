"""How fast new counters are filled from a long log, and how long other writers wait meanwhile.

A SQLite store holds a log of page views and purchases of many visitors, a few of whom come very often. A rule set
that counts something new goes live; what it lacks is filled in slices while a second store on the same file writes an
event now and then. The baseline is a rebuilding of all profiles in one transaction, in the same run. Rates are per
second of CPU time, of both writers together; waits are what the clock says.

    python benchmarks/filling.py [--events 200000] [--visitors 20000]
"""

import argparse
import asyncio
import random
import statistics
import tempfile
import time
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from benchmarks.package_measured import say_what_is_measured
from personalize.events.event import PAGE_VIEW, Event, JSONValue
from personalize.problems import Problems
from personalize.rules.ruleset import RuleSet
from personalize.runtime.clock import SystemClock
from personalize.runtime.draft import read_draft
from personalize.runtime.filling import fill_up
from personalize.runtime.publish import projectors_of, publish
from personalize.settings import Settings, load_settings
from personalize.stores.sqlite.store import SqliteStore

BEGIN = datetime(2026, 1, 1, tzinfo=UTC)
KEY = "a key only for this benchmark, long enough to be one"
RULES = """
events:
  purchase: {properties: {amount: {type: money}, category: {type: text}}, value: amount}
segments:
  buyers: {who: {did: purchase, where: {category: CATEGORY}, times: {at_least: 2}, within: 90 days}}
"""


@dataclass(frozen=True)
class Bench:
    """A site with its store."""

    folder: Path
    settings: Settings
    store: SqliteStore

    async def publish(self, category: str) -> RuleSet:
        """Make rules live that count purchases of this category."""
        (self.folder / "rules").mkdir(exist_ok=True)
        (self.folder / "content").mkdir(exist_ok=True)
        (self.folder / "rules" / "all.yaml").write_text(RULES.replace("CATEGORY", category), encoding="utf-8")
        draft = read_draft(self.settings, Problems())
        return await publish(self.store, draft, self.settings, at=SystemClock().now(), by="a benchmark")


def log_of(events: int, visitors: int) -> list[Event]:
    """One event in ten is a purchase; visitors come as often as a heavy-tailed law says."""
    chance = random.Random(7)
    weights = [1 / (rank + 10) for rank in range(visitors)]
    whose = chance.choices(range(visitors), weights, k=events)
    return [_event(number, f"v:{who:06d}", chance) for number, who in enumerate(whose)]


def _event(number: int, profile_id: str, chance: random.Random) -> Event:
    at = BEGIN + timedelta(seconds=20 * number)
    if number % 10:
        return Event(f"e{number:09d}", "web", PAGE_VIEW, profile_id, at, at, {"path": chance.choice(["/", "/tents"])})
    bought: dict[str, JSONValue] = {"amount": chance.randrange(10_000), "category": chance.choice(["tents", "socks"])}
    return Event(f"e{number:09d}", "till", "purchase", profile_id, at, at, bought)


async def fill(bench: Bench, category: str, *, rest: float) -> tuple[float, list[float]]:
    """Seconds of CPU time that a filling took, and those of the clock that each write of another one took meanwhile."""
    rule_set = await bench.publish(category)
    other = SqliteStore(bench.settings.root / "store.db", busy_seconds=60)
    await other.open()
    begun = time.process_time()
    filling = asyncio.create_task(
        fill_up(bench.store, rule_set, bench.settings, holder="bench:1", clock=SystemClock(), rest=rest)
    )
    waits = [await _write(other, rule_set, bench.settings, number) async for number in _while(filling)]
    await filling
    seconds = time.process_time() - begun
    await other.close()
    return seconds, waits


async def _while(task: "asyncio.Task[None]") -> AsyncIterator[int]:
    number = 0
    while not task.done():
        yield number
        number += 1
        await asyncio.sleep(0.02)


async def _write(store: SqliteStore, rule_set: RuleSet, settings: Settings, number: int) -> float:
    at = SystemClock().now()
    event = Event(f"{rule_set.version} {number}", "other", PAGE_VIEW, "v:other", at, at, {"path": "/"})
    begun = time.perf_counter()
    await store.apply([event], projectors_of(rule_set, settings), version=rule_set.version)
    return time.perf_counter() - begun


async def measure(events: int, visitors: int) -> None:
    """Print the figures."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        settings = load_settings(None, {}, root=folder, secret_keys=[KEY])
        store = SqliteStore(folder / "store.db")
        await store.open()
        bench = Bench(folder, settings, store)
        first = await bench.publish("boots")
        log = log_of(events, visitors)
        for at in range(0, len(log), 5_000):
            await store.apply(log[at : at + 5_000], projectors_of(first, settings))
        begun, cpu = time.perf_counter(), time.process_time()
        await store.rebuild(projectors_of(first, settings))
        waited, alone = time.perf_counter() - begun, time.process_time() - cpu
        print(f"{events:,} events of {visitors:,} visitors")
        print(f"{'':28}{'events/s':>10}{'of a rebuild':>14}{'others wait ms':>16}{'p99':>6}{'worst':>7}")
        print(f"{'one transaction':28}{events / alone:>10,.0f}{1:>14.2f}{1000 * waited:>16,.0f}")
        for title, category, rest in (("command, publish --wait", "tents", 0.5), ("worker with pages", "socks", 1.0)):
            seconds, waits = await fill(bench, category, rest=rest)
            print(_line(title, events / seconds, alone / seconds, waits))
        await store.close()


def _line(title: str, rate: float, share: float, waits: Sequence[float]) -> str:
    ms = sorted(1000 * each for each in waits)
    p99 = ms[int(0.99 * (len(ms) - 1))]
    return f"{title:28}{rate:>10,.0f}{share:>14.2f}{statistics.median(ms):>16.0f}{p99:>6.0f}{ms[-1]:>7.0f}"


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--events", type=int, default=200_000)
    parser.add_argument("--visitors", type=int, default=20_000)
    told = parser.parse_args()
    say_what_is_measured()
    asyncio.run(measure(told.events, told.visitors))
