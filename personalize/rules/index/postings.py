"""Which conjunctions want which answers, so that a pattern of answers tells which of them are refuted."""

from collections.abc import Iterable, Iterator
from functools import reduce
from operator import or_


class Postings:
    """For each of some numbered questions the conjunctions that want a yes, and those that want a no.

    A conjunction that wants a yes of several of them has the first in one level, the second in the next, and so on. It
    is refuted where no yes meets it in one of its levels. So a pattern of answers costs its yeses alone.
    """

    def __init__(self) -> None:
        self._noted: dict[tuple[int, bool], list[int]] = {}
        self._levels: list[int] = []
        self._wants: dict[int, list[tuple[int, int]]] = {}
        self._bans: dict[int, int] = {}

    def note(self, question: int, bit: int, *, wanted: bool) -> None:
        """Note that the conjunction of this bit wants this answer to a question."""
        self._noted.setdefault((question, wanted), []).append(bit)

    def finish(self) -> None:
        """Make the masks of what was noted; nothing is noted afterwards."""
        for (question, wanted), bits in self._noted.items():
            mask = bit_mask(bits)
            if wanted:
                self._wants[question] = list(self._by_level(mask))
            else:
                self._bans[question] = mask
        self._noted.clear()

    def _by_level(self, mask: int) -> Iterator[tuple[int, int]]:
        """The parts of a mask by level: each conjunction in the first one in which it is not yet."""
        level = 0
        while mask:
            if level == len(self._levels):
                self._levels.append(0)
            if part := mask & ~self._levels[level]:
                self._levels[level] |= part
                yield level, part
            mask &= ~part
            level += 1

    def met(self, truth: int) -> tuple[int, ...]:
        """What these answers, as bits by the questions' numbers, meet in each level, and at the end what they ban."""
        met, banned = [0] * len(self._levels), 0
        left = truth
        while left:
            question = (left & -left).bit_length() - 1
            left &= left - 1
            for level, mask in self._wants.get(question, ()):
                met[level] |= mask
            banned |= self._bans.get(question, 0)
        return (*met, banned)

    def refuted(self, *met: tuple[int, ...]) -> int:
        """The conjunctions that are refuted by what several patterns of answers meet together."""
        found: list[int] = [reduce(or_, masks) for masks in zip(*met, strict=True)]
        refuted = found.pop()
        for wanted, one in zip(self._levels, found, strict=True):
            refuted |= wanted & ~one
        return refuted


def bit_mask(bits: Iterable[int]) -> int:
    """The integer in which these bits are set; in one sweep, where adding them one by one would copy it each time."""
    found = tuple(bits)
    cells = bytearray(max(found, default=0) // 8 + 1)
    for bit in found:
        cells[bit >> 3] |= 1 << (bit & 7)
    return int.from_bytes(cells, "little")
