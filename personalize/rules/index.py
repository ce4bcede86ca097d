"""One evaluator for all conditions of a rule set, for one visitor and for a million.

Every condition becomes conjunctions (`normal_form`), every conjunction one bit of a big integer. Each fact has a
mask for each combination of its questions' answers: the conjunctions that this combination does not refute.
One AND per fact leaves the bits of what matches. Answers come from the questions' own predicates, once per
value, so an explanation that asks the same index can't say what serving would not do.

The method is the counting-free variant of indexing Boolean expressions (Whang et al., PVLDB 2009) on bit sets.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from graphlib import TopologicalSorter
from types import MappingProxyType
from typing import Generic, TypeVar

from personalize.rules.conditions import All, Any, Condition, InSegment, Leaf, Not, leaves, questions, segments_named
from personalize.rules.normal_form import Conjunction, normal_form
from personalize.rules.unanswerable import Dependents, Unanswerable

#: How many answers of one fact are remembered before they are thrown away and gathered anew.
MOST_REMEMBERED = 4096
#: Longer texts are answered anew each time, so that what is remembered has a bound in bytes, too.
LONGEST_REMEMBERED = 200
_SEGMENTS_PER_CHUNK = 8
ConditionId = TypeVar("ConditionId")

_SIMPLE = frozenset({str, int, bool, Decimal})


@dataclass(frozen=True, slots=True)
class Reach:
    """The part of the index that some conditions need: the facts and segments they can depend on.

    `order` lists those segments so that each comes after the ones it names.
    """

    facts: tuple["FactIndex", ...]
    order: tuple[str, ...]
    chunks: tuple["SegmentChunk", ...]
    fact_names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Reading:
    """What one value of a fact means: `truth` are the answers to the questions as bits, in the order they were
    noted, `refuted` the conjunctions that these answers refute."""

    truth: int
    refuted: int


class FactIndex:
    """All questions that are asked of one fact. Where it is `Unanswerable`, its `dependents` are refuted."""

    def __init__(self, name: str, dependents: Dependents) -> None:
        self.name = name
        self._dependents = dependents
        self._leaves: dict[Leaf, int] = {}
        self._wants: list[int] = []
        self._bans: list[int] = []
        self._known: dict[tuple[type, object], Reading] = {}
        self._readings: dict[int, Reading] = {}
        self._timeless = True

    def ask(self, leaf: Leaf, bit: int, *, wanted: bool) -> None:
        """Note that the conjunction of this bit wants this answer."""
        side = self._wants if wanted else self._bans
        side[self.number(leaf)] |= 1 << bit

    def number(self, leaf: Leaf) -> int:
        """The place of a question's answer among the bits of a truth; a new question gets the next one."""
        known = self._leaves.get(leaf)
        if known is not None:
            return known
        self._wants.append(0)
        self._bans.append(0)
        self._timeless = self._timeless and not leaf.operator.uses_now
        self._leaves[leaf] = len(self._leaves)
        return self._leaves[leaf]

    def read(self, value: object, now: datetime) -> "Reading":
        """What this value answers and refutes."""
        kind = type(value)
        if value is not None and not (self._timeless and kind in _SIMPLE and not _is_long(value)):
            return self._read_anew(value, now)
        known = self._known.get((kind, value))
        if known is None:
            if len(self._known) >= MOST_REMEMBERED:
                self._known.clear()
            known = self._known[kind, value] = self._read_anew(value, now)
        return known

    def _read_anew(self, value: object, now: datetime) -> "Reading":
        truth = 0
        if isinstance(value, Unanswerable):
            return Reading(0, self._dependents.of(self.name))
        if value is not None:
            for leaf, number in self._leaves.items():
                if leaf.holds(value, now):
                    truth |= 1 << number
        known = self._readings.get(truth)
        if known is None:
            if len(self._readings) >= MOST_REMEMBERED:
                self._readings.clear()
            known = self._readings[truth] = Reading(truth, self._refuted(truth))
        return known

    def _refuted(self, truth: int) -> int:
        refuted = 0
        for number, (wants, bans) in enumerate(zip(self._wants, self._bans, strict=True)):
            refuted |= bans if truth >> number & 1 else wants
        return refuted

    def answer(self, leaf: Leaf, truth: int) -> bool:
        """The answer to one question among these."""
        return bool(truth >> self._leaves[leaf] & 1)


