"""The words of ASGI, as types: a connection's scope, its messages, an app that serves it; and a message to keep."""

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, TypeAlias

Scope: TypeAlias = MutableMapping[str, Any]
Message: TypeAlias = MutableMapping[str, Any]
Receive: TypeAlias = Callable[[], Awaitable[Message]]
Send: TypeAlias = Callable[[Message], Awaitable[None]]
ASGIApp: TypeAlias = Callable[[Scope, Receive, Send], Awaitable[None]]


def kept(message: Message) -> Message:
    """A message as it is now: what a site reads its next part into may be the memory that this one came in."""
    body = message.get("body", b"")
    return message if type(body) is bytes else {**message, "body": bytes(body)}
