"""Headers of requests as ASGI has them: pairs of bytes, of any case, in order, some of them twice."""

from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import TypeAlias

RawHeaders: TypeAlias = list[tuple[bytes, bytes]]
Pairs: TypeAlias = Iterable[tuple[bytes, bytes]]

#: What asks for less than the page.
CONDITIONS = frozenset({b"if-none-match", b"if-modified-since", b"range", b"if-range"})
_READ_BY_US = CONDITIONS | {b"cookie", b"accept-encoding"}
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


def inward(headers: Pairs, *, hidden_cookies: frozenset[bytes], plain: bool, whole: bool) -> RawHeaders:
    """The headers of a request as the site sees them.

    Our own cookies are hidden, so the site's caches by cookie keep working. `plain` asks for a page that is not
    compressed, `whole` for one that is neither a range nor "not modified".
    """
    kept: RawHeaders = []
    for pair in headers:
        name = pair[0].lower()
        if name not in _READ_BY_US:
            kept.append(pair)
        elif name == b"cookie":
            without = _remembered_without if len(pair[1]) <= _LONGEST_REMEMBERED else _without
            rest = without(pair[1], hidden_cookies)
            if rest:
                kept.append((pair[0], rest))
        elif not (plain if name == b"accept-encoding" else whole):
            kept.append(pair)
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


def wants_html(headers: Mapping[bytes, bytes]) -> bool:
    """Whether a browser asks for a page, as far as its headers in lower case say."""
    return headers.get(b"sec-fetch-dest") in _DOCUMENTS or b"text/html" in headers.get(b"accept", b"").lower()


def is_prefetch(headers: Mapping[bytes, bytes]) -> bool:
    """Whether the page is only fetched in advance, by its headers in lower case: nobody looks at it yet."""
    if _PREFETCH.keys().isdisjoint(headers):
        return False
    asked = _PREFETCH.keys() & headers.keys()
    return any(headers[name].strip().lower().startswith(_PREFETCH[name]) for name in asked)
