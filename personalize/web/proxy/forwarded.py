"""Who asked, and by which address: what a proxy tells the site about a visitor, whom it sees and the site does not.

Anybody can write these headers. They are believed where a trusted server in front wrote them, and made anew where
not.
"""

import re
from collections.abc import Iterable, MutableMapping
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import ip_address, ip_network
from typing import Any

from personalize.web.headers import Pairs, RawHeaders, value_of

#: Where `Forwarded` stands in the scope of a request whose way here is known.
SCOPE_KEY = "personalize.forwarded"
_OURS = frozenset({b"x-forwarded-for", b"x-forwarded-proto", b"x-forwarded-host", b"forwarded"})
_FAMILY = b"x-forwarded-"
_LIKE_FAMILY = frozenset({b"forwarded", b"x-real-ip"})
_SCHEMES = ("http", "https")
_HOST = re.compile(r"(?:[A-Za-z0-9._~-]+|\[[0-9A-Fa-f:.]+\])(?::[0-9]{1,5})?", re.ASCII)
_TOKEN = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+", re.ASCII)
_PAIR = re.compile(r'([A-Za-z]+)=(?:"([^"]*)"|([^";,\s]+))', re.ASCII)
#: Longer ways are no ways: what stands furthest from us is left out.
_MOST_ADDRESSES = 20


@dataclass(frozen=True, slots=True)
class Forwarded:
    """The way of a request: `addresses` from the visitor's to that of whoever connected to us.

    `scheme` and `host` are what the visitor's browser was told to ask, as far as known. `is_believed` says that the
    server in front is trusted, so that whatever else it says may pass.
    """

    addresses: tuple[str, ...]
    scheme: str
    host: str | None
    is_believed: bool = False

    def headers(self) -> RawHeaders:
        """What the site is told: the headers that most frameworks read, and the one of RFC 7239."""
        asked = [f"proto={self.scheme}", *([f"host={_quoted(self.host)}"] if self.host else [])]
        nodes = [f"for={_quoted(_node(address))}" for address in self.addresses] or ["for=unknown"]
        way = ", ".join([";".join([nodes[0], *asked]), *nodes[1:]])
        told = {
            b"x-forwarded-for": ", ".join(self.addresses),
            b"x-forwarded-proto": self.scheme,
            b"x-forwarded-host": self.host or "",
            b"forwarded": way,
        }
        return [(name, value.encode("latin-1")) for name, value in told.items() if value]

    def without_claims(self, headers: Pairs) -> RawHeaders:
        """The headers of a request without what these replace, and without anything else that nobody vouches for."""
        return [(name, value) for name, value in headers if not self._replaces(name.lower().replace(b"_", b"-"))]

    def _replaces(self, name: bytes) -> bool:
        """By a name in small letters, with `-` for `_`: to programs behind CGI or WSGI both are the same."""
        if self.is_believed:
            return name in _OURS
        return name.startswith(_FAMILY) or name in _LIKE_FAMILY


def forwarded_of(scope: MutableMapping[str, Any]) -> Forwarded:
    """The way of a request: as the entrance found it, else no longer than from the client that the server names."""
    found: Forwarded | None = scope.get(SCOPE_KEY)
    if found is not None:
        return found
    client = scope.get("client")
    return Forwarded((client[0],) if client else (), scope.get("scheme", "http"), _host(scope["headers"]))


class TrustedPeers:
    """The servers in front whose word on a visitor counts, as addresses and networks."""

    def __init__(self, networks: Iterable[str]) -> None:
        self._networks = tuple(ip_network(one, strict=False) for one in networks)
        self._is_trusted = lru_cache(maxsize=4_096)(self._looked_up)

    def __contains__(self, address: str) -> bool:
        return len(address) < 64 and self._is_trusted(address)

    def _looked_up(self, address: str) -> bool:
        try:
            found = ip_address(address)
        except ValueError:
            return False
        mapped = getattr(found, "ipv4_mapped", None) or found
        return any(mapped in network for network in self._networks)

    def way_of(self, scope: MutableMapping[str, Any]) -> Forwarded:
        """The way of a request: what headers say of it, where who connected to us is trusted."""
        headers: RawHeaders = scope["headers"]
        client, scheme, host = scope.get("client"), scope.get("scheme", "http"), _host(headers)
        peer = client[0] if client else None
        if peer is None or peer not in self:
            return Forwarded((peer,) if peer else (), scheme, host)
        said = _said(headers)
        return Forwarded(
            (*said.addresses[1 - _MOST_ADDRESSES :], peer),
            said.scheme if said.scheme in _SCHEMES else scheme,
            said.host if said.host and _HOST.fullmatch(said.host) else host,
            is_believed=True,
        )

    def visitor(self, way: Forwarded) -> str | None:
        """The visitor's address: the nearest one that is not a trusted server's own."""
        nearest: str | None = None
        for address in reversed(way.addresses):
            bare = _bare(address)
            if bare is None:
                break
            nearest = bare
            if bare not in self:
                break
        return nearest


def _host(headers: Pairs) -> str | None:
    host = (value_of(headers, b"host") or b"").decode("latin-1").strip()
    return host if _HOST.fullmatch(host) else None


def _said(headers: Pairs) -> Forwarded:
    """What a server in front says: in the headers that most write, else in the one of RFC 7239."""
    listed = [(name.lower(), value.decode("latin-1")) for name, value in headers]
    addresses = _listed(listed, b"x-forwarded-for")
    scheme, host = _listed(listed, b"x-forwarded-proto"), _listed(listed, b"x-forwarded-host")
    elements = [dict(_pairs(element)) for element in _listed(listed, b"forwarded")]
    addresses = addresses or [element["for"] for element in elements if "for" in element]
    first = elements[0] if elements else {}
    return Forwarded(
        tuple(addresses),
        (scheme[0] if scheme else first.get("proto", "")).lower(),
        host[0] if host else first.get("host"),
    )


def _listed(headers: list[tuple[bytes, str]], name: bytes) -> list[str]:
    """The parts of a header that is a list, over all lines that have its name."""
    parts = (part.strip() for key, value in headers if key == name for part in value.split(","))
    return [part for part in parts if part]


def _pairs(element: str) -> Iterable[tuple[str, str]]:
    return ((key.lower(), quoted or bare) for key, quoted, bare in _PAIR.findall(element))


def _bare(address: str) -> str | None:
    """An address without its port and brackets; None where it is none, such as `unknown`."""
    inner = address[1:].partition("]")[0] if address.startswith("[") else address
    if inner.count(":") == 1:
        inner = inner.partition(":")[0]
    try:
        return str(ip_address(inner))
    except ValueError:
        return None


def _node(address: str) -> str:
    """An address as RFC 7239 writes it: IPv6 in brackets."""
    return f"[{address}]" if address.count(":") > 1 and not address.startswith("[") else address


def _quoted(text: str) -> str:
    return text if _TOKEN.fullmatch(text) else '"' + text.replace("\\", "").replace('"', "") + '"'
