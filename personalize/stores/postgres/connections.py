"""A few connections that many use in turn, with little between them and the driver that a page has to wait for."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any, TypeAlias

#: asyncpg tells no types.
Connection: TypeAlias = Any
_CLOSE_SECONDS = 5.0


class Connections:
    """Up to `most` connections, each lent to one at a time; one more is made when it is needed.

    asyncpg's own pool takes three times as long as the reading of a profile: it gives back a connection in a task of
    its own, cleans up a session that we leave clean, and waits until the server has heard of a query that was cut
    short. Here a connection that was cut short, by us or by the network, is dropped: whoever has no more time must not
    wait for a server that hangs.
    """

    def __init__(self, connect: Callable[[], Awaitable[Connection]], most: int) -> None:
        self._connect = connect
        self._most = most
        self._idle: list[Connection] = []
        self._lent: set[Connection] = set()
        self._places = asyncio.Semaphore(most)

    async def warm_up(self, count: int) -> None:
        """Connect before somebody asks."""
        for _ in range(count):
            self._idle.append(await self._connect())

    @asynccontextmanager
    async def one(self) -> AsyncIterator[Connection]:
        """A connection for as long as the block runs; whoever comes when all are lent waits in turn."""
        async with self._places:
            connection = self._open_one() or await self._connect()
            self._lent.add(connection)
            try:
                yield connection
            except (OSError, TimeoutError, asyncio.CancelledError):
                connection.terminate()
                raise
            finally:
                self._lent.discard(connection)
                self._idle.append(connection)

    async def close(self) -> None:
        """Wait until all have been given back, for a while, and close them."""
        try:
            async with asyncio.timeout(_CLOSE_SECONDS):
                for _ in range(self._most):
                    await self._places.acquire()
                while (connection := self._open_one()) is not None:
                    await connection.close()
        except (OSError, TimeoutError):
            for connection in (*self._lent, *self._idle):
                connection.terminate()

    def _open_one(self) -> Connection | None:
        """The one that was given back last and is still open."""
        while self._idle:
            connection = self._idle.pop()
            if not connection.is_closed():
                return connection
        return None
