"""An answer of our own, whole and with its length: from addresses below the prefix, and in place of a page."""

from collections.abc import Sequence

from personalize.web.asgi import Scope, Send

#: For what has every byte of it in its name, and for what had once.
FOR_EVER = (b"cache-control", b"public, max-age=31536000, immutable")
OUTDATED = (b"cache-control", b"public, max-age=300")


async def answer(send: Send, scope: Scope, status: int, body: bytes, headers: Sequence[tuple[bytes, bytes]]) -> None:
    """Send it; to a HEAD without its body."""
    length = [] if status == 204 else [(b"content-length", str(len(body)).encode("ascii"))]
    await send({"type": "http.response.start", "status": status, "headers": [*headers, *length]})
    await send({"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else body})
