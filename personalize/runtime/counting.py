"""Counting with several processes: each takes the next stretch of the stored profiles as soon as it is free."""

import asyncio
import json
import os
import pickle
import sys
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import asdict, dataclass
from datetime import datetime

from personalize.errors import CountingStopped
from personalize.rules.ruleset import RuleSet
from personalize.runtime.offline import count_segments
from personalize.settings import Settings
from personalize.stores.protocols import Store, Stretch

#: How many profiles a process is given at a time: a sixth of a second of work.
STRETCH = 5_000
#: For so many profiles another process is worth its start, which takes as long as to count about 20,000.
_WORTH_A_PROCESS = 50_000
_COUNTS = "from personalize.runtime.counting_process import main; main()"

Progress = Callable[[int], None]


@dataclass(frozen=True, slots=True)
class Task:
    """What a process has to know before it can count: it makes the rule set from its files by itself."""

    files: Mapping[str, str]
    settings: Settings
    now: datetime


async def count_with_processes(
    store: Store,
    rule_set: RuleSet,
    task: Task,
    *,
    processes: int | None = None,
    progress: Progress | None = None,
) -> tuple[Mapping[str, int], int]:
    """What `count_segments` counts, by so many processes of which this is one.

    None takes as many as the machine has processors where there is enough to count, one for each 50,000 profiles.
    A store that only this process sees is counted by it alone. `rule_set` is that of the files of the task.
    `progress` is told how many more were counted. Raises `CountingStopped` where a process ends before its work.
    """
    stretches = await store.stretches(STRETCH)
    wanted = fitting(len(stretches) * STRETCH) if processes is None else processes
    others = min(wanted, len(stretches)) - 1 if store.is_shared else 0
    if others <= 0:
        return await count_segments(store, rule_set, task.settings, now=task.now, progress=progress)
    left = iter(stretches)
    tally = _Tally(progress)
    async with AsyncExitStack() as started:
        running = [await started.enter_async_context(_counting_process(task)) for _ in range(others)]
        await _all_of(
            _count_here(store, rule_set, task, left, tally),
            *(_count_there(process, left, tally) for process in running),
        )
    return {one: tally.members[one] for one in rule_set.segments}, tally.visitors


def fitting(profiles: int) -> int:
    """How many processes suit so many profiles on this machine."""
    return max(1, min(_processors(), profiles // _WORTH_A_PROCESS))


def _processors() -> int:
    # What a container is given may be less than what the machine has; not every system can say.
    with suppress(AttributeError):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


class _Tally:
    """What all processes have counted together so far."""

    def __init__(self, progress: Progress | None) -> None:
        self.members: Counter[str] = Counter()
        self.visitors = 0
        self._progress = progress

    def add(self, members: Mapping[str, int], visitors: int) -> None:
        """Add a stretch."""
        self.members.update(members)
        self.visitors += visitors
        if self._progress is not None:
            self._progress(visitors)


async def _count_here(store: Store, rule_set: RuleSet, task: Task, left: Iterator[Stretch], tally: _Tally) -> None:
    for stretch in left:
        tally.add(*await count_segments(store, rule_set, task.settings, now=task.now, within=stretch))


async def _count_there(process: asyncio.subprocess.Process, left: Iterator[Stretch], tally: _Tally) -> None:
    assert process.stdin is not None
    assert process.stdout is not None
    for stretch in left:
        # A process that is no more says so by what it does not answer.
        with suppress(ConnectionError):
            process.stdin.write(json.dumps(asdict(stretch)).encode() + b"\n")
            await process.stdin.drain()
        answer = await process.stdout.readline()
        if not answer.endswith(b"\n"):
            raise CountingStopped(await _end_of(process))
        found = json.loads(answer)
        if isinstance(found, str):
            raise CountingStopped(found)
        tally.add(*found)


@asynccontextmanager
async def _counting_process(task: Task) -> AsyncIterator[asyncio.subprocess.Process]:
    """A process that counts what it is sent, and is no more when the block ends, however it does.

    A Ctrl+C reaches this process alone, which then ends the others. Should it be killed, they end by themselves: nobody
    holds their input open any more.
    """
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", _COUNTS),
        stdin=pipe,
        stdout=pipe,
        limit=2**24,  # an answer is one line, as long as there are segments
        env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
        start_new_session=True,
    )
    try:
        assert process.stdin is not None
        process.stdin.write(pickle.dumps(task))
        yield process
    finally:
        with suppress(ProcessLookupError):
            process.kill()
        await process.communicate()


async def _end_of(process: asyncio.subprocess.Process) -> str:
    code = await process.wait()
    return f"it was stopped by signal {-code}" if code < 0 else f"it ended with code {code}"


async def _all_of(*parts: Awaitable[None]) -> None:
    """Wait for all of them; the first that fails ends the others."""
    tasks = [asyncio.ensure_future(part) for part in parts]
    try:
        await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
