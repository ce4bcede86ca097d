"""A site with Quart: its session is put into the scope before each request."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

from quart import Quart, redirect, render_template, request, session, websocket

from personalize import Scope, page_view_of, wrap
from tests.served.sites.markup import PAGES, PARTS, STATIC

site = Quart(__name__, template_folder=str(PAGES), static_folder=str(STATIC))
site.secret_key = "a test's"
worked: list[str] = []


@site.before_request
def show_session() -> None:
    """Leaves the session where it is found; what a view puts into it later is seen, too."""
    request.scope["session"] = session._get_current_object()


def login(scope: Scope) -> str | None:
    """Who is logged in."""
    return scope.get("session", {}).get("user_id")


@site.get("/")
async def home() -> str:
    """A page from a template."""
    return await render_template("home.html")


@site.get("/streamed")
async def streamed() -> Any:
    """A page in parts."""

    async def parts() -> AsyncIterator[str]:
        for part in PARTS:
            yield part
            await asyncio.sleep(0)

    return parts(), {"content-type": "text/html"}


@site.get("/data.json")
async def data() -> dict[str, str]:
    """No page."""
    return {"html": PARTS[1]}


@site.post("/login")
async def log_in() -> Any:
    """A form that logs somebody in."""
    session["user_id"] = (await request.form)["name"]
    page_view_of(request.scope).set(first_name=session["user_id"].title(), tier="gold")
    return redirect("/", 303)


@site.post("/buy")
async def buy() -> Any:
    """A form that buys something."""
    page_view_of(request.scope).record("purchase", amount=(await request.form)["amount"])
    return redirect("/", 303)


@site.get("/hero")
async def hero() -> list[str]:
    """A decision in code."""
    return list((await page_view_of(request.scope).slot("hero")).item_ids)


@site.get("/work")
async def work() -> str:
    """A page, and work that goes on behind it."""
    site.add_background_task(worked.append, "done")
    return PARTS[1]


@site.get("/worked")
async def has_worked() -> list[str]:
    """What was done behind pages."""
    return worked


@site.websocket("/echo")
async def echo() -> None:
    """Says what it hears."""
    await websocket.send(await websocket.receive())


app = wrap(site, login=login)
app.teach(site.jinja_env)
