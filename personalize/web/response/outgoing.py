"""What leaves for one request: a head that is true, the parts of the body, and the end of the page view."""

from abc import ABC, abstractmethod
from collections.abc import Awaitable
from typing import Final

from personalize.runtime.page_view import PageView
from personalize.web.asgi import HTTPMessage, Message, Receive, Send
from personalize.web.caching.validators import etag_of, has_already, not_modified
from personalize.web.headers import RawHeaders
from personalize.web.request.asked import Asked
from personalize.web.request.paths import is_asset
from personalize.web.response.response_head import ResponseHead
from personalize.web.response.site_pages import SitePages

#: In the place of a head that was not read: there was none yet, or it is that of what is no page.
_UNREAD: Final = ResponseHead({})


class Outgoing(ABC):
    """The way to the server, and what comes from there meanwhile.

    What comes of this response is told to the site's paths as soon as it is known, since the next request may be here
    before the site has done its last; `teaches` says that it tells what others will find at the path. `has_begun` says
    that the site has sent a head, `has_slots` that there were any so far, `is_over` that the last part has left,
    `is_looked_at_only` that nothing leaves at all, `disconnected` that the client has left before the end: it has not
    seen the page.
    """

    has_begun: bool = False
    has_slots: bool = False
    is_over: bool = False
    is_looked_at_only: bool = False
    disconnected: bool = False
    _head: ResponseHead = _UNREAD

    def __init__(self, receive: Receive, send: Send, page_view: PageView, site: SitePages, asked: Asked) -> None:
        self._receive = receive
        self._send = send
        self._page_view = page_view
        self._site = site
        self._path = asked.path
        self._had_slots = asked.had_slots
        self.teaches = asked.is_get

    async def receive(self) -> Message:
        """What the client says, with a note of its leaving."""
        message = await self._receive()
        if message["type"] == "http.disconnect":
            self.disconnected = True
        return message

    @abstractmethod
    def send(self, message: Message) -> Awaitable[None]:
        """Take one message of the site."""

    @abstractmethod
    async def break_off(self) -> None:
        """The site has ended before its page has: what is held leaves, so that it is cut off where it was."""

    async def give_up(self) -> None:
        """The same, and it stays so: nothing was seen, but what the site has told us has happened."""
        await self.break_off()
        if self._page_view.told:
            await self._page_view.finish(viewed=False)

    async def pass_on(self, message: Message) -> None:
        """Send a message as it is."""
        await self._send(message)

    @property
    def is_private(self) -> bool:
        """Whether by what is known of the page it is one for its visitor alone."""
        return self._page_view.private or (bool(self._had_slots) and not self._site.policy.shares)

    def pass_head(self, head: ResponseHead) -> Awaitable[None]:
        """Send a head as it came; where the response depends on the visitor all the same, no cache may keep it."""
        if self._head_may_change:
            return self._pass_changed(head)
        self._page_view.is_public = True
        return self._send(head.message)

    @property
    def _head_may_change(self) -> bool:
        """Whether the head of what leaves as it came may have to say more than the site does."""
        page_view = self._page_view
        return page_view.private or page_view.has_decided or self._site.policy.clears

    async def _pass_changed(self, head: ResponseHead) -> None:
        page_view, policy, headers = self._page_view, self._site.policy, head.headers
        if page_view.private or page_view.has_decided:
            headers = await self._headers(head, head.length, is_whole=True, is_as_sent=True)
        else:
            page_view.is_public = True
            visitor = page_view.for_caches().visitor
            headers = headers if visitor.request.is_get else headers + policy.clearing(visitor)
        await self._send({**head.message, "headers": headers})

    async def send_head(self, head: ResponseHead) -> None:
        """Send the head of a page that is filled while it passes by: its length and its last slots are not known."""
        page_view = self._page_view
        page_view.private = self.is_private
        page_view.allows_for_all = True
        headers = await self._headers(head, None, is_whole=False)
        await self._send({**head.message, "headers": headers})

    async def send_page(self, head: ResponseHead, page: bytes, message: HTTPMessage) -> None:
        """Send a whole page that was filled, or that the client has it already; `message` is its last part."""
        headers, status = await self._headers(head, len(page), is_whole=True), head.status
        if self._site.policy.gives_tags and head.status == 200:
            tag = etag_of(page)
            headers.append((b"etag", tag))
            if has_already(self._page_view.for_caches().visitor.known_tags, tag):
                headers, status, page = not_modified(headers), 304, b""
        await self._send({**head.message, "status": status, "headers": headers})
        await self.send_part({**message, "body": page})

    async def _headers(
        self, head: ResponseHead, length: int | None, *, is_whole: bool, is_as_sent: bool = False
    ) -> RawHeaders:
        """The headers of a page as they are true to caches, with our cookies where nobody else gets to see them.
        `is_as_sent` says that the body is the one that the site has made."""
        page_view, policy = self._page_view, self._site.policy
        if not page_view.private:
            changed = head.headers if is_as_sent else head.with_length(length)
            public = policy.public(changed, page_view.for_caches(), is_whole=is_whole)
            if public is not None:
                page_view.is_public = True
                return public
            page_view.private = True
        cookies: tuple[str, ...] = ()
        if not page_view.is_told_all and self._may_set_cookies(head):
            cookies = await page_view.cookies()
        headers = head.made_private(length, cookies, policy.control)
        return headers + policy.clearing(page_view.for_caches().visitor) if policy.clears else headers

    def _may_set_cookies(self, head: ResponseHead) -> bool:
        """Whether a private page carries our cookies: none where a cache may take it for a file for all by its name."""
        return head.is_shown and not is_asset(self._path)

    def send_part(self, message: HTTPMessage) -> Awaitable[None]:
        """Send a part of the body. After the last one the page view is over: what follows in the site is its own
        background work."""
        if message.get("more_body", False):
            return self._send(message)
        self.is_over = True
        if self._had_slots is None and self.teaches and not self.has_slots and self._head.status == 200:
            self._site.paths.add_plain(self._path, self._page_view.version)
        if self.is_looked_at_only:
            return self._send(message)
        if self.has_slots or self._page_view.told:
            return self._send_and_finish(message)
        self._page_view.close()
        return self._send(message)

    async def _send_and_finish(self, message: HTTPMessage) -> None:
        try:
            await self._send(message)
        except OSError:  # the client has left
            await self._page_view.finish(viewed=False)
            raise
        await self._page_view.finish(viewed=self._is_viewed and not self.disconnected)

    @property
    def _is_viewed(self) -> bool:
        """Whether this response is the visitor's look at a page with slots."""
        return self.has_slots

    def meet_slots(self) -> None:
        """Take note that the page has slots."""
        if not self.has_slots:
            self.has_slots = True
            if self._head.coding:
                self._page_view.meet_compressed(self._head.coding.decode("latin-1"), is_read=True)
            if not self._had_slots:
                self._site.paths.add(self._path)

    def skip_unread(self) -> None:
        """Say that the page is compressed in a way that can't be read here."""
        self.teaches = False
        self._page_view.meet_compressed(self._head.coding.decode("latin-1"), is_read=False)
