"""Our own cookies, which the site does not see: its caches by cookie keep working."""

from collections.abc import Iterable
from functools import lru_cache

from personalize.web.headers import RawHeaders

#: What is left of longer cookie headers is not remembered, so that the memory has a bound in bytes, too.
_LONGEST_REMEMBERED = 2_048


class OwnCookies:
    """Takes cookies of these names out of requests."""

    def __init__(self, names: Iterable[str]) -> None:
        self._names = frozenset(name.encode() for name in names)
        #: A visitor's browser sends the same cookies with page after page.
        self._remembered_rest = lru_cache(maxsize=1_024)(self._without)

    def hidden_in(self, headers: RawHeaders) -> RawHeaders:
        """The headers without them, in a list of its own; in most requests there are none."""
        for name, value in headers:
            if len(name) == 6 and name.lower() == b"cookie" and self._rest_of(value) != value:
                return self._hidden_in(headers)
        return headers.copy()

    def _hidden_in(self, headers: RawHeaders) -> RawHeaders:
        kept: RawHeaders = []
        for pair in headers:
            if len(pair[0]) != 6 or pair[0].lower() != b"cookie":
                kept.append(pair)
            elif rest := self._rest_of(pair[1]):
                kept.append((pair[0], rest))
        return kept

    def _rest_of(self, cookies: bytes) -> bytes:
        return self._remembered_rest(cookies) if len(cookies) <= _LONGEST_REMEMBERED else self._without(cookies)

    def _without(self, cookies: bytes) -> bytes:
        """A cookie header without ours; it stays as it is where none of them is there."""
        if not any(name in cookies for name in self._names):
            return cookies
        parts = [part for part in cookies.split(b";") if part.partition(b"=")[0].strip() not in self._names]
        return b";".join(parts).strip()
