"""What the script of a page tells: who is believed, what is counted, and what is kept of it."""

import asyncio
import re
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.responses import HTMLResponse
from starlette.routing import Route

from personalize.web.middleware import PersonalizeMiddleware
from personalize.wrap import wrap
from tests.desk import desk_settings, published, write_desk, written
from tests.driver import Browser, Reply, running

PAGE = '<!doctype html><title>Shop</title><div data-slot="season">D</div><p data-slot=hero>No</p>'
VIEW = "0123456789abcdef0123456789abcdef"
Body = Callable[[PersonalizeMiddleware], Coroutine[Any, Any, None]]


async def page(_: Any) -> HTMLResponse:
    return HTMLResponse(PAGE, headers={"cache-control": "public, max-age=60"})


FOR_ALL = "slots: {season: {rules: [{id: always, show: things/season}]}}"


def counting(folder: Path, body: Body, **more: object) -> None:
    """Run `body` on a site that counts which slots came into view."""
    if more.get("cache_mode") == "variants":
        write_desk(folder, rules=FOR_ALL, items={"season": "The season"})
    else:
        write_desk(folder)
    settings = desk_settings(folder, **{"store": "memory:", "count_seen": True, **more})
    app = wrap(Starlette(routes=[Route("/", page)]), settings)

    async def run() -> None:
        async with running(app):
            await published(app)
            await body(app)

    asyncio.run(run())


def mark_in(reply: Reply) -> str:
    """What the page carries for its script to tell."""
    found = re.search(r'data-seen="([^"]+)"', reply.text)
    assert found is not None, reply.text
    return found[1]


async def known(app: PersonalizeMiddleware, granted: str = "personalize measure") -> Browser:
    """A browser whose visitor has agreed, and has shown that it keeps our cookie."""
    browser = Browser(app)
    await browser.post("/_personalize/consent", {"grant": granted})
    await browser.get("/")
    return browser


async def tell(browser: Browser, mark: str, view: str = VIEW, **more: Any) -> int:
    return (await browser.post("/_personalize/seen", {"view": view, "slot": mark}, **more)).status


async def seen_in(app: PersonalizeMiddleware) -> list[dict[str, Any]]:
    return [dict(event.properties) for event in await written(app) if event.type == "seen"]


def counted(app: PersonalizeMiddleware) -> int:
    return app.personalizer.health.slots.get("season", {}).get("seen", 0)


def test_a_slot_that_came_into_view_is_kept_with_what_stood_in_it(tmp_path: Path) -> None:
    async def body(app: PersonalizeMiddleware) -> None:
        browser = await known(app)
        assert await tell(browser, mark_in(await browser.get("/"))) == 204
        shown = {"slot": "season", "items": ["things/season"], "rule": "always"}
        assert await seen_in(app) == [{"slots": [shown]}]
        assert counted(app) == 1

    counting(tmp_path, body)


def test_the_same_view_told_twice_counts_once_and_another_one_again(tmp_path: Path) -> None:
    async def body(app: PersonalizeMiddleware) -> None:
        browser = await known(app)
        mark = mark_in(await browser.get("/"))
        for view in (VIEW, VIEW, VIEW[::-1]):
            assert await tell(browser, mark, view) == 204
        assert len(await seen_in(app)) == counted(app) == 2

    counting(tmp_path, body)


def test_another_worker_and_the_log_count_a_view_once_too(tmp_path: Path) -> None:
    async def body(app: PersonalizeMiddleware) -> None:
        browser = await known(app)
        mark = mark_in(await browser.get("/"))
        await tell(browser, mark)
        assert app._seen is not None
        app._seen._told.clear()  # as another worker's memory
        await tell(browser, mark)
        assert len(await seen_in(app)) == 1

    counting(tmp_path, body)


def test_of_strangers_it_is_counted_and_nothing_kept(tmp_path: Path) -> None:
    async def body(app: PersonalizeMiddleware) -> None:
        stranger = Browser(app)
        assert await tell(stranger, mark_in(await stranger.get("/"))) == 204
        without = await known(app, granted="personalize")
        assert await tell(without, mark_in(await without.get("/")), VIEW[::-1]) == 204
        assert await seen_in(app) == []
        assert counted(app) == 2
        assert not stranger.cookies

    counting(tmp_path, body)


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ([("sec-fetch-site", "cross-site")], 403),
        ([("user-agent", "Googlebot/2.1 (+http://www.google.com/bot.html)")], 204),
        ([("sec-purpose", "prefetch")], 204),
    ],
    ids=["of another site", "a robot", "fetched in advance"],
)
def test_whoever_is_no_visitor_is_not_counted(tmp_path: Path, headers: list[tuple[str, str]], status: int) -> None:
    async def body(app: PersonalizeMiddleware) -> None:
        browser = await known(app)
        mark = mark_in(await browser.get("/"))
        browser.headers = headers
        given = [("content-type", "application/x-www-form-urlencoded")]
        given += [] if headers[0][0] == "sec-fetch-site" else [("sec-fetch-site", "same-origin")]
        sent = f"view={VIEW}&slot={mark}".encode()
        reply = await browser.request("POST", "/_personalize/seen", headers=given, body=sent)
        assert reply.status == status
        assert await seen_in(app) == []
        assert counted(app) == 0

    counting(tmp_path, body)


