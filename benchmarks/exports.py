"""Exporting and importing a log in each format, and counting segments over exported profiles and over the store.

The log is one of a shop: ten purchases of each visitor, with three properties. Each pace is told beside the least that
any program has to do: reading the rows out of SQLite and writing JSON to a file, nothing checked, nothing exact. All
counts have to be equal. CPU time of one run.

    python -m benchmarks.exports [--events 20000] [--profiles 20000]
"""

import argparse
import asyncio
import json
import os
import sqlite3
import tempfile
import time
from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import TypeVar

from benchmarks import segments
from benchmarks.package_measured import say_what_is_measured
from benchmarks.shop import NOW
from personalize.events.event import Event, minted_event_id
from personalize.exports.event_files import EXPORT_FORMATS, ExportFormat
from personalize.exports.manifest import Manifest, read_manifest
from personalize.profiles.project import ProfileProjector
from personalize.runtime.bulk.counting import count_source, count_with_processes
from personalize.runtime.bulk.counting_sources import ExportedProfiles, Task
from personalize.runtime.clock import FixedClock
from personalize.runtime.copies.exporting import export_store
from personalize.runtime.copies.reimporting import check_export, import_export
from personalize.settings import load_settings
from personalize.stores.sqlite.store import SqliteStore

T = TypeVar("T")

EVENTS_OF_A_VISITOR = 10


def make_events(count: int) -> list[Event]:
    """So many purchases, one a minute, in the order in which they occurred."""
    return [
        Event(
            event_id=minted_event_id(at := NOW - timedelta(minutes=count - number), number.to_bytes(8)),
            sender="web",
            type="purchase",
            profile_id=f"v:{number * 7919 % max(1, count // EVENTS_OF_A_VISITOR):08}",
            occurred_at=at,
            received_at=at,
            properties={"amount": number % 9_000, "category": "tents", "weight": Decimal("1.250")},
        )
        for number in range(count)
    ]


def timed(name: str, work: Callable[[], T], rows: int, least: float | None) -> tuple[T, float]:
    """What the work gives, and its CPU seconds; a line is printed."""
    wall, cpu = time.perf_counter(), segments.cpu_seconds()
    found = work()
    spent, passed = segments.cpu_seconds() - cpu, time.perf_counter() - wall
    ratio = "" if least is None else f"{spent / max(least, 0.01):>10.1f}"
    print(f"{name:32}{spent:>9.2f}{passed:>9.2f}{rows / passed:>12,.0f}{ratio}", flush=True)
    return found, spent


def barely(path: Path, target: Path) -> None:
    """The least: rows out of SQLite, JSON into a file."""
    connection = sqlite3.connect(path)
    with target.open("w", encoding="utf-8") as file:
        for row in connection.execute("SELECT * FROM events ORDER BY seq"):
            file.write(json.dumps(row) + "\n")
    connection.close()


def export_and_import(folder: Path, events: int) -> None:
    """Export a log in each format, and import it again into a new store."""
    store = SqliteStore(folder / "store.db")
    projectors = [ProfileProjector()]

    async def fill() -> None:
        await store.open()
        await store.apply(make_events(events), projectors)

    async def export(format_: ExportFormat) -> Manifest:
        target = folder / format_
        return await export_store(store, target, format_=format_, what="log", by="it", clock=FixedClock(NOW))

    async def again(format_: ExportFormat) -> int:
        other, target = SqliteStore(folder / f"{format_}.db"), folder / format_
        await other.open()
        check_export(target, read_manifest(target))
        done = await import_export(target, read_manifest(target), lambda batch: other.apply(batch, projectors))
        await other.close()
        return done.new

    with asyncio.Runner() as runner:
        runner.run(fill())
        print(f"{events:,} events{'':20}{'CPU s':>9}{'wall s':>9}{'events/s':>12}{'the least':>10}")
        _, least = timed(
            "rows as JSON, nothing checked", lambda: barely(folder / "store.db", folder / "x"), events, None
        )
        for format_ in EXPORT_FORMATS:
            manifest, _ = timed(f"export {format_}", partial(runner.run, export(format_)), events, least)
            size = sum(file.size_bytes for file in manifest.files)
            new, _ = timed(
                f"import {format_} ({size / events:.0f} bytes each)", partial(runner.run, again(format_)), events, least
            )
            assert new == manifest.rows("events") == events
        runner.run(store.close())


def count_over_both(folder: Path, profiles: int) -> None:
    """Count a hundred segments over a store, and over its export."""
    crowds = segments.make_segments()
    rule_set = segments.rule_set_of(crowds)
    (counter,) = [fact.key for fact in rule_set.facts.values() if fact.root == "did"]
    settings = load_settings(None, {}, root=folder, store="sqlite:store.db", secret_keys=[segments.KEY])
    segments.fill(settings, profiles, counter)
    task = Task(segments.files_of(crowds), settings, NOW)
    store = SqliteStore(folder / "store.db")
    target = folder / "out"
    over = Task(task.files, task.settings, task.now, target)

    async def export() -> Manifest:
        return await export_store(store, target, format_="parquet", what="profiles", by="it", clock=FixedClock(NOW))

    with asyncio.Runner() as runner:
        runner.run(store.open())
        print(f"\n{profiles:,} profiles{'':18}{'CPU s':>9}{'wall s':>9}{'profiles/s':>12}{'the store':>10}")
        stored, spent = timed(
            "100 segments over the store",
            lambda: runner.run(count_with_processes(store, rule_set, task, processes=1)),
            profiles,
            None,
        )
        manifest, _ = timed("export profiles", lambda: runner.run(export()), profiles, spent)
        source = ExportedProfiles(target, manifest, rule_set, over)
        for processes in (1, os.cpu_count() or 1):
            found, _ = timed(
                f"the same over Parquet, {processes} at once",
                partial(runner.run, count_source(source, rule_set, over, processes=processes)),
                profiles,
                spent,
            )
            assert found == stored
        runner.run(store.close())


def main(events: int, profiles: int) -> None:
    """Measure both."""
    for measure, count in ((export_and_import, events), (count_over_both, profiles)):
        with tempfile.TemporaryDirectory() as folder:
            measure(Path(folder), count)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--events", type=int, default=20_000)
    parser.add_argument("--profiles", type=int, default=20_000)
    arguments = parser.parse_args()
    say_what_is_measured()
    main(arguments.events, arguments.profiles)
