"""One request on its way to the server behind, and the answer on its way back.

Nothing is held but what one read brings, and of a page what comes in a moment: a slow reader slows the server behind
down, a slow server is given up after a while, and a visitor who leaves ends the request there.
"""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import aclosing
from urllib.parse import quote

import httpcore

from personalize.web.asgi import Message, Receive, Scope, Send
from personalize.web.headers import RawHeaders, value_of
from personalize.web.proxy.forwarded import Forwarded, forwarded_of
from personalize.web.proxy.gathering import gathered
from personalize.web.proxy.hops import request_onward, response_onward
from personalize.web.proxy.upstream import Address, Upstream, UpstreamError
from personalize.web.response.response_head import ResponseHead

logger = logging.getLogger("personalize")

#: A page that is ready when it is asked for is filled in one piece; one that is streamed waits no longer than this.
_GATHERED_SECONDS = 0.03
_GATHERED_BYTES = 256 * 1024
_VIA = (b"via", b"1.1 personalize")
_APOLOGIES = {
    400: "This request could not be understood.",
    408: "The request did not arrive in time.",
    501: "This site does not take such requests.",
    502: "The site could not be reached. Please try again in a moment.",
    503: "The site has too much to do. Please try again in a moment.",
    504: "The site took too long to answer. Please try again in a moment.",
}
#: What ASGI servers can send as a final status; all that HTTP defines.
_STATUSES = range(200, 600)


class _VisitorLeftError(Exception):
    """The visitor has gone while the request was still on its way."""


