"""What comes one by one, in parts: so that a store is asked once about many."""

from collections.abc import AsyncIterator
from typing import TypeVar

T = TypeVar("T")


async def in_parts(items: AsyncIterator[T], size: int) -> AsyncIterator[list[T]]:
    """So many items at a time; the last part may be shorter, and none is empty."""
    part: list[T] = []
    async for item in items:
        part.append(item)
        if len(part) == size:
            yield part
            part = []
    if part:
        yield part
