"""All questions that a rule set asks of one fact, and how a value finds their answers.

A value's answers are one integer, its truth: bit i is the answer to question i. It is put together from those of the
scales (`stretches`) and of the questions that have to be asked. Each answer comes from the question's own predicate,
so an explanation that asks the same index can't say what serving would not do. What was found is remembered.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import reduce
from operator import or_
from typing import Any

from personalize.rules.conditions import Leaf
from personalize.rules.facts import FactType
from personalize.rules.operators import Asked
from personalize.rules.postings import Postings, bit_mask
from personalize.rules.scales import Scale
from personalize.rules.stretches import CounterStretches, Stretches, asked, stretches_of
from personalize.rules.unanswerable import Dependents, Unanswerable

#: How many values of one fact are remembered with their answers before they are thrown away and gathered anew.
MOST_REMEMBERED = 2048
#: How many bytes the masks of one fact may fill, and how many of them there may be in any case.
MOST_MASK_BYTES = 1_000_000
FEWEST_MASKS = 256
#: Longer texts are answered anew each time, so that what is remembered has a bound in bytes, too.
LONGEST_REMEMBERED = 200

#: Values of these types can't change, and two equal ones of the same type get the same answers.
_REMEMBERED = frozenset({str, int, bool, date, timedelta})
_SEVERAL = frozenset({list, tuple})
_ANY_MOMENT = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Reading:
    """What one value of a fact means: `truth` are the answers as bits, by the questions' numbers, `kept` the
    conjunctions that these answers don't refute."""

    truth: int
    kept: int


