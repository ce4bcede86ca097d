"""One response on its way out: held until it is clear what it is, then filled, or passed as it came."""

from collections.abc import Awaitable, Sequence
from contextlib import suppress

from personalize.web.asgi import HTTPMessage, Message
from personalize.web.html.charset import EncodingInParts, page_encoding
from personalize.web.html.doubts import tell_doubts
from personalize.web.html.rewriter import MOST_SLOTS, Rewriter
from personalize.web.html.scanner import Scanner
from personalize.web.html.script_policy import admission_of
from personalize.web.html.shells import Shell
from personalize.web.html.unmarked_parts import UnmarkedParts
from personalize.web.response.codings import CodingError, decoder_of
from personalize.web.response.outgoing import Outgoing
from personalize.web.response.response_head import ResponseHead, is_no_page
from personalize.web.response.streamed_page import StreamedPage
from personalize.web.seen.slot_watch import SlotWatch, WatchedRewriter


class PersonalizedResponse(Outgoing):
    """Stands between the site and the server for one request. A streamed page of which nothing is known is looked at
    for a moment before its head leaves."""

    _is_held: bool = True
    _streamed: StreamedPage | None = None
    _unmarked: UnmarkedParts | None = None

    def send(self, message: Message) -> Awaitable[None]:
        """Take one message of the site. What is no page passes without another step than this: of what a site serves it
        is the most, and may come in thousands of parts."""
        if not isinstance(message, dict):
            message = dict(message)  # as nobody sends it
        kind: str = message["type"]
        match kind:
            case "http.response.start":
                return self._start(message)
            case "http.response.body":
                if self._is_held:
                    return self._begin(message)
                if self._streamed is not None:
                    return self._streamed.take(message)
                return self.send_part(message) if self._unmarked is None else self._unmark(self._unmarked, message)
            case "http.response.pathsend" | "http.response.zerocopysend":
                self.teaches = self.teaches and not self._head.is_html
                return self._pass(message)
            case _:
                return self._send(message)

    def _start(self, message: HTTPMessage) -> Awaitable[None]:
        """Hold the head of a page until its body begins; any other leaves at once."""
        if self.has_begun:
            return self._start_again(message)
        self.has_begun = True
        # Where slots were seen it will be a page, whose head is read whole all the same.
        if not self._had_slots and is_no_page(message) and not self._head_may_change:
            self._is_held, self._page_view.is_public = False, True
            if self._had_slots is None and message.get("status", 200) != 200:
                self.teaches = False
            return self._send(message)
        head = self._head = ResponseHead(message)
        if head.may_hold_marks:
            return _nothing_leaves()
        if head.is_html:
            self.skip_unread()
        self._is_held = False
        return self.pass_head(head)

    async def _start_again(self, message: HTTPMessage) -> None:
        """A second head is the server's to judge."""
        if not self.is_over:
            await self.break_off()
        self._streamed, self._unmarked, self._is_held = None, None, False
        await self._send(message)

    def _begin(self, message: HTTPMessage) -> Awaitable[None]:
        """The first part of the body: decide what kind of response this is."""
        if not self.has_begun:
            return self._send(message)  # a site that sends no head is the server's to judge
        head, page = self._head, message.get("body", b"")
        if type(page) is not bytes:
            page = bytes(page)
        # Quart and others close the body with an empty part of its own: a promised length says that this one is all.
        is_whole = not message.get("more_body", False) or head.length == len(page)
        decode = decoder_of(head.coding) if head.coding else None
        try:
            page = page if decode is None else decode(page, is_last=is_whole)
        except CodingError:
            self.skip_unread()
            return self._pass(message)
        if is_whole and head.may_hold_slots:
            shell = self._site.shells.shell(page, self._path, head.content_type, self._page_view)
            return self._pass(message) if shell.is_plain else self._fill(message, shell)
        if is_whole:
            return self._without_marks(message, page)
        if not head.may_hold_slots or (encoding := page_encoding(head.content_type, page)) is None:
            return self._pass_first(message)
        self._is_held = False
        self._streamed = StreamedPage(
            self,
            self._page_view,
            head,
            encoding,
            decode,
            token=self._site.token,
            had_slots=self._had_slots,
            rewriter=self._rewriter,
        )
        return self._streamed.begin(message, page)

    async def _fill(self, message: HTTPMessage, shell: Shell) -> None:
        """A page in one piece."""
        page_view = self._page_view
        if shell.unknown:
            page_view.meet_unknown(shell.unknown)
        if shell.doubts:
            tell_doubts(page_view, shell.doubts)
        if not shell.layout.slot_ids:
            may_have_marks = shell.layout.pieces or shell.encoding is None
            await (self._without_marks(message, shell.body) if may_have_marks else self._pass(message))
            return
        self.meet_slots()
        filled = self._for_all(shell)
        if filled is None:
            filled = shell.layout.filled(await self._markups(shell), shell.encoding or "utf-8")
        if filled == shell.body and not (page_view.private or (self._site.policy.shares and page_view.has_decided)):
            await self._pass(message)
            return
        self._is_held = False
        await self.send_page(self._head.decoded(), filled, message)

    def _for_all(self, shell: Shell) -> bytes | None:
        """What leaves of a page in one piece, where everybody gets the same of it; None where its slots are filled."""
        return None

    def _markups(self, shell: Shell) -> Awaitable[Sequence[str | None]]:
        """What fills its slots."""
        slot_ids, watch = shell.layout.slot_ids[:MOST_SLOTS], self._watch()
        if watch is None:
            return self._page_view.markups(slot_ids)
        watch.pass_by(shell.layout.pieces)
        return watch.markups(slot_ids)

    def _rewriter(self, scanner: Scanner, encoding: EncodingInParts) -> Rewriter:
        """What makes of a page in parts what leaves."""
        watch = self._watch()
        if watch is None:
            return Rewriter(scanner, self._page_view.markups, encoding)
        return WatchedRewriter(scanner, watch, encoding)

    def _watch(self) -> SlotWatch | None:
        """What has the page tell which slots came into view; None where that is not counted, or kept out by the page's
        own policy."""
        marks = self._site.seen_marks
        if marks is None or (admission := admission_of(self._head.policies)) is None:
            return None
        return SlotWatch(self._page_view, marks, admission.nonce)

    async def _without_marks(self, message: HTTPMessage, page: bytes) -> None:
        """A page that is not filled, such as an error page of the site: its slot tags leave no marks behind."""
        if self._site.token in page:
            page = self._site.shells.without_marks(page)
            head = self._head.decoded()
            self._head = ResponseHead({**head.message, "headers": head.with_length(len(page))})
            message = {**message, "body": page}
        await self._pass(message)

    async def _pass_first(self, message: HTTPMessage) -> None:
        """The first part of a page that is not filled; where its head allows it, an error page loses its marks."""
        if self._head.status >= 400 and not self._head.describes_bytes:
            self._unmarked = UnmarkedParts(self._site.token)
            await self._let_head_pass()
            await self._unmark(self._unmarked, message)
        else:
            await self._pass(message)

    async def _unmark(self, unmarked: UnmarkedParts, message: HTTPMessage) -> None:
        is_last = not message.get("more_body", False)
        page = unmarked.without_marks(bytes(message.get("body", b"")), is_last=is_last)
        if page or is_last:
            await self.send_part({**message, "body": page})

    async def _pass(self, message: HTTPMessage) -> None:
        """Pass the response as it came."""
        if self._is_held:
            await self._let_head_pass()
        await self.send_part(message)

    def _let_head_pass(self) -> Awaitable[None]:
        """Send the head as it came."""
        self._is_held = False
        return self.pass_head(self._head)

    async def break_off(self) -> None:
        """Send what is held of a page that the site does not end."""
        with suppress(OSError):  # the client has left, too
            if self._streamed is not None:
                await self._streamed.break_off()
            elif self._unmarked is not None and (rest := self._unmarked.rest()):
                await self._send({"type": "http.response.body", "body": rest, "more_body": True})
            elif self._is_held and self.has_begun:
                await self._let_head_pass()


async def _nothing_leaves() -> None:
    """What is held, is."""
