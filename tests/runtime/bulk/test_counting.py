"""Counting with several processes gives what one counts, and leaves none behind."""

import asyncio
import os
import signal
from collections.abc import Mapping
from pathlib import Path

import pytest

from personalize.errors import CountingStopped
from personalize.rules.ruleset import RuleSet
from personalize.runtime.bulk import counting_sources
from personalize.runtime.bulk.counting import count_with_processes, fitting
from personalize.runtime.bulk.counting_sources import Task
from personalize.runtime.offline import count_segments
from personalize.stores.memory.store import MemoryStore
from personalize.stores.protocols import Store
from tests.runtime.crowd import with_store
from tests.stores.samples import all_of

Process = asyncio.subprocess.Process


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> list[Process]:
    """The processes that are started, and stretches of six profiles."""
    found: list[Process] = []
    start = asyncio.create_subprocess_exec

    async def remembered(*arguments: str, **options: object) -> Process:
        found.append(await start(*arguments, **options))  # type: ignore[arg-type]
        return found[-1]

    monkeypatch.setattr(asyncio, "create_subprocess_exec", remembered)
    monkeypatch.setattr(counting_sources, "STRETCH", 6)
    return found


@pytest.mark.parametrize("processes", [2, 3])
def test_several_processes_count_what_one_counts(tmp_path: Path, started: list[Process], processes: int) -> None:
    async def scene(store: Store, rule_set: RuleSet, task: Task) -> None:
        told: list[int] = []
        alone = await count_segments(store, rule_set, task.settings, now=task.now)
        assert await count_with_processes(store, rule_set, task, processes=processes, progress=told.append) == alone
        members, visitors = alone
        assert sum(told) == visitors < len(await all_of(store.profiles()))  # some went into others
        assert members["none"] == 0
        assert all(0 < members[one] < visitors for one in rule_set.segments if one not in ("none", "tent-people"))
        assert len(started) == processes - 1

    with_store(tmp_path, scene)
    assert_all_ended(started)


def test_the_other_process_counts_all_that_this_one_does_not_take(tmp_path: Path, started: list[Process]) -> None:
    async def scene(store: Store, rule_set: RuleSet, task: Task) -> None:
        told: list[int] = []
        others = len(await store.stretches(6)) - 1

        async def once_the_other_is_done(*arguments: object, **options: object) -> tuple[Mapping[str, int], int]:
            while len(told) < others:
                await asyncio.sleep(0.01)
            return await count_segments(*arguments, **options)  # type: ignore[arg-type]

        alone = await count_segments(store, rule_set, task.settings, now=task.now)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(counting_sources, "count_segments", once_the_other_is_done)
            assert await count_with_processes(store, rule_set, task, processes=2, progress=told.append) == alone

    with_store(tmp_path, scene)


def test_a_process_that_cannot_begin_is_an_error_with_its_reason(tmp_path: Path, started: list[Process]) -> None:
    async def scene(store: Store, rule_set: RuleSet, task: Task) -> None:
        broken = Task({"rules/all.yaml": "segments: {a: {who: {profile.nothing: 1}}}"}, task.settings, task.now)
        with pytest.raises(CountingStopped, match=r'before its work was done: .*"profile\.nothing"'):
            await count_with_processes(store, rule_set, broken, processes=2)

    with_store(tmp_path, scene)
    assert_all_ended(started)


def test_a_process_that_is_killed_is_an_error_and_the_others_end(tmp_path: Path, started: list[Process]) -> None:
    async def scene(store: Store, rule_set: RuleSet, task: Task) -> None:
        told: list[int] = []

        def kill(visitors: int) -> None:
            told.append(visitors)
            if len(told) == 1:
                os.kill(started[0].pid, signal.SIGKILL)

        with pytest.raises(CountingStopped, match=f"stopped by signal {signal.SIGKILL:d}"):
            await count_with_processes(store, rule_set, task, processes=3, progress=kill)

    with_store(tmp_path, scene)
    assert_all_ended(started)


def test_a_stop_leaves_no_process_behind(tmp_path: Path, started: list[Process]) -> None:
    async def scene(store: Store, rule_set: RuleSet, task: Task) -> None:
        counted = asyncio.ensure_future(count_with_processes(store, rule_set, task, processes=3))
        while len(started) < 2:
            await asyncio.sleep(0.01)
        counted.cancel()
        with pytest.raises(asyncio.CancelledError):
            await counted

    with_store(tmp_path, scene)
    assert_all_ended(started)


def test_a_store_of_this_process_is_counted_by_it_alone(tmp_path: Path, started: list[Process]) -> None:
    async def scene(store: Store, rule_set: RuleSet, task: Task) -> None:
        alone = await count_segments(store, rule_set, task.settings, now=task.now)
        assert await count_with_processes(store, rule_set, task, processes=2) == alone

    with_store(tmp_path, scene, MemoryStore)
    assert started == []


def test_a_small_store_is_counted_by_one_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: range(4), raising=False)
    assert [fitting(each) for each in (0, 99_999, 100_000, 150_000, 10_000_000)] == [1, 1, 2, 3, 4]


def assert_all_ended(started: list[Process]) -> None:
    """None of them runs any more."""
    assert started
    for process in started:
        assert process.returncode is not None
        with pytest.raises(ProcessLookupError):
            os.kill(process.pid, 0)
