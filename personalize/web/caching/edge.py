"""What an edge in front of the site tells of visitors: one header an input, believed where its key comes along."""

from collections.abc import Mapping
from hmac import compare_digest
from typing import Final

from personalize.cache_settings import CacheSettings
from personalize.web.headers import Pairs, RawHeaders

#: In it an edge shows that it is one of ours.
KEY_HEADER: Final = b"x-personalize-edge"


class Edge:
    """Reads the inputs of requests. What a client sends in their place counts for nothing without the key."""

    def __init__(self, settings: CacheSettings) -> None:
        self._keys = [key.encode("utf-8") for key in settings.edge_keys]
        self._facts = {one.header.lower().encode("ascii"): one.fact for one in settings.inputs}
        self.headers = {one.fact: one.header for one in settings.inputs}

    def told(self, headers: Pairs) -> Mapping[str, str]:
        """The texts that the edge sends, by the names of facts; none where it shows no key, or a wrong one.

        What comes twice is not the edge's alone, and left out.
        """
        if not self._shows_key(headers):
            return {}
        found: dict[str, str] = {}
        twice: set[str] = set()
        for name, value in headers:
            fact = self._facts.get(name.lower())
            if fact is not None:
                twice |= {fact} & found.keys()
                found[fact] = value.decode("latin-1").strip()
        return {fact: text for fact, text in found.items() if text and fact not in twice}

    def _shows_key(self, headers: Pairs) -> bool:
        shown = [value for name, value in headers if name.lower() == KEY_HEADER]
        return len(shown) == 1 and any(compare_digest(shown[0], key) for key in self._keys)

    def is_unproven(self, headers: Pairs) -> bool:
        """Whether a request names an input and shows no key, as one that does not come by the edge may."""
        names = {name.lower() for name, _ in headers}
        return not names.isdisjoint(self._facts) and not self._shows_key(headers)

    def without_key(self, headers: Pairs) -> RawHeaders:
        """The headers of a request without the key, which the site has no use for."""
        return [pair for pair in headers if pair[0].lower() != KEY_HEADER]
