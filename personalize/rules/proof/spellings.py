"""Letters and texts that without regard to case are the same: those that fold to it (Unicode's full case folding)."""

from collections.abc import Iterator, Mapping
from functools import lru_cache
from itertools import chain

#: Behind it no script has large and small letters.
_BEHIND_CASED = 0x1F000
_LONGEST = 3


@lru_cache(maxsize=1)
def folding_to() -> Mapping[str, tuple[str, ...]]:
    """Letters of all scripts that fold to something else, by what they fold to."""
    found: dict[str, list[str]] = {}
    for sign in map(chr, range(_BEHIND_CASED)):
        if sign.casefold() != sign:
            found.setdefault(sign.casefold(), []).append(sign)
    return {parts: tuple(signs) for parts, signs in found.items()}


@lru_cache(maxsize=1)
def folding_to_several() -> tuple[str, ...]:
    """Letters that folded are two or three, such as "ß"."""
    return tuple(chain.from_iterable(signs for parts, signs in folding_to().items() if len(parts) > 1))


def spellings(folded: str) -> Iterator[str]:
    """All texts that fold to this one, itself first, one after the other: of a long text they are very many."""
    waiting = [("", folded)]
    while waiting:
        written, rest = waiting.pop()
        if not rest:
            yield written
            continue
        sizes = range(min(_LONGEST, len(rest)), 0, -1)
        waiting += [(written + sign, rest[size:]) for size in sizes for sign in folding_to().get(rest[:size], ())]
        waiting.append((written + rest[0], rest[1:]))
