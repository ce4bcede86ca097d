"""A small site for tests of caches: a page with slots, things that are no pages, and a login by name."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response, StreamingResponse
from starlette.routing import Route

from personalize.runtime.clock import FixedClock
from personalize.runtime.sources import Scope
from personalize.web.middleware import PersonalizeMiddleware
from personalize.wrap import wrap
from tests.desk import desk_settings, published, write_desk
from tests.driver import App, Browser, running

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
KEY = "pXv7Qm2ZrT9bLw4KcN8dHs6JfY3gA5eU"
PAGE = '<!doctype html><h1>Shop</h1><div data-slot="hero">Default</div><div data-slot="season">Default</div>'
Body = Callable[[PersonalizeMiddleware], Coroutine[Any, Any, None]]


class Headers(dict[str, str]):
    """What the site says beside its pages, which a test may change."""


HEADERS = Headers()


def login(scope: Scope) -> str | None:
    """The login as the site knows it by now: of the request, or of what it has just done."""
    known = scope.get("state", {}).get("login")
    sent = next((value.decode() for name, value in scope["headers"] if name == b"x-login"), None)
    return sent if known is None else known or None


async def page(request: Request) -> Response:
    """The page with its slots."""
    request.app.state.renders.append(request.url.path)
    return HTMLResponse(PAGE, headers=HEADERS)


async def plain(request: Request) -> Response:
    """A page without any slot."""
    request.app.state.renders.append(request.url.path)
    return HTMLResponse("<p>Plain</p>", headers={"cache-control": "public, s-maxage=600", **HEADERS})


async def parts(request: Request) -> Response:
    """The same page in parts, with a pause between them, its slots at the end."""

    async def sent() -> AsyncIterator[str]:
        yield "<!doctype html>"
        await asyncio.sleep(0.08)
        yield PAGE

    return StreamingResponse(sent(), media_type="text/html", headers=HEADERS)


async def other(request: Request) -> Response:
    """What is no page: by its name."""
    kinds = {"css": "text/css", "svg": "image/svg+xml", "js": "text/javascript", "json": "application/json"}
    kind = kinds[request.path_params["name"].rpartition(".")[2]]
    return Response(PAGE, media_type=kind, headers={"cache-control": "public, max-age=600"})


async def moved(request: Request) -> Response:
    """A redirect."""
    return RedirectResponse("/")


async def signs_in(request: Request) -> Response:
    """Log in as somebody, or out as nobody."""
    request.state.login = request.query_params.get("as", "")
    return RedirectResponse("/", 303)


async def told(request: Request) -> Response:
    """Tells of itself who somebody is."""
    request.state.page_view.set(first_name=request.query_params["name"], tier="gold")
    return RedirectResponse("/", 303)


async def decided(request: Request) -> Response:
    """Shows a decision itself."""
    decision = await request.state.page_view.slot("hero")
    return JSONResponse(list(decision.item_ids))


async def seen(request: Request) -> Response:
    """What the site sees of a request."""
    return JSONResponse(sorted(name.lower() for name in request.headers if name.lower().startswith(("x-", "cookie"))))


def site() -> Starlette:
    """The bare site."""
    routes = [
        Route("/", page, methods=["GET", "POST"]),
        Route("/plain", plain),
        Route("/parts", parts),
        Route("/assets/{name}", other),
        Route("/moved", moved),
        Route("/login", signs_in, methods=["POST"]),
        Route("/told", told, methods=["POST"]),
        Route("/decided", decided),
        Route("/seen", seen),
        Route("/{anything:path}", page),
    ]
    bare = Starlette(routes=routes)
    bare.state.renders = []
    return bare


def run(
    folder: Path,
    body: Body,
    rules: str,
    *,
    items: dict[str, str] | None = None,
    around: Callable[[App], App] = lambda app: app,
    **settings: object,
) -> None:
    """Run a coroutine against the wrapped, started and published site, whose clock stands at `NOW`. `around` puts
    something between the site and us."""
    HEADERS.clear()

    async def all_of_it() -> None:
        write_desk(folder, rules=rules)
        for name, front in (items or {}).items():
            (folder / "content" / "things" / f"{name}.md").write_text(f"---\n{front}\n---\n", encoding="utf-8")
        app = wrap(around(site()), desk_settings(folder, **settings), login=login, clock=FixedClock(NOW))
        async with running(app):
            await published(app)
            await body(app)

    asyncio.run(asyncio.wait_for(all_of_it(), 60))


async def consenting(app: App, *, headers: list[tuple[str, str]] | None = None) -> Browser:
    """A browser whose visitor has said yes."""
    browser = Browser(app, headers=headers or [])
    await browser.post("/_personalize/consent", {"grant": "measure personalize"})
    return browser


def in_seconds(seconds: int) -> str:
    """A moment so long from now, as rules and items write it."""
    return (NOW + timedelta(seconds=seconds)).strftime("%Y-%m-%dT%H:%M:%SZ")
