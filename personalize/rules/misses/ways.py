"""The ways in which a condition can come to hold, those first that need the least to be different."""

from collections.abc import Callable, Iterable, Mapping
from itertools import chain
from typing import TypeAlias

from personalize.rules.conditions import All, Any, Condition, InSegment, Leaf, Not

#: How many ways of one condition are followed; those that need the most to be different are left out.
MOST_WAYS = 24

#: A question with the answer that is wanted.
Wanted: TypeAlias = tuple[Leaf, bool]
#: Questions whose wanted answers together make a condition hold, each once, in the order written.
Way: TypeAlias = tuple[Wanted, ...]


def ways(
    condition: Condition, segments: Mapping[str, Condition], answer: Callable[[Leaf], bool], *, wanted: bool = True
) -> tuple[Way, ...]:
    """Ways in which the condition comes to hold, or, if that is `wanted`, not to hold.

    Segments are opened up. `answer` gives the present answer to a question; a way whose questions are all
    answered as it wants them is one in which the condition holds now. None are left where it never can.
    """
    return tuple(_Ways(segments, answer).of(condition, wanted=wanted))


class _Ways:
    """Opens up conditions for one visitor; a segment's ways are found once."""

    def __init__(self, segments: Mapping[str, Condition], answer: Callable[[Leaf], bool]) -> None:
        self._segments = segments
        self._answer = answer
        self._of_segments: dict[tuple[str, bool], list[Way]] = {}

    def of(self, condition: Condition, *, wanted: bool) -> list[Way]:
        """The ways of a condition, or of its opposite."""
        match condition:
            case Leaf():
                return [((condition, wanted),)]
            case InSegment(segment_id):
                if (segment_id, wanted) not in self._of_segments:
                    who = self._segments[segment_id]
                    self._of_segments[segment_id, wanted] = self.of(who, wanted=wanted)
                return self._of_segments[segment_id, wanted]
            case Not(part):
                return self.of(part, wanted=not wanted)
            case All(parts) | Any(parts):
                each = [self.of(part, wanted=wanted) for part in parts]
                return self._together(each) if isinstance(condition, All) == wanted else self._best(chain(*each))

    def _together(self, parts: list[list[Way]]) -> list[Way]:
        found: list[Way] = [()]
        for part in parts:
            found = self._best(_joined(left, right) for left in found for right in part if not _contradict(left, right))
        return found

    def _best(self, found: Iterable[Way]) -> list[Way]:
        different = {frozenset(way): way for way in found}
        return sorted(different.values(), key=self._missing)[:MOST_WAYS]

    def _missing(self, way: Way) -> int:
        """How many questions are answered otherwise now."""
        return sum(self._answer(leaf) != wanted for leaf, wanted in way)


def _joined(left: Way, right: Way) -> Way:
    return tuple(dict.fromkeys((*left, *right)))


def _contradict(left: Way, right: Way) -> bool:
    return any((leaf, not wanted) in left for leaf, wanted in right)
