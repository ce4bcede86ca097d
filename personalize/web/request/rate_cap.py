"""How often one address may ask for what costs us something, in one worker."""

from datetime import datetime
from ipaddress import IPv6Address, ip_address
from typing import Final

from personalize.web.asgi import Scope

#: How many addresses are counted apart in a minute; more of them at once are nobody's visitors.
MOST_ADDRESSES: Final = 20_000
_NETWORK_BITS: Final = 64


class RateCap:
    """Counts requests by the client's address, minute by minute of the clock. `most` 0 lets all of them pass.

    An IPv6 address counts by the network that one household gets (64 bits). Nothing is kept for longer than the minute.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._minute = 0
        self._counts: dict[str, int] = {}

    def allows(self, scope: Scope, now: datetime) -> bool:
        """Whether this request is one of so many."""
        if not self._most:
            return True
        minute = int(now.timestamp()) // 60
        if minute != self._minute:
            self._minute = minute
            self._counts.clear()
        address = _address(scope)
        count = self._counts.get(address, 0)
        if count >= self._most or (not count and len(self._counts) >= MOST_ADDRESSES):
            return False
        self._counts[address] = count + 1
        return True


def _address(scope: Scope) -> str:
    client = scope.get("client")
    host = str(client[0]) if client else ""
    try:
        address = ip_address(host)
    except ValueError:
        return host
    if isinstance(address, IPv6Address) and address.ipv4_mapped is None:
        return str(int(address) >> _NETWORK_BITS)
    return host
