"""A store that hangs, crawls or refuses costs a few visitors the time budget, and after that nobody anything."""

import asyncio
import sqlite3
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from personalize.events.event import IMPRESSION, PAGE_VIEW
from personalize.runtime.breaker import PROBE_SECONDS
from personalize.web.middleware import PersonalizeMiddleware
from personalize.wrap import wrap
from tests.desk import desk_settings, published, write_desk, written
from tests.driver import Browser, Reply, running
from tests.stores.faulty import Fault, FaultyStore
from tests.web.test_faults import a_known_buyer, site

#: The budget of a page, and what a slow machine may add to what was promised.
BUDGET_SECONDS = 0.05
MERCY_SECONDS = 0.05
A_WHILE = 0.5


async def visits(browser: Browser, *, a_second: int, seconds: float) -> list[tuple[float, Reply]]:
    """Page views at even times, whether earlier ones are done or not; of each how long it took, and the page."""

    async def visit(at: float) -> tuple[float, Reply]:
        await asyncio.sleep(at)
        began = time.perf_counter()
        reply = await browser.get("/")
        return time.perf_counter() - began, reply

    return await asyncio.gather(*(visit(number / a_second) for number in range(int(a_second * seconds))))


def p99(taken: list[tuple[float, Reply]]) -> float:
    """What 99 of 100 page views took at most, in seconds."""
    return sorted(seconds for seconds, _ in taken)[int(len(taken) * 0.99) - 1]


def with_store(
    tmp_path: Path,
    work: Callable[[PersonalizeMiddleware, FaultyStore, Browser], Awaitable[None]],
    *,
    budget_seconds: float = BUDGET_SECONDS,
) -> None:
    """Run `work` on the site with a store that can fail, as a buyer who sees the offer for buyers."""

    async def run() -> None:
        write_desk(tmp_path)
        store = FaultyStore()
        app = wrap(site(), desk_settings(tmp_path, time_budget_seconds=budget_seconds), store=store)
        async with running(app):
            await published(app)
            await work(app, store, await a_known_buyer(app))

    asyncio.run(run())


@pytest.mark.trust(tries=int(400 * A_WHILE))
@pytest.mark.parametrize("fault", [Fault.HANGS, Fault.REFUSES])
def test_pages_are_served_at_once_while_the_store_is_down_and_right_soon_after(tmp_path: Path, fault: Fault) -> None:
    async def work(app: PersonalizeMiddleware, store: FaultyStore, browser: Browser) -> None:
        store.fault = fault
        first = await visits(browser, a_second=200, seconds=A_WHILE)
        asked_by_then = store.asked
        later = await visits(browser, a_second=200, seconds=A_WHILE)
        for _, reply in (*first, *later):
            assert reply.status == 200
            assert "<p>Default</p>" in reply.text and "The season" in reply.text
            assert reply.header("cache-control") == "private, no-store"
        assert p99(first) < BUDGET_SECONDS + MERCY_SECONDS
        assert p99(later) < MERCY_SECONDS, "with the breaker open nobody waits"
        assert store.asked - asked_by_then < 10, "with the breaker open the store is left alone"
        assert app.personalizer.health.slots["hero"]["degraded"] == len(first) + len(later)
        assert len(asyncio.all_tasks()) < 20, "no page leaves a task behind"

        store.fault = Fault.NONE
        began = time.perf_counter()
        while "What goes with a tent" not in (await browser.get("/")).text:
            await asyncio.sleep(0.01)
        assert time.perf_counter() - began < 5

    with_store(tmp_path, work)


@pytest.mark.trust
@pytest.mark.planted
def test_a_site_that_asks_a_store_that_hangs_again_and_again_is_found_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("personalize.runtime.breaker.FAILURES", 10**9)
    with pytest.raises(AssertionError):
        test_pages_are_served_at_once_while_the_store_is_down_and_right_soon_after(tmp_path, Fault.HANGS)


def test_a_slow_store_that_keeps_the_budget_is_waited_for(tmp_path: Path) -> None:
    async def work(app: PersonalizeMiddleware, store: FaultyStore, browser: Browser) -> None:
        store.delay_seconds = 0.01
        for _, reply in await visits(browser, a_second=100, seconds=0.2):
            assert "What goes with a tent" in reply.text
        assert not app.personalizer.breaker.is_open

    with_store(tmp_path, work, budget_seconds=BUDGET_SECONDS + 10 * MERCY_SECONDS)


def test_a_crawling_store_is_left_alone_until_it_is_quick_again(tmp_path: Path) -> None:
    async def work(app: PersonalizeMiddleware, store: FaultyStore, browser: Browser) -> None:
        store.delay_seconds = 2 * BUDGET_SECONDS
        taken = await visits(browser, a_second=100, seconds=0.5)
        assert all("<p>Default</p>" in reply.text for _, reply in taken)
        await asyncio.sleep(2 * PROBE_SECONDS)
        assert app.personalizer.breaker.is_open

    with_store(tmp_path, work)


def test_no_page_waits_for_a_file_that_another_process_writes_and_no_event_is_lost(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async def run() -> None:
        write_desk(tmp_path)
        app = wrap(site(), desk_settings(tmp_path))
        async with running(app):
            await published(app)
            browser = await a_known_buyer(app)
            locker = sqlite3.connect(tmp_path / "store.db", isolation_level=None)
            locker.execute("BEGIN EXCLUSIVE")
            taken = await visits(browser, a_second=100, seconds=A_WHILE)
            assert all("What goes with a tent" in reply.text for _, reply in taken)
            assert p99(taken) < MERCY_SECONDS
            assert app.personalizer.ingest.waiting == 2 * len(taken)
            locker.execute("ROLLBACK")
            locker.close()
            events = await written(app)
            # One page view and one impression of each, and of the one before.
            assert sum(event.type == PAGE_VIEW for event in events) == len(taken) + 1
            assert sum(event.type == IMPRESSION for event in events) == len(taken) + 1
            assert app.personalizer.ingest.dropped == 0

    asyncio.run(run())
    assert "could not be read" not in caplog.text


def test_pages_and_memory_do_not_suffer_when_nothing_can_be_written_for_long(tmp_path: Path) -> None:
    async def run() -> None:
        write_desk(tmp_path)
        app = wrap(site(), desk_settings(tmp_path, ingest_queue_size=20, ingest_batch_size=10))
        async with running(app):
            await published(app)
            browser = await a_known_buyer(app)
            locker = sqlite3.connect(tmp_path / "store.db", isolation_level=None)
            locker.execute("BEGIN EXCLUSIVE")
            for _ in range(30):
                assert "What goes with a tent" in (await browser.get("/")).text
            assert app.personalizer.ingest.waiting == 20
            assert app.personalizer.ingest.dropped == 40
            assert app.personalizer.health.failures["the queue was full, an event was dropped"] == 20
            locker.execute("ROLLBACK")
            locker.close()
            assert sum(event.type == PAGE_VIEW for event in await written(app)) == 11

    asyncio.run(run())


def test_a_page_that_needs_no_profile_never_asks_a_store_that_hangs(tmp_path: Path) -> None:
    async def work(app: PersonalizeMiddleware, store: FaultyStore, browser: Browser) -> None:
        store.fault = Fault.HANGS
        before = store.asked
        assert "The season" in (await Browser(app).get("/")).text  # somebody who has agreed to nothing
        assert store.asked == before

    with_store(tmp_path, work)
