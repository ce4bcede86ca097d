"""Connections to a PostgreSQL database: a few for reading, a few for writing, made again when they break."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from hashlib import blake2b
from typing import Any, TypeAlias, TypeVar

import asyncpg

from personalize.errors import StoreBusy, StoreUnavailable
from personalize.stores.postgres_address import Address
from personalize.stores.postgres_errors import store_errors
from personalize.stores.postgres_schema import migrate, quoted

#: asyncpg tells no types. Pools are one for reading and one for writing.
Connection: TypeAlias = Any
Pools: TypeAlias = tuple[Any, Any]
T = TypeVar("T")

#: Pages, and what looks which rules are live, share the first; what writes can't keep them waiting.
READERS, WRITERS = 8, 4
#: So many of each are there from the beginning: connecting takes longer than a page has time.
AT_FIRST = 2
_READING, _WRITING = 0, 1
CONNECT_SECONDS = 5.0
CLOSE_SECONDS = 5.0
#: How long one statement may take, and how long it waits for the locks of others.
READ_SECONDS, WRITE_SECONDS, LOCK_SECONDS = 5.0, 600.0, 5.0
#: How often a transaction is tried that others got in the way of.
TRIES = 20
_RETRY_SECONDS = 0.002


class InTheWay(Exception):  # noqa: N818  it says what happened
    """Somebody else changed what this transaction built on: nothing is written, and it begins anew."""


class Link:
    """The connections of one store. It connects, and brings the schema up to date, when it is first used.

    `learnt` is a statement with one text that every connection for reading knows from its beginning.
    """

    def __init__(self, address: Address, *, learnt: str) -> None:
        self._address = address
        self._learnt = learnt
        self._options = {
            "timeout": CONNECT_SECONDS,
            "server_settings": {"search_path": quoted(address.schema), "application_name": "personalize"},
        }
        begin = f"BEGIN ISOLATION LEVEL READ COMMITTED; SET LOCAL lock_timeout = {int(LOCK_SECONDS * 1000)}"
        key = int.from_bytes(blake2b(address.schema.encode(), digest_size=8).digest(), signed=True)
        self._begin = f"{begin}; SELECT pg_advisory_xact_lock_shared({key})"
        self._begin_alone = f"{begin}; SELECT pg_advisory_xact_lock({key})"
        self._is_open = False
        self._pools: Pools | None = None
        self._connecting: asyncio.Task[Pools] | None = None

    async def open(self) -> None:
        """Connect. Where this raises, every later use tries again by itself, until `close`."""
        self._is_open = True
        await self._connected()

    async def close(self) -> None:
        """End the transactions under way, and let go of all connections."""
        self._is_open = False
        connecting, pools = self._connecting, self._pools
        self._connecting = self._pools = None
        if connecting is not None:
            connecting.cancel()
            await asyncio.wait({connecting})
        for pool in pools or ():
            closing = asyncio.ensure_future(pool.close())
            await asyncio.wait({closing}, timeout=CLOSE_SECONDS)
            if not closing.done():
                pool.terminate()
                await asyncio.wait({closing})

    async def fetch(self, statement: str, *parameters: object) -> list[Any]:
        """The rows that a statement finds: one round trip, once this connection knows the statement."""
        async with self._borrowed(_READING) as connection:
            found: list[Any] = await connection.fetch(statement, *parameters)
            return found

    async def execute(self, statement: str) -> None:
        """Do what can be done in no transaction."""
        async with self._borrowed(_WRITING) as connection:
            await connection.execute(statement)

    async def write(self, work: Callable[[Connection], Awaitable[T]], *, alone: bool = False) -> T:
        """What `work` does in one transaction, durable when this returns; it may be called more than once.

        Any number of transactions run beside one another, but for one that wants to be `alone`: it waits for those
        under way, and others wait for it.
        """
        for number in range(TRIES):
            try:
                async with self._borrowed(_WRITING) as connection:
                    return await self._committed(connection, work, alone=alone)
            except InTheWay:
                await asyncio.sleep(number * _RETRY_SECONDS)
        raise StoreBusy(f"the store {self._address} is busy: others change the same rows at the same time")

    async def _committed(self, connection: Connection, work: Callable[[Connection], Awaitable[T]], *, alone: bool) -> T:
        # One round trip. Each statement behind it sees what was committed when the lock was given.
        await connection.execute(self._begin_alone if alone else self._begin)
        try:
            done = await work(connection)
            await connection.execute("COMMIT")
        except (asyncpg.SerializationError, asyncpg.DeadlockDetectedError) as error:
            await connection.execute("ROLLBACK")
            raise InTheWay from error
        except Exception:
            if not connection.is_closed():
                await connection.execute("ROLLBACK")
            raise
        return done

    @asynccontextmanager
    async def _borrowed(self, which: int) -> AsyncIterator[Connection]:
        """A connection for as long as the block runs. One that was cut short, by us or by the network, is not used
        again: whoever has no more time must not wait until the server has heard of it."""
        with store_errors(self._address):
            pool = (await self._connected())[which]
            connection = await pool.acquire()
            try:
                yield connection
            except (OSError, TimeoutError, asyncio.CancelledError):
                connection.terminate()
                raise
            finally:
                await pool.release(connection)

    async def _connected(self) -> Pools:
        if self._pools is not None:
            return self._pools
        if not self._is_open:
            raise StoreUnavailable(f"the store {self._address} is not open")
        if self._connecting is None:
            self._connecting = asyncio.create_task(self._connect(), name="personalize connects")
            self._connecting.add_done_callback(self._end_connecting)
        # A page that can't wait any longer must not end what others wait for.
        return await asyncio.shield(self._connecting)

    def _end_connecting(self, connecting: "asyncio.Task[Pools]") -> None:
        if self._connecting is connecting:
            self._connecting = None
            if not connecting.cancelled() and connecting.exception() is None:
                self._pools = connecting.result()

    async def _connect(self) -> Pools:
        with store_errors(self._address):
            connection = await asyncpg.connect(self._address.dsn, **self._options)
            try:
                await migrate(connection, self._address.schema)
            finally:
                await connection.close()
            readers = await self._pool(READERS, READ_SECONDS, init=self._learn)
            try:
                return readers, await self._pool(WRITERS, WRITE_SECONDS, init=_be_durable)
            except BaseException:
                readers.terminate()
                raise

    async def _learn(self, connection: Connection) -> None:
        await connection.fetch(self._learnt, "")

    async def _pool(self, size: int, seconds: float, **more: Any) -> Any:
        return await asyncpg.create_pool(
            self._address.dsn,
            # It connects when somebody asks. What keeps up a number of connections would go on in the background while
            # the server is gone, and write to the log at every try.
            min_size=0,
            init_size=AT_FIRST,
            max_size=size,
            max_queries=2**62,
            max_inactive_connection_lifetime=0,
            max_cached_statement_lifetime=0,
            # Nothing is left of a transaction that was ended, and asking the server to see to it is a round trip.
            reset=_nothing,
            command_timeout=seconds,
            **self._options,
            **more,
        )


async def _nothing(connection: Connection) -> None:
    """What is done with a connection that is given back."""


async def _be_durable(connection: Connection) -> None:
    """Have commits answered when they are on the disk, also where the server is told to be quicker."""
    await connection.execute(
        "SELECT set_config('synchronous_commit', 'on', false) WHERE current_setting('synchronous_commit') = 'off'"
    )
