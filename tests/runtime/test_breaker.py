"""After a few that waited in vain, nobody waits; and as soon as the store answers, all is well."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from personalize.errors import StoreBusy, StoreUnavailable
from personalize.runtime import breaker as breaker_module
from personalize.runtime.breaker import FAILURES, Breaker


class Asked:
    """A store that answers, hangs or raises, as `now` says; `times` counts how often it was asked."""

    def __init__(self) -> None:
        self.now: Callable[[], Awaitable[str]] = self.answers
        self.times = 0

    async def __call__(self) -> str:
        self.times += 1
        return await self.now()

    async def answers(self) -> str:
        return "an answer"

    async def hangs(self) -> str:
        await asyncio.Event().wait()
        return "never"

    async def refuses(self) -> str:
        raise StoreUnavailable("refused")

    async def breaks(self) -> str:
        raise ZeroDivisionError("a bug")


@pytest.fixture(autouse=True)
def quick_probes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(breaker_module, "PROBE_SECONDS", 0.01)


def with_breaker(work: Callable[[Breaker, Asked, list[BaseException]], Awaitable[None]]) -> None:
    """Run `work` with a breaker in front of a store, and what the breaker told of its probes."""

    async def run() -> None:
        asked, told = Asked(), list[BaseException]()
        breaker = Breaker(asked, budget_seconds=0.01, failed=told.append)
        await work(breaker, asked, told)
        await breaker.stop()
        assert not breaker.is_open
        assert len(asyncio.all_tasks()) == 1

    asyncio.run(run())


async def opened(breaker: Breaker, asked: Asked, fault: Callable[[], Awaitable[str]]) -> None:
    """Let so many reads fail that it opens."""
    asked.now = fault
    for _ in range(FAILURES):
        assert not breaker.is_open
        with pytest.raises((StoreBusy, StoreUnavailable)):
            await breaker.read(asked)
    assert breaker.is_open


async def closed(breaker: Breaker) -> None:
    """Wait until it closes, which it has to do soon."""
    async with asyncio.timeout(5):
        while breaker.is_open:
            await asyncio.sleep(0.001)


@pytest.mark.parametrize("fault", ["hangs", "refuses"])
def test_it_opens_after_a_few_failures_and_then_nobody_asks(fault: str) -> None:
    async def work(breaker: Breaker, asked: Asked, told: list[BaseException]) -> None:
        await opened(breaker, asked, getattr(asked, fault))
        before = asked.times
        for _ in range(100):
            with pytest.raises(StoreBusy, match="left alone"):
                await breaker.read(asked)
        assert asked.times == before

    with_breaker(work)


def test_it_closes_by_itself_when_the_store_answers() -> None:
    async def work(breaker: Breaker, asked: Asked, told: list[BaseException]) -> None:
        await opened(breaker, asked, asked.hangs)
        asked.now = asked.answers
        await closed(breaker)
        assert await breaker.read(asked) == "an answer"
        assert told == []

    with_breaker(work)


def test_a_success_in_between_keeps_it_closed() -> None:
    async def work(breaker: Breaker, asked: Asked, told: list[BaseException]) -> None:
        for _ in range(2):
            asked.now = asked.refuses
            for _ in range(FAILURES - 1):
                with pytest.raises(StoreUnavailable):
                    await breaker.read(asked)
            asked.now = asked.answers
            await breaker.read(asked)
        assert not breaker.is_open

    with_breaker(work)


def test_a_probe_that_breaks_is_told_and_closes_it() -> None:
    async def work(breaker: Breaker, asked: Asked, told: list[BaseException]) -> None:
        await opened(breaker, asked, asked.hangs)
        asked.now = asked.breaks
        await closed(breaker)
        assert [type(error) for error in told] == [ZeroDivisionError]

    with_breaker(work)


def test_a_visitor_who_leaves_while_waiting_is_no_failure_of_the_store() -> None:
    async def work(breaker: Breaker, asked: Asked, told: list[BaseException]) -> None:
        asked.now = asked.hangs
        for _ in range(FAILURES):
            reading = asyncio.create_task(breaker.read(asked))
            await asyncio.sleep(0)
            reading.cancel()
            with pytest.raises(asyncio.CancelledError):
                await reading
        assert not breaker.is_open

    with_breaker(work)
