"""How long pages wait while a large rule set loads beside them, with a real event loop.

A task of the loop asks for its turn each millisecond, as pages do; what it waits for longer is a stall. Loaded as the
follower of the live row does it, by a process of its own, and where one of fifty files has changed; in a thread that
takes short turns, as where there can be no such process; and by a bare thread. Each way runs in a Python of its own, so
that its memory can be told.

`held` is the longest that the event loop could not run because the loading had this Python for itself, by the clock of
its processor time: it is the same on a machine that is busy with something else.

    python -m benchmarks.reload [--rules 10000]
"""

import argparse
import asyncio
import resource
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.package_measured import say_what_is_measured
from benchmarks.shop import TEMPLATE, TEMPLATE_TEXT, content_files, rule_files
from personalize.problems import Problems
from personalize.rules.ruleset import RuleSet
from personalize.runtime.clock import SystemClock
from personalize.runtime.draft import load_files
from personalize.runtime.health import Health
from personalize.runtime.quiet_loading import let_go, pieces_of, quietly
from personalize.runtime.reading_apart import load_beside_pages
from personalize.settings import Settings, load_settings

SLOTS = tuple(f"place-{number}" for number in range(1, 51))

Files = Mapping[str, str]
Load = Callable[[Files, Settings, RuleSet | None], Awaitable[RuleSet | None]]


@dataclass(frozen=True)
class Turn:
    """One turn of the event loop: how much too late it came, and how long other threads worked meanwhile, in ms."""

    late: float
    held: float


async def turns_during(work: Awaitable[None]) -> list[Turn]:
    """The turns that the event loop had during the work."""
    turns: list[Turn] = []

    async def pages() -> None:
        while True:
            asked, others = time.perf_counter(), time.process_time() - time.thread_time()
            await asyncio.sleep(0.001)
            passed, worked = time.perf_counter() - asked, time.process_time() - time.thread_time() - others
            turns.append(Turn((passed - 0.001) * 1e3, worked * 1e3))

    task = asyncio.create_task(pages())
    await asyncio.sleep(0.01)  # few rules would be loaded before the first page has come
    await work
    task.cancel()
    return turns


async def bare(files: Files, settings: Settings, earlier: RuleSet | None) -> RuleSet | None:
    """With nothing but a thread."""
    return await asyncio.to_thread(load_files, files, settings, Problems())


async def in_turns(files: Files, settings: Settings, earlier: RuleSet | None) -> RuleSet | None:
    """In a thread that takes short turns."""
    return await asyncio.to_thread(quietly, partial(load_files, files, settings, Problems()))


async def apart(files: Files, settings: Settings, earlier: RuleSet | None) -> RuleSet | None:
    """As workers do it."""
    health = Health()
    rule_set = await load_beside_pages(files, settings, Problems(), earlier=earlier, health=health, clock=SystemClock())
    assert not health.failures, health.failures
    return rule_set


#: What loads, and whether it knows the rule set before, from which one file differs.
WAYS: Mapping[str, tuple[Load, bool]] = {
    "bare thread": (bare, False),
    "short turns": (in_turns, False),
    "own process": (apart, False),
    "one file": (apart, True),
}


async def replace_by(load: Load, files: Files, settings: Settings, served: list[RuleSet], *, knows: bool) -> None:
    """Load, serve, let go of what was served before."""
    rule_set = await load(files, settings, served[0] if knows else None)
    assert rule_set is not None
    served.append(rule_set)
    await let_go(pieces_of(served.pop(0)))


async def measure(way: str, rules: int) -> None:
    """Load once, and print a line."""
    with TemporaryDirectory() as folder:
        (Path(folder) / "content_templates").mkdir()
        (Path(folder) / "content_templates" / TEMPLATE).write_text(TEMPLATE_TEXT)
        (Path(folder) / "personalize.toml").write_text("")
        settings = load_settings(Path(folder) / "personalize.toml", {}, store="memory:")
        files = {**rule_files(rules, slots=SLOTS), **content_files(SLOTS)}
        earlier = await apart(files, settings, None)
        assert earlier is not None
        served, (load, knows) = [earlier], WAYS[way]
        del earlier
        changed = {**files, f"rules/{SLOTS[-1]}.yaml": f"{files[f'rules/{SLOTS[-1]}.yaml']}\n# changed\n"}
        memory, others, begun = _memory(), _beside(), time.perf_counter()
        turns = await turns_during(replace_by(load, changed, settings, served, knows=knows))
        took, others, memory = time.perf_counter() - begun, _beside() - others, _memory() - memory
    late = sorted(turn.late for turn in turns)
    print(
        f"{way:12}{sum(turn.held for turn in turns) / 1e3:>7.2f}{others:>8.2f}{took:>8.1f}{memory:>8.0f}"
        f"{_share(late, 0.5):>10.2f}{_share(late, 0.99):>8.1f}{late[-1]:>8.1f}{max(turn.held for turn in turns):>8.1f}",
        flush=True,
    )


def _memory() -> float:
    """The most that this process has held, in MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def _beside() -> float:
    """The time of processors that other processes of this one have taken."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _share(ordered: list[float], share: float) -> float:
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]


def main() -> None:
    """Measure each way, and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rules", type=int, default=10_000)
    parser.add_argument("--way", choices=WAYS)
    asked = parser.parse_args()
    if asked.way is not None:
        asyncio.run(measure(asked.way, asked.rules))
        return
    say_what_is_measured()
    print(f"{asked.rules:,} rules      CPU: here  beside       s      MB     ms late: median   99 %   worst    held")
    for way in WAYS:
        subprocess.run(
            [sys.executable, "-m", "benchmarks.reload", "--rules", str(asked.rules), "--way", way], check=True
        )


if __name__ == "__main__":
    main()
