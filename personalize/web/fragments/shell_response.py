"""A page on its way to caches: the same for everybody, with what brings each visitor's slots in their place."""

from collections.abc import Awaitable, Callable, Sequence

from personalize.runtime.page_view import PageView
from personalize.web.asgi import HTTPMessage, Receive, Send
from personalize.web.fragments.shell_page import ShellPage
from personalize.web.fragments.shell_writer import ShellWriter
from personalize.web.html.charset import EncodingInParts
from personalize.web.html.doubts import Doubt, tell_doubts
from personalize.web.html.pieces import Copy, Piece, Slot
from personalize.web.html.rewriter import Rewriter
from personalize.web.html.scanner import Scanner
from personalize.web.html.shells import Shell
from personalize.web.request.asked import Asked
from personalize.web.response.head_response import HeadResponse
from personalize.web.response.response import PersonalizedResponse
from personalize.web.response.response_head import ResponseHead
from personalize.web.response.site_pages import SitePages

_UTF_8 = frozenset({"utf-8", "utf-8-sig"})


class ShellRewriter(Rewriter):
    """Reads the pieces of a scanner and writes what everybody gets, in the place of a rewriter that fills slots."""

    def __init__(self, scanner: Scanner, writer: ShellWriter, encoding: EncodingInParts) -> None:
        super().__init__(scanner, _nothing, encoding)
        self._writer = writer

    @property
    def unknown(self) -> frozenset[str]:
        """Slots met so far that nobody defines."""
        return super().unknown | self._writer.unknown

    @property
    def doubts(self) -> dict[str, Doubt]:
        """What was doubtful so far, by slot."""
        return {**super().doubts, **self._writer.doubts}

    def settled(self, pieces: list[Piece]) -> list[Piece]:
        """These pieces as everybody gets them: nothing is left to fill."""
        self._writer.is_ascii = self._encoding not in _UTF_8
        written = self._writer.write([self._unless_uncertain(piece) for piece in pieces])
        self.slots = self._writer.slots
        return [Copy(written)]

    def _unless_uncertain(self, piece: Piece) -> Piece:
        """The piece; of a slot that stands before the page says its encoding, only its own markup."""
        is_early = self._encoding is None or self._passed < self._declared_until
        self._passed += len(piece.data)
        if not (isinstance(piece, Slot) and is_early):
            return piece
        self._early[piece.slot_id] = Doubt.EARLY
        return Copy(piece.kept(self._scanner.without_marks(piece.inside)))


async def _nothing(slot_ids: Sequence[str]) -> Sequence[str | None]:
    return [None] * len(slot_ids)


class ShellResponse(PersonalizedResponse):
    """Stands between the site and the server for one request whose page shared caches may keep: it is written by
    `page`. One that the site itself keeps out of them, or that was made from what is known of the visitor, is filled
    in place and for this visitor alone, as any other."""

    def __init__(
        self,
        receive: Receive,
        send: Send,
        page_view: PageView,
        site: SitePages,
        asked: Asked,
        *,
        page: ShellPage,
    ) -> None:
        super().__init__(receive, send, page_view, site, asked)
        self._page = page
        self._may_be_shared = True
        self._writer: ShellWriter | None = None

    @property
    def _is_shared(self) -> bool:
        return self._may_be_shared and not self._page_view.private

    def _start(self, message: HTTPMessage) -> Awaitable[None]:
        head = ResponseHead(message)
        self._may_be_shared = not head.is_kept_from_caches
        if head.status == 304 and self._had_slots and self._is_shared:
            message = {**message, "headers": self._page.revalidated(head)}
        return super()._start(message)

    def _for_all(self, shell: Shell) -> bytes | None:
        if not self._is_shared:
            return None
        writer = self._write(self._site.shells.without_marks)
        writer.is_ascii = shell.encoding not in _UTF_8
        written = writer.write(shell.layout.pieces)
        self._page_view.meet_unknown(writer.unknown)
        tell_doubts(self._page_view, writer.doubts)
        return written

    def _rewriter(self, scanner: Scanner, encoding: EncodingInParts) -> Rewriter:
        if not self._is_shared:
            return super()._rewriter(scanner, encoding)
        return ShellRewriter(scanner, self._write(scanner.without_marks), encoding)

    def _write(self, without_marks: Callable[[bytes], bytes]) -> ShellWriter:
        writer = self._writer = ShellWriter(self._page, without_marks, script=self._page.script(self._head))
        return writer

    async def send_head(self, head: ResponseHead) -> None:
        """Send the head of a page that is written while it passes by."""
        if not self._is_shared:
            await super().send_head(head)
            return
        self._page_view.is_public = True
        await self._send({**head.message, "headers": self._page.headers(head, None)})

    async def send_page(self, head: ResponseHead, page: bytes, message: HTTPMessage) -> None:
        """Send a whole page that was written; `message` is its last part."""
        if not self._is_shared:
            await super().send_page(head, page, message)
            return
        self._page_view.is_public = True
        await self._send({**head.message, "headers": self._page.headers(head, len(page))})
        await self.send_part({**message, "body": page})

    @property
    def _is_viewed(self) -> bool:
        """Where the page is shared, what asks for its slots tells of the page view."""
        return super()._is_viewed and not self._is_shared


class ShellHead(HeadResponse):
    """The answer to HEAD where GET brings such a page."""

    def __init__(
        self,
        receive: Receive,
        send: Send,
        page_view: PageView,
        site: SitePages,
        asked: Asked,
        *,
        page: ShellPage,
    ) -> None:
        super().__init__(receive, send, page_view, site, asked)
        self._page = page

    async def _send_private(self) -> None:
        if self._head.is_kept_from_caches or self._page_view.private:
            await super()._send_private()
        else:
            await self._send({**self._head.message, "headers": self._page.headers(self._head, None)})
