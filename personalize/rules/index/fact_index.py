"""All questions that a rule set asks of one fact, and how a value finds their answers.

A value's answers are one integer, its truth: bit i is the answer to question i. It is put together from those of the
scales (`stretches`) and of the questions that have to be asked. Each answer comes from the question's own predicate,
so an explanation that asks the same index can't say what serving would not do. What was found is remembered.
"""

from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import date, datetime, timedelta
from functools import reduce
from operator import or_
from types import MethodType
from typing import Any, Final, TypeAlias

from personalize.light_values import light_dataclass
from personalize.rules.conditions import Leaf
from personalize.rules.facts import Fact, FactType
from personalize.rules.index.postings import Postings, bit_mask
from personalize.rules.index.stretches import CounterStretches, Placed, Stretches, asked, stretches_of
from personalize.rules.operators import Asked
from personalize.rules.scales import AGES, Scale
from personalize.rules.unanswerable import Dependents, Unanswerable

#: How many values of one fact are remembered with their answers before they are thrown away and gathered anew.
MOST_REMEMBERED: Final = 2048
#: How many bytes the masks of one fact may fill, and how many of them there may be in any case.
MOST_MASK_BYTES = 1_000_000
FEWEST_MASKS = 256
#: Longer texts are answered anew each time, so that what is remembered has a bound in bytes, too.
LONGEST_REMEMBERED: Final = 200

#: Values of these types can't change, and two equal ones of the same type get the same answers.
_REMEMBERED = (str, int, bool, date, timedelta)
#: The class that values of a type mostly have. Readings of such, and of nothing, are kept together.
_USUAL: Final[Mapping[FactType, type]] = {
    FactType.TEXT: str,
    FactType.CHOICE: str,
    FactType.VERSION: str,
    FactType.NUMBER: int,
    FactType.MONEY: int,
    FactType.BOOL: bool,
    FactType.DATE: date,
    FactType.CLOCK: timedelta,
}
_SEVERAL: Final = frozenset({list, tuple})


@light_dataclass(frozen=True, slots=True)
class Reading:
    """What one value of a fact means: `truth` are the answers as bits, by the questions' numbers, `kept` the
    conjunctions that these answers don't refute."""

    truth: int
    kept: int


#: What a value means, at a moment that is given as such and as microseconds since 1970.
Read: TypeAlias = Callable[[Any, datetime, int], Reading]


class FactIndex:
    """The questions of one fact: first they are noted, then it is finished, then it is read.

    `memories` are the readings of values that were read before, by the values' class and by value; that of None is in
    each. Most values are of the class `usual`, and are worth looking up in `masks`, which has what each leaves, before
    they are read; where there is no such class, none are. Only what is asked `by_clock` has to be read at the moment
    that the visitor's clock shows: to all else any clock is the same. Where the fact is `Unanswerable`, its
    `dependents` are refuted.
    """

    def __init__(self, fact: Fact, dependents: Dependents) -> None:
        self.fact = fact
        self.name = fact.name
        self.usual = None if fact.many else _USUAL.get(fact.type)
        self.by_clock = False
        self.is_counter = fact.type is FactType.TIMES
        self._is_list = fact.many
        self._dependents = dependents
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
        self._ages: list[Any] = []
        self._by_length: list[tuple[tuple[Placed, ...], int]] = []
        self.memories: dict[type, dict[Any, Reading]] = {}
        self.masks: dict[object, int] = {}
        self._way: Callable[[FactIndex, Any, datetime, int], Reading] = FactIndex._read_any
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
        self._missing = self._reading(0)
        # By the class of a value first, since 1 is not True.
        classes = (*(() if self._moves else _REMEMBERED), type(None))
        self.memories = {one: {None: self._missing} for one in classes}
        self.masks = {None: self._missing.kept}
        self.usual = None if self._moves else self.usual
        self.by_clock = bool(others)
        self._way = self._shortest_way(set(by_scale))

    def _shortest_way(self, scales: set[Scale]) -> Callable[["FactIndex", Any, datetime, int], Reading]:
        """What reads such values as this fact mostly has; without this index, which would lie in a circle with it."""
        first = self._scales[0] if self._scales and not self._asked else None
        if isinstance(first, CounterStretches):
            self._by_length = first.by_length
            return FactIndex._read_times
        if isinstance(first, Stretches) and scales == {AGES}:
            self._ages = first.after
            return FactIndex._read_moment
        return FactIndex._read_list if self._is_list and not self._moves else FactIndex._read_any

    # Reading -------------------------------------------------------------------------------------------

    @property
    def reader(self) -> Read:
        """What reads a value of this fact, in the way that is the shortest for most."""
        return MethodType(self._way, self)

    def read(self, value: object, now: datetime, micros: int) -> Reading:
        """What one value of this fact means."""
        return self._way(self, value, now, micros)

    def _read_times(self, value: Any, now: datetime, micros: int) -> Reading:
        """The reading of a counter's times."""
        if type(value) is tuple:
            have = len(value)
            parts, truth = self._by_length[have if have < len(self._by_length) else -1]
            try:
                for count, after, truths in parts:
                    truth |= truths[bisect_left(after, micros - value[-count])]
                return self._readings[truth]
            except KeyError:
                pass  # these answers were not met before
        return self._read_any(value, now, micros)

    def _read_moment(self, value: Any, now: datetime, micros: int) -> Reading:
        """The reading of a moment of which only the age is asked."""
        if type(value) is datetime and value.tzinfo is not None:
            known = self._at.get(bisect_left(self._ages, now - value))
            if known is not None:
                return known
        return self._read_any(value, now, micros)

    def _read_list(self, value: Any, now: datetime, micros: int) -> Reading:
        """The reading of a list, of texts for the most part."""
        if type(value) is list:
            texts, of_elements = self.memories[str], self._of_elements
            truth = whole = asked(self._of_lists, value, now) if self._of_lists else 0
            try:
                for element in value:
                    if type(element) is not str:
                        break
                    truth |= texts[element].truth & of_elements
                else:
                    known = self._readings.get(truth)
                    return known or self._reading(whole, *[texts[one].truth & of_elements for one in value])
            except KeyError:
                pass  # one of them was not met before
        return self._read_any(value, now, micros)

    def _read_any(self, value: object, now: datetime, micros: int) -> Reading:
        memory = self.memories.get(type(value))
        if memory is not None and (known := memory.get(value)) is not None:
            return known
        return self.read_anew(value, now, micros)

    def read_anew(self, value: object, now: datetime, micros: int) -> Reading:
        """What a value that is not remembered answers and refutes; it is from now on, if it can be."""
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
        memory = self.memories.get(type(value))
        if memory is None or (type(value) is str and len(value) > LONGEST_REMEMBERED):
            return
        if len(memory) >= MOST_REMEMBERED:
            memory.clear()
            self.masks.clear()
            memory[None], self.masks[None] = self._missing, self._missing.kept
        memory[value] = reading
        if type(value) is self.usual:
            self.masks[value] = reading.kept

    def _truths_of_list(self, elements: Iterable[object], now: datetime, micros: int) -> Iterator[int]:
        """The answers for a list, which hold together: a question holds if it holds for any element, or is asked of
        the list as a whole."""
        yield asked(self._of_lists, elements, now)
        for element in elements:
            is_single = element is not None and type(element) not in _SEVERAL
            truth = self._read_any(element, now, micros).truth if is_single else self._truth(element, now, micros)
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
