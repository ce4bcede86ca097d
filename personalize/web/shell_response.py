"""A page on its way to caches: the same for everybody, with what brings each visitor's slots in their place."""

from collections.abc import Awaitable, Callable, MutableMapping
from enum import Enum, auto
from typing import Any

from personalize.runtime.page_view import PageView
from personalize.web.charset import page_encoding
from personalize.web.doubts import tell_doubts
from personalize.web.headers import RawHeaders
from personalize.web.outgoing import Outgoing
from personalize.web.paths import PathMemory
from personalize.web.pieces import Slot
from personalize.web.response_head import ResponseHead
from personalize.web.scanner import Scanner
from personalize.web.shell_page import ShellPage
from personalize.web.shell_writer import ShellWriter
from personalize.web.shells import LONGEST_SHELL, Shells

Message = MutableMapping[str, Any]

_UTF_8 = frozenset({"utf-8", "utf-8-sig"})
_NO_HEAD = ResponseHead({})


class _Phase(Enum):
    """How far a response is: nothing sent, filled for this visitor alone, passing, being written, or too late."""

    HELD = auto()
    FILLED = auto()
    PASSING = auto()
    WRITING = auto()
    TOO_LATE = auto()


class ShellResponse:
    """Stands between the site and the server for one request whose page shared caches may keep.

    A page that the site itself keeps out of them, or that was made from what is known of the visitor, is `filled`
    instead, in place and for this visitor alone. A page that promises its length is waited for; in a longer one, or
    one that comes in parts, slots are written as they come. `had_slots` says that this path is known to have them;
    `paths` is told of what is met.
    """

    def __init__(
        self,
        send: Callable[[Message], Awaitable[None]],
        page_view: PageView,
        filled: Outgoing,
        page: ShellPage,
        *,
        token: bytes,
        shells: Shells,
        method: str,
        had_slots: bool,
        paths: PathMemory,
    ) -> None:
        self._send = send
        self._page_view = page_view
        self._filled = filled
        self._page = page
        self._token = token
        self._shells = shells
        self._method = method
        self._paths = paths
        self._had_slots = had_slots
        self._phase = _Phase.HELD
        self._head = _NO_HEAD
        self._waiting = b""
        self._scanner: Scanner | None = None
        self._writer: ShellWriter | None = None
        self._has_slots = False

    async def send(self, message: Message) -> None:
        """Take one message of the site. What is not head or body is passed on at once."""
        if self._phase is _Phase.FILLED:
            await self._filled.send(message)
            return
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
        """Hold the head of a page until its body is there; any other leaves at once."""
        self._head = head = ResponseHead(message)
        if head.is_kept_from_caches:
            self._phase = _Phase.FILLED
            await self._filled.send(message)
        elif head.status == 304 and self._had_slots:
            await self._send_head(_Phase.PASSING, self._page.revalidated(head))
        elif self._method == "HEAD" and self._had_slots and (head.is_html or not head.content_type):
            await self._send_head(_Phase.PASSING, self._page.headers(head, None))
        elif self._method == "HEAD" or head.coding or not head.may_hold_marks:
            await self._send_head(_Phase.PASSING)

    async def _body(self, message: Message) -> None:
        match self._phase:
            case _Phase.HELD:
                await self._wait(message)
            case _Phase.WRITING:
                await self._write_on(message)
            case _Phase.TOO_LATE:
                self._notice_slots(message)
                await self._send(message)
            case _:
                await self._send(message)
        if not message.get("more_body", False) and self._phase is not _Phase.FILLED:
            await self._page_view.finish(viewed=False)

    async def _wait(self, message: Message) -> None:
        """Begin with the first part of the body, or with the whole of one that promises not to be too long."""
        self._waiting += bytes(message.get("body", b""))
        length = self._head.length
        is_promised = length is not None and length <= LONGEST_SHELL and len(self._waiting) <= LONGEST_SHELL
        if not (message.get("more_body", False) and is_promised and len(self._waiting) != length):
            body, self._waiting = self._waiting, b""
            await self._begin({**message, "body": body}, body)

    async def _begin(self, message: Message, body: bytes) -> None:
        """Decide what kind of response this is."""
        if self._page_view.private:
            self._phase = _Phase.FILLED
            await self._filled.send(self._head.message)
            await self._filled.send(message)
            return
        encoding = page_encoding(self._head.content_type, body)
        # Quart and others close the body with an empty part of its own: a promised length says that this one is all.
        is_whole = not message.get("more_body", False) or self._head.length == len(body)
        if encoding is None or not self._head.may_hold_slots:
            if is_whole and self._token in body:
                body = self._shells.unfed.without_marks(body)
                await self._send_whole(message, body, self._head.with_length(len(body)))
            else:
                await self._pass(message)
        elif is_whole:
            await self._write_whole(message, body, encoding)
        else:
            await self._write_first(message, body, encoding)

    # A page in one piece -------------------------------------------------------------------------------

    async def _write_whole(self, message: Message, body: bytes, encoding: str) -> None:
        page_view = self._page_view
        shell = self._shells.shell(
            body, self._page.path, page_view.version, page_view.knows, page_view.placements, encoding
        )
        tell_doubts(page_view, shell.doubts)
        writer = self._begin_writer(encoding) if shell.has_slots else None
        if writer is None:
            page_view.meet_unknown(shell.unknown)
            await self._pass(message)
            return
        written = writer.write(shell.pieces)
        page_view.meet_unknown(shell.unknown | writer.unknown)
        tell_doubts(page_view, writer.doubts)
        if writer.slots:
            self._meet_slots()
        headers = self._page.headers(self._head, len(written)) if writer.slots else self._head.with_length(len(written))
        await self._send_whole(message, written, headers)

    async def _send_whole(self, message: Message, body: bytes, headers: RawHeaders) -> None:
        await self._send_head(_Phase.PASSING, headers)
        await self._send({**message, "body": body})

    def _begin_writer(self, encoding: str) -> ShellWriter | None:
        """What writes this page; None where its own policy keeps out the script that would bring its slots."""
        script = self._page.script(self._head)
        if script is None:
            return None
        return ShellWriter(self._page, self._shells.unfed, is_ascii=encoding not in _UTF_8, script=script)

    # A page in parts -----------------------------------------------------------------------------------

    async def _write_first(self, message: Message, body: bytes, encoding: str) -> None:
        """Write slots from here on, unless the head promises something of the site's bytes that writing would break;
        then this response passes as it is, and the next of this path is written."""
        writer = self._begin_writer(encoding)
        if writer is None:
            await self._pass(message)
            return
        scanner = self._scanner = Scanner(
            token=self._token,
            known=self._page_view.knows,
            placements=self._page_view.placements,
            encoding=encoding,
        )
        written = writer.write(scanner.feed(body))
        if writer.slots or self._had_slots:
            headers = self._page.headers(self._head, None)
        elif self._page.is_told_by_head or self._head.describes_bytes:
            await self._send_head(_Phase.TOO_LATE)
            await self._send(message)
            return
        else:
            headers = self._head.headers
        self._writer = writer
        await self._send_head(_Phase.WRITING, headers)
        await self._send({**message, "body": written})

    async def _write_on(self, message: Message) -> None:
        assert self._scanner is not None and self._writer is not None
        is_last = not message.get("more_body", False)
        pieces = self._scanner.feed(bytes(message.get("body", b"")))
        if is_last:
            pieces += self._scanner.close()
        written = self._writer.write(pieces)
        if self._writer.slots:
            self._meet_slots()
        if is_last:
            self._page_view.meet_unknown(self._scanner.unknown | self._writer.unknown)
            tell_doubts(self._page_view, {**self._scanner.doubts.by_slot, **self._writer.doubts})
        if written or is_last:
            await self._send({**message, "body": written})

    def _notice_slots(self, message: Message) -> None:
        """Look for slots without touching a byte, so that the next response of this path can be written."""
        assert self._scanner is not None
        body, is_last = bytes(message.get("body", b"")), not message.get("more_body", False)
        pieces = self._scanner.last(body) if is_last else self._scanner.feed(body)
        if any(isinstance(piece, Slot) for piece in pieces):
            self._meet_slots()

    def _meet_slots(self) -> None:
        """Remember at once that there are slots: the next request may be here before the site has done its last."""
        if not self._has_slots:
            self._has_slots = True
            self._paths.add(self._page.path)

    # Heads ---------------------------------------------------------------------------------------------

    async def _pass(self, message: Message) -> None:
        """Pass the response as it came."""
        if self._phase is _Phase.HELD:
            await self._send_head(_Phase.PASSING)
        await self._send(message)

    async def _send_head(self, phase: _Phase, headers: RawHeaders | None = None) -> None:
        """Let the head go: from here on, nothing that depends on the visitor may come."""
        self._phase = phase
        self._page_view.is_public = True
        message = self._head.message
        await self._send(message if headers is None else {**message, "headers": headers})
