"""Sends one message to one webhook: no redirect is followed, nothing of the answer but its status is read."""

import asyncio
import ssl
from collections.abc import Sequence

import httpcore

from personalize.errors import NotDelivered
from personalize.runtime.jobs.public_addresses import PublicBackend

#: The receiver wants no more of these messages (Standard Webhooks).
GONE = 410


class WebhookClient:
    """A connection for each message: messages are rare, and a kept connection would outlive a changed name."""

    def __init__(
        self, *, timeout_seconds: float, backend: PublicBackend, trusted: ssl.SSLContext | None = None
    ) -> None:
        self._timeout_seconds = timeout_seconds
        self._pool = httpcore.AsyncConnectionPool(
            ssl_context=trusted or ssl.create_default_context(), max_keepalive_connections=0, network_backend=backend
        )

    async def send(self, url: str, headers: Sequence[tuple[bytes, bytes]], body: bytes) -> None:
        """Send a message. Raises `NotDelivered` where it was not taken, and `AddressRefused`."""
        try:
            async with asyncio.timeout(self._timeout_seconds):
                # Closed before anything of its body is read: the status tells all.
                async with self._pool.stream("POST", url, headers=list(headers), content=body) as response:
                    status = response.status
        except TimeoutError as error:
            raise NotDelivered("it took too long") from error
        except (httpcore.NetworkError, httpcore.ProtocolError, httpcore.TimeoutException) as error:
            raise NotDelivered("the connection failed") from error
        if not 200 <= status < 300:
            raise NotDelivered(f"the answer was {status}", status=status)

    async def close(self) -> None:
        """Let go of connections."""
        await self._pool.aclose()
