"""Asking the site once more, for a page of whose slots its first answer told nothing."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from contextvars import copy_context
from mimetypes import guess_type
from typing import Protocol

from personalize.web.asgi import Message, Receive
from personalize.web.headers import takes_html

#: How long a client waits, at most, for a page that is only looked at.
LONGEST_ASK_SECONDS = 2.0
#: A site that has not returned so long after its answer goes on with work of its own: nobody waits for that.
LONGEST_RETURN_SECONDS = 0.05
_PAGES = frozenset({b"document", b"iframe", b"frame", b"embed", b"object", b"empty"})


def may_be_page(path: str, headers: dict[bytes, bytes]) -> bool:
    """Whether a request may be one for a page, by what its address looks like and what the client says it wants in its
    headers, whose names are in lower case."""
    destination = headers.get(b"sec-fetch-dest")
    if (destination is not None and destination not in _PAGES) or not takes_html(headers):
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


class FirstAnswer(Protocol):
    """An answer that tells nothing of a page's slots. It `wants_page` as soon as it is whole, and held for that."""

    wants_page: bool

    def send(self, message: Message) -> Awaitable[None]:
        """Take one message of the site."""


class AskingAgain:
    """Asks the site once more when it has returned from its `first` answer; while it works on behind that, where it has
    background work to do or waits for the end of the connection.

    `ask` asks, `release` lets go of the first answer, if that is still held. The site is asked as a server asks it:
    what the first request has left in context variables is not there.
    """

    def __init__(
        self, first: FirstAnswer, ask: Callable[[], Awaitable[None]], release: Callable[[], Awaitable[None]]
    ) -> None:
        self._first, self._ask, self._release = first, ask, release
        self._context = copy_context()
        self._timer: asyncio.TimerHandle | None = None
        self._asking: asyncio.Task[None] | None = None

    async def send(self, message: Message) -> None:
        """Take one message of the first answer."""
        await self._first.send(message)
        if self._first.wants_page and self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(LONGEST_RETURN_SECONDS, self._begin)

    async def after(self, answering: Awaitable[None]) -> None:
        """Wait for the first answer, and for what comes of asking again. Raises what either raises."""
        try:
            await answering
        except BaseException as error:
            await self._end(at_once=isinstance(error, asyncio.CancelledError))
            raise
        if self._first.wants_page or self._asking is not None:
            await self._begin()
        else:
            await self._release()

    def _begin(self) -> asyncio.Task[None]:
        if self._timer is not None:
            self._timer.cancel()
        if self._asking is None:
            self._asking = asyncio.get_running_loop().create_task(self._ask_and_release(), context=self._context)
        return self._asking

    async def _ask_and_release(self) -> None:
        try:
            await self._ask()
        except BaseException:
            await self._release()
            raise
        await self._release()

    async def _end(self, *, at_once: bool) -> None:
        """The first request has failed: what is asked already comes to its end, nothing more is asked."""
        if self._timer is not None:
            self._timer.cancel()
        if self._asking is None:
            await self._release()
            return
        if at_once:
            self._asking.cancel()
        await asyncio.wait({self._asking})
