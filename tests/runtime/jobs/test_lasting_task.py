"""Work in the background begins again after an accident, and ends when it is told to."""

import asyncio

import pytest

from personalize.runtime.jobs import lasting_task as module
from personalize.runtime.jobs.lasting_task import LastingTask


@pytest.fixture(autouse=True)
def _soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "RESTART_SECONDS", 0.0)


def test_an_accident_is_told_and_the_work_begins_again() -> None:
    async def scene() -> None:
        told: list[BaseException] = []
        begun = 0
        goes_on = asyncio.Event()

        async def work() -> None:
            nonlocal begun
            begun += 1
            if begun < 3:
                raise ZeroDivisionError(str(begun))
            goes_on.set()
            await asyncio.Event().wait()

        task = LastingTask(work, name="work", failed=told.append)
        task.start()
        await goes_on.wait()
        assert [str(error) for error in told] == ["1", "2"]
        await task.stop()
        await task.stop()
        assert len(asyncio.all_tasks()) == 1

    asyncio.run(scene())


def test_what_was_stopped_before_it_could_begin_again_does_not() -> None:
    async def scene() -> None:
        told: list[BaseException] = []

        async def work() -> None:
            raise ZeroDivisionError

        task = LastingTask(work, name="work", failed=told.append)
        task.start()
        while not told:
            await asyncio.sleep(0)
        await task.stop()
        for _ in range(5):
            await asyncio.sleep(0)
        assert len(told) == 1 and len(asyncio.all_tasks()) == 1

    asyncio.run(scene())


def test_work_that_is_done_is_left_done() -> None:
    async def scene() -> None:
        begun: list[int] = []

        async def work() -> None:
            begun.append(1)

        task = LastingTask(work, name="work", failed=lambda error: None)
        task.start()
        for _ in range(5):
            await asyncio.sleep(0)
        assert begun == [1]
        await task.stop()

    asyncio.run(scene())
