"""Headers of requests and responses as ASGI has them: pairs of bytes, of any case, in order, some of them twice."""

from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import TypeAlias

RawHeaders: TypeAlias = list[tuple[bytes, bytes]]
Pairs: TypeAlias = Iterable[tuple[bytes, bytes]]

#: What describes bytes that filling changes; it would lie about the filled page.
_VALIDATORS = frozenset({b"etag", b"last-modified", b"accept-ranges"})
_INTEGRITY = frozenset({b"content-md5", b"digest", b"content-digest", b"repr-digest", b"signature", b"signature-input"})
#: What a cache in front would obey before `Cache-Control`.
_CACHE = frozenset({b"cache-control", b"expires", b"pragma", b"surrogate-control", b"x-accel-expires", b"age"})
_CDN_CACHE = b"cdn-cache-control"
_DESCRIBES_BYTES = _VALIDATORS | _INTEGRITY
_PUBLIC = _DESCRIBES_BYTES | _CACHE
_CONDITIONS = frozenset({b"if-none-match", b"if-modified-since", b"range", b"if-range"})
_DOCUMENTS = frozenset({b"document", b"iframe", b"frame", b"embed", b"object"})
_PREFETCH = {
    b"sec-purpose": b"prefetch",
    b"purpose": b"prefetch",
    b"x-moz": b"prefetch",
    b"x-purpose": b"pre",
    b"x-sec-purpose": b"prefetch",
    b"hx-preloaded": b"true",
}
#: Bodies that a proxy in front will take from elsewhere.
_SENT_BY_OTHERS = frozenset({b"x-accel-redirect", b"x-sendfile"})
#: What can make an HTML page one that is not to be filled.
_UNUSUAL = frozenset({b"content-encoding", b"content-disposition", b"cache-control"}) | _SENT_BY_OTHERS
#: What is left of longer cookie headers is not remembered, so that the memory has a bound in bytes, too.
_LONGEST_REMEMBERED = 2_048
_PRIVATE = (b"cache-control", b"private, no-store")


def value_of(headers: Pairs, name: bytes) -> bytes | None:
    """The first value of a header, by its lower-case name."""
    for key, value in headers:
        if key.lower() == name:
            return value
    return None


def content_type(headers: Pairs) -> str:
    """The content type as written, empty where there is none."""
    return (value_of(headers, b"content-type") or b"").decode("latin-1")


def content_length(headers: Pairs) -> int | None:
    """The promised length, None where none is promised."""
    value = value_of(headers, b"content-length")
    return int(value) if value is not None and value.isdigit() else None


def is_html(headers: Pairs) -> bool:
    """Whether the body is said to be HTML; nothing is guessed."""
    return content_type(headers).partition(";")[0].strip().lower() == "text/html"


def may_hold_marks(headers: Pairs, method: str) -> bool:
    """Whether a response may have a page for its body, so that its head has to wait for it."""
    return method != "HEAD" and is_html(headers) and value_of(headers, b"content-encoding") in (None, b"", b"identity")


def describes_bytes(headers: Pairs) -> bool:
    """Whether the head promises a length, a validator or a digest of the very bytes that the site sends."""
    return any((name := key.lower()) in _DESCRIBES_BYTES or name == b"content-length" for key, _ in headers)


def is_candidate(status: int, headers: Pairs, method: str) -> bool:
    """Whether a response may hold slots to fill: a whole, plain HTML page that is meant to be shown."""
    if method == "HEAD" or not 200 <= status < 300 or status in (204, 205, 206):
        return False
    known: dict[bytes, bytes] = {}
    for key, value in headers:
        name = key.lower()
        known[name] = known[name] + b"," + value if name in known else value
    if known.get(b"content-type", b"").partition(b";")[0].strip().lower() != b"text/html":
        return False
    if _UNUSUAL.isdisjoint(known):
        return True
    return (
        known.get(b"content-encoding", b"identity").strip().lower() in (b"identity", b"")
        and not known.get(b"content-disposition", b"").strip().lower().startswith(b"attachment")
        and b"no-transform" not in known.get(b"cache-control", b"").lower()
        and not (_SENT_BY_OTHERS & known.keys())
    )


def with_length(headers: Pairs, length: int | None) -> RawHeaders:
    """The headers of a page whose bytes were changed, in a way that is the same for everybody.

    The exact new length, or none; what described the old bytes is gone.
    """
    return _changed(headers, length, private=False)


def made_private(headers: Pairs, *, length: int | None, cookies: Sequence[str] = ()) -> RawHeaders:
    """The headers of a page that depends on the visitor: no cache but the browser's memory may keep it.

    `cookies` are our own `Set-Cookie` values; those of the site stay.
    """
    kept = _changed(headers, length, private=True)
    kept.append(_PRIVATE)
    kept += [(b"set-cookie", cookie.encode("latin-1")) for cookie in cookies]
    return kept


def _changed(headers: Pairs, length: int | None, *, private: bool) -> RawHeaders:
    """The headers without what is not true any more, and with this length in its old place, or without any."""
    dropped = _PUBLIC if private else _DESCRIBES_BYTES
    kept: RawHeaders = []
    size = None if length is None else str(length).encode()
    is_sized = False
    for pair in headers:
        name = pair[0].lower()
        if name == b"content-length":
            if size is not None:
                kept.append((pair[0], size))
                is_sized = True
        elif name not in dropped and not (private and name.endswith(_CDN_CACHE)):
            kept.append(pair)
    if size is not None and not is_sized:
        kept.append((b"content-length", size))
    return kept


def inward(headers: Pairs, *, hidden_cookies: frozenset[bytes], plain: bool, whole: bool) -> RawHeaders:
    """The headers of a request as the site sees them.

    Our own cookies are hidden, so the site's caches by cookie keep working. `plain` asks for a page that is not
    compressed, `whole` for one that is neither a range nor "not modified".
    """
    kept: RawHeaders = []
    for key, value in headers:
        name = key.lower()
        if name == b"cookie":
            without = _remembered_without if len(value) <= _LONGEST_REMEMBERED else _without
            rest = without(value, hidden_cookies)
            if rest:
                kept.append((key, rest))
        elif not (plain and name == b"accept-encoding") and not (whole and name in _CONDITIONS):
            kept.append((key, value))
    return kept


@lru_cache(maxsize=1_024)
def _remembered_without(cookies: bytes, hidden: frozenset[bytes]) -> bytes:
    return _without(cookies, hidden)


def _without(cookies: bytes, hidden: frozenset[bytes]) -> bytes:
    """A cookie header without some of its cookies; it stays as it is where none of them is there."""
    if not any(name in cookies for name in hidden):
        return cookies
    parts = [part for part in cookies.split(b";") if part.partition(b"=")[0].strip() not in hidden]
    return b";".join(parts).strip()


def wants_html(headers: Pairs) -> bool:
    """Whether a browser asks for a page, as far as it says."""
    destination = value_of(headers, b"sec-fetch-dest")
    if destination is not None and destination in _DOCUMENTS:
        return True
    return b"text/html" in (value_of(headers, b"accept") or b"").lower()


def is_prefetch(headers: Mapping[bytes, bytes]) -> bool:
    """Whether the page is only fetched in advance, by its headers in lower case: nobody looks at it yet."""
    asked = _PREFETCH.keys() & headers.keys()
    return bool(asked) and any(headers[name].strip().lower().startswith(_PREFETCH[name]) for name in asked)
