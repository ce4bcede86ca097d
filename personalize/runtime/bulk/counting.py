"""Counting with several processes: each takes the next part of the profiles as soon as it is free."""

import asyncio
import json
import os
import pickle
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, suppress

from personalize.errors import CountingStopped
from personalize.rules.ruleset import RuleSet
from personalize.runtime.another_python import command_of, environment
from personalize.runtime.bulk.counting_sources import Part, Source, StoredProfiles, Task
from personalize.stores.protocols import Store

#: For so many profiles another process is worth its start, which takes as long as to count about 20,000.
_WORTH_A_PROCESS = 50_000

Progress = Callable[[int], None]


async def count_with_processes(
    store: Store,
    rule_set: RuleSet,
    task: Task,
    *,
    processes: int | None = None,
    progress: Progress | None = None,
) -> tuple[Mapping[str, int], int]:
    """What `count_segments` counts in a store, by so many processes; see `count_source`.

    A store that only this process sees is counted by it alone.
    """
    source = StoredProfiles(store, rule_set, task)
    return await count_source(source, rule_set, task, processes=processes, progress=progress)


async def count_source(
    source: Source,
    rule_set: RuleSet,
    task: Task,
    *,
    processes: int | None = None,
    progress: Progress | None = None,
) -> tuple[Mapping[str, int], int]:
    """What the task counts, and how many visitors there are, by so many processes of which this is one.

    None takes as many as the machine has processors where there is enough to count, one for each 50,000 profiles.
    `rule_set` is that of the files of the task, `source` what the task is to count. `progress` is told how many more
    were counted. Raises `CountingStopped` where a process ends before its work.
    """
    parts = await source.parts()
    wanted = fitting(len(parts) * source.size) if processes is None else processes
    others = min(wanted, len(parts)) - 1 if source.is_shared else 0
    left = iter(parts)
    tally = _Tally(progress)
    async with AsyncExitStack() as started:
        running = [await started.enter_async_context(_counting_process(task)) for _ in range(others)]
        await _all_of(_count_here(source, left, tally), *(_count_there(each, left, tally) for each in running))
    return {**task.nothing_counted(rule_set), **tally.counts}, tally.visitors


def fitting(profiles: int) -> int:
    """How many processes suit so many profiles on this machine."""
    return max(1, min(processors(), profiles // _WORTH_A_PROCESS))


def processors() -> int:
    """How many processors this process may use."""
    # What a container is given may be less than what the machine has; not every system can say.
    with suppress(AttributeError):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


class _Tally:
    """What all processes have counted together so far."""

    def __init__(self, progress: Progress | None) -> None:
        self.counts: Counter[str] = Counter()
        self.visitors = 0
        self._progress = progress

    def add(self, counts: Mapping[str, int], visitors: int) -> None:
        """Add a part."""
        self.counts.update(counts)
        self.visitors += visitors
        if self._progress is not None:
            self._progress(visitors)


async def _count_here(source: Source, left: Iterator[Part], tally: _Tally) -> None:
    for part in left:
        tally.add(*await source.count(part))
        await asyncio.sleep(0)


async def _count_there(process: asyncio.subprocess.Process, left: Iterator[Part], tally: _Tally) -> None:
    assert process.stdin is not None
    assert process.stdout is not None
    for part in left:
        # A process that is no more says so by what it does not answer.
        with suppress(ConnectionError):
            process.stdin.write(json.dumps(part).encode() + b"\n")
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
        *command_of("personalize.runtime.bulk.counting_process"),
        stdin=pipe,
        stdout=pipe,
        limit=2**24,  # an answer is one line, as long as there are segments
        env=environment(),
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
