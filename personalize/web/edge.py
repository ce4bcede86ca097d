"""What an edge in front of the site tells of visitors: one header an input, believed where its key comes along."""

from collections.abc import Mapping
from hmac import compare_digest

from personalize.cache_settings import CacheSettings
from personalize.web.headers import Pairs, RawHeaders

#: In it an edge shows that it is one of ours.
KEY_HEADER = b"x-personalize-edge"


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
        keys = [value for name, value in headers if name.lower() == KEY_HEADER]
        if len(keys) != 1 or not any(compare_digest(keys[0], key) for key in self._keys):
            return {}
        found: dict[str, str] = {}
        twice: set[str] = set()
        for name, value in headers:
            fact = self._facts.get(name.lower())
            if fact is not None:
                twice |= {fact} & found.keys()
                found[fact] = value.decode("latin-1").strip()
        return {fact: text for fact, text in found.items() if text and fact not in twice}

    def without_key(self, headers: Pairs) -> RawHeaders:
        """The headers of a request without the key, which the site has no use for."""
        return [pair for pair in headers if pair[0].lower() != KEY_HEADER]
