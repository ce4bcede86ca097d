"""What only a site without a framework does: it speaks to the server as the ASGI specification lets it."""

import asyncio
import hashlib
import json
from collections.abc import Awaitable, Callable
from typing import Any

from personalize import page_view_of
from tests.served.sites.markup import PARTS

HTML = [(b"Content-Type", b"text/html; charset=utf-8")]
TEXT = [(b"content-type", b"text/plain")]
noted: list[str] = []
may_go_on = asyncio.Event()

Scope, Receive, Send = Any, Callable[[], Awaitable[Any]], Callable[[Any], Awaitable[None]]


async def bare(scope: Scope, receive: Receive, send: Send) -> None:
    """Answer by the last part of the path."""
    if scope["type"] == "websocket":
        await refuse(receive, send)
    else:
        await ANSWERS[scope["path"].rpartition("/")[2]](scope, receive, send)


async def reply(send: Send, text: str, headers: list[tuple[bytes, bytes]] = TEXT) -> None:
    """A whole response."""
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": text.encode()})


async def hinted(scope: Scope, receive: Receive, send: Send) -> None:
    """A page with a hint before it and trailers behind it, as far as the server knows of them."""
    knows = scope.get("extensions") or {}
    if "http.response.early_hint" in knows:
        await send({"type": "http.response.early_hint", "links": [b"</static/site.css>; rel=preload"]})
    has_trailers = "http.response.trailers" in knows
    await send({"type": "http.response.start", "status": 200, "headers": HTML, "trailers": has_trailers})
    await send({"type": "http.response.body", "body": PARTS[1].encode()})
    if has_trailers:
        await send({"type": "http.response.trailers", "headers": [(b"server-timing", b"all;dur=1")]})


async def seen(scope: Scope, receive: Receive, send: Send) -> None:
    """What the site sees of a request, and what we see of it."""
    view = page_view_of(scope)
    await reply(
        send,
        json.dumps(
            {
                "cookies": [value.decode() for name, value in scope["headers"] if name.lower() == b"cookie"],
                "consent": sorted(view.consent.granted or ()),
                "version": scope["http_version"],
                "knows": sorted(scope.get("extensions") or {}),
            }
        ),
    )


async def digest(scope: Scope, receive: Receive, send: Send) -> None:
    """The SHA-256 of what was sent."""
    summed, more = hashlib.sha256(), True
    while more:
        message = await receive()
        summed.update(message.get("body", b""))
        more = message.get("more_body", False)
    await reply(send, summed.hexdigest())


async def paused(scope: Scope, receive: Receive, send: Send) -> None:
    """A page whose second part waits until it is told to go on."""
    may_go_on.clear()
    await send({"type": "http.response.start", "status": 200, "headers": HTML})
    for part in (PARTS[0], PARTS[1] + PARTS[4]):
        await send({"type": "http.response.body", "body": part.encode(), "more_body": True})
        await may_go_on.wait()
    await send({"type": "http.response.body"})


async def go_on(scope: Scope, receive: Receive, send: Send) -> None:
    """Tell it."""
    may_go_on.set()
    await reply(send, "")


async def endless(scope: Scope, receive: Receive, send: Send) -> None:
    """A page without an end; that its reader has left is noted."""
    await receive()
    await send({"type": "http.response.start", "status": 200, "headers": HTML})
    left = asyncio.create_task(receive())  # type: ignore[arg-type]
    try:
        while not left.done():
            await send({"type": "http.response.body", "body": b"<p>on and on</p>" * 100, "more_body": True})
            await asyncio.sleep(0.005)
        noted.append((await left)["type"])
    except BaseException as error:
        noted.append(type(error).__name__)
        left.cancel()
        raise


async def notes(scope: Scope, receive: Receive, send: Send) -> None:
    """What was noted."""
    await reply(send, json.dumps(noted))


async def fails_before(scope: Scope, receive: Receive, send: Send) -> None:
    """An error before anything has left."""
    raise RuntimeError("the site's own error")


async def fails_midway(scope: Scope, receive: Receive, send: Send) -> None:
    """An error in the midst of a page."""
    await send({"type": "http.response.start", "status": 200, "headers": HTML})
    await send({"type": "http.response.body", "body": PARTS[1].encode(), "more_body": True})
    raise RuntimeError("the site's own error")


async def refuse(receive: Receive, send: Send) -> None:
    """No socket here: a page says so, with a mark in it that is none of ours to fill."""
    await receive()
    await send({"type": "websocket.http.response.start", "status": 403, "headers": HTML})
    await send({"type": "websocket.http.response.body", "body": PARTS[1].encode()})


ANSWERS = {
    "hinted": hinted,
    "seen": seen,
    "digest": digest,
    "paused": paused,
    "go-on": go_on,
    "endless": endless,
    "notes": notes,
    "fails-before": fails_before,
    "fails-midway": fails_midway,
}
