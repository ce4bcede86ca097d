"""A shared cache as RFC 9111 describes it, and as those in front of sites are: it stores whatever it may.

It believes the headers of its kind before `Cache-Control`, and a `Set-Cookie` keeps nothing from being stored
(RFC 9111, 7.3), so that whoever lets one into a public response is found out.
"""

import re
from collections import Counter
from collections.abc import Callable, MutableMapping
from dataclasses import dataclass
from typing import Any

from tests.driver import App, Message, Reply

Headers = list[tuple[bytes, bytes]]
#: What the cache believes, the first that is there.
_BELIEVED = (b"x-accel-expires", b"surrogate-control", b"cdn-cache-control", b"cache-control")
_UNSHARED = frozenset({"private", "no-store", "no-cache"})


@dataclass
class Stored:
    """One response, and the request headers that it may be given for."""

    messages: list[Message]
    asked: dict[bytes, list[bytes]]
    until: float


class SharedCache:
    """Answers from what it has stored, else asks the site; `told` is what an edge adds to a request on its way."""

    def __init__(self, app: App, *, now: Callable[[], float], told: Callable[[Headers], Headers] | None = None) -> None:
        self._app = app
        self._now = now
        self._told = told
        self._stored: dict[tuple[bytes, bytes, bytes], list[Stored]] = {}
        self.outcomes: Counter[str] = Counter()

    @property
    def hit_ratio(self) -> float:
        """The part of the requests that the site did not see."""
        return self.outcomes["hit"] / self.outcomes.total()

    def variants(self, path: str) -> int:
        """How many responses are stored for a path."""
        return sum(len(stored) for key, stored in self._stored.items() if key[1] == path.encode())

    async def __call__(self, scope: MutableMapping[str, Any], receive: Any, send: Any) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = list(scope["headers"]) if self._told is None else self._told(list(scope["headers"]))
        key = (_joined(headers, b"host"), scope["path"].encode(), scope["query_string"])
        found = self._found(key, headers) if scope["method"] == "GET" else None
        self.outcomes["hit" if found is not None else "miss"] += 1
        if found is None:
            reply = Reply()
            await self._app({**scope, "headers": headers}, receive, _keeping(reply))
            self._store(key, headers, scope, reply)
            found = reply.messages
        for message in found:
            await send(dict(message))

    def _found(self, key: tuple[bytes, bytes, bytes], headers: Headers) -> list[Message] | None:
        for stored in self._stored.get(key, ()):
            fits = all(_values(headers, name) == values for name, values in stored.asked.items())
            if fits and self._now() < stored.until:
                return stored.messages
        return None

    def _store(self, key: tuple[bytes, bytes, bytes], headers: Headers, scope: Any, reply: Reply) -> None:
        seconds = _lifetime(reply.headers)
        varies = [word.strip() for word in _joined(reply.headers, b"vary").lower().split(b",") if word.strip()]
        may_store = scope["method"] == "GET" and reply.status == 200 and seconds > 0 and b"*" not in varies
        if not may_store or (_values(headers, b"authorization") and b"s-maxage" not in _joined_control(reply.headers)):
            return
        asked = {name: _values(headers, name) for name in varies}
        kept = [one for one in self._stored.get(key, ()) if one.asked != asked]
        self._stored[key] = [*kept, Stored(reply.messages, asked, self._now() + seconds)]


def _lifetime(headers: Headers) -> float:
    """For how long a response may be stored, by the first header that says so; by none for a while, as caches do."""
    for name in _BELIEVED:
        said = ", ".join(value.decode("latin-1").lower() for value in _values(headers, name))
        if not said:
            continue
        if name == b"x-accel-expires":
            return float(said)
        if _UNSHARED & {word.strip().partition("=")[0] for word in said.split(",")}:
            return 0
        for age in ("s-maxage", "max-age"):
            if (found := re.search(rf"(?<![\w-]){age}=(\d+)", said)) is not None:
                return float(found[1])
    return 3_600 if _values(headers, b"last-modified") or _values(headers, b"expires") else 0


def _keeping(reply: Reply) -> Callable[[Message], Any]:
    async def send(message: Message) -> None:
        reply.messages.append(message)

    return send


def _values(headers: Headers, name: bytes) -> list[bytes]:
    return [value for key, value in headers if key.lower() == name]


def _joined(headers: Headers, name: bytes) -> bytes:
    return b",".join(_values(headers, name))


def _joined_control(headers: Headers) -> bytes:
    return _joined(headers, b"cache-control").lower()
