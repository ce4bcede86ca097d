"""How a worker is doing, for people who run the site."""

import asyncio
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from personalize.compiled import IS_COMPILED
from personalize.stores.memory.store import MemoryStore
from personalize.stores.protocols import Export, Switch
from personalize.web.middleware import PersonalizeMiddleware
from personalize.wrap import wrap
from tests.desk import desk_settings, published, write_desk
from tests.driver import Browser, running
from tests.stores.faulty import Fault, FaultyStore

PAGE = '<div data-slot="hero">Default</div><div data-slot="season">Own</div><div data-slot="nowhere">Mine</div>'


async def home(request: Request) -> Response:
    """A page with three slots, one of which nobody defines."""
    return HTMLResponse(PAGE)


def site() -> Starlette:
    """The bare site."""
    return Starlette(routes=[Route("/", home)])


def test_it_tells_what_became_of_slots_and_that_all_is_well(tmp_path: Path) -> None:
    async def run() -> None:
        write_desk(tmp_path)
        app = wrap(site(), desk_settings(tmp_path))
        async with running(app):
            await published(app)
            browser = Browser(app)
            await browser.get("/")
            await browser.get("/?utm_source=newsletter")
            reply = await browser.get("/_personalize/health")
            told = json.loads(reply.text)
            assert (reply.status, reply.header("cache-control")) == (200, "no-store")
            assert reply.header("content-type") == "application/json"
            assert told["slots"]["hero"] == {"default": 1, "filled": 1}
            assert told["slots"]["season"] == {"filled": 2}
            assert told["slots"]["nowhere"]["unknown_slot"] == 2
            assert told["version"] == app.personalizer.rule_set.version  # type: ignore[union-attr]
            assert (told["off"], told["store_answers"], told["pending"]) == (False, True, None)
            assert told["compiled"] == IS_COMPILED
            assert (told["skipped"], told["failures"], told["last_failure"]) == ({}, {}, None)
            none = dict.fromkeys(["written", "conflicting", "waiting", "dropped", "failed_batches"], 0)
            assert (told["events"], told["units_changed"]) == (none, 0)

    asyncio.run(run())


def test_it_tells_that_the_store_does_not_answer_and_that_personalizing_is_off(tmp_path: Path) -> None:
    async def run() -> None:
        write_desk(tmp_path)
        store = FaultyStore()
        app = wrap(site(), desk_settings(tmp_path), store=store)
        async with running(app):
            await published(app)
            browser = Browser(app)
            await browser.post("/_personalize/consent", {"grant": "measure personalize"})
            store.fault = Fault.REFUSES
            for _ in range(6):
                await browser.get("/")
            await store.set_switch(Switch(off=True, at=app.personalizer.clock.now(), by="ann"))
            await app.personalizer.refresh()
            told = json.loads((await browser.get("/_personalize/health")).text)
            assert (told["off"], told["store_answers"]) == (True, False)
            assert told["failures"] == {"the profile could not be read": 6}
            assert told["last_failure"]["error"] == "StoreBusy"

    asyncio.run(run())


def test_it_tells_when_the_newest_backup_was_done(tmp_path: Path) -> None:
    async def told(app: PersonalizeMiddleware) -> object:
        await app.personalizer.refresh()
        return json.loads((await Browser(app).get("/_personalize/health")).text)["backed_up_at"]

    async def run() -> None:
        write_desk(tmp_path)
        store, begun = MemoryStore(), datetime(2026, 6, 1, 3, tzinfo=UTC)
        for number, what in enumerate(["backup", "backup", "log"]):
            at = begun + timedelta(days=number)
            await store.note_export(Export(f"e{number}", at, "a timer", what, "/mnt", at + timedelta(minutes=1)))
        broken_off = Export("e9", begun + timedelta(days=9), "a timer", "backup", "/mnt")
        await store.note_export(broken_off)
        app = wrap(site(), desk_settings(tmp_path), store=store)
        async with running(app):
            assert await told(app) == "2026-06-02T03:01:00+00:00"
            metrics = await Browser(app).get("/_personalize/metrics")
            assert "personalize_backup_timestamp_seconds{" in metrics.text
        app = wrap(site(), desk_settings(tmp_path), store=MemoryStore())
        async with running(app):
            assert await told(app) is None

    asyncio.run(run())
