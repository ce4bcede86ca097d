"""A site with Litestar: its own session says who is logged in."""

import asyncio
from collections.abc import AsyncIterator
from typing import Annotated, Any

from litestar import Litestar, Request, get, post, websocket
from litestar.background_tasks import BackgroundTask
from litestar.connection import WebSocket
from litestar.contrib.jinja import JinjaTemplateEngine
from litestar.enums import RequestEncodingType
from litestar.middleware.session.client_side import CookieBackendConfig
from litestar.params import Body
from litestar.response import Redirect, Response, Stream, Template
from litestar.static_files import create_static_files_router
from litestar.template import TemplateConfig

from personalize import Scope, page_view_of, wrap
from tests.served.sites.markup import PAGES, PARTS, STATIC

Fields = Annotated[dict[str, str], Body(media_type=RequestEncodingType.URL_ENCODED)]
sessions = CookieBackendConfig(secret=b"16 bytes, or 24.")
templates = TemplateConfig(directory=PAGES, engine=JinjaTemplateEngine)
worked: list[str] = []


@get("/")
async def home() -> Template:
    """A page from a template."""
    return Template("home.html")


@get("/streamed")
async def streamed() -> Stream:
    """A page in parts."""

    async def parts() -> AsyncIterator[str]:
        for part in PARTS:
            yield part
            await asyncio.sleep(0)

    return Stream(parts(), media_type="text/html")


@get("/data.json")
async def data() -> dict[str, str]:
    """No page."""
    return {"html": PARTS[1]}


@post("/login")
async def log_in(request: Request[Any, Any, Any], data: Fields) -> Redirect:
    """A form that logs somebody in."""
    request.set_session({"user_id": data["name"]})
    page_view_of(request.scope).set(first_name=data["name"].title(), tier="gold")
    return Redirect("/", status_code=303)


@post("/buy")
async def buy(request: Request[Any, Any, Any], data: Fields) -> Redirect:
    """A form that buys something."""
    page_view_of(request.scope).record("purchase", amount=data["amount"])
    return Redirect("/", status_code=303)


@get("/hero")
async def hero(request: Request[Any, Any, Any]) -> list[str]:
    """A decision in code."""
    return list((await page_view_of(request.scope).slot("hero")).item_ids)


@get("/work")
async def work() -> Response[str]:
    """A page, and work that goes on behind it."""
    return Response(PARTS[1], media_type="text/html", background=BackgroundTask(worked.append, "done"))


@get("/worked")
async def has_worked() -> list[str]:
    """What was done behind pages."""
    return worked


@websocket("/echo")
async def echo(socket: WebSocket[Any, Any, Any]) -> None:
    """Says what it hears."""
    await socket.accept()
    await socket.send_text(await socket.receive_text())
    await socket.close()


def login(scope: Scope) -> str | None:
    """Who is logged in."""
    return (scope.get("session") or {}).get("user_id")


static = create_static_files_router("/static", directories=[STATIC])
site = Litestar(
    [
        home,
        streamed,
        data,
        log_in,
        buy,
        hero,
        work,
        has_worked,
        echo,
        create_static_files_router("/static", directories=[STATIC]),
    ],
    template_config=templates,
    middleware=[sessions.middleware],
)
app = wrap(site, login=login)
app.teach(site.template_engine.engine)
