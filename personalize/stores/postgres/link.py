"""Connections to a PostgreSQL database: a few for reading, a few for writing, made again when they break."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from hashlib import blake2b
from typing import Any, NamedTuple, TypeVar

import asyncpg

from personalize.errors import StoreBusy, StoreUnavailable
from personalize.stores.postgres.address import Address
from personalize.stores.postgres.connections import Connection, Connections
from personalize.stores.postgres.errors import store_errors
from personalize.stores.postgres.schema import fence, migrate, quoted, refuse_newer_schema

T = TypeVar("T")

#: Pages, and what looks which rules are live, share the first; what writes can't keep them waiting.
READERS, WRITERS = 8, 4
#: So many of each are there from the beginning: connecting takes longer than a page has time.
AT_FIRST = 2
#: Shorter than the five seconds that a site has to find a server again that was silent and answers now.
CONNECT_SECONDS = 4.0
#: How long one statement may take, and how long it waits for the locks of others.
READ_SECONDS, WRITE_SECONDS, LOCK_SECONDS = 5.0, 600.0, 5.0
#: How often a transaction is tried that others got in the way of.
TRIES = 20
_RETRY_SECONDS = 0.002


_BE_DURABLE = """
    SELECT set_config('synchronous_commit', 'on', false) WHERE current_setting('synchronous_commit') = 'off'
"""


class _Connections(NamedTuple):
    reading: Connections
    writing: Connections


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
            "max_cached_statement_lifetime": 0,
            "server_settings": {"search_path": quoted(address.schema), "application_name": "personalize"},
        }
        begin = f"BEGIN ISOLATION LEVEL READ COMMITTED; SET LOCAL lock_timeout = {int(LOCK_SECONDS * 1000)}"
        key = int.from_bytes(blake2b(address.schema.encode(), digest_size=8).digest(), signed=True)
        self._alone = f"SELECT pg_advisory_xact_lock({key})"
        locks = {False: f"SELECT pg_advisory_xact_lock_shared({key})", True: self._alone}
        #: By whether a transaction wants to be alone, and whether it only adds to the log.
        self._begin = {
            (alone, adds_only): f"{begin}; {lock}; {fence(adds_only=adds_only)}"
            for alone, lock in locks.items()
            for adds_only in (False, True)
        }
        self._is_open = False
        self._connections: _Connections | None = None
        self._connecting: asyncio.Task[_Connections] | None = None

    async def open(self) -> None:
        """Connect. Where this raises, every later use tries again by itself, until `close`. Raises `NewerStore`
        where a newer version has changed the schema."""
        self._is_open = True
        with store_errors(self._address):
            connections = await self._connected()
            async with connections.reading.one() as connection:
                await refuse_newer_schema(connection, adds_only=False)

    async def close(self) -> None:
        """End the transactions under way, and let go of all connections."""
        self._is_open = False
        connecting, connections = self._connecting, self._connections
        self._connecting = self._connections = None
        if connecting is not None:
            connecting.cancel()
            await asyncio.wait({connecting})
        for each in connections or ():
            await each.close()

    async def fetch(self, statement: str, *parameters: object) -> list[Any]:
        """The rows that a statement finds: one round trip, once this connection knows the statement."""
        with store_errors(self._address):
            connections = self._connections or await self._connected()
            async with connections.reading.one() as connection:
                found: list[Any] = await connection.fetch(statement, *parameters)
                return found

    async def execute(self, statement: str) -> None:
        """Do what can be done in no transaction."""
        async with self._writing() as connection:
            await connection.execute(statement)

    async def write(
        self, work: Callable[[Connection], Awaitable[T]], *, alone: bool = False, adds_only: bool = False
    ) -> T:
        """What `work` does in one transaction, durable when this returns; it may be called more than once.

        Any number of transactions run beside one another, but for one that wants to be `alone`: it waits for those
        under way, and others wait for it. Raises `NewerStore` where a newer version has changed the schema; one that
        `adds_only` events to the log may still do so (see `stores.fence`).
        """
        for number in range(TRIES):
            try:
                async with self._writing() as connection:
                    return await self._committed(connection, work, alone=alone, adds_only=adds_only)
            except InTheWay:
                await asyncio.sleep(number * _RETRY_SECONDS)
        raise StoreBusy(f"the store {self._address} is busy: others change the same rows at the same time")

    async def _committed(
        self, connection: Connection, work: Callable[[Connection], Awaitable[T]], *, alone: bool, adds_only: bool
    ) -> T:
        try:
            # One round trip. Each statement behind it sees what was committed when the lock was given.
            await connection.execute(self._begin[alone, adds_only])
        except asyncpg.DivisionByZeroError:
            await connection.execute("ROLLBACK")
            await refuse_newer_schema(connection, adds_only=adds_only)
            raise
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
    async def _writing(self) -> AsyncIterator[Connection]:
        with store_errors(self._address):
            connections = self._connections or await self._connected()
            async with connections.writing.one() as connection:
                yield connection

    async def _connected(self) -> _Connections:
        if not self._is_open:
            raise StoreUnavailable(f"the store {self._address} is not open")
        if self._connecting is None:
            self._connecting = asyncio.create_task(self._connect(), name="personalize connects")
            self._connecting.add_done_callback(self._end_connecting)
        # A page that can't wait any longer must not end what others wait for.
        return await asyncio.shield(self._connecting)

    def _end_connecting(self, connecting: "asyncio.Task[_Connections]") -> None:
        if self._connecting is connecting:
            self._connecting = None
            if not connecting.cancelled() and connecting.exception() is None:
                self._connections = connecting.result()

    async def _connect(self) -> _Connections:
        with store_errors(self._address):
            connection = await self._new(WRITE_SECONDS, self._migrated)
            await connection.close(timeout=CONNECT_SECONDS)
            connections = _Connections(Connections(self._reader, READERS), Connections(self._writer, WRITERS))
            try:
                for each in connections:
                    await each.warm_up(AT_FIRST)
            except BaseException:
                for each in connections:
                    await each.close()
                raise
            return connections

    async def _migrated(self, new: Connection) -> None:
        await migrate(new, self._address.schema, alone=self._alone)

    async def _reader(self) -> Connection:
        return await self._new(READ_SECONDS, lambda new: new.fetch(self._learnt, ""))

    async def _writer(self) -> Connection:
        """One whose commits are on the disk when they are answered, also where the server is told to be quicker."""
        return await self._new(WRITE_SECONDS, lambda new: new.execute(_BE_DURABLE))

    async def _new(self, seconds: float, begin: Callable[[Connection], Awaitable[object]]) -> Connection:
        connection = await asyncpg.connect(self._address.dsn, command_timeout=seconds, **self._options)
        try:
            await begin(connection)
        except BaseException:
            connection.terminate()
            raise
        return connection
