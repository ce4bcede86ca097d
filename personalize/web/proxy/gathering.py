"""A page that comes in parts, gathered for a moment: what is filled in one piece is filled the first time already."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator


async def gathered(
    parts: AsyncIterator[bytes], *, seconds: float, most_bytes: int
) -> AsyncGenerator[tuple[bytes, bool]]:
    """Every part, and whether it is the last; what comes within `seconds`, up to `most_bytes`, is one part.

    Servers send even a short page in several parts. One that is slower than that, or larger, goes on as it comes.
    Raises what `parts` raises, once what came before has been given.
    """
    until = asyncio.get_running_loop().time() + seconds
    coming: asyncio.Task[bytes | None] | None = None
    held = b""
    try:
        while len(held) < most_bytes:
            coming = asyncio.create_task(_next(parts))
            await asyncio.wait({coming}, timeout=until - asyncio.get_running_loop().time())
            if not coming.done() or coming.exception() is not None:
                break
            part = coming.result()
            if part is None:
                yield held, True
                return
            held += part
            coming = None
        if held:
            yield held, False
        part = await (coming or _next(parts))
        while part is not None:
            yield part, False
            part = await _next(parts)
        yield b"", True
    finally:
        if coming is not None and not coming.done():
            coming.cancel()
            await asyncio.wait({coming})


async def _next(parts: AsyncIterator[bytes]) -> bytes | None:
    return await anext(parts, None)
