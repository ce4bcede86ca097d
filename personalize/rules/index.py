"""One evaluator for all conditions of a rule set, for one visitor and for a million.

Every condition becomes conjunctions (`normal_form`), every conjunction one bit of a big integer. For each value of a
fact there is a mask: the conjunctions that this value does not refute (`fact_index`). One AND per fact leaves the bits
of what matches; segments (`segment_index`) are the lowest bits, so that one more AND tells what they refute.

The method is the counting-free variant of indexing Boolean expressions (Whang et al., PVLDB 2009) on bit sets.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import reduce
from operator import or_
from typing import Generic, TypeAlias, TypeVar

from personalize.events.event import to_micros
from personalize.rules.conditions import All, Any, Condition, InSegment, Leaf, Not, leaves, questions
from personalize.rules.fact_index import FactIndex, Reading
from personalize.rules.facts import LOCAL_NOW
from personalize.rules.normal_form import Conjunction, NormalForm, normal_form
from personalize.rules.segment_index import Membership, Nested, SegmentIndex, SegmentReach
from personalize.rules.unanswerable import Dependents

ConditionId = TypeVar("ConditionId")
Memories: TypeAlias = Mapping[type, dict[object, Reading]]
Read: TypeAlias = Callable[[object, datetime, int], Reading]


@dataclass(frozen=True, slots=True)
class Reach:
    """The part of the index that some conditions need: the facts that they can depend on, by name with what is
    remembered of their values and what reads others, whether one of them `counts`, and the segments."""

    reads: tuple[tuple[str, Memories, Read], ...]
    counts: bool
    segments: SegmentReach | None
    fact_names: tuple[str, ...] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "fact_names", tuple(name for name, *_ in self.reads))


@dataclass(frozen=True, slots=True)
class Bits:
    """The conjunctions of one condition: `count` bits from `first` on. Where they are only necessary, `tree` has
    the last word."""

    first: int
    count: int
    tree: Condition | None

    @property
    def mask(self) -> int:
        """The bits, with the first one at place 0."""
        return (1 << self.count) - 1


@dataclass(frozen=True, slots=True)
class Row(Generic[ConditionId]):
    """Conditions in the order in which they are asked: their bits from the first one on, whose each bit is, by its
    place from 1, and the trees of those that need it."""

    first: int
    mask: int
    owners: Mapping[int, ConditionId]
    trees: Mapping[ConditionId, Condition]


class Answers:
    """What one visitor's facts make of the conditions that a reach covers."""

    __slots__ = ("_index", "_left", "_members", "_micros", "_now", "_values")

    def __init__(self, index: "Index", reach: Reach, values: Mapping[str, object], now: datetime) -> None:
        self._index, self._values = index, values
        local_now = values.get(LOCAL_NOW, now)
        assert isinstance(local_now, datetime)
        self._now, self._micros = local_now, to_micros(now) if reach.counts else 0
        micros, left = self._micros, index.full
        for name, memories, read_anew in reach.reads:
            value = values[name]
            memory = memories.get(value.__class__)  # looked up here, since a call would cost as much again
            left &= ((memory and memory.get(value)) or read_anew(value, local_now, micros)).kept
        self._members = 0
        if reach.segments is not None:
            self._members = reach.segments.members(left, self._walk)
            left = reach.segments.kept(self._members, left)
        self._left = left

    def pattern(self, mask: int) -> int:
        """Which of these conjunctions nothing refutes, as bits."""
        return self._left & mask

    def holds(self, condition_id: object) -> bool:
        """Whether a rule's condition holds."""
        bits = self._index.bits[condition_id]
        return bool(self._left >> bits.first & bits.mask) and (bits.tree is None or self.walk(bits.tree))

    def matching(self, row: Row[ConditionId]) -> Iterator[ConditionId]:
        """Those of the row's conditions that hold, in its order; what is refuted costs nothing."""
        left = self._left >> row.first & row.mask
        while left:
            one = row.owners[(left & -left).bit_length()]
            bits = self._index.bits[one]
            left &= ~(bits.mask << bits.first - row.first)
            if one not in row.trees or self.walk(row.trees[one]):
                yield one

    def first(self, row: Row[ConditionId]) -> ConditionId | None:
        """The first of the row's conditions that holds."""
        left = self._left >> row.first & row.mask
        if not left:
            return None
        one = row.owners[(left & -left).bit_length()]
        return next(self.matching(row), None) if one in row.trees else one

    def in_segment(self, segment_id: str) -> bool:
        """Whether the visitor is in a segment that the reach covers."""
        return bool(self._members >> self._index.segments.number[segment_id] & 1)

    @property
    def members(self) -> int:
        """The segments that the visitor is in, as bits by their numbers in the index."""
        return self._members

    def answer(self, question: Leaf | InSegment) -> bool:
        """The answer to one single question of a covered condition."""
        return self._answer(question, self._members)

    def walk(self, condition: Condition) -> bool:
        """Whether a covered condition holds, found by walking its tree."""
        return self._walk(condition, self._members)

    def _answer(self, question: Leaf | InSegment, members: int) -> bool:
        if isinstance(question, InSegment):
            return bool(members >> self._index.segments.number[question.segment_id] & 1)
        fact = self._index.fact(question.fact.name)
        return fact.answer(question, fact.read(self._values[fact.name], self._now, self._micros).truth)

    def _walk(self, condition: Condition, members: int) -> bool:
        match condition:
            case Leaf() | InSegment():
                return self._answer(condition, members)
            case Not():
                return not self._walk(condition.part, members)
            case All():
                return all(self._walk(part, members) for part in condition.parts)
            case Any():
                return any(self._walk(part, members) for part in condition.parts)


