"""The head of a response: what it says of the body, and how it reads when the body was filled."""

from collections.abc import MutableMapping, Sequence
from functools import lru_cache
from typing import Any

from personalize.web.caching.cache_policy import KEEPS_NOTHING, is_for_caches, is_obeyed_first
from personalize.web.headers import RawHeaders
from personalize.web.response.codings import is_readable

#: What describes bytes that filling changes; it would lie about the filled page.
_VALIDATORS = frozenset({b"etag", b"last-modified", b"accept-ranges"})
_INTEGRITY = frozenset({b"content-md5", b"digest", b"content-digest", b"repr-digest", b"signature", b"signature-input"})
_DESCRIBES_BYTES = _VALIDATORS | _INTEGRITY
#: Bodies that a proxy in front will take from elsewhere.
_SENT_BY_OTHERS = frozenset({b"x-accel-redirect", b"x-sendfile"})
#: What can make an HTML page one that is not to be filled.
_UNUSUAL = frozenset({b"content-encoding", b"content-disposition", b"cache-control"}) | _SENT_BY_OTHERS
_NOT_SHARED = frozenset({b"private", b"no-store", b"no-cache"})
_PARTIAL = frozenset({204, 205, 206})
#: Content types that came before, as text, and whether they are that of HTML; a site has few of them.
_MEDIA_TYPES: dict[bytes, tuple[str, bool]] = {}
_MOST_MEDIA_TYPES = 256


def is_no_page(message: dict[str, Any]) -> bool:
    """Whether the head of a response says at first sight that no page follows. No more is read of it than that: most of
    what a site serves is none. Of several content types the first rules out the others."""
    headers = message.get("headers", ())
    if not isinstance(headers, (list, tuple)):
        return False  # it may be gone through but once
    for pair in headers:  # not taken apart: of most nothing is asked but the length of its name
        name = pair[0]
        if len(name) == 12 and (name == b"content-type" or bytes(name).lower() == b"content-type"):
            value = pair[1]
            return not _media_type(value if type(value) is bytes else bytes(value))[1]
    return True


