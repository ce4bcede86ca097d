"""The headers of requests as the site sees them."""

from collections.abc import Iterable
from functools import lru_cache

from personalize.runtime.page_request import PageRequest
from personalize.visitors.sent_headers import SentHeaders
from personalize.web.headers import CONDITIONS, RawHeaders

#: What is left of longer cookie headers is not remembered, so that the memory has a bound in bytes, too.
_LONGEST_REMEMBERED = 2_048
_COOKIE = frozenset({b"cookie"})
_CODINGS = frozenset({b"accept-encoding"})
#: What does not pass unseen, by whether the page is to be plain, and whether it is to be whole.
_WATCHED = ((_COOKIE, _COOKIE | CONDITIONS), (_COOKIE | _CODINGS, _COOKIE | _CODINGS | CONDITIONS))


class Inward:
    """Hides our own cookies, of these names, from the site: its caches by cookie keep working."""

    def __init__(self, own_cookies: Iterable[str]) -> None:
        self._own_cookies = frozenset(name.encode() for name in own_cookies)
        #: A visitor's browser sends the same cookies with page after page.
        self._remembered_rest = lru_cache(maxsize=1_024)(self._without)

    def headers(self, request: PageRequest, *, plain: bool = False, whole: bool = False) -> RawHeaders:
        """The headers of a request, in a list of its own: without our cookies, of which most requests have none.

        `plain` asks for a page that is not compressed, `whole` for one that is neither a range nor "not modified".
        """
        if plain or whole:
            return self._kept(request.sent, _WATCHED[plain][whole])
        kept = request.pairs.copy()
        for pair in request.pairs:  # nobody has asked for the names in lower case, and for an image nobody will
            if len(pair[0]) != 6 or (pair[0] != b"cookie" and pair[0].lower() != b"cookie"):
                continue
            if (rest := self._rest_of(pair[1])) != pair[1]:
                place = kept.index(pair)
                kept[place : place + 1] = [(pair[0], rest)] if rest else []
        return kept

    def _kept(self, sent: SentHeaders, watched: frozenset[bytes]) -> RawHeaders:
        """The headers without those of these names; of cookies stays what is not ours."""
        kept, raw = [*sent.pairs], sent.raw
        seldom = (
            [pair for pair in kept if pair[0] in watched] if len(raw) < len(kept) else ()
        )  # some come several times
        for pair in seldom or [(name, raw[name]) for name in watched.intersection(raw)]:
            rest = self._rest_of(pair[1]) if pair[0] == b"cookie" else b""
            place = kept.index(pair)
            kept[place : place + 1] = [(b"cookie", rest)] if rest else []
        return kept

    def _rest_of(self, cookies: bytes) -> bytes:
        return self._remembered_rest(cookies) if len(cookies) <= _LONGEST_REMEMBERED else self._without(cookies)

    def _without(self, cookies: bytes) -> bytes:
        """A cookie header without ours; it stays as it is where none of them is there."""
        if not any(name in cookies for name in self._own_cookies):
            return cookies
        parts = [part for part in cookies.split(b";") if part.partition(b"=")[0].strip() not in self._own_cookies]
        return b";".join(parts).strip()
