"""What leaves for one request: a head that is true, the parts of the body, and the end of the page view."""

from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from personalize.runtime.page_view import PageView
from personalize.web.paths import PathMemory
from personalize.web.response_head import ResponseHead

Message = MutableMapping[str, Any]

_NO_HEAD = ResponseHead({})


class Outgoing(ABC):
    """The way to the server.

    `had_slots` says whether slots were seen at this `path` before, or none; None where nothing is known. What comes of
    this response is told to `paths` as soon as it is known, since the next request may be here before the site has done
    its last; `teaches` says that it tells what others will find at the path. `has_slots` says whether it had any so
    far, `is_over` that its last part has left, `is_looked_at_only` that it does not leave at all.
    """

    def __init__(
        self,
        send: Callable[[Message], Awaitable[None]],
        page_view: PageView,
        *,
        path: str,
        paths: PathMemory,
        had_slots: bool | None,
    ) -> None:
        self._send = send
        self._page_view = page_view
        self._path = path
        self._paths = paths
        self._had_slots = had_slots
        self._head = _NO_HEAD
        self.teaches = True
        self.has_slots = False
        self.is_over = False
        self.is_looked_at_only = False
        self.disconnected = False

    @abstractmethod
    async def send(self, message: Message) -> None:
        """Take one message of the site."""

    @abstractmethod
    async def break_off(self) -> None:
        """The site has ended before its page has: what is held leaves, so that it is cut off where it was."""

    @property
    def has_begun(self) -> bool:
        """Whether the site has sent a head."""
        return self._head is not _NO_HEAD

    async def pass_on(self, message: Message) -> None:
        """Send a message as it is."""
        await self._send(message)

    async def pass_head(self, head: ResponseHead) -> None:
        """Send a head as it came; where the response depends on the visitor all the same, no cache may keep it."""
        if self._page_view.private:
            await self.send_private(head, head.length)
        else:
            self._page_view.is_public = True
            await self._send(head.message)

    async def send_private(self, head: ResponseHead, length: int | None) -> None:
        """Send the head of a page that no cache may keep, with our cookies where there are any."""
        cookies = await self._page_view.cookies() if head.is_shown else ()
        await self._send({**head.message, "headers": head.made_private(length, cookies)})

    async def send_changed(self, head: ResponseHead, length: int | None) -> None:
        """Send the head of a page whose bytes were changed in the same way for everybody."""
        await self._send({**head.message, "headers": head.with_length(length)})

    async def send_part(self, message: Message) -> None:
        """Send a part of the body. After the last one the page view is over: what follows in the site is its own
        background work."""
        await self._send(message)
        if not message.get("more_body", False):
            self.is_over = True
            if self._had_slots is None and self.teaches and not self.has_slots and self._head.status == 200:
                self._paths.add_plain(self._path, self._page_view.version)
            if not self.is_looked_at_only:
                await self._page_view.finish(viewed=self.has_slots and not self.disconnected)

    def meet_slots(self) -> None:
        """Take note that the page has slots."""
        if not self.has_slots:
            self.has_slots = True
            self._paths.add(self._path)

    def skip_unread(self) -> None:
        """Say that the page is compressed in a way that can't be read here."""
        self.teaches = False
        self._page_view.skip_unread(self._head.coding.decode("latin-1"))