class Exchange:
    """One request on its way to the site, and the answer on its way back."""

    def __init__(
        self, upstream: Upstream, scope: Scope, receive: Receive, send: Send, idle_seconds: float, host: bytes | None
    ) -> None:
        self._upstream = upstream
        self._scope = scope
        self._receive = receive
        self._send = send
        self._idle_seconds = idle_seconds
        self._host = host
        self._way = forwarded_of(scope)
        self._path = _path(scope)
        self._deadline = asyncio.timeout(None)
        self._watch: asyncio.Task[None] | None = None
        self._awaits_visitor = True
        self._has_started = False
        self._has_ended = False
        self._visitor_left = False

    async def run(self) -> None:
        """Serve it. An answer that breaks off is left open, so that the server cuts it where it stands."""
        try:
            async with self._deadline:
                await self._pass_on()
        except _VisitorLeftError:
            pass
        except UpstreamError as error:
            await self._fail(error.status, str(error))
        except TimeoutError:
            if not self._deadline.expired():
                raise
            if not self._visitor_left:
                await self._give_up()

    async def _pass_on(self) -> None:
        try:
            first = await self._next_of_request()
            response = await self._ask(first)
            try:
                await self._relay(response)
            finally:
                if not await self._upstream.let_go(response) and self._has_ended:
                    self._say("the upstream sent more than its answer", "the rest was left out")
        finally:
            if self._watch is not None:
                self._watch.cancel()

    # The request ---------------------------------------------------------------------------------------

    async def _ask(self, first: Message) -> httpcore.Response:
        headers = self._request_headers()
        has_body = bool(first.get("body")) or first.get("more_body", False)
        if value_of(headers, b"content-length") is None:
            if has_body:
                headers.append((b"transfer-encoding", b"chunked"))
            elif value_of(self._scope["headers"], b"transfer-encoding") is not None:
                headers.append((b"content-length", b"0"))  # many servers refuse a form that tells no length
        query: bytes = self._scope.get("query_string", b"")
        target = self._path + (b"?" + query if query else b"")
        body = self._body(first) if has_body else None
        if body is None:
            self._wait_for_site()
        return await self._upstream.ask(self._scope["method"], target, headers, body)

    def _request_headers(self) -> RawHeaders:
        headers = self._way.without_claims(request_onward(list(self._scope["headers"])))
        if self._host is not None:
            headers = [(name, value) for name, value in headers if name.lower() != b"host"]
        if value_of(headers, b"host") is None:
            headers.insert(0, (b"host", self._host or self._upstream.address.authority.encode()))
        return [*headers, *self._way.headers(), _VIA]

    async def _body(self, message: Message) -> AsyncIterator[bytes]:
        """The body of the request, as it arrives; each part has its own time."""
        while True:
            self._awaits_visitor = False
            self._restart_clock()
            if message.get("body"):
                yield bytes(message["body"])
            if not message.get("more_body", False):
                break
            message = await self._next_of_request()
        self._wait_for_site()

    async def _next_of_request(self) -> Message:
        self._awaits_visitor = True
        self._restart_clock()
        message = await self._receive()
        if message["type"] == "http.disconnect":
            raise _VisitorLeftError
        return message

    # The answer ----------------------------------------------------------------------------------------

    async def _relay(self, response: httpcore.Response) -> None:
        if response.status not in _STATUSES:
            raise UpstreamError(502, f"the upstream answered with the status {response.status}")
        self._wait_for_site()
        headers = response_onward(response.headers, response.status)
        headers = [_as_ours(pair, self._upstream.address, self._way) for pair in headers]
        start: Message = {"type": "http.response.start", "status": response.status, "headers": headers}
        is_page = ResponseHead(start).may_hold_slots
        await self._pass_back(start)
        most_bytes = _GATHERED_BYTES if is_page else 0
        async with (
            aclosing(self._upstream.parts(response)) as parts,
            aclosing(gathered(parts, seconds=_GATHERED_SECONDS, most_bytes=most_bytes)) as pieces,
        ):
            async for piece, is_last in pieces:
                self._has_ended = is_last
                await self._pass_back({"type": "http.response.body", "body": piece, "more_body": not is_last})

    async def _pass_back(self, message: Message) -> None:
        self._has_started, self._awaits_visitor = True, True
        self._restart_clock()
        await self._send(message)
        self._awaits_visitor = False
        self._restart_clock()

    # Time, and visitors who leave ----------------------------------------------------------------------

    def _restart_clock(self) -> None:
        if not self._visitor_left:
            self._deadline.reschedule(asyncio.get_running_loop().time() + self._idle_seconds)

    def _wait_for_site(self) -> None:
        """From now on nobody else asks whether the visitor is still there."""
        self._awaits_visitor = False
        self._restart_clock()
        if self._watch is None:
            self._watch = asyncio.create_task(self._end_when_visitor_leaves())

    async def _end_when_visitor_leaves(self) -> None:
        while (await self._receive())["type"] != "http.disconnect":
            pass
        if not self._has_ended:
            self._visitor_left = True
            self._deadline.reschedule(asyncio.get_running_loop().time())

    # What goes wrong -----------------------------------------------------------------------------------

    async def _give_up(self) -> None:
        if self._awaits_visitor:
            await self._fail(408, f"the visitor was silent for {self._idle_seconds:g} seconds")
        else:
            await self._fail(504, f"the upstream was silent for {self._idle_seconds:g} seconds")

    async def _fail(self, status: int, reason: str) -> None:
        self._say(reason, "the answer was cut off" if self._has_started else f"answered with {status}")
        if not self._has_started:
            await apologise(self._scope, self._send, status)

    def _say(self, reason: str, outcome: str) -> None:
        path = self._path.decode("ascii", "backslashreplace")
        logger.warning("%s %s: %s; %s", self._scope["method"], path, reason, outcome)


def _path(scope: Scope) -> bytes:
    """The path byte for byte as it was asked for; servers that keep no such thing get it encoded anew."""
    raw: bytes | None = scope.get("raw_path")
    return raw if raw else quote(scope["path"], safe="/!$&'()*+,;=:@~").encode("ascii")


def _as_ours(header: tuple[bytes, bytes], upstream: Address, way: Forwarded) -> tuple[bytes, bytes]:
    """A header as it is, but a redirect to the upstream's own address, which visitors can't reach, leads to ours."""
    if header[0] != b"location" or way.host is None:
        return header
    path = upstream.path_of(header[1].decode("latin-1"))
    return header if path is None else (header[0], f"{way.scheme}://{way.host}{path}".encode("latin-1"))


async def apologise(scope: Scope, send: Send, status: int) -> None:
    """A small page in place of the site's. A request that does not arrive ends its connection, too."""
    body = f"{_APOLOGIES[status]}\n".encode()
    headers = [
        (b"content-type", b"text/plain; charset=utf-8"),
        (b"content-length", str(len(body)).encode()),
        (b"cache-control", b"no-store"),
        *([(b"connection", b"close")] if status == 408 and scope.get("http_version", "1.1") < "2" else []),
    ]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body, "more_body": False})
