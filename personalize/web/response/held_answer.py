"""Answers that tell nothing of a page's slots: not modified, or a range. They are held until the page was looked at.

A browser may hold a copy of the page from before we came, and its validator still fits. Where nothing is known of the
path, the site is asked once more, for the whole page. If that has slots, it leaves in place of the answer; if not, the
answer leaves as it came, and from then on nothing of this path is asked twice.
"""

import asyncio

from personalize.web.asgi import Message, Send, kept
from personalize.web.headers import CONDITIONS
from personalize.web.response.asking_again import end_soon
from personalize.web.response.outgoing import Outgoing
from personalize.web.response.response_head import ResponseHead

#: How much of a range is held; a longer one leaves as it came.
LONGEST_HELD_BYTES = 65_536


def is_conditional(headers: dict[bytes, bytes]) -> bool:
    """Whether a request can be answered by less than the page, by its headers in lower case."""
    return not CONDITIONS.isdisjoint(headers)


class HeldAnswer:
    """Passes the messages of the site to `send`, but holds an answer that is less than the page: `is_held`. When it is
    whole, it `wants_page`."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self._messages: list[Message] = []
        self._size = 0
        self._is_dropped = False
        self.is_held = self.wants_page = False

    async def send(self, message: Message) -> None:
        """Take one message of the site."""
        if message["type"] == "http.response.start":
            head = ResponseHead(message)
            message = head.message
            self.is_held = head.status == 304 or (head.status == 206 and head.is_html)
        if not self.is_held:
            if not self._is_dropped:
                await self._send(message)
            return
        self._messages.append(kept(message))
        self._size += len(message.get("body", b""))
        if self._size > LONGEST_HELD_BYTES:
            await self.release()
        elif message["type"] == "http.response.body":
            self.wants_page = not message.get("more_body", False)

    async def release(self) -> None:
        """Let what is held go as it came."""
        self.is_held = self.wants_page = False
        held, self._messages = self._messages, []
        for message in held:
            await self._send(message)

    def drop(self) -> None:
        """Forget what is held, and what may still come of it: the page leaves in its place."""
        self.is_held, self._is_dropped = False, True
        self._messages = []


class InPlace:
    """The way out for the page that the site was asked for once more: it opens for a page with slots alone.

    From then on the page may take what time it needs. One without slots is of no use, and its making ends; when all of
    it was seen, the answer leaves.
    """

    def __init__(self, answer: HeldAnswer, send: Send, limit: asyncio.Timeout) -> None:
        self._answer = answer
        self._send = send
        self._limit = limit
        self._is_open = False
        self.page: Outgoing | None = None

    async def send(self, message: Message) -> None:
        """Take one message of the page, as it would leave."""
        if message["type"] == "http.response.start" and self.page is not None:
            self._is_open = self.page.has_slots
            self.page.is_looked_at_only = not self._is_open
            if self._is_open:
                self._answer.drop()
                self._limit.reschedule(None)
        if self._is_open:
            await self._send(message)
        elif message.get("more_body", False):
            end_soon(self._limit)
        elif message["type"] == "http.response.body":
            await self._answer.release()
