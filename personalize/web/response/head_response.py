"""The answer to HEAD: it promises what GET would bring, and nothing is decided or counted for it."""

import asyncio

from personalize.runtime.page_view import PageView
from personalize.web.asgi import HTTPMessage, Message, Receive, Send, kept
from personalize.web.html.charset import page_encoding
from personalize.web.html.pieces import Slot
from personalize.web.html.scanner import Scanner
from personalize.web.request.asked import Asked
from personalize.web.response.asking_again import end_soon
from personalize.web.response.codings import CodingError, Decoder, decoder_of
from personalize.web.response.outgoing import Outgoing
from personalize.web.response.response_head import ResponseHead
from personalize.web.response.site_pages import SitePages

#: How much of a body is held, where a site sends one; most send none, and the server drops it.
LONGEST_HELD_BYTES = 1_048_576


class Glance:
    """Takes the messages of a response, and tells whether it is a page with slots: `has_slots`.

    When that is known, it ends the asking that has this `limit`. `is_read` tells whether there was anything to look at,
    and `is_ended` that all of it was seen.
    """

    def __init__(self, page_view: PageView, token: bytes) -> None:
        self.has_slots = False
        self.is_read = False
        self.is_ended = False
        self.limit: asyncio.Timeout | None = None
        self._size = 0
        self._page_view = page_view
        self._token = token
        self._scanner: Scanner | None = None
        self._head = ResponseHead({})
        self._decode: Decoder | None = None

    async def send(self, message: Message) -> None:
        """Take one message."""
        if message["type"] == "http.response.start":
            self.begin(ResponseHead(message))
        elif message["type"] == "http.response.body":
            self.is_ended = not message.get("more_body", False)
            self._look(bytes(message.get("body", b"")))
            if self.limit is not None and not self.is_ended and (self.has_slots or self._size > LONGEST_HELD_BYTES):
                end_soon(self.limit)

    def begin(self, head: ResponseHead) -> None:
        """Take the head."""
        self._head = head
        self._decode = decoder_of(head.coding) if head.coding else None

    def _look(self, data: bytes) -> None:
        self._size += len(data)
        self.is_read = self.is_read or bool(data) or not self._head.may_hold_slots
        if not self._head.may_hold_slots or not (data or self._scanner):
            return
        try:
            page = data if self._decode is None else self._decode(data)
        except CodingError:
            return
        if self._scanner is None and (encoding := page_encoding(self._head.content_type, page)) is not None:
            known, placements = self._page_view.knows, self._page_view.placements
            self._scanner = Scanner(token=self._token, known=known, placements=placements, encoding=encoding)
        if self._scanner is not None:
            pieces = self._scanner.last(page) if self.is_ended else self._scanner.feed(page)
            self.has_slots = self.has_slots or any(isinstance(piece, Slot) for piece in pieces)


class HeadResponse(Outgoing):
    """Stands between the site and the server for a HEAD.

    Where nothing is known of the path and the site sends the page along, as many do, it is looked at. Where it sends
    none (`wants_page`), the response is held until `glance` has seen what GET brings.
    """

    def __init__(self, receive: Receive, send: Send, page_view: PageView, site: SitePages, asked: Asked) -> None:
        super().__init__(receive, send, page_view, site, asked)
        self.teaches = False
        self.wants_page = False
        self.glance = Glance(page_view, site.token)
        self._held: list[HTTPMessage] | None = None
        self._size = 0
        self._is_of_filled = False

    async def send(self, message: Message) -> None:
        """Take one message of the site."""
        if not isinstance(message, dict):
            message = dict(message)  # as nobody sends it
        match message["type"]:
            case "http.response.start":
                await self._start(message)
            case "http.response.body" if self._held is not None:
                await self._hold(message)
            case "http.response.body" | "http.response.pathsend" | "http.response.zerocopysend":
                await self.break_off()  # of a file that the server sends nothing is seen here
                await self._let_go(message)
            case "http.response.trailers" if self._held is not None:
                self._held.append(message)
            case _:
                await self._send(message)

    async def _promise_filled(self) -> None:
        """Send the head of a page with slots; from the site's bytes some servers would work out what is not true."""
        self._is_of_filled = True
        await self._send_private()

    async def _send_private(self) -> None:
        """Send the head of a page with slots: what GET brings has another length."""
        head = self._head.decoded()
        headers = head.made_private(None, (), self._site.policy.control)
        await self._send({**head.message, "headers": headers})

    def _may_set_cookies(self, head: ResponseHead) -> bool:
        """Never: a HEAD is nobody's look at a page."""
        return False

    async def _start(self, message: HTTPMessage) -> None:
        self._head = head = ResponseHead(message)
        # Some frameworks leave out of such an answer what kind of page it would be.
        may_hold_slots = head.may_hold_slots or (head.status == 200 and not head.content_type)
        if self._had_slots is None and may_hold_slots:
            self.glance.begin(head)
            self._held = []
        elif self._had_slots and may_hold_slots:
            await self._promise_filled()
        else:
            await self.pass_head(self._head)

    async def _hold(self, message: HTTPMessage) -> None:
        assert self._held is not None
        self._held.append(kept(message))
        self._size += len(message.get("body", b""))
        await self.glance.send(message)
        ended = self.glance.is_ended
        self.wants_page = ended and not self._size and self._head.length != 0
        if self.glance.has_slots or self._size > LONGEST_HELD_BYTES or (ended and not self.wants_page):
            await self.break_off()

    async def look(self, message: Message) -> None:
        """Take one message of the page that GET brings. When it is whole, nothing is waited for any more."""
        await self.glance.send(message)
        if message["type"] == "http.response.body" and not message.get("more_body", False):
            await self.break_off()

    async def break_off(self) -> None:
        """The site has ended: send what is held, as it came, or without what a page with slots does not keep."""
        held, self._held = self._held, None
        if held is None:
            return
        self.teaches = self.glance.is_read and self.glance.is_ended
        if self.glance.has_slots:
            self.meet_slots()
            await self._promise_filled()
        else:
            await self.pass_head(self._head)
        for message in held:
            await self._let_go(message)

    async def _let_go(self, message: HTTPMessage) -> None:
        if message["type"] == "http.response.trailers":
            await self._send(message)
        else:
            await self.send_part({**message, "body": b""} if self._is_of_filled else message)
