"""A site that is no ASGI app: an app that passes each request on to another server, and streams its answer back.

Wrapped like any other app, so that its pages are filled.
"""

import logging

from personalize.web.asgi import Receive, Scope, Send
from personalize.web.proxy.exchange import Exchange, apologise
from personalize.web.proxy.upstream import Address, Upstream

logger = logging.getLogger("personalize")

#: They would be answered with what only the two servers should see of a request, or open a tunnel.
_REFUSED_METHODS = ("CONNECT", "TRACE")


class Proxy:
    """An ASGI app that is the site at `upstream`, such as `http://127.0.0.1:9000`.

    The site is asked for the host that the visitor asked for, or for `host`. Connecting, or waiting for one of the
    `connections`, takes at most `connect_seconds`. A silence of `idle_seconds` ends a request, on either side.
    """

    def __init__(
        self,
        upstream: str,
        *,
        host: str | None = None,
        connect_seconds: float = 5.0,
        idle_seconds: float = 60.0,
        connections: int = 100,
    ) -> None:
        self._host = host.encode() if host else None
        self._idle_seconds = idle_seconds
        self._upstream = Upstream(Address.parse(upstream), connect_seconds=connect_seconds, connections=connections)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        match scope["type"]:
            case "http" if scope["method"] in _REFUSED_METHODS:
                await apologise(scope, send, 501)
            case "http":
                await Exchange(self._upstream, scope, receive, send, self._idle_seconds, self._host).run()
            case "websocket":
                await _refuse_websocket(scope, receive, send)
            case "lifespan":
                await self._lifespan(receive, send)

    async def _lifespan(self, receive: Receive, send: Send) -> None:
        while True:
            message = await receive()
            if message["type"] == "lifespan.shutdown":
                await self._upstream.close()
            await send({"type": f"{message['type']}.complete"})
            if message["type"] == "lifespan.shutdown":
                return


async def _refuse_websocket(scope: Scope, receive: Receive, send: Send) -> None:
    """WebSockets are not passed on: say so, by a response where the server can send one, else by closing."""
    logger.warning("%s: WebSockets are not passed on; refused", scope["path"])
    await receive()
    if "websocket.http.response" in scope.get("extensions", {}):
        body = b"WebSockets are not passed on by this proxy.\n"
        headers = [(b"content-type", b"text/plain; charset=utf-8"), (b"cache-control", b"no-store")]
        await send({"type": "websocket.http.response.start", "status": 501, "headers": headers})
        await send({"type": "websocket.http.response.body", "body": body, "more_body": False})
    else:
        await send({"type": "websocket.close", "code": 1008, "reason": "WebSockets are not passed on."})
