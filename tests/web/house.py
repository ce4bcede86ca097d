"""A published desk on a loop of its own, and bare ASGI sites around which it can be put."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Iterator, Mapping, MutableMapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from personalize.web.middleware import PersonalizeMiddleware
from personalize.wrap import wrap
from tests.desk import desk_settings, published, write_desk
from tests.driver import CHROME

T = TypeVar("T")
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Any, Receive, Send], Awaitable[None]]

#: A slot that this query fills with `FILLED`, and one that is filled with `SEASON` for everybody.
SLOT = b'<div data-slot="hero">D</div>'
FILLED = b'<div data-slot="hero"><b>From the letter</b></div>'
LETTER = "utm_source=newsletter"
SEASON_SLOT = b'<div data-slot="season">D</div>'
SEASON = b'<div data-slot="season"><b>The season</b></div>'
HTML = (b"content-type", b"text/html; charset=utf-8")
EMPTY = {"type": "http.request", "body": b"", "more_body": False}
GONE = {"type": "http.disconnect"}


@dataclass
class Told:
    """What one request made a server hear: all messages as they came, and what was raised behind them."""

    messages: list[Message] = field(default_factory=list)
    error: Exception | None = None

    @property
    def head(self) -> Message:
        """The head of the response."""
        return next(one for one in self.messages if one["type"] == "http.response.start")

    @property
    def status(self) -> int:
        """The status code."""
        return int(self.head["status"])

    @property
    def body(self) -> bytes:
        """The whole body."""
        return b"".join(bytes(one.get("body", b"")) for one in self.messages if one["type"] == "http.response.body")

    @property
    def headers(self) -> list[tuple[bytes, bytes]]:
        """The raw headers."""
        return [(bytes(name), bytes(value)) for name, value in self.head.get("headers", ())]

    def all(self, name: str) -> list[bytes]:
        """All values of a header, in order."""
        return [value for key, value in self.headers if key.lower() == name.encode()]

    def header(self, name: str) -> bytes | None:
        """The first value of a header."""
        return next(iter(self.all(name)), None)


def scope_of(
    path: str = "/",
    *,
    method: str = "GET",
    headers: Sequence[tuple[str | bytes, str | bytes]] = (),
    accept: str | None = "*/*",
    **more: Any,
) -> dict[str, Any]:
    """The scope of a request; without `accept` that of a client that says nothing of what it takes."""
    path, _, query = path.partition("?")
    usual = [("host", "shop.example"), ("user-agent", CHROME), *([("accept", accept)] if accept else ())]
    return {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.4"},
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "query_string": query.encode(),
        "root_path": "",
        "headers": [(_bytes(name), _bytes(value)) for name, value in [*usual, *headers]],
        "client": ("127.0.0.1", 50000),
        "server": ("127.0.0.1", 80),
        **more,
    }


def _bytes(text: str | bytes) -> bytes:
    return text if isinstance(text, bytes) else text.encode("latin-1")


async def tell(app: App, scope: Mapping[str, Any], requests: Sequence[Message] = (EMPTY,)) -> Told:
    """Let an app answer one request whose client says these messages, and then stays silent."""
    told, waiting = Told(), list(requests)

    async def receive() -> Message:
        if waiting:
            return waiting.pop(0)
        await asyncio.Event().wait()
        raise AssertionError("unreachable")

    async def send(message: Message) -> None:
        told.messages.append({**message})

    try:
        await app({**scope}, receive, send)
    except Exception as error:  # noqa: BLE001  what a server would see
        told.error = error
    return told


def saying(*messages: Message) -> App:
    """A site that answers every request with these messages."""

    async def site(scope: Any, receive: Receive, send: Send) -> None:
        for message in messages:
            await send({**message})

    return site


def start(*headers: tuple[bytes, bytes], status: int = 200) -> Message:
    """The head of an HTML page with these headers."""
    return {"type": "http.response.start", "status": status, "headers": [HTML, *headers]}


def body(data: bytes, *, more: bool = False) -> Message:
    """A part of a body."""
    return {"type": "http.response.body", "body": data, "more_body": more}


def page(data: bytes, *headers: tuple[bytes, bytes], status: int = 200) -> App:
    """A site that answers with a page in one piece and its length, as frameworks do."""
    length = (b"content-length", str(len(data)).encode())
    return saying(start(length, *headers, status=status), {"type": "http.response.body", "body": data})


class House:
    """A started personalizer with the desk of `tests.desk`, and the loop that it lives on."""

    def __init__(self, runner: asyncio.Runner, first: PersonalizeMiddleware) -> None:
        self._runner = runner
        self._first = first
        self.personalizer = first.personalizer

    def wrap(self, site: App) -> PersonalizeMiddleware:
        """The site, wrapped afresh: nothing is learned of its paths."""
        return PersonalizeMiddleware(site, self.personalizer, pages=self._first._pages)

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """What comes of a coroutine, which may take 30 seconds."""

        async def in_time() -> T:
            async with asyncio.timeout(30):
                return await work

        return self._runner.run(in_time())

    def ask(self, site: App, path: str = f"/?{LETTER}", **request: Any) -> Told:
        """What a fresh wrapping of the site answers."""
        return self.run(tell(self.wrap(site), scope_of(path, **request)))


@contextmanager
def open_house(folder: Path, **settings: object) -> Iterator[House]:
    """Publish the desk in a folder and start."""
    write_desk(folder)
    first = wrap(saying(), desk_settings(folder, **settings))
    with asyncio.Runner() as runner:

        async def begin() -> None:
            await first.personalizer.start()
            await published(first)

        runner.run(begin())
        try:
            yield House(runner, first)
        finally:
            runner.run(first.personalizer.stop())
