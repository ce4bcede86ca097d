"""Where `wrap` may stand: around the site, or among the middleware of a framework."""

import asyncio
import gzip
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, Response
from starlette.routing import Mount, Route

from personalize.web.middleware import PersonalizeMiddleware
from personalize.wrap import wrap
from tests.desk import desk_settings, write_desk
from tests.driver import Browser, Reply, running

PAGE = f'<!doctype html><div data-slot="hero">Default</div>{"<p>and more</p>" * 100}'
LETTER = "/?utm_source=newsletter"
COMPRESSED = [("accept-encoding", "gzip")]


async def home(request: Request) -> Response:
    """A page with a slot."""
    return HTMLResponse(PAGE)


async def notice(request: Request) -> Response:
    """Where the consent form goes, and what it leads back to."""
    notice = request.state.page_view.notice
    return PlainTextResponse(f"{notice.action} {notice.fields['back']}")


def replies(app: Any, *paths: str, mounted: PersonalizeMiddleware | None = None) -> list[Reply]:
    """What a browser that takes compressed pages is given, one page after the other. Nobody tells an app that is
    `mounted` of the end."""

    async def all_of_it() -> list[Reply]:
        async with running(app):
            found = [await Browser(app).get(path, headers=COMPRESSED) for path in paths]
            if mounted is not None:
                await mounted.personalizer.stop()
            return found

    return asyncio.run(all_of_it())


def test_inside_of_compression_pages_are_filled_and_compressed(tmp_path: Path) -> None:
    write_desk(tmp_path)
    settings = desk_settings(tmp_path, store="memory:", reload="save")
    middleware = [Middleware(GZipMiddleware), Middleware(wrap, settings)]
    page, health = replies(Starlette(routes=[Route("/", home)], middleware=middleware), LETTER, "/_personalize/health")
    assert page.header("content-encoding") == "gzip"
    assert gzip.decompress(page.body).decode() == PAGE.replace("Default", "<b>From the letter</b>")
    assert health.status == 200


def test_around_compression_pages_are_filled_and_not_compressed(tmp_path: Path) -> None:
    write_desk(tmp_path)
    site = Starlette(routes=[Route("/", home)], middleware=[Middleware(GZipMiddleware)])
    (page,) = replies(wrap(site, desk_settings(tmp_path, store="memory:", reload="save")), LETTER)
    assert page.header("content-encoding") is None
    assert page.text == PAGE.replace("Default", "<b>From the letter</b>")


def test_a_wrapped_site_may_be_mounted_in_another(tmp_path: Path) -> None:
    write_desk(tmp_path)
    settings = desk_settings(tmp_path, store="memory:", reload="save")
    app = wrap(Starlette(routes=[Route("/", home), Route("/notice", notice)]), settings)
    outside = Starlette(routes=[Mount("/shop", app)])
    page, told, health = replies(outside, f"/shop{LETTER}", "/shop/notice", "/shop/_personalize/health", mounted=app)
    assert page.text == PAGE.replace("Default", "<b>From the letter</b>")
    assert told.text == "/shop/_personalize/consent /shop/notice"
    assert health.status == 200


@pytest.mark.parametrize("times", [1, 2])
def test_fastapi_adds_it_as_any_middleware_and_twice_does_no_harm(tmp_path: Path, times: int) -> None:
    write_desk(tmp_path)
    site = FastAPI()
    site.add_api_route("/", home)
    for _ in range(times):
        site.add_middleware(wrap, desk_settings(tmp_path, store="memory:", reload="save"))
    (page,) = replies(site, LETTER)
    assert page.text == PAGE.replace("Default", "<b>From the letter</b>")
    assert page.all("cache-control") == ["private, no-store"]
