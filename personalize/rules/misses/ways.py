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


#: Questions with the answers that are wanted by their numbers: even ones are wanted, the next one is the opposite.
_Numbered: TypeAlias = tuple[int, ...]


class Ways:
    """Opens up conditions for one visitor; a segment's ways are found once.

    `answer` gives the present answer to a question; a way whose questions are all answered as it wants them is one in
    which the condition holds now.
    """

    def __init__(self, segments: Mapping[str, Condition], answer: Callable[[Leaf], bool]) -> None:
        self._segments = segments
        self._answer = answer
        self._numbers: dict[Leaf, int] = {}
        self._wanted: list[Wanted] = []
        self._is_missing: list[bool] = []
        self._of_segments: dict[tuple[str, bool], list[_Numbered]] = {}

    def of(self, condition: Condition, *, wanted: bool = True) -> list[Way]:
        """Ways in which a condition comes to hold, or, if that is `wanted`, not to hold; none where it never can.

        Segments are opened up.
        """
        return [tuple([self._wanted[one] for one in way]) for way in self._opened(condition, wanted=wanted)]

    def _opened(self, condition: Condition, *, wanted: bool) -> list[_Numbered]:
        match condition:
            case Leaf():
                number = self._numbers.get(condition)
                if number is None:
                    number = self._number(condition)
                return [(number if wanted else number + 1,)]
            case InSegment(segment_id):
                if (segment_id, wanted) not in self._of_segments:
                    who = self._segments[segment_id]
                    self._of_segments[segment_id, wanted] = self._opened(who, wanted=wanted)
                return self._of_segments[segment_id, wanted]
            case Not(part):
                return self._opened(part, wanted=not wanted)
            case All(parts) | Any(parts):
                each = [self._opened(part, wanted=wanted) for part in parts]
                return self._together(each) if isinstance(condition, All) == wanted else self._best(chain(*each))

    def _number(self, leaf: Leaf) -> int:
        number = self._numbers[leaf] = len(self._wanted)
        answer = self._answer(leaf)
        self._wanted += ((leaf, True), (leaf, False))
        self._is_missing += (not answer, answer)
        return number

    def _together(self, parts: list[list[_Numbered]]) -> list[_Numbered]:
        found: list[_Numbered] = [()]
        for part in parts:
            joined = [_joined(left, right) for left in found for right in part if not _contradict(left, right)]
            found = self._best(joined) if len(joined) > 1 else joined
        return found

    def _best(self, found: Iterable[_Numbered]) -> list[_Numbered]:
        different = {frozenset(way): way for way in found}
        return sorted(different.values(), key=self._missing)[:MOST_WAYS]

    def _missing(self, way: _Numbered) -> int:
        """How many questions are answered otherwise now."""
        return sum([self._is_missing[one] for one in way])


def _joined(left: _Numbered, right: _Numbered) -> _Numbered:
    return tuple(dict.fromkeys((*left, *right)))


def _contradict(left: _Numbered, right: _Numbered) -> bool:
    return any(one ^ 1 in left for one in right)
