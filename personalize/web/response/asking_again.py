"""Asking the site once more, for a page of whose slots its first answer told nothing."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from mimetypes import guess_type

from personalize.web.asgi import Message, Receive

#: How long a client waits, at most, for a page that is only looked at.
LONGEST_ASK_SECONDS = 2.0
_PAGES = frozenset({b"document", b"iframe", b"frame", b"embed", b"object", b"empty"})


def may_be_page(path: str, headers: Mapping[bytes, bytes]) -> bool:
    """Whether a request may be one for a page, by what its address looks like and what the client says it wants in its
    headers, whose names are in lower case."""
    destination, accepted = headers.get(b"sec-fetch-dest"), headers.get(b"accept")
    if destination is not None and destination not in _PAGES:
        return False
    if accepted is not None and not (b"text/html" in accepted.lower() or b"*/*" in accepted):
        return False
    return (guess_type(path.rpartition("/")[2])[0] or "text/html") == "text/html"


def without_body(receive: Receive) -> Receive:
    """What a client says that asks for a page: nothing, and then whatever comes."""
    empty: list[Message] = [{"type": "http.request", "body": b"", "more_body": False}]

    async def received() -> Message:
        return empty.pop() if empty else await receive()

    return received


@asynccontextmanager
async def briefly() -> AsyncIterator[asyncio.Timeout]:
    """What takes too long, or is ended by `end_soon`, is cancelled in the site, as it is when a server stops."""
    limit = asyncio.timeout(LONGEST_ASK_SECONDS)
    try:
        async with limit:
            yield limit
    except TimeoutError:
        if not limit.expired():
            raise


def end_soon(limit: asyncio.Timeout) -> None:
    """End the asking: all is known."""
    limit.reschedule(asyncio.get_running_loop().time())
