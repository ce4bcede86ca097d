"""Which segments a visitor is in, and which conjunctions that refutes.

Memberships are one integer: bit j is the j-th segment, in an order in which each comes after those it names. The
first conjunction of segment j has the bit j of the index too, so that a segment of one conjunction needs no more
than is known already.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import reduce
from graphlib import TopologicalSorter
from operator import or_

from personalize.rules.conditions import Condition, segments_named
from personalize.rules.index.postings import Postings

_CHUNK = 8
_PATTERNS = (1 << _CHUNK) - 1


@dataclass(frozen=True, slots=True)
class Way:
    """One way into a segment: one of the bits `plain` is left, and what is known of other segments agrees.

    `segment` is the bit of the segment's own number; `wants` and `bans` are memberships in others. Where conjunctions
    are only necessary, `tree` has the last word.
    """

    segment: int
    plain: int
    wants: int = 0
    bans: int = 0
    tree: Condition | None = None

    @property
    def is_its_own(self) -> bool:
        """Whether the segment's own bit in the index tells all: the first conjunction of a segment has it."""
        return self.segment == self.plain and not (self.wants or self.bans or self.tree)


class Chunk:
    """Eight segments; `kept` are the conjunctions that each combination of memberships met so far does not refute."""

    def __init__(self) -> None:
        self._postings = Postings()
        self._full = 0
        self.kept: dict[int, int] = {}

    def note(self, segment: int, bit: int, *, wanted: bool) -> None:
        """Note that the conjunction of this bit wants this membership."""
        self._postings.note(segment % _CHUNK, bit, wanted=wanted)

    def finish(self, full: int) -> None:
        """Get ready to be asked; `full` are the bits of all conjunctions there are."""
        self._postings.finish()
        self._full = full

    def learn(self, pattern: int) -> int:
        """The same of memberships that were not met before."""
        known = self.kept[pattern] = self._full & ~self._postings.refuted(self._postings.met(pattern))
        return known


class SegmentIndex:
    """The segments of a rule set; they don't go in circles."""

    def __init__(self, segments: Mapping[str, Condition]) -> None:
        self.order = _dependencies_first(segments)
        self.number = {one: number for number, one in enumerate(self.order)}
        self.ways: list[tuple[Way, ...]] = []
        self._chunks = [Chunk() for _ in range(0, len(self.order), _CHUNK)]

    def note(self, segment_id: str, bit: int, *, wanted: bool) -> None:
        """Note that the conjunction of this bit wants this membership."""
        number = self.number[segment_id]
        self._chunks[number // _CHUNK].note(number, bit, wanted=wanted)

    def finish(self, full: int) -> None:
        """Get ready to be asked; `full` are the bits of all conjunctions there are."""
        for chunk in self._chunks:
            chunk.finish(full)

    def reach(self, needed: Iterable[str], *, refutes: bool) -> "SegmentReach":
        """The part that these segments need; those that they name are among them. It `refutes` where conditions of
        rules are asked, too."""
        numbers = sorted(self.number[one] for one in needed)
        found = [way for number in numbers for way in self.ways[number]]
        others = [one for one in found if not one.is_its_own]
        chunks = dict.fromkeys(number // _CHUNK for number in numbers) if refutes else ()
        return SegmentReach(
            own=reduce(or_, (one.plain for one in found if one.is_its_own), 0),
            others=tuple((one.plain, one.wants, one.bans, one.tree, one.segment) for one in others),
            chunks=tuple((at * _CHUNK, self._chunks[at].kept, self._chunks[at].learn) for at in chunks),
        )


@dataclass(frozen=True, slots=True)
class SegmentReach:
    """Some of the segments. `own` are the bits of those whose own bit tells all; `others` are the other ways in, in
    an order in which each comes after those it names. `chunks` are what memberships refute, by their first bit."""

    own: int
    others: tuple[tuple[int, int, int, Condition | None, int], ...]
    chunks: tuple[tuple[int, Mapping[int, int], Callable[[int], int]], ...]

    def members(self, left: int, walk: Callable[[Condition, int], bool]) -> int:
        """The memberships as bits; `left` are the conjunctions that no fact refutes."""
        members = left & self.own
        for plain, wants, bans, tree, segment in self.others:
            if left & plain and members & wants == wants and not members & bans:
                members |= segment if tree is None or walk(tree, members) else 0
        return members

    def kept(self, members: int, left: int) -> int:
        """What these memberships leave of the conjunctions."""
        for first, kept, learn in self.chunks:
            pattern = members >> first & _PATTERNS
            try:
                left &= kept[pattern]
            except KeyError:
                left &= learn(pattern)
        return left


def _dependencies_first(segments: Mapping[str, Condition]) -> tuple[str, ...]:
    """The segments in an order in which each comes after those it names."""
    named = {one: [each.segment_id for each in segments_named(who)] for one, who in segments.items()}
    return tuple(TopologicalSorter(named).static_order())
