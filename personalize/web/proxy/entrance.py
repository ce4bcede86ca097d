"""What a site gets that is served right behind us: the visitor's true address and scheme, and a date on every page."""

from collections.abc import MutableMapping
from email.utils import formatdate
from typing import Any

from personalize.web.asgi import ASGIApp, Message, Receive, Scope, Send
from personalize.web.proxy.forwarded import SCOPE_KEY, TrustedPeers


class Entrance:
    """Stands outermost, in place of what the server would do itself.

    The scope tells the visitor's address and scheme as far as `trusted` servers in front vouch for them; the whole
    way is kept for the proxy. A response without a `Date` gets one; that of the site stays, which the server's own
    would double.
    """

    def __init__(self, app: ASGIApp, trusted: TrustedPeers) -> None:
        self._app = app
        self._trusted = trusted

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        way = self._trusted.way_of(scope)
        visitor = self._trusted.visitor(way)
        inner: Scope = {
            **scope,
            SCOPE_KEY: way,
            "client": (visitor, 0) if visitor and way.is_believed else scope.get("client"),
            "scheme": way.scheme,
        }
        await self._app(inner, receive, _dated(send))


def _dated(send: Send) -> Send:
    async def dated(message: Message) -> None:
        await send(_with_date(message) if message["type"] == "http.response.start" else message)

    return dated


def _with_date(message: MutableMapping[str, Any]) -> Message:
    headers = list(message.get("headers", ()))
    if any(name.lower() == b"date" for name, _ in headers):
        return message
    return {**message, "headers": [*headers, (b"date", formatdate(usegmt=True).encode())]}
