"""One evaluator for all conditions of a rule set, for one visitor and for a million.

Every condition becomes conjunctions (`normal_form`), every conjunction one bit of a big integer. For each value of a
fact there is a mask: the conjunctions that this value does not refute (`fact_index`). One AND per fact leaves the bits
of what matches; segments (`segment_index`) are the lowest bits, so that one more AND tells what they refute.

The method is the counting-free variant of indexing Boolean expressions (Whang et al., PVLDB 2009) on bit sets.
"""

import typing
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import reduce
from operator import itemgetter, or_
from typing import Generic, TypeAlias, TypeVar

from personalize.events.event import to_micros
from personalize.rules.conditions import All, Any, Condition, InSegment, Leaf, Not, leaves, questions
from personalize.rules.facts import LOCAL_NOW, Fact, FactValues
from personalize.rules.index.fact_index import FactIndex, Read
from personalize.rules.index.normal_form import Conjunction, NormalForm, normal_form
from personalize.rules.index.segment_index import SegmentIndex, SegmentReach, Way
from personalize.rules.unanswerable import Dependents

ConditionId = TypeVar("ConditionId")
#: A fact by its place: what each of its values leaves, and what reads any other.
Text: TypeAlias = tuple[int, dict[object, int], Read]
#: The same by the class that its values mostly have, since 1 is not True.
Remembered: TypeAlias = tuple[int, dict[type, dict[object, int]], Read]


@dataclass(frozen=True, slots=True)
class Reach:
    """The part of the index that some conditions need: the `facts` that they can depend on, and the segments. A
    fact is told by its place among them; `tell` picks the values of all of them from those by name.

    Of facts whose values come again and again it has what each of them leaves: of `texts`, which are like nothing else,
    and of others that are `remembered`. `others` are read each time; `by_clock` too, as the visitor's clock stands. It
    `counts` where counters are among them. `plans` is room for who works the facts out, to keep how that is done.
    """

    facts: tuple[Fact, ...]
    texts: tuple[Text, ...]
    remembered: tuple[Remembered, ...]
    others: tuple[tuple[int, Read], ...]
    by_clock: tuple[tuple[int, Read], ...]
    counts: bool
    segments: SegmentReach | None
    fact_names: tuple[str, ...] = field(init=False)
    tell: Callable[[FactValues], Sequence[object]] = field(init=False)
    plans: dict[Hashable, typing.Any] = field(default_factory=dict, compare=False, repr=False)

    def __post_init__(self) -> None:
        names = tuple(fact.name for fact in self.facts)
        object.__setattr__(self, "fact_names", names)
        object.__setattr__(self, "tell", itemgetter(*names) if len(names) > 1 else _each_of(names))

    def in_order(self, places: Sequence[int]) -> "Reach":
        """The same, told in another order: at each place stands the fact that has this one here."""
        at = {place: after for after, place in enumerate(places)}
        return replace(
            self,
            facts=tuple(self.facts[place] for place in places),
            texts=tuple((at[place], masks, read) for place, masks, read in self.texts),
            remembered=tuple((at[place], masks, read) for place, masks, read in self.remembered),
            others=tuple((at[place], read) for place, read in self.others),
            by_clock=tuple((at[place], read) for place, read in self.by_clock),
            plans={},
        )


def _each_of(names: Sequence[str]) -> Callable[[FactValues], Sequence[object]]:
    return lambda values: [values[name] for name in names]


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


class Row(Generic[ConditionId]):
    """Conditions in the order in which they are asked: their bits, the first condition's highest, whose each is, by its
    place from 1 (nobody's at 0, where none is left), and the trees of those that need it."""

    __slots__ = ("mask", "owners", "trees")

    def __init__(
        self, mask: int, owners: Mapping[int, ConditionId | None], trees: Mapping[ConditionId, Condition]
    ) -> None:
        self.mask, self.owners, self.trees = mask, owners, trees


