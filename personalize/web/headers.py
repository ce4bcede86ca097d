"""Headers of requests as ASGI has them: pairs of bytes, of any case, in order, some of them twice."""

from collections.abc import Iterable
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
#: What clients said that they accept, and whether that is a page: there are few kinds of them.
_TAKES_HTML: Final[dict[bytes, bool]] = {}
_MOST_KNOWN: Final = 256
_LONGEST_KNOWN: Final = 1_024


def value_of(headers: Pairs, name: bytes) -> bytes | None:
    """The first value of a header, by its lower-case name."""
    for key, value in headers:
        if key.lower() == name:
            return value
    return None


def wants_html(headers: dict[bytes, bytes]) -> bool:
    """Whether a browser asks for a page, as far as its headers in lower case say."""
    return headers.get(b"sec-fetch-dest") in _DOCUMENTS or b"text/html" in headers.get(b"accept", b"").lower()


def takes_html(headers: dict[bytes, bytes]) -> bool:
    """Whether a client would take a page, by what its headers in lower case say that it accepts."""
    accepted = headers.get(b"accept")
    if accepted is None:
        return True
    known = _TAKES_HTML.get(accepted)
    return _is_for_pages(accepted) if known is None else known


def _is_for_pages(accepted: bytes) -> bool:
    takes = b"*/*" in accepted or b"text/html" in accepted.lower()
    if len(accepted) <= _LONGEST_KNOWN:
        if len(_TAKES_HTML) >= _MOST_KNOWN:
            _TAKES_HTML.clear()
        _TAKES_HTML[accepted] = takes
    return takes


def is_prefetch(headers: dict[bytes, bytes]) -> bool:
    """Whether the page is only fetched in advance, by its headers in lower case: nobody looks at it yet."""
    if _TELL_OF_PREFETCH.isdisjoint(headers):
        return False
    asked = _TELL_OF_PREFETCH.intersection(headers)
    return any(headers[name].strip().lower().startswith(_PREFETCH[name]) for name in asked)
