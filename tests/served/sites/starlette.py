"""A site with Starlette: its session says who is logged in."""

import asyncio
from collections.abc import AsyncIterator

from starlette.applications import Starlette
from starlette.background import BackgroundTask
from starlette.middleware import Middleware
from starlette.middleware.sessions import SessionMiddleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response, StreamingResponse
from starlette.routing import Mount, Route, WebSocketRoute
from starlette.staticfiles import StaticFiles
from starlette.templating import Jinja2Templates
from starlette.websockets import WebSocket

from personalize import Scope, wrap
from tests.served.sites.bare import bare
from tests.served.sites.markup import PAGES, PARTS, STATIC

templates = Jinja2Templates(PAGES)
worked: list[str] = []


async def home(request: Request) -> Response:
    """A page from a template."""
    return templates.TemplateResponse(request, "home.html")


async def streamed(request: Request) -> Response:
    """A page in parts."""

    async def parts() -> AsyncIterator[str]:
        for part in PARTS:
            yield part
            await asyncio.sleep(0)

    return StreamingResponse(parts(), media_type="text/html")


async def data(request: Request) -> Response:
    """No page."""
    return JSONResponse({"html": PARTS[1]})


async def log_in(request: Request) -> Response:
    """A form that logs somebody in."""
    request.session["user_id"] = (await request.form())["name"]
    request.state.page_view.set(first_name=request.session["user_id"].title(), tier="gold")
    return RedirectResponse("/", 303)


async def buy(request: Request) -> Response:
    """A form that buys something."""
    request.state.page_view.record("purchase", amount=(await request.form())["amount"])
    return RedirectResponse("/", 303)


async def hero(request: Request) -> Response:
    """A decision in code."""
    decision = await request.state.page_view.slot("hero")
    return JSONResponse(decision.item_ids)


async def work(request: Request) -> Response:
    """A page, and work that goes on behind it."""
    return HTMLResponse(PARTS[1], background=BackgroundTask(worked.append, "done"))


async def echo(socket: WebSocket) -> None:
    """Says what it hears."""
    await socket.accept()
    await socket.send_text(await socket.receive_text())
    await socket.close()


async def has_worked(request: Request) -> Response:
    """What was done behind pages."""
    return JSONResponse(worked)


routes = [
    Route("/", home),
    Route("/streamed", streamed),
    Route("/data.json", data),
    Route("/login", log_in, methods=["POST"]),
    Route("/buy", buy, methods=["POST"]),
    Route("/hero", hero),
    Route("/work", work),
    Route("/worked", has_worked),
    WebSocketRoute("/echo", echo),
    Mount("/bare", bare),
    Mount("/static", StaticFiles(directory=STATIC, html=True)),
]


def login(scope: Scope) -> str | None:
    """Who is logged in."""
    return scope.get("session", {}).get("user_id")


app = wrap(Starlette(routes=routes, middleware=[Middleware(SessionMiddleware, secret_key="a test's")]), login=login)
app.teach(templates.env)
