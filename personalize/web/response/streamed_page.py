"""A page that comes in parts: looked at for a moment where nothing is known of it, then filled while it passes by."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from enum import Enum, auto

from personalize.runtime.page_view import PageView
from personalize.web.asgi import HTTPMessage, kept
from personalize.web.html.charset import EncodingInParts
from personalize.web.html.doubts import tell_doubts
from personalize.web.html.pieces import Slot
from personalize.web.html.rewriter import Rewriter
from personalize.web.html.scanner import Scanner
from personalize.web.response.codings import CodingError, Decoder
from personalize.web.response.outgoing import Outgoing
from personalize.web.response.response_head import ResponseHead

#: How long, and how much of, a page of which nothing is known is held to see whether it has slots.
LONGEST_LOOK_SECONDS = 0.05
LONGEST_LOOK_BYTES = 1_048_576


class _Phase(Enum):
    """How far the page is: looked at, about to leave, being filled, or passing as it came, too late to be filled."""

    LOOKING = auto()
    LEAVING = auto()
    FILLING = auto()
    TOO_LATE = auto()


class StreamedPage:
    """One page in parts. It leaves through `out`; `decode` reads it where the site has compressed it, and `rewriter`
    makes what fills it.

    A head says whom a page is for before anybody has seen all of it. Where `had_slots` tells what came at this path
    before, the head leaves at once. Otherwise the page is held for a moment: until a slot is seen that depends on the
    visitor, the page ends, or too much time or memory is taken. If none was seen by then, the head leaves as a public
    one, and such a slot that comes later shows its default.
    """

    def __init__(
        self,
        out: Outgoing,
        page_view: PageView,
        head: ResponseHead,
        encoding: str,
        decode: Decoder | None,
        *,
        token: bytes,
        had_slots: bool | None,
        rewriter: Callable[[Scanner, EncodingInParts], Rewriter],
    ) -> None:
        self._out = out
        self._page_view = page_view
        self._head = head
        self._decode = decode
        self._had_slots = had_slots
        self._scanner = Scanner(token=token, known=page_view.knows, placements=page_view.placements, encoding=encoding)
        self._rewriter = rewriter(self._scanner, EncodingInParts(head.content_type))
        self._look = _Look(self._time_is_up)
        self._leaving: asyncio.Task[None] | None = None
        self._phase = _Phase.LOOKING

    async def begin(self, message: HTTPMessage, page: bytes) -> None:
        """Take the first part, which holds this text."""
        await self._look_at(message, page)

    async def take(self, message: HTTPMessage) -> None:
        """Take a further part."""
        match self._phase:
            case _Phase.FILLING:
                await self._fill(message)
            case _Phase.TOO_LATE:
                self._notice_slots(message)
                await self._out.send_part(message)
            case _Phase.LOOKING:
                self._look.pause()
                await self._look_on(message)
            case _Phase.LEAVING:
                await self._left()
                if self._phase is _Phase.LEAVING:
                    self._phase = _Phase.TOO_LATE  # all of it has left, or the client has: the server is to judge more
                await self.take(message)

    def _text(self, message: HTTPMessage) -> bytes:
        data = bytes(message.get("body", b""))
        if self._decode is None:
            return data
        is_last = self._phase is _Phase.LOOKING and not message.get("more_body", False)
        return self._decode(data, is_last=is_last)

    def _tell(self) -> None:
        """Tell what was odd about the slots of the page, at its end."""
        self._page_view.meet_unknown(self._rewriter.unknown)
        tell_doubts(self._page_view, self._rewriter.doubts)

    # While nothing is known ----------------------------------------------------------------------------

    async def _look_on(self, message: HTTPMessage) -> None:
        page = None
        with suppress(CodingError):
            page = self._text(message)
        if page is not None:
            await self._look_at(message, page)
            return
        self._out.skip_unread()
        self._look.add(kept(message), b"", b"")
        await self._pass_held()

    async def _look_at(self, message: HTTPMessage, page: bytes) -> None:
        """Hold one more part, for as long as nothing is known of the page and a slot may still come in time."""
        filled = await self._rewriter.feed(page)
        is_last = not message.get("more_body", False)
        if is_last:
            filled += await self._rewriter.close()
            self._tell()
        if self._rewriter.slots or self._rewriter.waits:
            self._out.meet_slots()
        self._look.add(kept(message), page, filled)
        if is_last:
            await self._end(message)
        elif self._had_slots is not None or self._page_view.private or self._look.is_long_enough:
            await self._leave()
        else:
            self._look.wait()

    async def _end(self, message: HTTPMessage) -> None:
        """The page has ended while it was looked at, so that even its length is known."""
        self._phase = _Phase.LEAVING
        out, head, page = self._out, self._head.decoded(), self._look.filled
        if out.has_slots:
            await out.send_page(head, page, message)
        elif self._look.has_marks:
            await out.pass_head(ResponseHead({**head.message, "headers": head.with_length(len(page))}))
            await out.send_part({**message, "body": page})
        else:
            await self._pass_held()

    def _time_is_up(self) -> None:
        """The site is long in sending more: what is held leaves, in a task that the next part waits for."""
        self._phase = _Phase.LEAVING
        self._leaving = asyncio.create_task(self._leave())

    async def _left(self) -> None:
        if self._leaving is not None:
            await self._leaving

    async def _leave(self) -> None:
        """Send the head, by what is known of the page by now, and all that was held."""
        self._phase = _Phase.LEAVING
        page_view, head = self._page_view, self._head.decoded()
        if self._out.is_private or self._out.has_slots or self._had_slots:
            await self._out.send_head(head)
        elif not self._head.describes_bytes:
            page_view.is_public = not head.is_kept_private
            await self._out.pass_on(head.message)
        else:
            # The head promises a length or a digest that filling would break: this time the page passes as it is.
            await self._pass_held()
            return
        if page := self._look.filled:
            await self._out.send_part({**self._look.messages[-1], "body": page})
        self._phase = _Phase.FILLING

    async def _pass_held(self) -> None:
        """Pass what was held as it came; what follows is only looked at, so that the next page can be filled."""
        self._phase = _Phase.LEAVING
        await self._out.pass_head(self._head)
        for message in self._look.messages:
            await self._out.send_part(message)
        self._phase = _Phase.TOO_LATE

    # While it passes -----------------------------------------------------------------------------------

    async def _fill(self, message: HTTPMessage) -> None:
        filled = await self._rewriter.feed(self._text(message))
        is_last = not message.get("more_body", False)
        if is_last:
            filled += await self._rewriter.close()
            self._tell()
        if self._rewriter.slots or self._rewriter.waits:
            self._out.meet_slots()
        if filled or is_last:
            await self._out.send_part({**message, "body": filled})

    def _notice_slots(self, message: HTTPMessage) -> None:
        """Look for slots without touching a byte."""
        if not self._out.teaches:
            return
        try:
            pieces = self._scanner.feed(self._text(message))
        except CodingError:
            self._out.skip_unread()
            return
        if not message.get("more_body", False):
            pieces += self._scanner.close()
            self._tell()
        if any(isinstance(piece, Slot) for piece in pieces):
            self._out.meet_slots()

    async def break_off(self) -> None:
        """Send what is held of a page that the site does not end."""
        self._look.pause()
        await self._left()
        if self._phase is _Phase.LOOKING:
            await self._pass_held()
        elif self._phase is _Phase.FILLING and (rest := await self._rewriter.close()):
            await self._out.pass_on({"type": "http.response.body", "body": rest, "more_body": True})


class _Look:
    """The first parts of a page of which nothing is known: as they came, and as far as they could leave filled."""

    def __init__(self, time_is_up: Callable[[], None]) -> None:
        self.messages: list[HTTPMessage] = []
        self._text_size = 0
        self._filled: list[bytes] = []
        self._size = 0
        self._loop = asyncio.get_running_loop()
        self._until = self._loop.time() + LONGEST_LOOK_SECONDS
        self._time_is_up = time_is_up
        self._timer: asyncio.TimerHandle | None = None

    @property
    def filled(self) -> bytes:
        """What can leave of a page that is filled."""
        return b"".join(self._filled)

    @property
    def has_marks(self) -> bool:
        """Whether marks of slot tags were taken out of a page that has ended, and has no slots."""
        return self._size < self._text_size

    @property
    def is_long_enough(self) -> bool:
        """Whether no more may be held."""
        return self._size > LONGEST_LOOK_BYTES or self._loop.time() >= self._until

    def add(self, message: HTTPMessage, text: bytes, filled: bytes) -> None:
        """Hold one more part."""
        self.messages.append(message)
        self._text_size += len(text)
        self._filled.append(filled)
        self._size += len(filled)

    def wait(self) -> None:
        """The site may be long in sending more: from now on the time can be up."""
        self._timer = self._loop.call_at(self._until, self._time_is_up)

    def pause(self) -> None:
        """While a part is looked at, the time can't be up."""
        if self._timer is not None:
            self._timer.cancel()
