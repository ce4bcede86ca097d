"""The server behind a proxy: its address, the connections to it, and what went wrong on one.

httpcore (the engine of httpx) speaks to it, since it sends the target of a request byte for byte, keeps no cookies,
follows no redirects, decodes no bodies and asks no environment for proxies.
"""

import ssl
from collections.abc import AsyncGenerator, AsyncIterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import httpcore

from personalize.web.headers import RawHeaders

#: May be sent twice without harm, if the first went to a connection that the other side had just given up.
_SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
#: Idle connections are closed before most servers would do so (Node.js: after 5 seconds).
_KEPT_SECONDS = 4
_LOST = (httpcore.RemoteProtocolError, httpcore.ReadError, httpcore.WriteError)
_PORTS = {"http": 80, "https": 443}


class UpstreamError(Exception):
    """The server behind gave no answer: `status` is what the visitor gets, the message is for the log."""

    def __init__(self, status: int, message: str) -> None:
        self.status = status
        super().__init__(message)


@dataclass(frozen=True, slots=True)
class Address:
    """The address of an upstream, such as `http://127.0.0.1:9000`."""

    scheme: str
    host: str
    port: int

    @classmethod
    def parse(cls, text: str) -> "Address":
        """The address that a setting names."""
        parts = urlsplit(text)
        return cls(parts.scheme, parts.hostname or "", parts.port or _PORTS[parts.scheme])

    @property
    def authority(self) -> str:
        """Host and port as a `Host` header has them: without the usual port."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == _PORTS[self.scheme] else f"{host}:{self.port}"

    def path_of(self, location: str) -> str | None:
        """What stands behind this very address in a location; None where it leads elsewhere."""
        try:
            parts = urlsplit(location)
            port = parts.port or _PORTS.get(parts.scheme)
        except ValueError:
            return None
        if (parts.scheme, parts.hostname, port) != (self.scheme, self.host, self.port) or "@" in parts.netloc:
            return None
        rest = location.partition("://")[2][len(parts.netloc) :]
        return rest if rest.startswith("/") else f"/{rest}"


class Upstream:
    """The connections to one server. At most `connections` at a time; who waits longer than `connect_seconds` for
    one, or for the server to accept it, is told so."""

    def __init__(self, address: Address, *, connect_seconds: float, connections: int) -> None:
        self.address = address
        self._scheme, self._host = address.scheme.encode(), address.host.encode()
        self._timeout = {"connect": connect_seconds, "pool": connect_seconds, "read": None, "write": None}
        self._pool = httpcore.AsyncConnectionPool(
            ssl_context=ssl.create_default_context() if address.scheme == "https" else None,
            max_connections=connections,
            max_keepalive_connections=connections,
            keepalive_expiry=_KEPT_SECONDS,
        )

    async def ask(
        self, method: str, target: bytes, headers: RawHeaders, body: AsyncIterator[bytes] | None
    ) -> httpcore.Response:
        """Send a request, and give the response when its head is there; whoever has it must close it.

        A safe request without a body that went to a kept connection, and found it closed, goes to another one,
        once. Raises `UpstreamError`, and what the body raises. A slow server is the caller's to give up on.
        """
        is_fresh = False

        async def trace(event: str, _: dict[str, Any]) -> None:
            nonlocal is_fresh
            is_fresh = is_fresh or event == "connection.connect_tcp.started"

        for may_repeat in (body is None and method in _SAFE_METHODS, False):
            url = httpcore.URL(scheme=self._scheme, host=self._host, port=self.address.port, target=target)
            request = httpcore.Request(
                method, url, headers=headers, content=body, extensions={"timeout": self._timeout, "trace": trace}
            )
            try:
                response = await self._pool.handle_async_request(request)
            except _LOST as error:
                if not may_repeat or is_fresh:
                    raise _told(error) from error
            except (httpcore.TimeoutException, httpcore.NetworkError, httpcore.ProtocolError) as error:
                raise _told(error) from error
            else:
                return response
        raise AssertionError("a request is repeated once")

    async def parts(self, response: httpcore.Response) -> AsyncGenerator[bytes]:
        """The body as it comes, nothing decoded. Raises `UpstreamError` where it breaks off."""
        try:
            async for part in response.aiter_stream():
                yield part
        except (httpcore.NetworkError, httpcore.ProtocolError) as error:
            raise _told(error) from error

    async def let_go(self, response: httpcore.Response) -> bool:
        """Give its connection back, and tell whether it can be kept: not where the server has sent more than this
        response, which would pass for the answer to whatever is asked next, by another visitor."""
        has_more = _has_more(response)
        if has_more:
            await response.extensions["network_stream"].aclose()  # the pool drops what is closed
        await response.aclose()
        return not has_more

    async def close(self) -> None:
        """Close all connections."""
        await self._pool.aclose()


def _has_more(response: httpcore.Response) -> bool:
    """Whether bytes of the server wait behind what was read of this response. httpcore tells nobody: its inside is
    asked, and where that is another by now, no connection is kept."""
    stream: Any = response.stream
    try:
        waiting: bytes = stream._stream._connection._h11_state.trailing_data[0]
    except AttributeError:
        return True
    return bool(waiting)


def _told(error: Exception) -> UpstreamError:
    """What went wrong, in words; the address and what was sent are left out."""
    reason = str(error) or "the connection was lost"
    match error:
        case httpcore.PoolTimeout():
            return UpstreamError(503, "no connection to the upstream got free in time")
        case httpcore.ConnectTimeout():
            return UpstreamError(504, "the upstream accepted no connection in time")
        case httpcore.ConnectError():
            return UpstreamError(502, f"the upstream cannot be reached: {reason}")
        case httpcore.LocalProtocolError():
            return UpstreamError(400, f"the request cannot be passed on: {reason}")
        case httpcore.RemoteProtocolError():
            return UpstreamError(502, f"the upstream does not speak HTTP as it should: {reason}")
        case _:
            return UpstreamError(502, f"the upstream broke off: {reason}")