def test_what_stood_on_no_page_is_refused(tmp_path: Path) -> None:
    async def body(app: PersonalizeMiddleware) -> None:
        browser = await known(app)
        mark = mark_in(await browser.get("/"))
        forged = mark.replace("season", "hero", 1)
        for view, slot in (
            (VIEW, forged),
            (VIEW, "season"),
            (VIEW, ""),
            ("x", mark),
            ("x" * 65, mark),
            ("../../é", mark),
        ):
            assert await tell(browser, slot, view) == 400
        assert await tell(browser, mark, VIEW + "x" * 4_000) == 400
        assert (await browser.get("/_personalize/seen")).status == 405
        assert await seen_in(app) == []

    counting(tmp_path, body)


def test_a_page_of_an_older_version_tells_of_its_slot_alone(tmp_path: Path) -> None:
    async def body(app: PersonalizeMiddleware) -> None:
        browser = await known(app)
        mark = mark_in(await browser.get("/"))
        rules = tmp_path / "rules" / "all.yaml"
        rules.write_text(rules.read_text() + "  other: {rules: []}\n")
        await published(app)
        assert await tell(browser, mark) == 204
        assert await seen_in(app) == [{"slots": [{"slot": "season", "items": [], "rule": None}]}]

    counting(tmp_path, body)


def test_a_mark_names_no_rule_and_no_item(tmp_path: Path) -> None:
    async def body(app: PersonalizeMiddleware) -> None:
        mark = mark_in(await Browser(app).get("/"))
        assert "always" not in mark
        assert "things" not in mark

    counting(tmp_path, body)


def test_one_address_may_tell_only_so_often(tmp_path: Path) -> None:
    async def body(app: PersonalizeMiddleware) -> None:
        browser = Browser(app)
        mark = mark_in(await browser.get("/"))
        told = [await tell(browser, mark, f"{VIEW}{number}") for number in range(5)]
        assert told == [204, 204, 204, 429, 429]
        assert counted(app) == 3
        assert await tell(Browser(app, address="10.0.0.9"), mark) == 204

    counting(tmp_path, body, cache_slot_requests_per_minute=3)


def test_the_script_is_fetched_once_and_for_ever(tmp_path: Path) -> None:
    async def body(app: PersonalizeMiddleware) -> None:
        browser = Browser(app)
        found = re.search(r'src="([^"]+)"', (await browser.get("/")).text)
        assert found is not None
        script = await browser.get(found[1])
        assert (script.status, script.header("cache-control")) == (200, "public, max-age=31536000, immutable")
        assert len(script.body) < 1024
        assert b"cookie" not in script.body
        old = await browser.get("/_personalize/seen-000000000000.js")
        assert (old.body, old.header("cache-control")) == (script.body, "public, max-age=300")

    counting(tmp_path, body)


def test_without_the_setting_nothing_of_it_is_there(tmp_path: Path) -> None:
    async def body(app: PersonalizeMiddleware) -> None:
        browser = Browser(app)
        assert "data-seen" not in (await browser.get("/")).text
        assert (await browser.post("/_personalize/seen", {"view": VIEW, "slot": "season"})).status == 404

    counting(tmp_path, body, count_seen=False)


@pytest.mark.parametrize("mode", ["variants", "fragments"])
def test_of_pages_that_caches_keep_it_is_counted_as_well(tmp_path: Path, mode: str) -> None:
    async def body(app: PersonalizeMiddleware) -> None:
        browser = await known(app)
        place = "/" if mode == "variants" else "/_personalize/slots?p=/&s=season"
        page = await browser.get(place)
        mark = mark_in(page) if mode == "variants" else re.findall(r'data-seen=\\"([^"\\]+)', page.text)[0]
        assert await tell(browser, mark) == 204
        assert len(await seen_in(app)) == counted(app) == 1

    counting(tmp_path, body, cache_mode=mode)
