"""No webhook reaches into the site's own network, whatever its address is written as and its name resolves to."""

import asyncio
from collections.abc import Iterable, Sequence
from typing import Any

import httpcore
import pytest

from personalize.errors import AddressRefused
from personalize.runtime.jobs.public_addresses import PublicBackend, is_public, resolve

INSIDE = (
    *("127.0.0.1", "127.9.9.9", "0.0.0.0", "10.0.0.1", "172.16.0.1", "172.31.255.255", "192.168.1.1"),
    *("169.254.169.254", "100.64.0.1", "100.127.255.254", "192.0.0.1", "192.0.2.1", "198.18.0.1", "224.0.0.1"),
    *("239.1.2.3", "240.0.0.1", "255.255.255.255", "::", "::1", "fe80::1", "fe80::1%eth0", "fc00::1", "fd12::1"),
    *("ff02::1", "2001:db8::1", "::ffff:127.0.0.1", "::ffff:169.254.169.254", "::ffff:10.0.0.1", "::7f00:1"),
    *(
        "64:ff9b::7f00:1",
        "64:ff9b::a9fe:a9fe",
        "2002:7f00:1::1",
        "2002:a00:1::",
        "2001:0:4136:e378:8000:63bf:80ff:fffe",
    ),
)
OUTSIDE = ("1.1.1.1", "93.184.215.14", "2606:4700::1111", "::ffff:1.1.1.1", "64:ff9b::101:101", "2a00:1450::1")


@pytest.mark.parametrize("address", INSIDE)
def test_addresses_of_the_inside_are_not_public(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize("address", OUTSIDE)
def test_addresses_of_the_internet_are_public(address: str) -> None:
    assert is_public(address)


class Network(httpcore.AsyncMockBackend):
    """Remembers where a connection was made to."""

    def __init__(self) -> None:
        super().__init__([])
        self.connected: list[str] = []

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109  as httpcore asks
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        self.connected.append(host)
        return await super().connect_tcp(host, port, timeout, local_address, socket_options)


def connected(host: str, *answers: Sequence[str], allow_private: bool = False) -> list[str]:
    """Where a connection to a host goes, whose name is resolved to one of these answers after the other."""
    network, left = Network(), list(answers)

    async def told(_host: str, _port: int) -> Sequence[str]:
        return left.pop(0)

    backend = PublicBackend(allow_private=allow_private, resolve=told if answers else resolve, inner=network)
    asyncio.run(backend.connect_tcp(host, 443, timeout=5))
    return network.connected


def test_the_connection_goes_to_the_address_that_was_looked_at() -> None:
    assert connected("crm.example", ["93.184.215.14"], ["127.0.0.1"]) == ["93.184.215.14"]


def test_one_inner_address_among_others_is_enough_to_refuse() -> None:
    for answer in (["127.0.0.1"], ["93.184.215.14", "10.0.0.1"], ["::1", "2606:4700::1111"]):
        with pytest.raises(AddressRefused):
            connected("crm.example", answer)


@pytest.mark.parametrize("host", ["127.0.0.1", "0x7f.1", "2130706433", "0177.0.0.1", "127.1", "localhost", "[::1]"])
def test_however_an_inner_address_is_written_it_is_refused(host: str) -> None:
    with pytest.raises(AddressRefused):
        connected(host)


def test_private_addresses_are_allowed_to_whoever_says_so() -> None:
    assert connected("127.0.0.1", allow_private=True) == ["127.0.0.1"]


def test_a_name_that_leads_nowhere_is_told_as_such() -> None:
    for answer in ([], [""]):
        with pytest.raises((httpcore.ConnectError, ValueError)):
            connected("crm.example", answer)
    with pytest.raises(httpcore.ConnectError):
        connected("a..b")


def test_no_socket_of_this_machine_is_a_webhook() -> None:
    with pytest.raises(AddressRefused):
        asyncio.run(PublicBackend(allow_private=True).connect_unix_socket("/run/docker.sock"))
