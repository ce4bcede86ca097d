"""Addresses that tell questions about networks apart: the first of each stretch that their ends cut out."""

from collections.abc import Callable, Iterable, Iterator
from ipaddress import IPv4Address, IPv6Address, ip_network

from personalize.rules.networks import Networks

_LAST = {4: (1 << 32) - 1, 6: (1 << 128) - 1}
#: Addresses of IPv6 from here on, up to the end, are those of IPv4 in other writing.
_MAPPED, _MAPPED_END = 0xFFFF << 32, 1 << 48


def address_samples(asked: Iterable[Networks], is_free: Callable[[str], bool]) -> list[str] | None:
    """A text that is no address, and an address in each stretch, written in a way that is free; None where none is."""
    starts: dict[int, set[int]] = {4: {0}, 6: {0, _MAPPED_END}}
    for text in (text for networks in asked for text in networks.written):
        network = ip_network(text, strict=False)
        first, behind = int(network.network_address), int(network.broadcast_address) + 1
        starts[network.version] |= {one for one in (first, behind) if one <= _LAST[network.version]}
    found = []
    for version, firsts in starts.items():
        for first in sorted(firsts):
            if version == 6 and _MAPPED <= first < _MAPPED_END:
                continue  # this is an address of IPv4
            spelled = next(filter(is_free, _spellings(version, first)), None)
            if spelled is None:
                return None
            found.append(spelled)
    other = next(filter(is_free, ("other", "no address", "none")), None)
    return None if other is None else [other, *found]


def _spellings(version: int, address: int) -> Iterator[str]:
    if version == 4:
        plain = str(IPv4Address(address))
        yield from (plain, f"::ffff:{plain}", f"::FFFF:{plain}")
    else:
        spelled = IPv6Address(address)
        yield from (spelled.compressed, spelled.exploded, spelled.exploded.upper())
