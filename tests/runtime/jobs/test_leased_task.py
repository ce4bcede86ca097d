"""A job in the background: of all workers one does it, in steps, and another goes on where it stops."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from personalize.errors import StoreUnavailable
from personalize.runtime.clock import SystemClock
from personalize.runtime.health import Health
from personalize.runtime.jobs import leased_task
from personalize.runtime.jobs.leased_job import LEASE_LASTS, LeasedJob
from personalize.runtime.jobs.leased_task import LeasedTask
from personalize.stores.memory.store import MemoryStore
from personalize.stores.sqlite.store import SqliteStore
from tests.stores.contract import opened
from tests.stores.other_process import line_from, line_to, other_process
from tests.trust.moving_clock import MovingClock

NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _often(monkeypatch: pytest.MonkeyPatch) -> None:
    """Look often: a test has no second to wait."""
    monkeypatch.setattr(leased_task, "LOOK_SECONDS", 0.001)


class Workers:
    """Workers of one store, and which of them did each step."""

    def __init__(self) -> None:
        self.store = MemoryStore()
        self.health = Health()
        self.done: list[str] = []
        self.able = {"one": True, "other": True}
        self.goes_on: Iterator[bool | Exception] = iter(())

    def task(self, name: str) -> LeasedTask:
        """The job, as one worker does it."""

        async def step() -> bool:
            self.done.append(name)
            answer = next(self.goes_on, False)
            if isinstance(answer, Exception):
                raise answer
            return answer

        clock, can = SystemClock(), lambda: self.able[name]
        return LeasedTask(
            self.store,
            "job",
            step,
            worker=name,
            clock=clock,
            health=self.health,
            failure="it failed",
            can=can,
            rests=True,
        )

    async def until(self, holds: Callable[[], bool]) -> None:
        """Wait for something to be so."""
        async with asyncio.timeout(5):
            while not holds():
                await asyncio.sleep(0.001)


def play(scene: Callable[[Workers, LeasedTask, LeasedTask], Awaitable[None]]) -> None:
    """Let a scene happen with two workers."""

    async def whole() -> None:
        workers = Workers()
        one, other = workers.task("one"), workers.task("other")
        try:
            await scene(workers, one, other)
        finally:
            await one.stop()
            await other.stop()

    asyncio.run(whole())


def test_one_worker_does_it_and_the_other_when_that_one_stops() -> None:
    async def scene(workers: Workers, one: LeasedTask, other: LeasedTask) -> None:
        one.start()
        await workers.until(lambda: bool(workers.done))
        other.start()
        before = len(workers.done)
        await workers.until(lambda: len(workers.done) > before + 3)
        assert set(workers.done) == {"one"}
        await one.stop()
        await workers.until(lambda: workers.done[-1] == "other")

    play(scene)


def test_when_the_clock_has_gone_back_nobody_holds_a_lease_for_as_long() -> None:
    async def scene() -> None:
        store, clock = MemoryStore(), MovingClock(NOON)
        one, other = (LeasedJob(store, "job", holder=name, clock=clock) for name in ("one", "other"))
        assert await one.is_ours()
        clock.moment -= timedelta(hours=1)
        # The first was killed, or thinks that it has the lease for an hour yet.
        assert await other.is_ours()
        assert not await one.is_ours()

    asyncio.run(scene())


@pytest.mark.long
@pytest.mark.trust
def test_a_job_whose_worker_was_killed_goes_on_when_its_lease_has_ended_and_not_before(tmp_path: Path) -> None:
    async def scene() -> float:
        async with opened(SqliteStore(tmp_path / "x.db")) as store:
            job = LeasedJob(store, "job", holder="this", clock=SystemClock())
            with other_process("hold_a_job", tmp_path / "x.db") as other:
                line_to(other)
                assert line_from(other) == "held"
                await asyncio.sleep(0.5)
                assert not await job.is_ours()
                other.kill()
                killed_at = time.monotonic()
            while not await job.is_ours():
                await asyncio.sleep(0.05)
            return time.monotonic() - killed_at

    lasted = LEASE_LASTS.total_seconds()
    assert lasted / 2 - 1 < asyncio.run(scene()) < lasted + 1


def test_who_can_not_do_it_leaves_it_to_others() -> None:
    async def scene(workers: Workers, one: LeasedTask, other: LeasedTask) -> None:
        workers.able["one"] = False
        one.start()
        await asyncio.sleep(0.01)
        other.start()
        await workers.until(lambda: len(workers.done) > 3)
        assert set(workers.done) == {"other"}

    play(scene)


@pytest.mark.parametrize("accident", [StoreUnavailable("gone for a test"), ValueError("a slip")])
def test_what_goes_wrong_is_counted_and_the_job_goes_on(accident: Exception, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("personalize.runtime.jobs.lasting_task.RESTART_SECONDS", 0.001)

    async def scene(workers: Workers, one: LeasedTask, _other: LeasedTask) -> None:
        workers.goes_on = iter([True, True, accident])
        one.start()
        await workers.until(lambda: len(workers.done) > 5)
        assert workers.health.failures == {"it failed": 1}

    play(scene)
