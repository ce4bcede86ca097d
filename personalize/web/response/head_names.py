"""What the names of a response's headers tell by themselves: worked out once for all heads that have the same."""

from collections.abc import Mapping, Sequence
from typing import Final

from personalize.web.caching.cache_policy import is_for_caches

#: What describes bytes that filling changes; it would lie about the filled page.
_VALIDATORS = frozenset({b"etag", b"last-modified", b"accept-ranges"})
_INTEGRITY = frozenset({b"content-md5", b"digest", b"content-digest", b"repr-digest", b"signature", b"signature-input"})
_DESCRIBES_BYTES = _VALIDATORS | _INTEGRITY
#: Bodies that a proxy in front will take from elsewhere.
SENT_BY_OTHERS: Final = frozenset({b"x-accel-redirect", b"x-sendfile"})
#: What can make an HTML page one that is not to be filled.
_UNUSUAL = frozenset({b"content-encoding", b"content-disposition", b"cache-control"}) | SENT_BY_OTHERS
_LENGTH: Final = b"content-length"
#: A site has few heads of other names.
_MOST_KNOWN: Final = 256


class HeadNames:
    """Where in a head which headers stand: `places` by the name in small letters, `type_at` that of the content type,
    None where there is none or several.

    `is_unusual` says that one of them may be why a page is not filled, `describes_bytes` that one is true of the very
    bytes that the site sends, `lacks_length` that none tells how long the page is, or how it ends.
    """

    def __init__(self, names: Sequence[bytes]) -> None:
        places: dict[bytes, tuple[int, ...]] = {}
        for place, name in enumerate(names):
            key = name.lower()
            places[key] = (*places.get(key, ()), place)
        self.places: Mapping[bytes, tuple[int, ...]] = places
        self.is_unusual = not _UNUSUAL.isdisjoint(places)
        self.describes_bytes = _LENGTH in places or not _DESCRIBES_BYTES.isdisjoint(places)
        self.lacks_length = _LENGTH not in places and b"transfer-encoding" not in places
        types = places.get(b"content-type", ())
        self.type_at = types[0] if len(types) == 1 else None
        self._lengths = places.get(_LENGTH, ())
        self._true: dict[tuple[bool, bool], tuple[Sequence[int], Sequence[int]]] = {}

    def true(self, *, is_sized: bool, is_private: bool) -> tuple[Sequence[int], Sequence[int]]:
        """Which headers stay true of a page that was changed, in their order, and at which of these its length stands
        where it is known (`is_sized`). Where it `is_private`, what caches are told of the old one goes, too."""
        known = self._true.get((is_sized, is_private))
        if known is None:
            lies = _DESCRIBES_BYTES if is_sized else _DESCRIBES_BYTES | {_LENGTH}
            untrue = [name for name in self.places if name in lies or (is_private and is_for_caches(name))]
            gone = {place for name in untrue for place in self.places[name]}
            kept = [place for place in range(sum(map(len, self.places.values()))) if place not in gone]
            lengths = [at for at, place in enumerate(kept) if place in self._lengths]
            known = self._true[is_sized, is_private] = kept, lengths
        return known


#: What is known already, by the names of a head as they are written, in their order; `learn_names` tells of any others.
KNOWN_NAMES: Final[dict[tuple[bytes, ...], HeadNames]] = {}


def learn_names(names: tuple[bytes, ...]) -> HeadNames:
    """What these tell, which is kept."""
    if len(KNOWN_NAMES) >= _MOST_KNOWN:
        KNOWN_NAMES.clear()
    known = KNOWN_NAMES[names] = HeadNames(names)
    return known
