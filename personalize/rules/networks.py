"""Ranges of addresses: networks of IPv4 and IPv6, by CIDR."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

from personalize.problems import quoted


@dataclass(frozen=True, slots=True)
class Networks:
    """Some networks; `written` as they were. Whether an address lies in one is asked once for each length of prefix,
    so that thousands of networks cost what a few do."""

    written: tuple[str, ...]
    _firsts: dict[tuple[int, int], frozenset[int]] = field(compare=False, repr=False)

    def __contains__(self, text: str) -> bool:
        address = _address(text)
        if address is None:
            return False
        bits = int(address)
        return any(
            version == address.version and bits >> shift in firsts for (version, shift), firsts in self._firsts.items()
        )

    def __str__(self) -> str:
        return " or ".join(self.written)


def networks(texts: Iterable[str]) -> Networks:
    """The networks of texts such as `10.0.0.0/8` or `2001:db8::1`. Raises ValueError for the first that is none."""
    written = tuple(texts)
    firsts: dict[tuple[int, int], set[int]] = {}
    for text in written:
        try:
            network = ip_network(text, strict=False)
        except ValueError as error:
            raise ValueError(f"{quoted(text)} is not a network") from error
        shift = network.max_prefixlen - network.prefixlen
        firsts.setdefault((network.version, shift), set()).add(int(network.network_address) >> shift)
    return Networks(written, {key: frozenset(values) for key, values in firsts.items()})


def _address(text: str) -> IPv4Address | IPv6Address | None:
    """The address that a text is; one of IPv4 that is written as one of IPv6 is what it stands for."""
    try:
        address = ip_address(text)
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return address if mapped is None else mapped
