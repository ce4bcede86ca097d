"""Headers of requests as ASGI has them: pairs of bytes, of any case, in order, some of them twice."""

from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import TypeAlias

from personalize.visitors.sent_headers import SentHeaders

RawHeaders: TypeAlias = list[tuple[bytes, bytes]]
Pairs: TypeAlias = Iterable[tuple[bytes, bytes]]

#: What asks for less than the page.
CONDITIONS = frozenset({b"if-none-match", b"if-modified-since", b"range", b"if-range"})
_CODINGS = frozenset({b"accept-encoding"})
_COOKIES = frozenset({b"cookie"})
_NONE: frozenset[bytes] = frozenset()
_DOCUMENTS = frozenset({b"document", b"iframe", b"frame", b"embed", b"object"})
_PREFETCH = {
    b"sec-purpose": b"prefetch",
    b"purpose": b"prefetch",
    b"x-moz": b"prefetch",
    b"x-purpose": b"pre",
    b"x-sec-purpose": b"prefetch",
    b"hx-preloaded": b"true",
}
#: What is left of longer cookie headers is not remembered, so that the memory has a bound in bytes, too.
_LONGEST_REMEMBERED = 2_048


def value_of(headers: Pairs, name: bytes) -> bytes | None:
    """The first value of a header, by its lower-case name."""
    for key, value in headers:
        if key.lower() == name:
            return value
    return None


def inward(sent: SentHeaders, *, hidden_cookies: frozenset[bytes], plain: bool, whole: bool) -> RawHeaders:
    """The headers of a request as the site sees them.

    Our own cookies are hidden, so the site's caches by cookie keep working. `plain` asks for a page that is not
    compressed, `whole` for one that is neither a range nor "not modified".
    """
    kept, asked = sent.pairs, (_CODINGS if plain else _NONE) | (CONDITIONS if whole else _NONE)
    if not asked.isdisjoint(sent.raw):
        kept = [pair for pair in kept if pair[0].lower() not in asked]
    kept, cookies = kept.copy(), sent.cookies
    if cookies and (rest := _rest_of(cookies, hidden_cookies)) != cookies:
        try:
            place = kept.index((b"cookie", cookies))
        except ValueError:  # several, which were put together
            return _without_cookies(kept, hidden_cookies)
        kept[place : place + 1] = [(b"cookie", rest)] if rest else []
    return kept


def _without_cookies(headers: RawHeaders, hidden: frozenset[bytes]) -> RawHeaders:
    kept: RawHeaders = []
    for pair in headers:
        if pair[0].lower() != b"cookie":
            kept.append(pair)
        elif rest := _rest_of(pair[1], hidden):
            kept.append((pair[0], rest))
    return kept


def _rest_of(cookies: bytes, hidden: frozenset[bytes]) -> bytes:
    return (_remembered_rest if len(cookies) <= _LONGEST_REMEMBERED else _without)(cookies, hidden)


def _without(cookies: bytes, hidden: frozenset[bytes]) -> bytes:
    """A cookie header without some of its cookies; it stays as it is where none of them is there."""
    if not any(name in cookies for name in hidden):
        return cookies
    parts = [part for part in cookies.split(b";") if part.partition(b"=")[0].strip() not in hidden]
    return b";".join(parts).strip()


#: A visitor's browser sends the same cookies with page after page.
_remembered_rest = lru_cache(maxsize=1_024)(_without)


def wants_html(headers: Mapping[bytes, bytes]) -> bool:
    """Whether a browser asks for a page, as far as its headers in lower case say."""
    return headers.get(b"sec-fetch-dest") in _DOCUMENTS or b"text/html" in headers.get(b"accept", b"").lower()


def is_prefetch(headers: Mapping[bytes, bytes]) -> bool:
    """Whether the page is only fetched in advance, by its headers in lower case: nobody looks at it yet."""
    if _PREFETCH.keys().isdisjoint(headers):
        return False
    asked = _PREFETCH.keys() & headers.keys()
    return any(headers[name].strip().lower().startswith(_PREFETCH[name]) for name in asked)
