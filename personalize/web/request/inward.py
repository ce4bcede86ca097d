"""The headers of requests as the site sees them."""

from collections.abc import Iterable
from typing import Final

from personalize.runtime.page_request import PageRequest
from personalize.visitors.sent_headers import SentHeaders
from personalize.web.headers import CONDITIONS, RawHeaders, takes_html

#: What is left of longer cookie headers is not remembered, so that the memory has a bound in bytes, too.
_LONGEST_REMEMBERED: Final = 2_048
_MOST_REMEMBERED: Final = 1_024
#: What does not pass unseen: where the page is to be plain, where it is to be whole, and where it is to be both.
_PLAIN: Final = frozenset({b"cookie", b"accept-encoding"})
_WHOLE: Final = frozenset({b"cookie"}) | CONDITIONS
_PLAIN_AND_WHOLE: Final = _PLAIN | CONDITIONS


class Inward:
    """Hides our own cookies, of these names, from the site: its caches by cookie keep working."""

    def __init__(self, own_cookies: Iterable[str]) -> None:
        self._own_cookies = frozenset(name.encode() for name in own_cookies)
        #: What is left of cookies: a visitor's browser sends the same ones with page after page.
        self._rests: dict[bytes, bytes] = {}

    def headers(self, request: PageRequest, *, plain: bool = False, whole: bool = False) -> RawHeaders:
        """The headers of a request, in a list of its own: without our cookies, of which most requests have none.

        `plain` asks for a page that is not compressed, `whole` for one that is neither a range nor "not modified". Who
        takes no page is asking for something else at its address, and gets it as the site would send it.
        """
        if (plain or whole) and takes_html((sent := request.sent).raw):
            return self._kept(sent, _WHOLE if not plain else _PLAIN_AND_WHOLE if whole else _PLAIN)
        kept = request.pairs.copy()
        for name, value in request.pairs:  # nobody has asked for the names in lower case, and for an image nobody will
            if len(name) == 6 and (name == b"cookie" or (name != b"accept" and name.lower() == b"cookie")):
                rest = self._rest_of(value)
                if rest != value:
                    place = kept.index((name, value))
                    kept[place : place + 1] = [(name, rest)] if rest else []
        return kept

    def _kept(self, sent: SentHeaders, watched: frozenset[bytes]) -> RawHeaders:
        """The headers without those of these names; of cookies stays what is not ours."""
        kept: RawHeaders = []
        for pair in sent.pairs:
            if pair[0] not in watched:
                kept.append(pair)
            elif pair[0] == b"cookie" and (rest := self._rest_of(pair[1])):
                kept.append((b"cookie", rest))
        return kept

    def _rest_of(self, cookies: bytes) -> bytes:
        rest = self._rests.get(cookies)
        return self._remember(cookies) if rest is None else rest

    def _remember(self, cookies: bytes) -> bytes:
        rest = self._without(cookies)
        if len(cookies) <= _LONGEST_REMEMBERED:
            if len(self._rests) >= _MOST_REMEMBERED:
                self._rests.clear()
            self._rests[cookies] = rest
        return rest

    def _without(self, cookies: bytes) -> bytes:
        """A cookie header without ours; it stays as it is where none of them is there."""
        if not any(name in cookies for name in self._own_cookies):
            return cookies
        parts = [part for part in cookies.split(b";") if part.partition(b"=")[0].strip() not in self._own_cookies]
        return b";".join(parts).strip()