class SegmentChunk:
    """Up to eight segments, with the conjunctions that each combination of memberships refutes."""

    def __init__(self, segment_ids: tuple[str, ...]) -> None:
        self.segment_ids = segment_ids
        self._wants = dict.fromkeys(segment_ids, 0)
        self._bans = dict.fromkeys(segment_ids, 0)
        self._refuted: dict[int, int] = {}

    def ask(self, segment_id: str, bit: int, *, wanted: bool) -> None:
        """Note that the conjunction of this bit wants this membership."""
        side = self._wants if wanted else self._bans
        side[segment_id] |= 1 << bit

    def refuted(self, members: Mapping[str, bool]) -> int:
        """The conjunctions that these memberships refute. A segment that was not asked for is beside the point:
        only conditions that were not asked for either look at it."""
        pattern = 0
        for number, segment_id in enumerate(self.segment_ids):
            if members.get(segment_id, False):
                pattern |= 1 << number
        known = self._refuted.get(pattern)
        if known is None:
            known = 0
            for number, segment_id in enumerate(self.segment_ids):
                known |= self._bans[segment_id] if pattern >> number & 1 else self._wants[segment_id]
            self._refuted[pattern] = known
        return known


class Answers:
    """What one visitor's facts make of the conditions that a reach covers."""

    def __init__(self, index: "Index", reach: Reach, values: Mapping[str, object], now: datetime) -> None:
        self._index = index
        self._reach = reach
        self._readings: dict[str, Reading] = {}
        left = index.full
        for fact in reach.facts:
            name = fact.name
            reading = self._readings[name] = fact.read(values[name], now)
            left &= ~reading.refuted
        self._left = left
        self._members: dict[str, bool] = {}
        for segment_id in reach.order:
            self._members[segment_id] = index.segment_holds(segment_id, left, self)
        for chunk in reach.chunks:
            self._left &= ~chunk.refuted(self._members)

    def pattern(self, mask: int) -> int:
        """Which of these conjunctions nothing refutes, as bits."""
        return self._left & mask

    def holds(self, condition_id: object) -> bool:
        """Whether a rule's condition holds."""
        bits = self._index.condition_bits[condition_id]
        return bool(self._left & bits.mask) and (bits.tree is None or self.walk(bits.tree))

    def matching(self, row: "Row[ConditionId]") -> list[ConditionId]:
        """Those of the row's conditions that hold, in its order; what is refuted costs nothing."""
        all_bits, left = self._index.condition_bits, self._left & row.mask
        found: list[ConditionId] = []
        while left:
            one = row.owners[(left & -left).bit_length()]
            bits = all_bits[one]
            left &= ~bits.mask
            if bits.tree is None or self.walk(bits.tree):
                found.append(one)
        return found

    def in_segment(self, segment_id: str) -> bool:
        """Whether the visitor is in a segment that the reach covers."""
        return self._members[segment_id]

    def answer(self, question: Leaf | InSegment) -> bool:
        """The answer to one single question of a covered condition."""
        if isinstance(question, InSegment):
            return self.in_segment(question.segment_id)
        name = question.fact.name
        return self._index.fact(name).answer(question, self._readings[name].truth)

    def walk(self, condition: Condition) -> bool:
        """Whether a covered condition holds, found by walking its tree."""
        match condition:
            case Leaf() | InSegment():
                return self.answer(condition)
            case Not():
                return not self.walk(condition.part)
            case All():
                return all(self.walk(part) for part in condition.parts)
            case Any():
                return any(self.walk(part) for part in condition.parts)


@dataclass(frozen=True, slots=True)
class _Bits:
    """The conjunctions of one condition: their bits, and its tree where they are only necessary."""

    mask: int
    tree: Condition | None
    nested: tuple[tuple[int, Conjunction], ...] = ()


@dataclass(frozen=True, slots=True)
class Row(Generic[ConditionId]):
    """Conditions in the order in which they are asked: all their bits, and whose each bit is, by its place from 1."""

    mask: int
    owners: Mapping[int, ConditionId]


