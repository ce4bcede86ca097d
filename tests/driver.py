"""Drives an ASGI app as a browser would: whole messages kept, cookies remembered, lifespan run."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, MutableMapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

Message = MutableMapping[str, Any]
App = Callable[[Any, Any, Any], Awaitable[None]]

CHROME = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Safari/537.36"


@dataclass
class Reply:
    """All that a server would have been told."""

    messages: list[Message] = field(default_factory=list)

    @property
    def status(self) -> int:
        """The status code."""
        return int(self._head["status"])

    @property
    def headers(self) -> list[tuple[bytes, bytes]]:
        """The raw headers."""
        return [(bytes(name), bytes(value)) for name, value in self._head.get("headers", ())]

    @property
    def body(self) -> bytes:
        """The whole body."""
        return b"".join(one.get("body", b"") for one in self.messages if one["type"] == "http.response.body")

    @property
    def text(self) -> str:
        """The whole body as text."""
        return self.body.decode()

    def header(self, name: str) -> str | None:
        """The first value of a header, whatever its case."""
        values = self.all(name)
        return values[0] if values else None

    def all(self, name: str) -> list[str]:
        """All values of a header, in order."""
        wanted = name.lower().encode()
        return [value.decode("latin-1") for key, value in self.headers if key.lower() == wanted]

    @property
    def _head(self) -> Message:
        return next(one for one in self.messages if one["type"] == "http.response.start")


class Browser:
    """One browser: sends requests to an app and keeps its cookies."""

    def __init__(
        self,
        app: App,
        *,
        scheme: str = "http",
        headers: Sequence[tuple[str, str]] = (),
        address: str = "127.0.0.1",
    ) -> None:
        self.app = app
        self.address = address
        self.scheme = scheme
        self.headers = list(headers)
        self.cookies: dict[str, str] = {}

    async def get(self, path: str = "/", **more: Any) -> Reply:
        """Follow a link."""
        return await self.request("GET", path, **more)

    async def post(self, path: str, fields: dict[str, str], **more: Any) -> Reply:
        """Send a form of this very site."""
        headers = [
            ("content-type", "application/x-www-form-urlencoded"),
            ("sec-fetch-site", "same-origin"),
            *more.pop("headers", ()),
        ]
        return await self.request("POST", path, headers=headers, body=urlencode(fields).encode(), **more)

    async def request(
        self,
        method: str,
        path: str,
        *,
        headers: Sequence[tuple[str, str]] = (),
        body: bytes = b"",
        leave_after: int | None = None,
        root_path: str = "",
    ) -> Reply:
        """Send a request; with `leave_after` the browser is gone after so many messages."""
        reply = Reply()
        requests = [{"type": "http.request", "body": body, "more_body": False}]
        left = asyncio.Event()

        async def receive() -> Message:
            if requests:
                return requests.pop(0)
            await left.wait()
            return {"type": "http.disconnect"}

        async def send(message: Message) -> None:
            reply.messages.append(message)
            if leave_after is not None and len(reply.messages) >= leave_after:
                left.set()
                await asyncio.sleep(0)

        await self.app(self._scope(method, path, headers, root_path), receive, send)
        self._keep(reply)
        return reply

    def _scope(
        self, method: str, path: str, headers: Sequence[tuple[str, str]], root_path: str
    ) -> MutableMapping[str, Any]:
        given = {name.lower() for name, _ in (*self.headers, *headers)}
        usual = [
            ("host", "shop.example"),
            ("user-agent", CHROME),
            ("accept", "text/html"),
            ("sec-fetch-dest", "document"),
        ]
        sent = [(name, value) for name, value in usual if name not in given] + [*self.headers, *headers]
        if self.cookies:
            sent.append(("cookie", "; ".join(f"{name}={value}" for name, value in self.cookies.items())))
        path, _, query = path.partition("?")
        return {
            "type": "http",
            "asgi": {"version": "3.0", "spec_version": "2.4"},
            "http_version": "1.1",
            "method": method,
            "scheme": self.scheme,
            "path": path,
            "raw_path": path.encode(),
            "query_string": query.encode(),
            "root_path": root_path,
            "headers": [(name.encode(), value.encode("latin-1")) for name, value in sent],
            "client": (self.address, 50000),
            "server": ("127.0.0.1", 80),
        }

    def _keep(self, reply: Reply) -> None:
        for cookie in reply.all("set-cookie"):
            pair, _, attributes = cookie.partition(";")
            name, _, value = pair.partition("=")
            if "max-age=0" in attributes.lower():
                self.cookies.pop(name.strip(), None)
            else:
                self.cookies[name.strip()] = value.strip()


@asynccontextmanager
async def running(app: App) -> AsyncIterator[None]:
    """The app between its start-up and its shutdown, as a server runs it."""
    to_app: asyncio.Queue[Message] = asyncio.Queue()
    from_app: asyncio.Queue[Message] = asyncio.Queue()
    task = asyncio.create_task(_lifespan(app, to_app, from_app))
    try:
        await to_app.put({"type": "lifespan.startup"})
        assert (await from_app.get())["type"] == "lifespan.startup.complete"
        yield
    finally:
        await to_app.put({"type": "lifespan.shutdown"})
        await from_app.get()
        await task


async def _lifespan(app: App, to_app: asyncio.Queue[Message], from_app: asyncio.Queue[Message]) -> None:
    await app({"type": "lifespan", "asgi": {"version": "3.0"}, "state": {}}, to_app.get, from_app.put)
