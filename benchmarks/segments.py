"""Counting 100 segments over stored profiles: by the index, and by `json_extract` over the same rows.

The profiles lie in a SQLite store as the site keeps them; SQL gets the same rows as JSON text, in a table of their own,
in the two ways in which it is written. All counts have to be equal. CPU time.

    python -m benchmarks.segments [--profiles 20000]
"""

import argparse
import asyncio
import json
import random
import resource
import sqlite3
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

from benchmarks.package_measured import say_what_is_measured
from benchmarks.shop import CITIES, COUNTRIES, DECLARED, LENGTHS, NOW, load
from personalize.events.event import to_micros
from personalize.profiles.encoding import encode_profile
from personalize.profiles.profile import AttributeValue, Profile, Totals, Visit
from personalize.rules.ruleset import RuleSet
from personalize.runtime.bulk.counting import count_with_processes
from personalize.runtime.bulk.counting_sources import Task
from personalize.settings import Settings, load_settings
from personalize.stores.opening import open_store
from personalize.visitors.consent import granting

SEGMENTS = 100
KEY = "a key only for this benchmark, long enough to be one"
_DAY = timedelta(days=1)
Written = dict[str, Any]


def make_segments() -> Mapping[str, list[Written]]:
    """A hundred segments of three predicates each."""
    rng = random.Random("segments")
    return {f"crowd-{number}": [_predicate(rng) for _ in range(3)] for number in range(SEGMENTS)}


def _predicate(rng: random.Random) -> Written:
    match rng.randint(0, 7):
        case 0:
            return {"profile.country": rng.sample(COUNTRIES, 3)}
        case 1:
            return {"profile.city": rng.choice(CITIES[:20])}
        case 2:
            return {"profile.tier": rng.choice(["basic", "silver", "gold"])}
        case 3:
            return {"profile.age": {"at_least": rng.randint(15, 70)}}
        case 4:
            return {"purchase.count": {"at_least": rng.randint(1, 8)}}
        case 5:
            return {"purchase.total": {"between": [rng.randint(0, 200), rng.randint(201, 2000)]}}
        case 6:
            return {"purchase.last": {"older_than": f"{rng.choice(LENGTHS)} days"}}
        case _:
            return {"did": "look", "times": {"at_least": rng.randint(1, 3)}, "within": f"{rng.choice(LENGTHS)} days"}


def rule_set_of(segments: Mapping[str, list[Written]]) -> RuleSet:
    """The rule set with these segments."""
    return load(files_of(segments))


def files_of(segments: Mapping[str, list[Written]]) -> dict[str, str]:
    """The files of that rule set."""
    crowds = {one: {"who": {"all": parts}} for one, parts in segments.items()}
    return {"rules/declared.yaml": json.dumps(DECLARED), "rules/segments.yaml": json.dumps({"segments": crowds})}


def make_profiles(count: int, counter: str) -> Iterator[Profile]:
    """So many different visitors; a tenth of what could be known is missing."""
    rng, at = random.Random("profiles"), to_micros(NOW)

    def some(values: Mapping[str, Callable[[], Any]]) -> dict[str, AttributeValue]:
        return {name: AttributeValue(make(), at) for name, make in values.items() if rng.random() > 0.1}

    for number in range(count):
        bought = rng.randint(0, 12)
        last = NOW - timedelta(seconds=rng.randint(0, 500 * 86_400))
        totals = Totals(bought, rng.randint(0, 250_000), last - 30 * _DAY, last, 2_000, 5_000)
        looks = sorted(
            to_micros(NOW - timedelta(seconds=rng.randint(0, 400 * 86_400))) for _ in range(rng.randint(0, 4))
        )
        yield Profile(
            profile_id=f"u:{number:09}",
            attributes=some(
                {
                    "country": lambda: rng.choice(COUNTRIES),
                    "city": lambda: rng.choice(CITIES),
                    "tier": lambda: rng.choice(["basic", "silver", "gold"]),
                    "age": lambda: rng.randint(15, 90),
                    "points": lambda: rng.randint(0, 5_000),
                    "tags": lambda: [f"tag-{rng.randint(0, 40)}" for _ in range(3)],
                    "newsletter": lambda: rng.random() < 0.4,
                }
            ),
            totals={"purchase": totals} if bought else {},
            recent={counter: tuple(looks)} if looks else {},
            visit=Visit(3, last, last, 5, "/shop", "google", "organic"),
            first_seen_at=last - 60 * _DAY,
            last_seen_at=last,
            consent=granting({"measure", "personalize"}),
            consent_at=last,
            events=40,
        )


# SQL ---------------------------------------------------------------------------------------------------


def sql_of(part: Written, counter: str) -> str:
    """A predicate over the row of a profile, as an engineer would write it."""
    micros = to_micros(NOW)
    if "did" in part:
        times, days = part["times"]["at_least"], int(part["within"].split()[0])
        since = micros - days * 86_400_000_000
        return f"COALESCE(json_extract(row, '$.r.{counter}[#-{times}]') >= {since}, 0)"
    ((name, value),) = part.items()
    root, _, key = name.partition(".")
    path = f"$.a.{key}[0]" if root == "profile" else f"$.t.purchase[{('count', 'total', '', 'last').index(key)}]"
    found = f"json_extract(row, '{path}')"
    if isinstance(value, list):
        return f"{found} IN ({', '.join(map(repr, value))})"
    if isinstance(value, str):
        return f"{found} = {value!r}"
    ((word, limit),) = value.items()
    match word:
        case "older_than":
            return f"{found} < {micros - int(limit.split()[0]) * 86_400_000_000}"
        case "between":
            # Nothing bought is a total of 0; amounts lie in the smallest unit.
            return f"COALESCE({found}, 0) BETWEEN {limit[0] * 100} AND {limit[1] * 100}"
    return f"{found} >= {limit}"


