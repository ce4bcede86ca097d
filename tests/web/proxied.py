"""A proxied site over real sockets: an upstream that a test writes byte by byte, and uvicorn in front of it."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from functools import wraps
from pathlib import Path
from typing import Any, ParamSpec

import uvicorn
from uvicorn.server import ServerState

from personalize.web.proxy.entrance import Entrance
from personalize.web.proxy.forwarded import TrustedPeers
from personalize.web.proxy.proxy import Proxy
from personalize.wrap import wrap
from tests.desk import desk_settings, published, write_desk

P = ParamSpec("P")
PATIENCE_SECONDS = 10
LONGEST_SECONDS = 60


def over_sockets(test: Callable[P, Coroutine[Any, Any, None]]) -> Callable[P, None]:
    """A test that waits for sockets, in an event loop of its own."""

    @wraps(test)
    def run(*arguments: P.args, **named: P.kwargs) -> None:
        asyncio.run(asyncio.wait_for(test(*arguments, **named), LONGEST_SECONDS))

    return run


@dataclass
class Asked:
    """A request as the upstream read it."""

    line: str
    headers: list[tuple[str, str]]
    body: bytes = b""

    def all(self, name: str) -> list[str]:
        """All values of a header, in order."""
        return [value for key, value in self.headers if key.lower() == name]

    def one(self, name: str) -> str | None:
        """The only value of a header, or None."""
        values = self.all(name)
        assert len(values) <= 1, values
        return values[0] if values else None


@dataclass
class Visit:
    """One connection from the proxy, as the upstream sees it."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    asked: list[Asked]

    async def head(self) -> Asked:
        """Read a request up to its body."""
        head = (await self.reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        line, *rest = head.rstrip().split("\r\n")
        pairs = [one.partition(": ")[::2] for one in rest]
        self.asked.append(Asked(line, [(name, value) for name, value in pairs]))
        return self.asked[-1]

    async def request(self) -> Asked:
        """Read a whole request."""
        asked = await self.head()
        if asked.one("transfer-encoding") == "chunked":
            while size := int(await self.reader.readline(), 16):
                asked.body += (await self.reader.readexactly(size + 2))[:-2]
            await self.reader.readline()
        elif (length := asked.one("content-length")) is not None:
            asked.body = await self.reader.readexactly(int(length))
        return asked

    async def send(self, data: bytes) -> None:
        """Write, and wait until it may go on."""
        self.writer.write(data)
        await self.writer.drain()

    async def answer(self, body: bytes = b"ok", *headers: str, status: str = "200 OK") -> None:
        """A whole response."""
        lines = [f"HTTP/1.1 {status}", f"content-length: {len(body)}", *headers]
        await self.send("".join(f"{line}\r\n" for line in lines).encode("latin-1") + b"\r\n" + body)

    async def is_left(self) -> None:
        """Wait until the proxy has closed this connection."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            with suppress(OSError):
                while await self.reader.read(65_536):
                    pass


Behaviour = Callable[[Visit], Awaitable[None]]


async def answers(visit: Visit) -> None:
    """A server that answers all requests of a connection."""
    while True:
        await visit.request()
        await visit.answer()


def with_answer(data: bytes) -> Behaviour:
    """A server that answers the first request of a connection with these bytes, and closes it."""

    async def behaviour(visit: Visit) -> None:
        await visit.request()
        await visit.send(data)

    return behaviour


@dataclass
class Client:
    """One connection of a visitor, who speaks HTTP by hand."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    async def send(self, data: bytes) -> None:
        """Write, and wait until it may go on."""
        self.writer.write(data)
        await self.writer.drain()

    async def rest(self) -> bytes:
        """All that comes until the connection is closed."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            return await self.reader.read()

    async def head(self) -> bytes:
        """What comes until the body begins."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            return await self.reader.readuntil(b"\r\n\r\n")

    async def exactly(self, size: int) -> bytes:
        """So many bytes."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            return await self.reader.readexactly(size)

    def leave(self) -> None:
        """Be gone, as a browser whose window is closed."""
        self.writer.transport.abort()


@dataclass
class Proxied:
    """A site behind a proxy, for as long as the block lasts."""

    upstream_port: int
    port: int
    asked: list[Asked] = field(default_factory=list)
    accepted: int = 0
    peak: int = 0

    @asynccontextmanager
    async def client(self) -> AsyncIterator[Client]:
        """A visitor's connection."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        try:
            yield Client(reader, writer)
        finally:
            writer.close()

    async def ask(self, head: str, body: bytes = b"") -> tuple[str, str, bytes]:
        """Send one request on a connection of its own: status line, headers as text, and the raw body."""
        if "\nhost:" not in head.lower():
            head += "\r\nhost: shop.example"
        async with self.client() as client:
            await client.send(f"{head}\r\nconnection: close\r\n\r\n".encode("latin-1") + body)
            reply = await client.rest()
        top, _, rest = reply.partition(b"\r\n\r\n")
        line, _, headers = top.decode("latin-1").partition("\r\n")
        return line, headers.lower() + "\r\n", unchunked(rest) if "chunked" in headers else rest

    async def get(self, target: str = "/", *headers: str) -> tuple[str, str, bytes]:
        """GET, by one line and some headers."""
        return await self.ask("\r\n".join([f"GET {target} HTTP/1.1", *headers]))


def unchunked(data: bytes) -> bytes:
    """The body in its chunks; raises where it is cut."""
    body = b""
    while True:
        line, found, data = data.partition(b"\r\n")
        assert found, "the body was cut"
        if not (size := int(line, 16)):
            return body
        assert len(data) >= size + 2, "the body was cut"
        body, data = body + data[:size], data[size + 2 :]


@asynccontextmanager
async def proxied(
    folder: Path, behaviour: Behaviour, *, trusted: tuple[str, ...] = ("127.0.0.1",), **options: Any
) -> AsyncIterator[Proxied]:
    """Serve an upstream that does what `behaviour` says on each connection, behind the proxy and the middleware."""
    site = Proxied(0, 0)

    async def visited(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        site.accepted += 1
        try:
            with suppress(asyncio.IncompleteReadError, ConnectionError):
                await behaviour(Visit(reader, writer, site.asked))
        finally:
            writer.close()

    upstream = await asyncio.start_server(visited, "127.0.0.1", 0, limit=2**16)
    site.upstream_port = upstream.sockets[0].getsockname()[1]
    async with upstream, fronted(folder, site.upstream_port, trusted, options) as port:
        site.port = port
        yield site


@asynccontextmanager
async def fronted(
    folder: Path, upstream_port: int, trusted: tuple[str, ...], options: dict[str, Any]
) -> AsyncIterator[int]:
    """Only what stands in front: the port at which visitors ask."""
    write_desk(folder)
    proxy = Proxy(f"http://127.0.0.1:{upstream_port}", **options)
    wrapped = wrap(proxy, desk_settings(folder, store="memory:"))
    config = uvicorn.Config(
        Entrance(wrapped, TrustedPeers(trusted)), log_config=None, access_log=False, proxy_headers=False
    )
    config.load()
    # What uvicorn.Server does, without the tenths of a second in which it looks around.
    lifespan, state = config.lifespan_class(config), ServerState()
    await lifespan.startup()
    await published(wrapped)

    def serve() -> asyncio.Protocol:
        return config.http_protocol_class(config=config, server_state=state, app_state={})

    server = await asyncio.get_running_loop().create_server(serve, "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1]
        for connection in list(state.connections):
            connection.shutdown()
    if state.tasks:
        await asyncio.wait(state.tasks, timeout=PATIENCE_SECONDS)
    await lifespan.shutdown()
