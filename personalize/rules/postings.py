"""Which conjunctions want which answers, so that a pattern of answers tells which of them are refuted."""

from collections.abc import Iterable


class Postings:
    """For each of some numbered questions the conjunctions that want a yes, and those that want a no.

    Most conjunctions want a yes of only one of the questions. Their masks are kept apart from one another, so that
    a pattern of answers costs its yeses, not all questions.
    """

    def __init__(self) -> None:
        self._noted: dict[tuple[int, bool], list[int]] = {}
        self._wants: dict[int, int] = {}
        self._bans: dict[int, int] = {}
        self._single = 0
        self._several: list[tuple[int, int]] = []

    def note(self, question: int, bit: int, *, wanted: bool) -> None:
        """Note that the conjunction of this bit wants this answer to a question."""
        self._noted.setdefault((question, wanted), []).append(bit)

    def finish(self) -> None:
        """Make the masks of what was noted; nothing is noted afterwards."""
        met = several = 0
        masks = {key: bit_mask(bits) for key, bits in self._noted.items()}
        for (_, wanted), mask in masks.items():
            if wanted:
                several |= met & mask
                met |= mask
        self._single = met & ~several
        for (question, wanted), mask in masks.items():
            if not wanted:
                self._bans[question] = mask
                continue
            self._wants[question] = mask & ~several
            if mask & several:
                self._several.append((1 << question, mask & several))
        self._noted.clear()

    def refuted(self, truth: int) -> int:
        """The conjunctions that these answers, as bits by the questions' numbers, refute."""
        met = banned = 0
        left = truth
        while left:
            question = (left & -left).bit_length() - 1
            left &= left - 1
            met |= self._wants.get(question, 0)
            banned |= self._bans.get(question, 0)
        refuted = self._single & ~met | banned
        for bit, mask in self._several:
            if not truth & bit:
                refuted |= mask
        return refuted


def bit_mask(bits: Iterable[int]) -> int:
    """The integer in which these bits are set; in one sweep, where adding them one by one would copy it each time."""
    found = tuple(bits)
    cells = bytearray(max(found, default=0) // 8 + 1)
    for bit in found:
        cells[bit >> 3] |= 1 << (bit & 7)
    return int.from_bytes(cells, "little")