def queries(segments: Mapping[str, list[Written]], counter: str) -> Mapping[str, str]:
    """The condition of each segment."""
    return {one: " AND ".join(sql_of(part, counter) for part in parts) for one, parts in segments.items()}


def by_queries(connection: sqlite3.Connection, conditions: Mapping[str, str]) -> dict[str, int]:
    """One query for each segment, as tools that keep segments in SQL do it."""
    return {
        one: connection.execute(f"SELECT count(*) FROM profiles WHERE {condition}").fetchone()[0]
        for one, condition in conditions.items()
    }


def by_one_query(connection: sqlite3.Connection, conditions: Mapping[str, str]) -> dict[str, int]:
    """All of them in one pass, as who knows SQL well would write it: each row's text is parsed once."""
    sums = ", ".join(f"total({condition})" for condition in conditions.values())
    found = connection.execute(f"SELECT {sums} FROM profiles").fetchone()
    return dict(zip(conditions, map(int, found), strict=True))


# Measuring ---------------------------------------------------------------------------------------------


def timed(name: str, count: Callable[[], Mapping[str, int]], profiles: int, first: float | None) -> tuple[Any, float]:
    """What is counted, and the CPU it took; a line is printed."""
    wall, cpu = time.perf_counter(), cpu_seconds()
    found = count()
    spent, passed = cpu_seconds() - cpu, time.perf_counter() - wall
    ratio = "" if first is None else f"{spent / first:>10.2f}"
    print(f"{name:28}{spent:>9.2f}{passed:>9.2f}{spent / profiles * 1e6:>14.1f}{ratio}", flush=True)
    return found, spent


def cpu_seconds() -> float:
    """What this process has used so far, and those that it started and that have ended."""
    ended = resource.getrusage(resource.RUSAGE_CHILDREN)  # os.times() counts in hundredths of a second
    return time.process_time() + ended.ru_utime + ended.ru_stime


def main(profiles: int) -> None:
    """Make the stores, count, compare and print."""
    segments = make_segments()
    rule_set = rule_set_of(segments)
    (counter,) = [fact.key for fact in rule_set.facts.values() if fact.root == "did"]
    with tempfile.TemporaryDirectory() as folder:
        settings = load_settings(None, {}, root=Path(folder), store="sqlite:store.db", secret_keys=[KEY])
        fill(settings, profiles, counter)
        conditions = queries(segments, counter)
        print(f"{SEGMENTS} segments, {profiles:,} profiles{'':6}CPU s   wall s  us a profile  times ours")
        task = Task(files_of(segments), settings, NOW)
        ours, spent = timed("the index", lambda: counted(rule_set, task, 1), profiles, None)
        found, _ = timed("the index, two processes", lambda: counted(rule_set, task, 2), profiles, spent)
        assert found == ours
        with sqlite3.connect(Path(folder) / "texts.db") as connection:
            found, _ = timed("SQL, one pass", lambda: by_one_query(connection, conditions), profiles, spent)
            assert found == ours, [(one, ours[one], found[one]) for one in ours if ours[one] != found[one]][:5]
            found, _ = timed("SQL, a query each", lambda: by_queries(connection, conditions), profiles, spent)
            assert found == ours


def fill(settings: Settings, profiles: int, counter: str) -> None:
    """Write the profiles into the store, and their rows as text beside it."""

    async def open_and_close() -> None:
        store = open_store(settings.store, settings.root)
        await store.open()
        await store.close()

    asyncio.run(open_and_close())
    store = sqlite3.connect(settings.root / "store.db")
    texts = sqlite3.connect(settings.root / "texts.db")
    texts.execute("CREATE TABLE profiles (key TEXT PRIMARY KEY, row TEXT NOT NULL)")
    (table,) = store.execute(
        "SELECT name FROM sqlite_master WHERE name LIKE '%profiles%' AND type = 'table'"
    ).fetchone()
    with store, texts:
        for profile in make_profiles(profiles, counter):
            row = encode_profile(profile)
            store.execute(f"INSERT INTO {table} (key, row) VALUES (?, ?)", (profile.profile_id, row))
            texts.execute("INSERT INTO profiles VALUES (?, ?)", (profile.profile_id, row.decode()))
    store.close()
    texts.close()


def counted(rule_set: RuleSet, task: Task, processes: int) -> Mapping[str, int]:
    """What `personalize segments` counts."""

    async def run() -> Mapping[str, int]:
        store = open_store(task.settings.store, task.settings.root)
        await store.open()
        counts, _ = await count_with_processes(store, rule_set, task, processes=processes)
        await store.close()
        return counts

    return asyncio.run(run())


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--profiles", type=int, default=20_000)
    say_what_is_measured()
    main(parser.parse_args().profiles)
