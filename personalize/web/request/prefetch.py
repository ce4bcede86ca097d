"""Pages that are fetched in advance, where nobody looks at them yet: refused where a site asks for it."""

from personalize.web.asgi import Scope, Send
from personalize.web.own_answer import answer


async def refuse_prefetch(scope: Scope, send: Send) -> None:
    """Answer that the page is not to be had in advance; the browser asks again when somebody wants to see it."""
    await answer(send, scope, 503, b"", ((b"cache-control", b"no-store"),))
