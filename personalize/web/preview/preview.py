"""Preview links on their way through the site: the token out of the address, outlines and the bar into the page."""

from dataclasses import replace
from urllib.parse import quote, unquote_to_bytes

from markupsafe import escape

from personalize.runtime.preview import PreviewPageView, Refusal
from personalize.runtime.preview_links import PARAMETER
from personalize.web.asgi import Message, Send
from personalize.web.headers import RawHeaders
from personalize.web.html.charset import page_encoding
from personalize.web.html.pieces import Copy, Piece, Slot
from personalize.web.html.scanner import Scanner
from personalize.web.preview.preview_bar import STYLE, SlotMarks, bar
from personalize.web.preview.style_policy import allowing_style
from personalize.web.response.codings import Decoder, decoder_of
from personalize.web.response.response_head import ResponseHead

#: What the query string of a preview link holds; one search tells whether there is one.
MARK = f"{PARAMETER}=".encode()
_KEPT_OUT = ((b"x-robots-tag", b"noindex, nofollow"), (b"referrer-policy", b"no-referrer"))
_REPLACED = frozenset(name for name, _ in _KEPT_OUT)
_POLICY = b"content-security-policy"
_REFUSALS = {
    Refusal.EXPIRED: (410, "This preview link has expired", "It worked for an hour."),
    Refusal.FORGED: (403, "This is no preview link of this page", "It was changed, or made for another page."),
    Refusal.UNAVAILABLE: (503, "This preview can't be shown just now", "The site's log says why."),
}


def without_token(query_string: bytes) -> tuple[str | None, bytes]:
    """The token in a query string, None where there is none, and the query string as the site shall see it."""
    token, rest = None, []
    for part in query_string.split(b"&"):
        if part.startswith(MARK):
            token = unquote_to_bytes(part[len(MARK) :]).decode("latin-1")
        else:
            rest.append(part)
    return token, b"&".join(rest)


def _kept_out(headers: RawHeaders) -> RawHeaders:
    """The headers with those that keep search engines and other sites out."""
    return [*(pair for pair in headers if pair[0].lower() not in _REPLACED), *_KEPT_OUT]


async def refuse(send: Send, refusal: Refusal, path: str, query_string: bytes) -> None:
    """Answer a link that shows no preview by a plain page that says so, and leads to the page itself."""
    status, title, text = _REFUSALS[refusal]
    # Two slashes at the beginning would lead to another site.
    page = quote(f"/{path.lstrip('/')}") + (f"?{query_string.decode('latin-1')}" if query_string else "")
    body = (
        '<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">'
        '<meta name="color-scheme" content="light dark">'
        "<style>body{font:1rem/1.5 system-ui,sans-serif;max-width:40rem;margin:2rem auto;padding:0 1rem}</style>"
        f"<title>{title}</title><h1>{title}</h1><p>{text} A new one is made by <code>personalize preview</code>.</p>"
        f'<p><a href="{escape(page)}">The page as you see it yourself</a></p></html>'
    ).encode()
    head = ResponseHead({"headers": [(b"content-type", b"text/html; charset=utf-8")]})
    headers = _kept_out(head.made_private(len(body)))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


class PreviewedResponse:
    """Stands between the site and the server for one preview.

    Pages leave with their slots filled and outlined, and a bar at their end; everything else leaves as it came. All
    of it is private, unknown to search engines, and sends no browser's referrer elsewhere.
    """

    def __init__(self, send: Send, page_view: PreviewPageView, marks: SlotMarks, *, token: bytes, method: str) -> None:
        self._send = send
        self._page_view = page_view
        self._marks = marks
        self._token = token
        self._method = method
        self._head: ResponseHead | None = None
        self._scanner: Scanner | None = None
        self._decode: Decoder | None = None
        self._encoding = ""

    async def send(self, message: Message) -> None:
        """Take one message of the site."""
        if message["type"] == "http.response.start":
            self._head = ResponseHead(message)
            return
        if self._head is not None:
            head, self._head = self._head, None
            await self._begin(head, message)
        if message["type"] == "http.response.body" and self._scanner is not None:
            message = {**message, "body": await self._filled(message, self._scanner)}
        await self._send(message)

    async def _begin(self, head: ResponseHead, message: Message) -> None:
        """Send the head, once the first part of the body tells whether this is a page to fill."""
        is_head = self._method == "HEAD"
        length = None if is_head else head.length
        if message["type"] == "http.response.body" and head.may_hold_slots and not is_head:
            decode = decoder_of(head.coding) if head.coding else None
            encoding = page_encoding(head.content_type, b"" if decode else bytes(message.get("body", b"")))
            if encoding is not None:
                head, self._decode = head.decoded(), decode
                page_view, self._encoding = self._page_view, encoding
                self._scanner = Scanner(
                    token=self._token, known=page_view.knows, placements=page_view.placements, encoding=encoding
                )
                length = None
        headers = [_with_our_style(pair) for pair in head.made_private(length)]
        await self._send({**head.message, "headers": _kept_out(headers)})

    async def _filled(self, message: Message, scanner: Scanner) -> bytes:
        data = bytes(message.get("body", b""))
        pieces = scanner.feed(data if self._decode is None else self._decode(data))
        if message.get("more_body", False):
            return await self._written(pieces, scanner)
        page = await self._written([*pieces, *scanner.close()], scanner)
        self._page_view.meet_unknown(scanner.unknown)
        await self._page_view.finish(viewed=True)
        return page + self._encoded(bar(self._page_view, self._marks))

    async def _written(self, pieces: list[Piece], scanner: Scanner) -> bytes:
        parts: list[bytes] = []
        for piece in pieces:
            if isinstance(piece, Copy):
                parts.append(piece.data)
            elif isinstance(piece, Slot):
                parts.append(await self._filled_slot(piece, scanner))
        return b"".join(parts)

    async def _filled_slot(self, slot: Slot, scanner: Scanner) -> bytes:
        """The slot with its items or the page's own, marked: the element that is the slot, else what it holds."""
        self._marks.meet(slot.slot_id)
        if slot.kind == "inside":
            slot = self._with_marked_element(slot)
        (markup,) = await self._page_view.markups([slot.slot_id])
        if markup is not None:
            return slot.filled(self._encoded(markup))
        inside = scanner.without_marks(slot.inside)
        if slot.kind in ("token", "inside"):
            return slot.kept(self._marks.marked_bytes(slot.slot_id, inside))
        return self._with_marked_element(slot).kept(inside)

    def _with_marked_element(self, slot: Slot) -> Slot:
        return replace(slot, open=self._marks.marked_bytes(slot.slot_id, slot.open))

    def _encoded(self, markup: str) -> bytes:
        return markup.encode(self._encoding, "xmlcharrefreplace")


def _with_our_style(pair: tuple[bytes, bytes]) -> tuple[bytes, bytes]:
    """A header; a content security policy with leave for the bar's style."""
    if pair[0].lower() != _POLICY:
        return pair
    return pair[0], allowing_style(pair[1].decode("latin-1"), STYLE).encode("latin-1")