class Answers:
    """What one visitor's facts make of the conditions that a reach covers: what is `told` of them, in the order of the
    reach. `values` has the same by name, for what is asked alone later."""

    __slots__ = ("_index", "_left", "_members", "_micros", "_now", "_values")

    def __init__(self, index: "Index", reach: Reach, told: list[object], values: FactValues, now: datetime) -> None:
        self._index, self._values = index, values
        self._now, self._micros = now, to_micros(now) if reach.counts else 0
        micros = self._micros
        left: typing.Any = index.full  # Python's own AND, which is quicker with so many bits than mypyc's
        for place, masks, read in reach.texts:
            value = told[place]
            try:  # looked up here, since a call would cost more than that
                left &= masks[value]
            except (KeyError, TypeError):
                left &= read(value, now, micros).kept
        for place, by_class, read in reach.remembered:
            value = told[place]
            try:
                left &= by_class[type(value)][value]
            except KeyError:
                left &= read(value, now, micros).kept
        for place, read in reach.others:
            left &= read(told[place], now, micros).kept
        if reach.by_clock:
            local = values.get(LOCAL_NOW, now)
            assert isinstance(local, datetime)
            self._now = local
            for place, read in reach.by_clock:
                left &= read(told[place], local, micros).kept
        self._members = 0
        if reach.segments is not None:
            self._members = reach.segments.members(left, self._walk)
            left = reach.segments.kept(self._members, left)
        self._left: int = left

    def pattern(self, mask: int) -> int:
        """Which of these conjunctions nothing refutes, as bits."""
        return self._left & mask

    def holds(self, condition_id: object) -> bool:
        """Whether a rule's condition holds."""
        bits = self._index.bits[condition_id]
        return bool(self._left >> bits.first & bits.mask) and (bits.tree is None or self.walk(bits.tree))

    def matching(self, row: Row[ConditionId]) -> Iterator[ConditionId]:
        """Those of the row's conditions that hold, in its order; what is refuted costs nothing."""
        left = self._left & row.mask
        while left:
            one = row.owners[left.bit_length()]
            assert one is not None
            left &= (1 << self._index.bits[one].first) - 1
            if one not in row.trees or self.walk(row.trees[one]):
                yield one

    def firsts(self, rows: Sequence[Row[ConditionId]]) -> tuple[ConditionId | None, ...]:
        """The first condition of each row that holds."""
        left, found = self._left, []
        for row in rows:
            if row.trees:
                found.append(next(self.matching(row), None))
            else:
                found.append(row.owners[(left & row.mask).bit_length()])
        return tuple(found)

    def highest(self, masks: tuple[int, ...]) -> tuple[int, ...]:
        """Of each of these groups of conjunctions the highest that nothing refutes, by its place from 1; 0 for none."""
        left = self._left
        return tuple([(left & mask).bit_length() for mask in masks])

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
        self.segments.ways += [self._ways(*each) for each in forms]
        # The last condition has the lowest bits: so the highest that is left belongs to the first one that holds.
        self.bits = {one: self._compile(conditions[one]) for one in reversed(tuple(conditions))}
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

    def _ways(self, segment_id: str, tree: Condition, form: NormalForm) -> tuple[Way, ...]:
        """The ways into a segment; its first conjunction has the bit of its own number."""
        own = self.segments.number[segment_id]
        numbers = [own, *self._take(len(form.conjunctions) - 1)][: len(form.conjunctions)]
        plain, ways = 0, []
        for number, conjunction in zip(numbers, form.conjunctions, strict=True):
            self._note(conjunction, number)
            named = [
                (1 << self.segments.number[one.segment_id], wanted)
                for one, wanted in conjunction
                if isinstance(one, InSegment)
            ]
            if named and form.exact:
                wants, bans = (sum(each for each, wanted in named if wanted is side) for side in (True, False))
                ways.append(Way(1 << own, 1 << number, wants, bans))
            else:
                plain |= 1 << number
        self._note_questions(tree)
        self._dependents.note(tree, numbers, segment_id)
        return (Way(1 << own, plain, tree=None if form.exact else tree), *ways) if plain else tuple(ways)

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
            known = self._facts[leaf.fact.name] = FactIndex(leaf.fact, self._dependents)
        return known

    # Asking --------------------------------------------------------------------------------------------

    def fact(self, name: str) -> FactIndex:
        """The questions asked of one fact."""
        return self._facts[name]

    @property
    def parts(self) -> tuple[object, ...]:
        """What makes most of it: freed one by one, they hold up nobody."""
        return (*self._conditions.values(), *self.bits.values(), *self._facts.values())

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
        return Reach(
            facts=tuple(one.fact for one in facts),
            texts=tuple((at, one.masks, one.reader) for at, one in enumerate(facts) if one.usual is str),
            remembered=tuple(
                (at, {one.usual: one.masks, type(None): one.masks}, one.reader)
                for at, one in enumerate(facts)
                if one.usual not in (None, str)
            ),
            others=tuple((at, one.reader) for at, one in enumerate(facts) if not one.usual and not one.by_clock),
            by_clock=tuple((at, one.reader) for at, one in enumerate(facts) if not one.usual and one.by_clock),
            counts=any(one.is_counter for one in facts),
            segments=self.segments.reach(needed, refutes=asks_rules) if needed else None,
        )

    def row(self, condition_ids: Iterable[ConditionId]) -> Row[ConditionId]:
        """These conditions, to be asked together; in the order in which the index was given them."""
        owners: dict[int, ConditionId | None] = {0: None}
        trees: dict[ConditionId, Condition] = {}
        mask, last = 0, self._next_bit
        for one in condition_ids:
            bits = self.bits[one]
            behind = bits.first + bits.count
            assert behind <= last, "conditions of a row are asked in the order in which the index was given them"
            last = bits.first
            mask |= bits.mask << bits.first
            owners |= dict.fromkeys(range(bits.first + 1, behind + 1), one)
            if bits.tree is not None:
                trees[one] = bits.tree
        return Row(mask, owners, trees)

    def answers(self, reach: Reach, values: FactValues, now: datetime) -> Answers:
        """What these facts make of the conditions that the reach covers. `values` answers every name, None for
        what is missing and `Unanswerable` for what nobody can tell; `now` is an aware UTC datetime. Days are told in
        the zone of the moment that `values` holds as `now.local`, else in UTC."""
        return Answers(self, reach, list(reach.tell(values)), values, now)
