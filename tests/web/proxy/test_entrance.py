"""What stands outermost: the visitor's true address and scheme, and a date."""

import asyncio
from typing import Any

import pytest

from personalize.web.asgi import Message, Receive, Scope, Send
from personalize.web.proxy.entrance import Entrance
from personalize.web.proxy.forwarded import TrustedPeers


def asked(scope: Scope, *headers: tuple[bytes, bytes]) -> tuple[Scope, list[Message]]:
    """The scope that the app behind sees, and what the server is sent when it answers with these headers."""
    seen: list[Scope] = []
    sent: list[Message] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        seen.append(scope)
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": b"ok"})

    async def send(message: Message) -> None:
        sent.append(message)

    async def receive() -> Message:
        return {"type": "http.request"}

    asyncio.run(Entrance(app, TrustedPeers(["10.0.0.1"]))(scope, receive, send))
    return seen[0], sent


SCOPE: dict[str, Any] = {
    "type": "http",
    "scheme": "http",
    "headers": [(b"x-forwarded-for", b"203.0.113.7"), (b"x-forwarded-proto", b"https")],
}


@pytest.mark.parametrize(
    ("peer", "client", "scheme"),
    [
        (("10.0.0.1", 5), ("203.0.113.7", 0), "https"),
        (("10.0.0.2", 5), ("10.0.0.2", 5), "http"),
        (None, None, "http"),
    ],
)
def test_the_app_behind_sees_the_visitor_where_a_trusted_server_names_them(
    peer: tuple[str, int] | None, client: tuple[str, int] | None, scheme: str
) -> None:
    seen, _ = asked({**SCOPE, "client": peer})
    assert (seen["client"], seen["scheme"]) == (client, scheme)


def test_a_date_is_added_where_there_is_none() -> None:
    _, (start, _) = asked({**SCOPE, "client": None}, (b"x", b"y"))
    assert [name for name, _ in start["headers"]] == [b"x", b"date"]
    _, (start, _) = asked({**SCOPE, "client": None}, (b"Date", b"then"))
    assert list(start["headers"]) == [(b"Date", b"then")]


def test_a_websocket_passes_as_it_is() -> None:
    scope = {"type": "websocket", "headers": [], "client": ("10.0.0.1", 5), "scheme": "wss"}
    assert asked(scope)[0] is scope