class FactIndex:
    """The questions of one fact: first they are noted, then it is finished, then it is read.

    `memories` are the readings of values that were read before, by the values' class and by value. Where the fact
    is `Unanswerable`, its `dependents` are refuted.
    """

    def __init__(self, name: str, type_: FactType, dependents: Dependents) -> None:
        self.name = name
        self._dependents = dependents
        self.is_counter = type_ is FactType.TIMES
        self._leaves: dict[Leaf, int] = {}
        self._postings = Postings()
        self._full = 0
        self._most_masks = FEWEST_MASKS
        self._moves = False
        self._scales: tuple[Stretches | CounterStretches, ...] = ()
        self._asked: tuple[tuple[Leaf, int], ...] = ()
        self._of_lists: tuple[tuple[Leaf, int], ...] = ()
        self._of_elements = 0
        self._alone: Stretches | None = None
        self._at: dict[int, Reading] = {}
        self.memories: dict[type, dict[Any, Reading]] = {}
        self._readings: dict[int, Reading] = {}
        self._mets: dict[int, tuple[int, ...]] = {}

    # Building ------------------------------------------------------------------------------------------

    def number(self, leaf: Leaf) -> int:
        """The place of a question's answer among the bits of a truth; a new question gets the next one."""
        return self._leaves.setdefault(leaf, len(self._leaves))

    def note(self, question: int, bit: int, *, wanted: bool) -> None:
        """Note that the conjunction of this bit wants this answer to the question of this number."""
        self._postings.note(question, bit, wanted=wanted)

    def finish(self, full: int) -> None:
        """Get ready to be read; `full` are the bits of all conjunctions there are."""
        self._postings.finish()
        self._full = full
        self._most_masks = max(FEWEST_MASKS, MOST_MASK_BYTES // (full.bit_length() // 8 + 1))
        by_scale: dict[Scale, dict[Leaf, int]] = {}
        constant, others = dict[Leaf, int](), dict[Leaf, int]()
        for leaf, number in self._leaves.items():
            cuts = leaf.cuts()
            found = others if cuts is None else constant if cuts.scale is None else by_scale.setdefault(cuts.scale, {})
            found[leaf] = number
        if by_scale:  # what is the same everywhere on a scale can be asked there
            next(iter(by_scale.values())).update(constant)
        else:
            others.update(constant)
        self._scales = stretches_of(by_scale)
        self._asked = tuple(others.items())
        self._of_lists = tuple(each for each in self._leaves.items() if each[0].asked is not Asked.EACH)
        self._of_elements = bit_mask(n for leaf, n in self._leaves.items() if leaf.asked is not Asked.WHOLE)
        self._moves = any(scale.moves for scale in by_scale) or any(leaf.uses_now for leaf in others)
        if len(self._scales) == 1 and isinstance(self._scales[0], Stretches) and not others:
            self._alone = self._scales[0] if not self._scales[0].recurs else None
        # By the class of a value first, since 1 is not True.
        self.memories = {one: {} for one in (() if self._moves else _REMEMBERED)}
        self.memories[type(None)] = {None: self._reading(0)}
        if self.is_counter and not others:  # who never did it did not at any moment
            self.memories[tuple] = {(): self._reading(asked(self._leaves.items(), (), _ANY_MOMENT))}

    # Reading -------------------------------------------------------------------------------------------

    def read(self, value: object, now: datetime, micros: int) -> Reading:
        """What this value answers and refutes; `micros` are those of `now` since 1970, where it
        is a counter."""
        memory = self.memories.get(value.__class__)
        if memory is not None and (known := memory.get(value)) is not None:
            return known
        return self.read_anew(value, now, micros)

    def read_anew(self, value: object, now: datetime, micros: int) -> Reading:
        """The same for a value that is not remembered; it is from now on, if it can be."""
        if self._alone is not None and (place := self._alone.place(value, now, micros)) is not None:
            reading = self._at.get(place)
            if reading is None:
                reading = self._at[place] = self._reading(self._alone.truth_at(place, value, now))
        elif isinstance(value, Unanswerable):
            return Reading(0, self._full & ~self._dependents.of(self.name))
        elif value.__class__ in _SEVERAL and not self.is_counter:
            return self._reading(*self._truths_of_list(value, now, micros))
        else:
            reading = self._reading(self._truth(value, now, micros))
        if not self._moves:
            self._remember(value, reading)
        return reading

    def _remember(self, value: object, reading: Reading) -> None:
        memory = self.memories.get(value.__class__)
        if memory is None or (value.__class__ is str and len(value) > LONGEST_REMEMBERED):
            return
        if len(memory) >= MOST_REMEMBERED:
            memory.clear()
        memory[value] = reading

    def _truths_of_list(self, elements: Iterable[object], now: datetime, micros: int) -> Iterator[int]:
        """The answers for a list, which hold together: a question holds if it holds for any element, or is asked of
        the list as a whole."""
        yield asked(self._of_lists, elements, now)
        for element in elements:
            is_single = element is not None and element.__class__ not in _SEVERAL
            truth = self.read(element, now, micros).truth if is_single else self._truth(element, now, micros)
            yield truth & self._of_elements

    def _truth(self, value: object, now: datetime, micros: int) -> int:
        truth = asked(self._asked, value, now)
        for scale in self._scales:
            truth |= scale.truth(value, now, micros)
        return truth

    def _reading(self, *truths: int) -> Reading:
        """The reading of answers that hold together."""
        truth = truths[0] if len(truths) == 1 else reduce(or_, truths)
        known = self._readings.get(truth)
        if known is None:
            if len(self._readings) >= self._most_masks:
                self._readings.clear()
            met = self._postings.met if len(truths) == 1 else self._met
            refuted = self._postings.refuted(*map(met, truths))
            known = self._readings[truth] = Reading(truth, self._full & ~refuted)
        return known

    def _met(self, truth: int) -> tuple[int, ...]:
        """What the answers for an element meet; remembered, since elements come in many combinations."""
        known = self._mets.get(truth)
        if known is None:
            if len(self._mets) >= FEWEST_MASKS:
                self._mets.clear()
            known = self._mets[truth] = self._postings.met(truth)
        return known

    def answer(self, leaf: Leaf, truth: int) -> bool:
        """The answer to one question among these."""
        return bool(truth >> self._leaves[leaf] & 1)
