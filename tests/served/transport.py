"""A site that speaks ASGI by itself, bare and wrapped, for comparing what leaves over a socket."""

import asyncio
import hashlib
import json
import resource
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

from starlette.requests import Request
from starlette.responses import StreamingResponse

from personalize import wrap

HTML = [
    (b"Content-Type", b"text/html; charset=utf-8"),
    (b"ETag", b'"1"'),
    (b"Set-Cookie", b"a=1"),
    (b"set-cookie", b"b=2"),
]
SLOT = b'<div data-slot="hero">D</div>'
CHUNK = b"<p>" + b"x" * 65_529 + b"</p>"
CHUNKS = 3_200

Send = Callable[[dict[str, Any]], Awaitable[None]]
figures = {"in flight": 0, "chunks": 0, "chunks of all": CHUNKS}


async def answer(send: Send, data: bytes, *, status: int = 200, headers: Any = HTML, more: bool = False) -> None:
    """A response in one piece, or its beginning."""
    length = [] if more else [(b"Content-Length", str(len(data)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": [*headers, *length]})
    await send({"type": "http.response.body", "body": data, "more_body": more})


async def page(scope: Any, receive: Any, send: Send) -> None:
    """A page with a slot."""
    await answer(send, b"<!doctype html>" + SLOT + b"<p>end")


async def plain(scope: Any, receive: Any, send: Send) -> None:
    """A page without."""
    await answer(send, b"<!doctype html><p>caf\xc3\xa9 <div data-slot=nobody>D</div>")


async def missing(scope: Any, receive: Any, send: Send) -> None:
    """An error page of the site."""
    await answer(send, SLOT, status=404)


async def fails_at_once(scope: Any, receive: Any, send: Send) -> None:
    """Raises before anything is sent."""
    raise RuntimeError("planted")


async def fails_behind_the_head(scope: Any, receive: Any, send: Send) -> None:
    """Raises when the head is sent."""
    await send({"type": "http.response.start", "status": 200, "headers": HTML})
    raise RuntimeError("planted")


async def fails_in_mid_page(scope: Any, receive: Any, send: Send) -> None:
    """Raises behind the first part, and in the middle of a tag."""
    await answer(send, b"<p>a</p><div data-sl", more=True)
    raise RuntimeError("planted")


async def fails_in_a_late_part(scope: Any, receive: Any, send: Send) -> None:
    """Raises when the page was looked at for long enough."""
    await answer(send, b"<p>a</p>", more=True)
    await asyncio.sleep(0.1)
    await send({"type": "http.response.body", "body": b"<p>b</p><div data-sl", "more_body": True})
    raise RuntimeError("planted")


async def never_ends(scope: Any, receive: Any, send: Send) -> None:
    """Returns without an end."""
    await answer(send, b"<p>a</p>", more=True)


async def upload(scope: Any, receive: Any, send: Send) -> None:
    """Tells what it was sent."""
    digest, more = hashlib.sha256(), True
    while more:
        message = await receive()
        digest.update(message.get("body", b""))
        more = message.get("more_body", False)
    await answer(send, digest.hexdigest().encode(), headers=[(b"content-type", b"text/plain")])


async def endless(scope: Any, receive: Any, send: Send) -> None:
    """A page without an end, for as long as somebody reads it."""

    async def parts() -> AsyncIterator[bytes]:
        figures["in flight"] += 1
        try:
            while True:
                yield SLOT
                await asyncio.sleep(0.02)
        finally:
            figures["in flight"] -= 1

    await StreamingResponse(parts(), media_type="text/html")(scope, receive, send)


async def leisurely(scope: Any, receive: Any, send: Send) -> None:
    """A page with a slot whose end is long in coming."""

    async def parts() -> AsyncIterator[bytes]:
        yield SLOT
        await asyncio.sleep(0.6)
        yield b"<p>end"

    await StreamingResponse(parts(), media_type="text/html")(scope, receive, send)


async def large(scope: Any, receive: Any, send: Send) -> None:
    """200 MB of HTML."""
    await send({"type": "http.response.start", "status": 200, "headers": HTML})
    for _ in range(CHUNKS):
        figures["chunks"] += 1
        await send({"type": "http.response.body", "body": CHUNK, "more_body": True})
    await send({"type": "http.response.body"})


async def events(scope: Any, receive: Any, send: Send) -> None:
    """Three events, a while apart."""
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/event-stream")]})
    for number in range(3):
        await send({"type": "http.response.body", "body": b"data: %d\n\n" % number, "more_body": True})
        await asyncio.sleep(0.12)
    await send({"type": "http.response.body"})


async def tell(scope: Any, receive: Any, send: Send) -> None:
    """How the process is."""
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    said = {**figures, "memory in KB": memory}
    await answer(send, json.dumps(said).encode(), headers=[(b"content-type", b"text/plain")])


ANSWERS = {
    "/": page,
    "/plain": plain,
    "/missing": missing,
    "/fails/at-once": fails_at_once,
    "/fails/behind-the-head": fails_behind_the_head,
    "/fails/in-mid-page": fails_in_mid_page,
    "/fails/in-a-late-part": fails_in_a_late_part,
    "/never-ends": never_ends,
    "/upload": upload,
    "/endless": endless,
    "/leisurely": leisurely,
    "/large": large,
    "/events": events,
    "/tell": tell,
}


async def bare(scope: Any, receive: Any, send: Any) -> None:
    """The site; it knows no lifespan."""
    if scope["type"] != "http":
        raise ValueError("no lifespan here")
    Request(scope)
    await ANSWERS.get(scope["path"], missing)(scope, receive, send)


app = wrap(bare)
