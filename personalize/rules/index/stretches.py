"""The questions of one fact that have a scale in common, and how a value finds their answers there.

The cuts of all of them part the scale into stretches. A value's stretch is found by bisection; the first value that
lies in one is asked about, by the predicates of those questions alone whose answers can change on the way from a
stretch that is known already.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from functools import reduce
from operator import attrgetter, or_
from typing import Any, TypeAlias

from personalize.rules.conditions import Leaf
from personalize.rules.fact_values import decimal_number
from personalize.rules.index.postings import bit_mask
from personalize.rules.scales import Latest, Scale

#: How many places of a scale of steps are kept: the minute that is now, in several zones.
MOST_STEPS = 64
#: Of these no operator with a scale says more than that they are there, if they are off its scale. Not so of classes
#: made of them, which may be on it and not be seen there.
_ALIKE = frozenset({int, float, bool, Decimal, date, datetime, timedelta, dict, bytes, list, tuple, type(None)})
_ANY_MOMENT = datetime(1970, 1, 1, tzinfo=UTC)

#: Which of a counter's latest times is placed, its cuts, and the answers in each stretch that was met.
Placed: TypeAlias = tuple[int, list[Any], dict[Any, int]]


class Stretches:
    """The questions of one scale: between two neighbouring cuts all values get the same answers."""

    def __init__(self, scale: Scale, leaves: Mapping[Leaf, int]) -> None:
        self._measure = scale.measure
        self._plain = scale.plain
        self.recurs = scale.few or scale.steps
        self._leaves = leaves
        changing: dict[tuple[Any, bool], list[tuple[int, Leaf]]] = {}
        for leaf, number in leaves.items():
            cuts = leaf.cuts()
            assert cuts is not None
            for point, is_after in (*((one, False) for one in cuts.before), *((one, True) for one in cuts.after)):
                changing.setdefault((point, is_after), []).append((number, leaf))
        ordered = sorted(changing)
        self.before = [point for point, is_after in ordered if not is_after]
        self.after = [point for point, is_after in ordered if is_after]
        self._changing = [changing[cut] for cut in ordered]
        self.truths: dict[Any, int] = {}
        self._off: dict[type, int] = {}

    def place(self, value: object, now: datetime, micros: int) -> int | None:
        """The number of the value's stretch, which is how many cuts lie below it; None off the scale."""
        measured = value if value.__class__ is self._plain else self._measure(value, now, micros)
        if measured is None:
            return None
        return bisect_right(self.before, measured) + bisect_left(self.after, measured)

    def truth(self, value: object, now: datetime, micros: int) -> int:
        """The answers for a value."""
        place = self.place(value, now, micros)
        return self._truth_off(value, now) if place is None else self.truth_at(place, value, now)

    def _truth_off(self, value: object, now: datetime) -> int:
        """The answers for a value off the scale: for one of its class they are those for all, but for texts, which
        may be numbers in writing. Those that are none are all alike where numbers are asked for."""
        kind = value.__class__
        if kind not in _ALIKE and not (self._plain is int and kind is str and decimal_number(str(value)) is None):
            return asked(self._leaves.items(), value, now)
        known = self._off.get(kind)
        if known is None:
            known = self._off[kind] = asked(self._leaves.items(), value, now)
        return known

    def truth_at(self, place: int, value: object, now: datetime) -> int:
        """The answers in the stretch in which this value lies."""
        known = self.truths.get(place)
        if known is None:
            known = self.truths[place] = self._learned(place, value, now)
        return known

    def _learned(self, place: int, value: object, now: datetime) -> int:
        """The answers of a stretch in which no value was before: those of the nearest one that is known, but for
        the questions that can change on the way from there."""
        if not self.truths:
            return asked(self._leaves.items(), value, now)
        nearest = min(self.truths, key=lambda known: abs(known - place))
        low, high = sorted((place, nearest))
        between = dict(each for changing in self._changing[low:high] for each in changing)
        unchanged = self.truths[nearest] & ~bit_mask(between)
        return unchanged | asked([(leaf, number) for number, leaf in between.items()], value, now)


class Steps(Stretches):
    """The questions on a scale of steps: each place is asked about anew, and a few are kept."""

    def place(self, value: object, now: datetime, micros: int) -> Any:
        """The value's place itself."""
        return self._measure(value, now, micros)

    def truth_at(self, place: Any, value: object, now: datetime) -> int:
        """The answers at the place of this value."""
        known = self.truths.get(place)
        if known is None:
            if len(self.truths) >= MOST_STEPS:
                self.truths.clear()
            known = self.truths[place] = asked(self._leaves.items(), value, now)
        return known


class CounterStretches:
    """The questions about several of a counter's latest times, each with its own stretches.

    `by_length` tells for each number of times that a counter may hold, up to the most that are asked for, which of
    them are to be placed, and the answers of all others: those for nothing that ever happened.
    """

    def __init__(self, by_scale: Mapping[Latest, Mapping[Leaf, int]]) -> None:
        self._parts = {
            scale.count: Stretches(scale, by_scale[scale]) for scale in sorted(by_scale, key=attrgetter("count"))
        }
        never = {count: part.truth_at(len(part.after), (), _ANY_MOMENT) for count, part in self._parts.items()}
        self.by_length: list[tuple[tuple[Placed, ...], int]] = []
        for have in range(max(self._parts) + 1):
            is_another = have == 0 or have in self._parts
            self.by_length.append(self._with(have, never) if is_another else self.by_length[-1])

    def _with(self, have: int, never: Mapping[int, int]) -> tuple[tuple[Placed, ...], int]:
        placed = tuple((count, part.after, part.truths) for count, part in self._parts.items() if count <= have)
        return placed, reduce(or_, (truth for count, truth in never.items() if count > have), 0)

    def truth(self, value: object, now: datetime, micros: int) -> int:
        """The answers for the times of a counter, whatever was met before."""
        return reduce(or_, (part.truth(value, now, micros) for part in self._parts.values()))


def stretches_of(by_scale: Mapping[Scale, Mapping[Leaf, int]]) -> tuple[Stretches | CounterStretches, ...]:
    """What answers the questions of one fact that have a scale."""
    latest = {scale: leaves for scale, leaves in by_scale.items() if isinstance(scale, Latest)}
    if latest:
        return (CounterStretches(latest),)
    return tuple((Steps if scale.steps else Stretches)(scale, leaves) for scale, leaves in by_scale.items())


def asked(leaves: Iterable[tuple[Leaf, int]], value: object, now: datetime) -> int:
    """The answers of some numbered questions for one present value, each by its own predicate."""
    truth = 0
    for leaf, number in leaves:
        if leaf.holds_for(value, now):
            truth |= 1 << number
    return truth