class Index:
    """All conditions of a rule set, compiled together when it is loaded.

    `conditions` are those of rules, by any hashable id. Every segment that a condition names is among the
    `segments`, which don't go in circles; loading has made sure of both.
    """

    def __init__(self, conditions: Mapping[object, Condition], segments: Mapping[str, Condition]) -> None:
        self._segments = segments
        self._order = _dependencies_first(segments)
        self._chunks = _chunks(self._order)
        self._chunk_of = MappingProxyType({one: chunk for chunk in self._chunks for one in chunk.segment_ids})
        self._facts: dict[str, FactIndex] = {}
        self._dependents = Dependents()
        self._next_bit = 0
        self._segment_bits = {one: self._compile(segments[one], defines=one) for one in self._order}
        self.condition_bits = {one: self._compile(tree) for one, tree in conditions.items()}
        self._trees = conditions
        self.full = (1 << self._next_bit) - 1

    # Building ------------------------------------------------------------------------------------------

    def _compile(self, tree: Condition, *, defines: str | None = None) -> _Bits:
        form = normal_form(tree)
        mask, inner = 0, []
        for conjunction in form.conjunctions:
            bit, self._next_bit = self._next_bit, self._next_bit + 1
            mask |= 1 << bit
            if self._enter(conjunction, bit, nested=defines is not None):
                inner.append((1 << bit, conjunction))
        # A question that a contradiction swallowed is in no conjunction, and yet will be explained.
        self._note_questions(tree)
        self._dependents.note(tree, mask, defines)
        return _Bits(mask, None if form.exact else tree, tuple(inner))

    def _enter(self, conjunction: Conjunction, bit: int, *, nested: bool) -> bool:
        """Enter a conjunction's literals; whether some of them name segments and must be looked at later."""
        names_segments = False
        for question, wanted in conjunction:
            if isinstance(question, Leaf):
                self._fact_index(question).ask(question, bit, wanted=wanted)
            elif nested:
                names_segments = True
            else:
                self._chunk_of[question.segment_id].ask(question.segment_id, bit, wanted=wanted)
        return names_segments

    def _note_questions(self, tree: Condition) -> None:
        for leaf in leaves(tree):
            self._fact_index(leaf).number(leaf)

    def _fact_index(self, leaf: Leaf) -> FactIndex:
        known = self._facts.get(leaf.fact.name)
        if known is None:
            known = self._facts[leaf.fact.name] = FactIndex(leaf.fact.name, self._dependents)
        return known

    # Asking --------------------------------------------------------------------------------------------

    def fact(self, name: str) -> FactIndex:
        """The questions asked of one fact."""
        return self._facts[name]

    def reach(self, condition_ids: Iterable[object], segment_ids: Iterable[str] = ()) -> Reach:
        """What these conditions and segments can depend on, through segments too."""
        names: dict[str, None] = {}
        needed: set[str] = set()
        waiting = [self._trees[one] for one in condition_ids]
        waiting += [InSegment(one) for one in segment_ids]
        while waiting:
            for question in questions(waiting.pop()):
                if isinstance(question, Leaf):
                    names[question.fact.name] = None
                elif question.segment_id not in needed:
                    needed.add(question.segment_id)
                    waiting.append(self._segments[question.segment_id])
        order = tuple(one for one in self._order if one in needed)
        chunks = dict.fromkeys(self._chunk_of[one] for one in order)
        return Reach(tuple(self._facts[name] for name in names), order, tuple(chunks), tuple(names))

    def row(self, condition_ids: Iterable[ConditionId]) -> Row[ConditionId]:
        """These conditions, to be asked together; in the order in which the index was given them."""
        owners: dict[int, ConditionId] = {}
        mask = 0
        for one in condition_ids:
            left = self.condition_bits[one].mask
            assert left == 0 or left & -left > mask, "the first bit that is left has to be that of the first condition"
            mask |= left
            while left:
                owners[(left & -left).bit_length()] = one
                left &= left - 1
        return Row(mask, owners)

    def answers(self, reach: Reach, values: Mapping[str, object], now: datetime) -> Answers:
        """What these facts make of the conditions that the reach covers. `values` answers every name, None for
        what is missing and `Unanswerable` for what nobody can tell; `now` is an aware UTC datetime."""
        return Answers(self, reach, values, now)

    def segment_holds(self, segment_id: str, left: int, answers: Answers) -> bool:
        """Whether a segment holds, once those it names are known."""
        bits = self._segment_bits[segment_id]
        own = left & bits.mask
        if not own:
            return False
        if bits.tree is not None:
            return answers.walk(bits.tree)
        plain = own
        for bit, conjunction in bits.nested:
            plain &= ~bit
            if own & bit and all(answers.answer(question) == wanted for question, wanted in conjunction):
                return True
        return bool(plain)


def _is_long(value: object) -> bool:
    return isinstance(value, str) and len(value) > LONGEST_REMEMBERED


def _dependencies_first(segments: Mapping[str, Condition]) -> tuple[str, ...]:
    """The segments in an order in which each comes after those it names."""
    named = {one: [each.segment_id for each in segments_named(who)] for one, who in segments.items()}
    return tuple(TopologicalSorter(named).static_order())


def _chunks(order: tuple[str, ...]) -> tuple[SegmentChunk, ...]:
    return tuple(SegmentChunk(order[at : at + _SEGMENTS_PER_CHUNK]) for at in range(0, len(order), _SEGMENTS_PER_CHUNK))
