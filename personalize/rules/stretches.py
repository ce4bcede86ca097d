"""The questions of one fact that have a scale in common, and how a value finds their answers there.

The cuts of all of them part the scale into stretches. A value's stretch is found by bisection; the first value that
lies in one is asked about, by the predicates of those questions alone whose answers can change on the way from a
stretch that is known already.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Mapping
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from personalize.rules.conditions import Leaf
from personalize.rules.postings import bit_mask
from personalize.rules.scales import Scale

#: Of these no operator with a scale says more than that they are there, if they are off its scale. Not so of classes
#: made of them, which may be on it and not be seen there.
_ALIKE = frozenset({int, float, bool, Decimal, date, datetime, timedelta, dict, bytes, list, tuple})


class Stretches:
    """The questions of one scale: between two neighbouring cuts all values get the same answers."""

    def __init__(self, scale: Scale, leaves: Mapping[Leaf, int]) -> None:
        self._measure = scale.measure
        self._leaves = leaves
        changing: dict[tuple[Any, bool], list[Leaf]] = {}
        for leaf in leaves:
            cuts = leaf.cuts()
            assert cuts is not None
            for point, is_after in (*((one, False) for one in cuts.before), *((one, True) for one in cuts.after)):
                changing.setdefault((point, is_after), []).append(leaf)
        ordered = sorted(changing)
        self._before = [point for point, is_after in ordered if not is_after]
        self._after = [point for point, is_after in ordered if is_after]
        self._changing = [changing[cut] for cut in ordered]
        self._truths: dict[int, int] = {}
        self._off: dict[type, int] = {}

    def place(self, value: object, now: datetime, micros: int) -> int | None:
        """The number of the value's stretch, which is how many cuts lie below it; None off the scale."""
        measured = self._measure(value, now, micros)
        if measured is None:
            return None
        return bisect_right(self._before, measured) + bisect_left(self._after, measured)

    def truth(self, value: object, now: datetime, micros: int) -> int:
        """The answers for a value."""
        measured = self._measure(value, now, micros)
        if measured is None:
            return self._truth_off(value, now)
        place = bisect_right(self._before, measured) + bisect_left(self._after, measured)
        known = self._truths.get(place)
        return known if known is not None else self.truth_at(place, value, now)

    def _truth_off(self, value: object, now: datetime) -> int:
        """The answers for a value off the scale: for one of its class they are those for all, but for texts, which
        may be numbers in writing."""
        kind = value.__class__
        if kind not in _ALIKE:
            return asked(self._leaves.items(), value, now)
        known = self._off.get(kind)
        if known is None:
            known = self._off[kind] = asked(self._leaves.items(), value, now)
        return known

    def truth_at(self, place: int, value: object, now: datetime) -> int:
        """The answers in the stretch in which this value lies."""
        known = self._truths.get(place)
        if known is None:
            known = self._truths[place] = self._learned(place, value, now)
        return known

    def _learned(self, place: int, value: object, now: datetime) -> int:
        """The answers of a stretch in which no value was before: those of the nearest one that is known, but for
        the questions that can change on the way from there."""
        if not self._truths:
            return asked(self._leaves.items(), value, now)
        nearest = min(self._truths, key=lambda known: abs(known - place))
        low, high = sorted((place, nearest))
        between = {leaf: self._leaves[leaf] for changing in self._changing[low:high] for leaf in changing}
        unchanged = self._truths[nearest] & ~bit_mask(between.values())
        return unchanged | asked(between.items(), value, now)


def asked(leaves: Iterable[tuple[Leaf, int]], value: object, now: datetime) -> int:
    """The answers of some numbered questions for one present value, each by its own predicate."""
    truth = 0
    for leaf, number in leaves:
        if leaf.holds_for(value, now):
            truth |= 1 << number
    return truth
