"""Headers of requests as ASGI has them: pairs of bytes, of any case, in order, some of them twice."""

from collections.abc import Iterable, Mapping
from typing import Final, TypeAlias

RawHeaders: TypeAlias = list[tuple[bytes, bytes]]
Pairs: TypeAlias = Iterable[tuple[bytes, bytes]]

#: What asks for less than the page.
CONDITIONS = frozenset({b"if-none-match", b"if-modified-since", b"range", b"if-range"})
_DOCUMENTS: Final = frozenset({b"document", b"iframe", b"frame", b"embed", b"object"})
_PREFETCH: Final = {
    b"sec-purpose": b"prefetch",
    b"purpose": b"prefetch",
    b"x-moz": b"prefetch",
    b"x-purpose": b"pre",
    b"x-sec-purpose": b"prefetch",
    b"hx-preloaded": b"true",
}
_TELL_OF_PREFETCH: Final = frozenset(_PREFETCH)


def value_of(headers: Pairs, name: bytes) -> bytes | None:
    """The first value of a header, by its lower-case name."""
    for key, value in headers:
        if key.lower() == name:
            return value
    return None


def wants_html(headers: Mapping[bytes, bytes]) -> bool:
    """Whether a browser asks for a page, as far as its headers in lower case say."""
    return headers.get(b"sec-fetch-dest") in _DOCUMENTS or b"text/html" in headers.get(b"accept", b"").lower()


def takes_html(headers: Mapping[bytes, bytes]) -> bool:
    """Whether a client would take a page, by what its headers in lower case say that it accepts."""
    accepted = headers.get(b"accept")
    return accepted is None or b"*/*" in accepted or b"text/html" in accepted.lower()


def is_prefetch(headers: Mapping[bytes, bytes]) -> bool:
    """Whether the page is only fetched in advance, by its headers in lower case: nobody looks at it yet."""
    if _TELL_OF_PREFETCH.isdisjoint(headers):
        return False
    asked = _TELL_OF_PREFETCH.intersection(headers)
    return any(headers[name].strip().lower().startswith(_PREFETCH[name]) for name in asked)
