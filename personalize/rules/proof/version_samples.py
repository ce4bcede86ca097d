"""Versions that tell questions about a version apart: those that questions name, and one in each gap between them."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise

from personalize.rules.conditions import Leaf
from personalize.rules.equality import Listed
from personalize.versions import Version, VersionRange, parse_version

#: The first of all, and what makes a version come next behind another, or just before it.
_FIRST = "0.0.0-0"
_DEEPEST = 9


def version_samples(leaves: Sequence[Leaf]) -> list[str] | None:
    """Versions in writing that tell these questions apart, None where some lie so close that none is found between."""
    cuts = sorted({cut for leaf in leaves for cut in _cuts(leaf)})
    if not cuts:
        return ["1"]
    found = [written(cut) for cut in cuts]
    for low, high in pairwise(cuts):
        between = next((one for one in _near(low, high) if low < _read(one) < high), None)
        if between is None and not _are_neighbours(low, high):
            return None
        found += [] if between is None else [between]
    above = str((cuts[-1].numbers or (0,))[0] + 1)
    if parse_version(above) is None:
        return None
    return [*found, above, *([_FIRST] if _read(_FIRST) < cuts[0] else [])]


def written(version: Version) -> str:
    """A version as a text that is read as it."""
    numbers = ".".join(map(str, version.numbers or (0,)))
    if version.before is None:
        return numbers
    while numbers.count(".") < 2:
        numbers += ".0"
    return f"{numbers}-{'.'.join(word or str(number) for _, number, word in version.before) or '0'}"


def _cuts(leaf: Leaf) -> Iterator[Version]:
    named = leaf.argument if isinstance(leaf.argument, Listed | tuple) else (leaf.argument,)
    for one in named:
        if isinstance(one, VersionRange):
            yield from (one.low, _read(written(one.high)))
        elif isinstance(one, Version):
            yield one


def _near(low: Version, high: Version) -> Iterable[str]:
    """Versions just behind one, and just before another."""
    numbers = low.numbers or (0,)
    if low.before is not None:
        yield ".".join(map(str, numbers))
        yield f"{written(low)}.0"
        return
    for deep in range(_DEEPEST - len(numbers)):
        yield ".".join(map(str, (*numbers, *[0] * deep, 1)))
    yield written(Version(high.numbers, ((0, 0, ""),)))


def _are_neighbours(low: Version, high: Version) -> bool:
    """Whether nothing lies between: the first of all that come before a release is `-0`, and a word more `-0.0`."""
    return low.before is not None and high.before == (*low.before, (0, 0, "")) and low.numbers == high.numbers


def _read(text: str) -> Version:
    found = parse_version(text)
    assert found is not None, text
    return found
