"""The head of a response: what it says of the body, and how it reads when the body was filled."""

from collections.abc import MutableMapping, Sequence
from typing import Any, Final

from personalize.web.caching.cache_policy import KEEPS_NOTHING, is_obeyed_first
from personalize.web.headers import RawHeaders
from personalize.web.response.codings import is_readable
from personalize.web.response.head_names import KNOWN_NAMES, SENT_BY_OTHERS, HeadNames, learn_names

_NOT_SHARED: Final = frozenset({b"private", b"no-store", b"no-cache"})
_PARTIAL: Final = frozenset({204, 205, 206})
#: What the content type of HTML begins with; white space, which is less than any letter, may stand before it.
_SMALL_T: Final = 0x74
_LARGE_T: Final = 0x54
_SPACE: Final = 0x20
#: Content types that came before, as text, and whether they are that of HTML; a site has few of them.
_MEDIA_TYPES: Final[dict[bytes, tuple[str, bool]]] = {}
_MOST_MEDIA_TYPES: Final = 256


def is_no_page(message: dict[str, Any]) -> bool:
    """Whether the head of a response says at first sight that no page follows. No more is read of it than that: most of
    what a site serves is none. Of several content types the first rules out the others."""
    headers = message.get("headers")
    if not isinstance(headers, list):
        return False  # it may be gone through but once
    pairs: RawHeaders = headers
    try:
        for name, value in pairs:
            if len(name) == 12 and (name == b"content-type" or name.lower() == b"content-type"):
                first = value[0] if value else _SPACE
                return (first > _SPACE and first not in (_SMALL_T, _LARGE_T)) or not _media_type(value)[1]
    except (TypeError, AttributeError):
        return False  # no pairs of bytes, as nearly every site sends them
    return True


class ResponseHead:
    """The head of one response, as the site sent it in `message`; its names are read without regard to case.

    `content_type` is as written, empty where there is none; `is_html` says that the body is said to be HTML, since
    nothing is guessed. `coding` is how the body is compressed, in small letters, empty where it is not.
    `is_shown` says that it is of an HTML page that people are meant to see, `may_hold_marks` that the response may have
    a page for its body, so that its head has to wait for it.
    """

    __slots__ = (
        "_names",
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
        names: list[bytes] = []
        for name, value in raw:
            if type(name) is not bytes or type(value) is not bytes:
                name, value = bytes(name), bytes(value)  # noqa: PLW2901  calls for what is bytes already would cost more
            headers.append((name, value))
            names.append(name)
        self.headers = headers
        key = tuple(names)
        self._names: HeadNames = KNOWN_NAMES.get(key) or learn_names(key)
        #: Headers may be anything that can be gone through, maybe but once.
        self.message = message if isinstance(raw, (list, tuple)) else {**message, "headers": headers}
        self.status: int = message.get("status", 200)
        type_at = self._names.type_at
        self.content_type, self.is_html = _media_type(
            headers[type_at][1] if type_at is not None else self._value(b"content-type")
        )
        self.is_shown = self.is_html and 200 <= self.status < 300
        self.coding = _coding(self._value(b"content-encoding")) if self._names.is_unusual else b""
        self.may_hold_marks = self.is_html and (not self.coding or is_readable(self.coding))

    def _value(self, name: bytes) -> bytes:
        """What the head says under a name in small letters, in several headers as in one list; nothing where it says
        none."""
        places = self._names.places.get(name)
        if places is None:
            return b""
        if len(places) == 1:
            return self.headers[places[0]][1]
        return b",".join([self.headers[place][1] for place in places])

    @property
    def length(self) -> int | None:
        """The promised length, None where none is promised."""
        value = self._value(b"content-length")
        return int(value) if value.isdigit() else None

    @property
    def etag(self) -> bytes | None:
        """The validator of the site's bytes, None where there is none."""
        return self._value(b"etag") if b"etag" in self._names.places else None

    @property
    def policies(self) -> list[str]:
        """The content security policies of the page."""
        name = b"content-security-policy"
        return [value.decode("latin-1") for key, value in self.headers if key.lower() == name]

    @property
    def is_kept_from_caches(self) -> bool:
        """Whether the site itself lets no shared cache give this response to anybody without asking."""
        words = {word.strip().partition(b"=")[0] for word in self._value(b"cache-control").lower().split(b",")}
        return not _NOT_SHARED.isdisjoint(words)

    @property
    def describes_bytes(self) -> bool:
        """Whether it tells of the very bytes that the site sends: their length, a validator, a digest, a coding."""
        return bool(self.coding) or self._names.describes_bytes

    @property
    def is_kept_private(self) -> bool:
        """Whether the site itself forbids every shared cache to keep it, so that nothing in it reaches others."""
        if any(map(is_obeyed_first, self._names.places)):
            return False
        directives = self._value(b"cache-control").lower().split(b",")
        return any(one.strip() in (b"private", b"no-store") for one in directives)

    @property
    def may_hold_slots(self) -> bool:
        """Whether the body may have slots to fill: a whole, plain HTML page that is meant to be shown."""
        if not self.is_shown or self.status in _PARTIAL:
            return False
        if not self._names.is_unusual:
            return True
        return (
            self.may_hold_marks
            and not self._value(b"content-disposition").strip().lower().startswith(b"attachment")
            and b"no-transform" not in self._value(b"cache-control").lower()
            and SENT_BY_OTHERS.isdisjoint(self._names.places)
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
        kept, lengths = self._names.true(is_sized=length is not None, is_private=is_private)
        headers = [self.headers[place] for place in kept]
        for place in lengths:
            headers[place] = (headers[place][0], b"%d" % (length or 0))
        if length is not None and self._names.lacks_length:
            headers.append((b"content-length", b"%d" % length))
        return headers


def _coding(content_encoding: bytes) -> bytes:
    coding = content_encoding.strip().lower()
    return b"" if coding == b"identity" else coding


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
