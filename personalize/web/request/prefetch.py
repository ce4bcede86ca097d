"""Pages that are fetched in advance, where nobody looks at them yet: refused where a site asks for it."""

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

_REFUSAL = [(b"cache-control", b"no-store"), (b"content-length", b"0")]


async def refuse_prefetch(send: Callable[[MutableMapping[str, Any]], Awaitable[None]]) -> None:
    """Answer that the page is not to be had in advance; the browser asks again when somebody wants to see it."""
    await send({"type": "http.response.start", "status": 503, "headers": _REFUSAL})
    await send({"type": "http.response.body", "body": b""})
