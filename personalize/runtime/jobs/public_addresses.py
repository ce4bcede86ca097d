"""Connections to public addresses alone, whatever a name resolves to: no webhook reaches into the site's network."""

import asyncio
import socket
from collections.abc import Awaitable, Callable, Iterable, Sequence
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address

import httpcore

from personalize.errors import AddressRefused

#: Gives the addresses of a host and port, as text.
Resolve = Callable[[str, int], Awaitable[Sequence[str]]]
#: IPv6 addresses of these networks carry one of IPv4 in their last 32 bits (RFC 6052, RFC 4291).
_EMBEDDING = (IPv6Network("64:ff9b::/96"), IPv6Network("::/96"))


async def resolve(host: str, port: int) -> Sequence[str]:
    """The addresses of a host, as the system tells them; also of names such as `0x7f.1`, which it takes for numbers."""
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return tuple(dict.fromkeys(str(address[0]) for *_, address in found))


def is_public(address: str) -> bool:
    """Whether an address is one of the internet, through every disguise that carries another address."""
    ip = ip_address(address.partition("%")[0])
    if isinstance(ip, IPv6Address) and (inner := _embedded(ip)) is not None:
        return is_public(str(inner))
    return ip.is_global and not (ip.is_multicast or ip.is_reserved or ip.is_unspecified)


def _embedded(ip: IPv6Address) -> IPv4Address | None:
    """The address of IPv4 that one of IPv6 leads to: mapped, 6to4, Teredo, or of a translator's network."""
    if ip.ipv4_mapped is not None:
        return ip.ipv4_mapped
    if ip.sixtofour is not None:
        return ip.sixtofour
    if ip.teredo is not None:
        return ip.teredo[1]
    carries = any(ip in network for network in _EMBEDDING) and int(ip) > 1
    return IPv4Address(int(ip) & 0xFFFFFFFF) if carries else None


class PublicBackend(httpcore.AsyncNetworkBackend):
    """Connects as httpcore does, to addresses that were looked at: a name is resolved once, all of its addresses are
    checked, and the connection goes to one of these, so that no second answer of a name server counts.

    Raises `AddressRefused` where any of them is not public, unless private ones are allowed.
    """

    def __init__(
        self, *, allow_private: bool, resolve: Resolve = resolve, inner: httpcore.AsyncNetworkBackend | None = None
    ) -> None:
        self._allow_private = allow_private
        self._resolve = resolve
        self._inner = inner or httpcore.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109  as httpcore asks
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """A connection to one of the host's addresses."""
        try:
            async with asyncio.timeout(timeout):
                addresses = await self._resolve(host.strip("[]"), port)
        except (OSError, UnicodeError, TimeoutError) as error:
            raise httpcore.ConnectError("the name of the host can't be resolved") from error
        if not addresses:
            raise httpcore.ConnectError("the host has no address")
        if not self._allow_private and not all(map(is_public, addresses)):
            raise AddressRefused
        return await self._inner.connect_tcp(addresses[0], port, timeout, local_address, socket_options)

    async def connect_unix_socket(
        self,
        path: str,
        timeout: float | None = None,  # noqa: ASYNC109  as httpcore asks
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """Raises `AddressRefused`: a webhook is no socket of this machine."""
        raise AddressRefused

    async def sleep(self, seconds: float) -> None:
        """Wait."""
        await self._inner.sleep(seconds)
