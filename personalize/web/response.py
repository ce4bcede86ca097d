"""One response on its way out: held until it is clear what it is, then filled, or passed as it came."""

from collections.abc import Awaitable, Callable, MutableMapping
from enum import Enum, auto
from typing import Any

from personalize.runtime.page_view import PageView
from personalize.web.charset import page_encoding
from personalize.web.doubts import tell_doubts
from personalize.web.headers import RawHeaders
from personalize.web.paths import PathMemory
from personalize.web.pieces import Slot
from personalize.web.response_head import ResponseHead
from personalize.web.rewriter import Rewriter
from personalize.web.scanner import Scanner
from personalize.web.shells import Shell, Shells

Message = MutableMapping[str, Any]

_NO_HEAD = ResponseHead({})


class _Phase(Enum):
    """How far a response is: nothing sent, passing as it came, being filled, or too late to be filled."""

    HELD = auto()
    PASSING = auto()
    FILLING = auto()
    TOO_LATE = auto()


class PersonalizedResponse:
    """Stands between the site and the server for one request.

    `paths` tells whether slots were seen on this `path` before, so that the head of a streamed page can be made private
    before its first slot comes; it is told when slots are met.
    """

    def __init__(
        self,
        send: Callable[[Message], Awaitable[None]],
        page_view: PageView,
        *,
        token: bytes,
        shells: Shells,
        method: str,
        path: str,
        paths: PathMemory,
    ) -> None:
        self._send = send
        self._page_view = page_view
        self._token = token
        self._shells = shells
        self._method = method
        self._path = path
        self._paths = paths
        self._had_slots = path in paths
        self._phase = _Phase.HELD
        self._head = _NO_HEAD
        self._scanner: Scanner | None = None
        self._rewriter: Rewriter | None = None
        self._has_slots = False
        self.disconnected = False

    async def send(self, message: Message) -> None:
        """Take one message of the site. What is not head or body is passed on at once."""
        match message["type"]:
            case "http.response.start":
                await self._start(message)
            case "http.response.body":
                await self._body(message)
            case "http.response.pathsend" | "http.response.zerocopysend":
                await self._pass(message)
            case _:
                await self._send(message)

    async def _start(self, message: Message) -> None:
        """Hold the head of a page until its body begins; any other leaves at once."""
        self._head = ResponseHead(message)
        if self._method == "HEAD" or not self._head.may_hold_marks:
            await self._pass_head()

    async def _body(self, message: Message) -> None:
        match self._phase:
            case _Phase.HELD:
                await self._begin(message)
            case _Phase.PASSING:
                await self._send(message)
                await self._finish_after(message)
            case _Phase.FILLING:
                await self._fill_on(message)
            case _Phase.TOO_LATE:
                self._notice_slots(message)
                await self._send(message)
                await self._finish_after(message)

    async def _begin(self, message: Message) -> None:
        """The first part of the body: decide what kind of response this is."""
        body = bytes(message.get("body", b""))
        encoding = page_encoding(self._head.content_type, body)
        # Quart and others close the body with an empty part of its own: a promised length says that this one is all.
        is_whole = not message.get("more_body", False) or self._head.length == len(body)
        if encoding is None or not self._head.may_hold_slots:
            await (self._without_marks(message, body) if is_whole else self._pass(message))
        elif not is_whole:
            self._scanner = Scanner(
                token=self._token,
                known=self._page_view.knows,
                placements=self._page_view.placements,
                encoding=encoding,
            )
            self._rewriter = Rewriter(self._scanner, self._page_view.markups, encoding)
            await self._fill_first(message, body, self._rewriter)
        else:
            page_view = self._page_view
            shell = self._shells.shell(
                body, self._path, page_view.version, page_view.knows, page_view.placements, encoding
            )
            await self._fill_whole(message, shell, encoding)

    # A page in one piece -------------------------------------------------------------------------------

    async def _fill_whole(self, message: Message, shell: Shell, encoding: str) -> None:
        if shell.unknown:
            self._page_view.meet_unknown(shell.unknown)
        if shell.doubts:
            tell_doubts(self._page_view, shell.doubts)
        if not shell.has_slots:
            await self._pass(message)
            return
        self._meet_slots()
        self._phase = _Phase.PASSING
        filled = await Rewriter(self._shells.unfed, self._page_view.markups, encoding).fill(shell.pieces)
        if self._page_view.private:
            await self._send_head(await self._private(len(filled)))
        elif filled != shell.body:
            await self._send_head(self._head.with_length(len(filled)))
        else:
            await self._send(self._head.message)
        await self._send({**message, "body": filled})
        await self._finish_after(message)

    async def _without_marks(self, message: Message, body: bytes) -> None:
        """A page that is not filled, such as an error page of the site: its slot tags leave no marks behind."""
        if self._token in body:
            body = self._shells.unfed.without_marks(body)
            self._head = ResponseHead({**self._head.message, "headers": self._head.with_length(len(body))})
        await self._pass({**message, "body": body})

    # A page in parts -----------------------------------------------------------------------------------

    async def _fill_first(self, message: Message, body: bytes, rewriter: Rewriter) -> None:
        filled = await rewriter.feed(body)
        if rewriter.slots or self._had_slots or self._page_view.private:
            self._phase = _Phase.FILLING
            is_private = self._page_view.private or self._had_slots
            self._page_view.is_public = not is_private
            await self._send_head(await self._private(None) if is_private else self._head.with_length(None))
        elif not self._head.describes_bytes:
            self._phase = _Phase.FILLING
            self._page_view.is_public = True
            await self._send(self._head.message)
        else:
            # The head promises a length or a digest that filling would break: this time the page passes as it is.
            self._page_view.is_public = True
            self._phase = _Phase.TOO_LATE
            await self._send(self._head.message)
            await self._send(message)
            return
        await self._send({**message, "body": filled})

    async def _fill_on(self, message: Message) -> None:
        assert self._rewriter is not None
        filled = await self._rewriter.feed(bytes(message.get("body", b"")))
        if not message.get("more_body", False):
            filled += await self._rewriter.close()
            self._page_view.meet_unknown(self._rewriter.unknown)
            tell_doubts(self._page_view, self._rewriter.doubts)
        if self._rewriter.slots:
            self._meet_slots()
        if filled or not message.get("more_body", False):
            await self._send({**message, "body": filled})
        await self._finish_after(message)

    def _notice_slots(self, message: Message) -> None:
        """Look for slots without touching a byte, so that the next response of this path can be filled."""
        assert self._scanner is not None
        body, is_last = bytes(message.get("body", b"")), not message.get("more_body", False)
        pieces = self._scanner.last(body) if is_last else self._scanner.feed(body)
        if any(isinstance(piece, Slot) for piece in pieces):
            self._meet_slots()

    def _meet_slots(self) -> None:
        """Remember at once that there are slots: the next request may be here before the site has done its last."""
        if not self._has_slots:
            self._has_slots = True
            self._paths.add(self._path)

    # Heads ---------------------------------------------------------------------------------------------

    async def _pass(self, message: Message) -> None:
        """Pass the response as it came."""
        if self._phase is _Phase.HELD:
            await self._pass_head()
        await self._send(message)
        await self._finish_after(message)

    async def _pass_head(self) -> None:
        """Pass the head; where the response depends on the visitor all the same, no cache may keep it."""
        self._phase = _Phase.PASSING
        may_be_page = self._head.is_html or not self._head.content_type
        head_only = self._method == "HEAD" and self._had_slots and may_be_page
        if self._page_view.private or head_only:
            await self._send_head(await self._private(None if head_only else self._head.length))
        else:
            self._page_view.is_public = True
            await self._send(self._head.message)

    async def _private(self, length: int | None) -> RawHeaders:
        may_set_cookies = self._method != "HEAD" and self._head.is_shown
        cookies = await self._page_view.cookies() if may_set_cookies else ()
        return self._head.made_private(length, cookies)

    async def _send_head(self, headers: RawHeaders) -> None:
        await self._send({**self._head.message, "headers": headers})

    async def _finish_after(self, message: Message) -> None:
        """After the last part, the page view is over: what follows in the site is its own background work."""
        if not message.get("more_body", False):
            await self._page_view.finish(viewed=self._has_slots and not self.disconnected)
