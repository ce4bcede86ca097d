"""The words of ASGI, as types: a connection's scope, its messages, an app that serves it; and a message to keep."""

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, TypeAlias

Scope: TypeAlias = MutableMapping[str, Any]
Message: TypeAlias = MutableMapping[str, Any]
#: The same of one request. What servers and sites make is a dict, and read at a third of the cost where that is known.
HTTPScope: TypeAlias = dict[str, Any]
HTTPMessage: TypeAlias = dict[str, Any]
Receive: TypeAlias = Callable[[], Awaitable[Message]]
Send: TypeAlias = Callable[[Message], Awaitable[None]]
ASGIApp: TypeAlias = Callable[[Scope, Receive, Send], Awaitable[None]]


def kept(message: Message) -> HTTPMessage:
    """A message as it is now: a site may write its next part into the message, or the memory, that this one came in."""
    body = message.get("body", b"")
    return {**message} if type(body) is bytes else {**message, "body": bytes(body)}