class ResponseHead:
    """The head of one response, as the site sent it in `message`; its names are read without regard to case.

    `content_type` is as written, empty where there is none; `is_html` says that the body is said to be HTML, since
    nothing is guessed. `coding` is how the body is compressed, in small letters, empty where it is not.
    `is_shown` says that it is of an HTML page that people are meant to see, `may_hold_marks` that the response may have
    a page for its body, so that its head has to wait for it.
    """

    __slots__ = (
        "_named",
        "coding",
        "content_type",
        "headers",
        "is_html",
        "is_shown",
        "may_hold_marks",
        "message",
        "status",
    )

    def __init__(self, message: MutableMapping[str, Any]) -> None:
        raw = message.get("headers", ())
        headers: RawHeaders = []
        named: dict[bytes, bytes] = {}
        for name, value in raw:
            if type(name) is not bytes or type(value) is not bytes:
                name, value = bytes(name), bytes(value)  # noqa: PLW2901  calls for what is bytes already would cost more
            headers.append((name, value))
            key = name.lower()
            # What says one thing in several headers is one list.
            named[key] = named[key] + b"," + value if key in named else value
        self.headers, self._named = headers, named
        #: Headers may be anything that can be gone through, maybe but once.
        self.message = message if isinstance(raw, (list, tuple)) else {**message, "headers": headers}
        self.status: int = message.get("status", 200)
        self.content_type, self.is_html = _media_type(named.get(b"content-type", b""))
        self.is_shown = self.is_html and 200 <= self.status < 300
        self.coding = _coding(named[b"content-encoding"]) if b"content-encoding" in named else b""
        self.may_hold_marks = self.is_html and (not self.coding or is_readable(self.coding))

    @property
    def length(self) -> int | None:
        """The promised length, None where none is promised."""
        value = self._named.get(b"content-length", b"")
        return int(value) if value.isdigit() else None

    @property
    def etag(self) -> bytes | None:
        """The validator of the site's bytes, None where there is none."""
        return self._named.get(b"etag")

    @property
    def policies(self) -> list[str]:
        """The content security policies of the page."""
        name = b"content-security-policy"
        return [value.decode("latin-1") for key, value in self.headers if key.lower() == name]

    @property
    def is_kept_from_caches(self) -> bool:
        """Whether the site itself lets no shared cache give this response to anybody without asking."""
        words = {word.strip().partition(b"=")[0] for word in self._named.get(b"cache-control", b"").lower().split(b",")}
        return not _NOT_SHARED.isdisjoint(words)

    @property
    def describes_bytes(self) -> bool:
        """Whether it tells of the very bytes that the site sends: their length, a validator, a digest, a coding."""
        return bool(self.coding) or b"content-length" in self._named or not _DESCRIBES_BYTES.isdisjoint(self._named)

    @property
    def is_kept_private(self) -> bool:
        """Whether the site itself forbids every shared cache to keep it, so that nothing in it reaches others."""
        if any(map(is_obeyed_first, self._named)):
            return False
        directives = self._named.get(b"cache-control", b"").lower().split(b",")
        return any(one.strip() in (b"private", b"no-store") for one in directives)

    @property
    def may_hold_slots(self) -> bool:
        """Whether the body may have slots to fill: a whole, plain HTML page that is meant to be shown."""
        if not self.is_shown or self.status in _PARTIAL:
            return False
        if _UNUSUAL.isdisjoint(self._named):
            return True
        return (
            self.may_hold_marks
            and not self._named.get(b"content-disposition", b"").strip().lower().startswith(b"attachment")
            and b"no-transform" not in self._named.get(b"cache-control", b"").lower()
            and _SENT_BY_OTHERS.isdisjoint(self._named)
        )

    def decoded(self) -> "ResponseHead":
        """The head of the same page when it is not compressed."""
        if not self.coding:
            return self
        headers = [pair for pair in self.headers if pair[0].lower() != b"content-encoding"]
        return ResponseHead({**self.message, "headers": headers})

    def with_length(self, length: int | None) -> RawHeaders:
        """The headers of a page whose bytes were changed, in a way that is the same for everybody.

        The exact new length, or none; what described the old bytes is gone.
        """
        return self._changed(length, False)

    def made_private(
        self, length: int | None, cookies: Sequence[str] = (), control: bytes = KEEPS_NOTHING
    ) -> RawHeaders:
        """The headers of a page that depends on the visitor: no cache may keep it for anybody else.

        `cookies` are our own `Set-Cookie` values; those of the site stay. `control` is what our `Cache-Control` says.
        """
        kept = self._changed(length, True)
        kept.append((b"cache-control", control))
        if cookies:
            kept += [(b"set-cookie", cookie.encode("latin-1")) for cookie in cookies]
        return kept

    def _changed(self, length: int | None, is_private: bool) -> RawHeaders:
        """The headers without what is not true any more, and with this length in its old place, or without any."""
        untrue, size = _untrue(tuple(self._named), length is not None, is_private), b"%d" % (length or 0)
        kept: RawHeaders = []
        for pair in self.headers:
            name = pair[0].lower()
            if name not in untrue:
                kept.append((pair[0], size) if name == b"content-length" else pair)
        if length is not None and b"content-length" not in self._named and b"transfer-encoding" not in self._named:
            kept.append((b"content-length", size))
        return kept


def _coding(content_encoding: bytes) -> bytes:
    coding = content_encoding.strip().lower()
    return b"" if coding == b"identity" else coding


@lru_cache(maxsize=256)
def _untrue(names: tuple[bytes, ...], is_sized: bool, is_private: bool) -> frozenset[bytes]:
    """Which of these headers a page that was changed can't keep; a site has few heads of other names."""
    lies = _DESCRIBES_BYTES if is_sized else _DESCRIBES_BYTES | {b"content-length"}
    return frozenset(one for one in names if one in lies or (is_private and is_for_caches(one)))


def _media_type(content_type: bytes) -> tuple[str, bool]:
    """The content type as text, and whether it is that of HTML. Every response asks: `lru_cache` would take as long to
    remember bytes as to make this of them."""
    known = _MEDIA_TYPES.get(content_type)
    if known is None:
        if len(_MEDIA_TYPES) >= _MOST_MEDIA_TYPES:
            _MEDIA_TYPES.clear()
        text = content_type.decode("latin-1")
        known = _MEDIA_TYPES[content_type] = text, text.partition(";")[0].strip().lower() == "text/html"
    return known
