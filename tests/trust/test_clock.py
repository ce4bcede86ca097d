"""The machine's clock jumps: every page is served, and everything is counted once, in the order of the log."""

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from personalize.wrap import wrap
from tests.desk import desk_settings, published, write_desk, written
from tests.driver import Browser, running
from tests.trust.moving_clock import MovingClock

pytestmark = pytest.mark.trust
NOON = datetime(2026, 10, 24, 12, tzinfo=UTC)
#: Backwards and forwards, to days without an hour and days with one twice, over the end of 32-bit time.
JUMPS = {
    "a second back": NOON - timedelta(seconds=1),
    "an hour back": NOON - timedelta(hours=1),
    "a year back": NOON - timedelta(days=365),
    "the beginning of time": datetime(1970, 1, 1, tzinfo=UTC),
    "before the beginning of time": datetime(1969, 12, 31, 23, 59, tzinfo=UTC),
    "the hour that comes twice": datetime(2026, 10, 25, 0, 30, tzinfo=UTC),
    "the hour that is left out": datetime(2027, 3, 28, 1, 30, tzinfo=UTC),
    "a leap day": datetime(2028, 2, 29, 23, 59, tzinfo=UTC),
    "the end of 32 bits": datetime(2038, 1, 19, 3, 14, 8, tzinfo=UTC),
    "a century on": datetime(2126, 1, 1, tzinfo=UTC),
}


async def shop(request: Request) -> Response:
    """A page on which whoever comes buys something."""
    request.state.page_view.record("purchase", amount="10", category="tents")
    return HTMLResponse('<div data-slot="hero">Default</div><div data-slot="season">Default</div>')


@pytest.mark.parametrize("there", JUMPS.values(), ids=JUMPS)
def test_wherever_the_clock_jumps_pages_are_served_and_events_count_once(tmp_path: Path, there: datetime) -> None:
    jump(tmp_path, there)


@pytest.mark.planted
@pytest.mark.sources
def test_ids_that_the_clock_alone_makes_are_found_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("personalize.runtime.page_events.minted_event_id", lambda at, chance: at.isoformat())
    with pytest.raises(AssertionError):
        jump(tmp_path, JUMPS["an hour back"])


def jump(folder: Path, there: datetime) -> None:
    """Let somebody buy while the clock goes there and back, and look at what was kept."""

    async def visits() -> None:
        write_desk(folder)
        clock = MovingClock(NOON)
        settings = desk_settings(folder, zone="Europe/Oslo")
        app = wrap(Starlette(routes=[Route("/", shop)]), settings, clock=clock)
        async with running(app):
            await published(app)
            browser = Browser(app)
            await browser.post("/_personalize/consent", {"grant": "measure personalize", "back": "/"})
            for moment in (NOON, there, NOON + timedelta(minutes=1), there, NOON + timedelta(minutes=2)):
                clock.moment = moment
                reply = await browser.get("/")
                assert reply.status == 200 and "The season" in reply.text
                await written(app)
            assert "What goes with a tent" in (await browser.get("/")).text
            assert sum(app.personalizer.health.failures.values()) == 0
            log = [event async for event in app.personalizer.store.log()]
            assert len({(event.sender, event.event_id) for event in log}) == len(log)
            (profile,) = [one async for one in app.personalizer.store.profiles()]
            assert profile.totals["purchase"].count == 5
            assert profile.first_seen_at == min(NOON, there)
            assert profile.visit is not None and 1 <= profile.visit.number <= 3

    asyncio.run(visits())
