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
from personalize.rules.postings import Postings

_CHUNK = 8
_PATTERNS = (1 << _CHUNK) - 1


@dataclass(frozen=True, slots=True)
class Nested:
    """A conjunction that names segments: its bit, and the memberships that it wants and bans, as bits."""

    bit: int
    wants: int
    bans: int


@dataclass(frozen=True, slots=True)
class Membership:
    """How it is told whether a visitor is in one segment.

    `bit` is its own. `plain` are the bits of its conjunctions that name no segment, `nested` those that do. Where
    conjunctions are only necessary, `tree` has the last word, and all of them are plain.
    """

    bit: int
    plain: int
    nested: tuple[Nested, ...]
    tree: Condition | None

    @property
    def needs_others(self) -> bool:
        """Whether other memberships have to be known first."""
        return bool(self.nested) or self.tree is not None


class Chunk:
    """Eight segments, with the conjunctions that each combination of memberships does not refute."""

    def __init__(self) -> None:
        self._postings = Postings()
        self._full = 0
        self._kept: dict[int, int] = {}

    def note(self, segment: int, bit: int, *, wanted: bool) -> None:
        """Note that the conjunction of this bit wants this membership."""
        self._postings.note(segment % _CHUNK, bit, wanted=wanted)

    def finish(self, full: int) -> None:
        """Get ready to be asked; `full` are the bits of all conjunctions there are."""
        self._postings.finish()
        self._full = full

    def kept(self, pattern: int) -> int:
        """The conjunctions that these eight memberships don't refute."""
        known = self._kept.get(pattern)
        if known is None:
            known = self._kept[pattern] = self._full & ~self._postings.refuted(self._postings.met(pattern))
        return known


class SegmentIndex:
    """The segments of a rule set; they don't go in circles."""

    def __init__(self, segments: Mapping[str, Condition]) -> None:
        self.order = _dependencies_first(segments)
        self.number = {one: number for number, one in enumerate(self.order)}
        self.memberships: list[Membership] = []
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
        found = [self.memberships[number] for number in numbers]
        chunks = dict.fromkeys(number // _CHUNK for number in numbers)
        simple = [one for one in found if not one.needs_others]
        return SegmentReach(
            alone=reduce(or_, (one.bit & one.plain for one in simple), 0),
            several=tuple((one.bit, one.plain) for one in simple if one.plain != one.bit),
            nested=tuple(one for one in found if one.needs_others),
            chunks=tuple((at * _CHUNK, self._chunks[at]) for at in chunks) if refutes else (),
        )


@dataclass(frozen=True, slots=True)
class SegmentReach:
    """Some of the segments. `alone` are the bits of those that hold where their own bit is left; `several` have
    their bit and those of all their conjunctions; `nested` name others, and come after those. `chunks` are theirs
    by their first bit."""

    alone: int
    several: tuple[tuple[int, int], ...]
    nested: tuple[Membership, ...]
    chunks: tuple[tuple[int, Chunk], ...]

    def members(self, left: int, walk: Callable[[Condition, int], bool]) -> int:
        """The memberships as bits; `left` are the conjunctions that no fact refutes."""
        members = left & self.alone
        for bit, plain in self.several:
            if left & plain:
                members |= bit
        for one in self.nested:
            if _holds(one, left, members, walk):
                members |= one.bit
        return members

    def kept(self, members: int, left: int) -> int:
        """What these memberships leave of the conjunctions."""
        for first, chunk in self.chunks:
            left &= chunk.kept(members >> first & _PATTERNS)
        return left


def _holds(one: Membership, left: int, members: int, walk: Callable[[Condition, int], bool]) -> bool:
    if left & one.plain:
        return one.tree is None or walk(one.tree, members)
    return any(
        left & each.bit and members & each.wants == each.wants and not members & each.bans for each in one.nested
    )


def _dependencies_first(segments: Mapping[str, Condition]) -> tuple[str, ...]:
    """The segments in an order in which each comes after those it names."""
    named = {one: [each.segment_id for each in segments_named(who)] for one, who in segments.items()}
    return tuple(TopologicalSorter(named).static_order())
