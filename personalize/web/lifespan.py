"""The site's start and end, as the server tells of them: we begin before the site, and end after it.

Many sites don't know the lifespan protocol: they return at once, or raise. Servers bear with both, but then tell
nothing of the end, and what waits to be written would be lost. So where the site has nothing to say, we answer.
"""

from collections.abc import MutableMapping
from typing import Any

from personalize.runtime.personalizer import Personalizer
from personalize.web.asgi import ASGIApp, Message, Receive, Send


class Lifespan:
    """One run of the protocol, between a server (`receive`, `send`) and the site.

    A site that raises before it has heard of the start does not know the protocol: it is answered for, and its
    error reaches the server when all is over. One that raises later has failed at its own start or end; that
    is the server's to judge, at once.
    """

    def __init__(self, personalizer: Personalizer, receive: Receive, send: Send) -> None:
        self._personalizer = personalizer
        self._receive = receive
        self._send = send
        self._heard: set[str] = set()
        self._said: set[str] = set()

    async def run(self, app: ASGIApp, scope: MutableMapping[str, Any]) -> None:
        """From the start to the end. Raises what the site raises, after everything queued has been written."""
        try:
            await app(scope, self._hear, self._say)
        except Exception:
            if not self._heard:
                await self._answer()
            raise
        else:
            await self._answer()
        finally:
            await self._personalizer.stop()

    async def _hear(self) -> Message:
        message = await self._receive()
        self._heard.add(message["type"])
        if message["type"] == "lifespan.startup":
            await self._personalizer.start()
        return message

    async def _say(self, message: Message) -> None:
        self._said.add(message["type"])
        if message["type"].startswith("lifespan.shutdown."):
            await self._personalizer.stop()
        await self._send(message)

    async def _answer(self) -> None:
        """Say what a site that has ended did not say."""
        if "lifespan.startup.failed" in self._said:
            return
        if "lifespan.startup" not in self._heard:
            await self._hear()
        if "lifespan.startup.complete" not in self._said:
            await self._say({"type": "lifespan.startup.complete"})
        if "lifespan.shutdown" not in self._heard:
            await self._hear()
        if not self._said & {"lifespan.shutdown.complete", "lifespan.shutdown.failed"}:
            await self._say({"type": "lifespan.shutdown.complete"})
