"""How long pages wait while a large rule set loads beside them, with a real event loop.

A task of the loop asks for its turn each millisecond, as pages do; what it waits for longer is a stall. Loaded as the
follower of the live row does it, and by a bare thread.

    python -m benchmarks.reload [--rules 10000]
"""

import argparse
import asyncio
import gc
import time
from collections.abc import Awaitable, Callable, Mapping
from functools import partial

from benchmarks.shop import load, rule_files
from personalize.rules.ruleset import RuleSet
from personalize.runtime.quiet_loading import let_go, load_quietly, pieces_of

Files = Mapping[str, str]


async def stalls_during(work: Callable[[], Awaitable[None]]) -> tuple[float, list[float]]:
    """The seconds of CPU of the work, and by how much each turn came too late, in ms, sorted."""
    late: list[float] = []

    async def pages() -> None:
        while True:
            asked = time.perf_counter()
            await asyncio.sleep(0.001)
            late.append((time.perf_counter() - asked - 0.001) * 1e3)

    task = asyncio.create_task(pages())
    await asyncio.sleep(0.01)  # few rules would be loaded before the first page has come
    begun = time.process_time()
    await work()
    spent = time.process_time() - begun
    task.cancel()
    return spent, sorted(late)


async def quietly(files: Files) -> None:
    """As the follower: load, serve, let go of what was served before."""
    rule_set = await load_quietly(partial(load, files), files)
    pieces = pieces_of(rule_set)
    del rule_set
    await let_go(pieces)


async def by_thread(files: Files) -> None:
    """With nothing but a thread."""
    loaded: RuleSet | None = await asyncio.to_thread(load, files)
    del loaded


def report(name: str, spent: float, late: list[float]) -> None:
    """One line."""
    at = {share: late[min(len(late) - 1, int(len(late) * share))] for share in (0.5, 0.99)}
    print(f"{name:12}{spent:>8.2f} s of CPU{at[0.5]:>10.2f}{at[0.99]:>10.1f}{late[-1]:>10.1f} ms", flush=True)


async def main(rules: int) -> None:
    """Measure and print."""
    files = rule_files(rules)
    print(f"{rules:,} rules{'':25}median       p99     worst")
    report("bare thread", *await stalls_during(partial(by_thread, files)))
    gc.collect()
    report("quietly", *await stalls_during(partial(quietly, files)))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rules", type=int, default=10_000)
    asyncio.run(main(parser.parse_args().rules))
