"""A site that is served for long: nothing grows but its log."""

import asyncio
import gc
import os
import resource
import threading
from collections.abc import Awaitable, Callable, Iterator
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from personalize.profiles.encoding import encode_profile
from personalize.stores.sqlite import link
from personalize.web.middleware import PersonalizeMiddleware
from personalize.wrap import wrap
from tests.desk import RULES, all_written, desk_settings, published, write_desk
from tests.driver import Browser, running
from tests.trust.moving_clock import MovingClock
from tests.trust.trials import trials

pytestmark = pytest.mark.trust
ROUNDS = trials(4, 200)
PAGES_OF_A_ROUND = 400
PAGES_OF_A_VISITOR = 8
YES = {"grant": "measure personalize", "back": "/"}
#: What a page may leave behind in memory, once all that is bounded has grown to its bound: in few rounds allocators are
#: still filling, so only objects are counted there. A writer's part of the file would take longer to be full than any
#: test, and is made small.
MOST_BYTES_A_PAGE, ROUNDS_TO_BE_WARM = 100, 100
SMALL_CACHE_KILOBYTES = 2_048
LARGEST_PROFILE = 64_000
LARGEST_LOG_AHEAD = 64 * 1024 * 1024


async def shop(request: Request) -> Response:
    """A page on which whoever comes buys something."""
    request.state.page_view.record("purchase", amount="10", category="tents")
    return HTMLResponse('<div data-slot="hero">Default</div><div data-slot="season">Default</div>')


class Life:
    """What a process has grown to."""

    def __init__(self) -> None:
        gc.collect()
        self.files = len(os.listdir("/proc/self/fd"))  # noqa: PTH208
        # The loop's own pool has as many as were ever busy at once, up to its bound.
        self.threads = sum(not thread.name.startswith("asyncio_") for thread in threading.enumerate())
        self.tasks = len(asyncio.all_tasks())
        self.objects = len(gc.get_objects())
        pages = int(Path("/proc/self/statm").read_text().split()[1])
        self.memory = pages * resource.getpagesize()


async def a_round(app: PersonalizeMiddleware, clock: MovingClock, regular: Browser, numbers: Iterator[int]) -> None:
    """Some hundred pages, of visitors who are new and of one who always comes back, under rules that change."""
    for number in range(PAGES_OF_A_ROUND // PAGES_OF_A_VISITOR):
        browser = Browser(app, address=f"10.0.{next(numbers) % 250}.{number}")
        await browser.post("/_personalize/consent", YES)
        for _ in range(PAGES_OF_A_VISITOR // 2):
            clock.moment += timedelta(minutes=7)
            for each in (browser, regular):
                assert "The season" in (await each.get(f"/?n={next(numbers)}")).text
    await all_written(app)  # the log itself, read at once, would be what grows
    write_desk(app.personalizer.settings.root, rules=f"{RULES}# round {next(numbers)}\n")
    await published(app)


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="only Linux tells what a process has grown to")
@pytest.mark.trust(tries=ROUNDS * PAGES_OF_A_ROUND)
def test_what_a_site_holds_in_memory_does_not_grow_with_its_pages(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(link, "CACHE_KILOBYTES", SMALL_CACHE_KILOBYTES)
    serve(tmp_path, shop, ROUNDS)


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="only Linux tells what a process has grown to")
@pytest.mark.planted
def test_a_site_that_remembers_its_pages_is_found_out(tmp_path: Path) -> None:
    remembered = []

    async def forgetless(request: Request) -> Response:
        remembered.append([request.scope["path"]])
        remembered.append([request.scope["query_string"]])
        return await shop(request)

    with pytest.raises(AssertionError):
        serve(tmp_path, forgetless, 2)


def serve(folder: Path, page: Callable[[Request], Awaitable[Response]], rounds: int) -> None:
    """Serve so many rounds of pages; of the second half nothing is left but what the log holds."""

    async def all_rounds() -> None:
        write_desk(folder)
        clock = MovingClock(datetime(2026, 11, 22, tzinfo=UTC))
        app = wrap(Starlette(routes=[Route("/{rest:path}", page)]), desk_settings(folder), clock=clock)
        async with running(app):
            await published(app)
            regular, numbers = Browser(app), count()
            await regular.post("/_personalize/consent", YES)
            for _ in range(rounds // 2):
                await a_round(app, clock, regular, numbers)
            warm = Life()
            for _ in range(rounds // 2):
                await a_round(app, clock, regular, numbers)
            then = Life()
            pages = PAGES_OF_A_ROUND * (rounds // 2)
            assert (then.files, then.threads, then.tasks) == (warm.files, warm.threads, warm.tasks)
            assert then.objects - warm.objects < pages
            assert rounds < ROUNDS_TO_BE_WARM or then.memory - warm.memory < MOST_BYTES_A_PAGE * pages
            largest = max([len(encode_profile(one)) async for one in app.personalizer.store.profiles()])
            assert largest < LARGEST_PROFILE
            assert (folder / "store.db-wal").stat().st_size < LARGEST_LOG_AHEAD
            assert sum(app.personalizer.health.failures.values()) == 0

    asyncio.run(all_rounds())