class Index:
    """All conditions of a rule set, compiled together when it is loaded.

    `conditions` are those of rules, by any hashable id. Every segment that a condition names is among the
    `segments`, which don't go in circles; loading has made sure of both.
    """

    def __init__(self, conditions: Mapping[object, Condition], segments: Mapping[str, Condition]) -> None:
        self._conditions = conditions
        self._definitions = segments
        self._facts: dict[str, FactIndex] = {}
        self._dependents = Dependents()
        self.segments = SegmentIndex(segments)
        self._next_bit = len(segments)
        forms = ((one, segments[one], normal_form(segments[one])) for one in self.segments.order)
        self.segments.memberships += [self._membership(*each) for each in forms]
        self.bits = {one: self._compile(tree) for one, tree in conditions.items()}
        self.full = (1 << self._next_bit) - 1
        self.segments.finish(self.full)
        for fact in self._facts.values():
            fact.finish(self.full)

    # Building ------------------------------------------------------------------------------------------

    def _compile(self, tree: Condition) -> Bits:
        form = normal_form(tree)
        bits = self._take(len(form.conjunctions))
        for bit, conjunction in zip(bits, form.conjunctions, strict=True):
            self._note(conjunction, bit)
            for question, wanted in conjunction:
                if isinstance(question, InSegment):
                    self.segments.note(question.segment_id, bit, wanted=wanted)
        self._note_questions(tree)
        self._dependents.note(tree, bits)
        return Bits(bits.start, len(bits), None if form.exact else tree)

    def _membership(self, segment_id: str, tree: Condition, form: NormalForm) -> Membership:
        own = self.segments.number[segment_id]
        bits = [own, *self._take(len(form.conjunctions) - 1)][: len(form.conjunctions)]
        plain, nested = 0, []
        for number, conjunction in zip(bits, form.conjunctions, strict=True):
            bit = 1 << number
            self._note(conjunction, number)
            named = [
                (1 << self.segments.number[one.segment_id], wanted)
                for one, wanted in conjunction
                if isinstance(one, InSegment)
            ]
            if named and form.exact:
                wants, bans = (sum(each for each, wanted in named if wanted is side) for side in (True, False))
                nested.append(Nested(bit, wants, bans))
            else:
                plain |= bit
        self._note_questions(tree)
        self._dependents.note(tree, bits, segment_id)
        return Membership(1 << own, plain, tuple(nested), None if form.exact else tree)

    def _take(self, count: int) -> range:
        """So many bits that no other conjunction has."""
        first = self._next_bit
        self._next_bit += max(0, count)
        return range(first, self._next_bit)

    def _note(self, conjunction: Conjunction, bit: int) -> None:
        """Note what a conjunction asks of facts."""
        for question, wanted in conjunction:
            if isinstance(question, Leaf):
                fact = self._fact_index(question)
                fact.note(fact.number(question), bit, wanted=wanted)

    def _note_questions(self, tree: Condition) -> None:
        """Note all questions: one that a contradiction swallowed is in no conjunction, and yet will be explained."""
        for leaf in leaves(tree):
            self._fact_index(leaf).number(leaf)

    def _fact_index(self, leaf: Leaf) -> FactIndex:
        known = self._facts.get(leaf.fact.name)
        if known is None:
            known = self._facts[leaf.fact.name] = FactIndex(leaf.fact.name, leaf.fact.type, self._dependents)
        return known

    # Asking --------------------------------------------------------------------------------------------

    def fact(self, name: str) -> FactIndex:
        """The questions asked of one fact."""
        return self._facts[name]

    def readers(self, fact_names: Iterable[str]) -> frozenset[object]:
        """The ids of the conditions that read any of these facts, through segments too, and could ever hold."""
        mask = reduce(or_, map(self._dependents.of, fact_names), 0)
        return frozenset(one for one, bits in self.bits.items() if mask >> bits.first & bits.mask)

    def reach(self, condition_ids: Iterable[object], segment_ids: Iterable[str] = ()) -> Reach:
        """What these conditions and segments can depend on, through segments too."""
        names: dict[str, None] = {}
        needed: set[str] = set()
        waiting = [self._conditions[one] for one in condition_ids]
        asks_rules = bool(waiting)
        waiting += [InSegment(one) for one in segment_ids]
        while waiting:
            for question in questions(waiting.pop()):
                if isinstance(question, Leaf):
                    names[question.fact.name] = None
                elif question.segment_id not in needed:
                    needed.add(question.segment_id)
                    waiting.append(self._definitions[question.segment_id])
        facts = [self._facts[name] for name in names]
        reads = tuple((fact.name, fact.memories, fact.read_anew) for fact in facts)
        counts = any(fact.is_counter for fact in facts)
        return Reach(reads, counts, self.segments.reach(needed, refutes=asks_rules) if needed else None)

    def row(self, condition_ids: Iterable[ConditionId]) -> Row[ConditionId]:
        """These conditions, to be asked together; in the order in which the index was given them."""
        owners: dict[int, ConditionId] = {}
        trees: dict[ConditionId, Condition] = {}
        first, mask, last = 0, 0, -1
        for one in condition_ids:
            bits = self.bits[one]
            assert bits.first >= last, "conditions of a row are asked in the order in which the index was given them"
            if not owners:
                first = bits.first
            last = bits.first + bits.count
            mask |= bits.mask << bits.first - first
            owners |= dict.fromkeys(range(bits.first - first + 1, last - first + 1), one)
            if bits.tree is not None:
                trees[one] = bits.tree
        return Row(first, mask, owners, trees)

    def answers(self, reach: Reach, values: Mapping[str, object], now: datetime) -> Answers:
        """What these facts make of the conditions that the reach covers. `values` answers every name, None for
        what is missing and `Unanswerable` for what nobody can tell; `now` is an aware UTC datetime. Days are told in
        the zone of the moment that `values` holds as `now.local`, else in UTC."""
        return Answers(self, reach, values, now)
