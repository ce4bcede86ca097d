"""A site with FastAPI: a dependency finds out who is logged in, and leaves it in the request's state."""

import asyncio
from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import BackgroundTasks, Depends, FastAPI, Form, Request, Response, WebSocket
from fastapi.responses import HTMLResponse, RedirectResponse, StreamingResponse
from fastapi.staticfiles import StaticFiles
from fastapi.templating import Jinja2Templates

from personalize import PageView, Scope, page_view_of, wrap
from tests.served.sites.markup import PAGES, PARTS, STATIC

templates = Jinja2Templates(PAGES)
worked: list[str] = []


def who(request: Request) -> None:
    """A login that is found out inside of the site."""
    request.state.user_id = request.cookies.get("login")


def page_view(request: Request) -> PageView:
    """The page view, as a dependency."""
    return page_view_of(request.scope)


def login(scope: Scope) -> str | None:
    """Who is logged in."""
    return scope["state"].get("user_id")


Seen = Annotated[PageView, Depends(page_view)]
site = FastAPI()
pages = [Depends(who)]


@site.get("/", dependencies=pages)
def home(request: Request) -> Response:
    """A page from a template, made in a thread."""
    return templates.TemplateResponse(request, "home.html")


@site.get("/streamed", dependencies=pages)
async def streamed() -> Response:
    """A page in parts."""

    async def parts() -> AsyncIterator[str]:
        for part in PARTS:
            yield part
            await asyncio.sleep(0)

    return StreamingResponse(parts(), media_type="text/html")


@site.get("/data.json")
async def data() -> dict[str, str]:
    """No page."""
    return {"html": PARTS[1]}


@site.post("/login", dependencies=pages)
async def log_in(request: Request, name: Annotated[str, Form()], seen: Seen) -> Response:
    """A form that logs somebody in."""
    request.state.user_id = name
    seen.set(first_name=name.title(), tier="gold")
    reply = RedirectResponse("/", 303)
    reply.set_cookie("login", name)
    return reply


@site.post("/buy", dependencies=pages)
def buy(amount: Annotated[str, Form()], seen: Seen) -> Response:
    """A form that buys something."""
    seen.record("purchase", amount=amount)
    return RedirectResponse("/", 303)


@site.get("/hero", dependencies=pages)
async def hero(seen: Seen) -> tuple[str, ...]:
    """A decision in code."""
    return (await seen.slot("hero")).item_ids


@site.get("/work")
async def work(background: BackgroundTasks) -> Response:
    """A page, and work that goes on behind it."""
    background.add_task(worked.append, "done")
    return HTMLResponse(PARTS[1])


@site.get("/worked")
async def has_worked() -> list[str]:
    """What was done behind pages."""
    return worked


@site.websocket("/echo")
async def echo(socket: WebSocket) -> None:
    """Says what it hears."""
    await socket.accept()
    await socket.send_text(await socket.receive_text())
    await socket.close()


site.mount("/static", StaticFiles(directory=STATIC))
app = wrap(site, login=login)
app.teach(templates.env)
