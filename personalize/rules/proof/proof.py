"""What can be proved of conditions: that no visitor meets them, or an example of one who does.

"Never" is only said where a search over all visitors there could be has found none; where the search would take too
long, or a question can't be decided from values alone, nothing is said. An example is asked of the index that serves
pages before it is given.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from enum import Enum, StrEnum
from functools import partial
from itertools import islice

from personalize.events.event import from_micros, to_micros
from personalize.profiles.counters import Counter
from personalize.rules.conditions import Condition, Not, everything, segments_named
from personalize.rules.facts import LOCAL_NOW, PAIR_ROOT, Fact, Facts
from personalize.rules.index.index import Index
from personalize.rules.now_facts import CLOCKS, NOW, now_value
from personalize.rules.proof.dimensions import Dimensions, size_of
from personalize.rules.proof.laws import laws
from personalize.rules.proof.read_once import is_read_once
from personalize.rules.proof.samples import SOME_MOMENT, UNNAMED, Sample
from personalize.rules.proof.space import Space, all_leaves
from personalize.rules.proof.tableau import OutOfWorkError, Statement, Tableau

#: So many moments are tried for an example before none is given.
_MOST_MOMENTS = 12


class Verdict(Enum):
    """Why there is no example."""

    NEVER = "no visitor can be like that"
    UNDECIDED = "it can't be decided"


class Relation(StrEnum):
    """How the visitors of one condition lie to those of another."""

    EQUAL = "equal"
    CONTAINS = "contains"
    WITHIN = "within"
    OVERLAPS = "overlaps"
    APART = "apart"


@dataclass(frozen=True, slots=True)
class Witness:
    """An example of a visitor: the values of the facts that were asked for, None where one is missing, at a moment.

    `facts` are what the names stand for; `ages` are the names of those moments that matter as a distance from now.
    `is_timely` says that the moment matters.
    """

    values: Mapping[str, object]
    now: datetime
    facts: Mapping[str, Fact]
    ages: frozenset[str] = frozenset()
    is_timely: bool = False


class Proof:
    """Proves things of the conditions of one site, whose `segments` don't go in circles."""

    def __init__(
        self, segments: Mapping[str, Condition], facts: Facts, counters: Sequence[Counter], zone: tzinfo
    ) -> None:
        self.segments = segments
        self._laws = partial(laws, facts=facts, counters=counters)
        self.zone = zone
        self._known = Dimensions(zone, has_zones=facts.local_now is not None)

    def is_open(self, condition: Condition) -> bool:
        """Whether it is seen at a glance that a condition, and each of its parts where it stands, may be met or not."""
        return is_read_once(condition, self.segments, self._known)

    def among(self, *conditions: Condition) -> "Cases":
        """All cases that some conditions tell apart; to ask several things of the same conditions is quicker so."""
        return Cases(Space(conditions, self.segments, self._known, self._laws), self.segments, self.zone)

    def witness(self, *holding: Condition, failing: Sequence[Condition] = ()) -> Witness | Verdict:
        """A visitor for whom all of some conditions hold and none of the `failing` ones."""
        return self.among(*holding, *failing).witness(*holding, failing=failing)

    def covers(self, wide: Condition, narrow: Condition) -> bool:
        """Whether it is proved that a condition holds for everybody for whom the narrow one does."""
        return self.among(wide, narrow).is_never(narrow, failing=(wide,))

    def relation(self, one: Condition, other: Condition) -> Relation | None:
        """How the visitors of two conditions lie to one another; None where it can't be decided."""
        return self.among(one, other).relation(one, other)


class Cases:
    """The cases that some conditions tell apart; only these conditions, and parts of them, may be asked about."""

    def __init__(self, space: Space, segments: Mapping[str, Condition], zone: tzinfo) -> None:
        self._space = space
        self._segments = segments
        self._zone = zone

    def is_never(self, *holding: Condition, failing: Sequence[Condition] = ()) -> bool:
        """Whether it is proved that no visitor meets all of some conditions and none of the `failing` ones."""
        return self._search(holding, failing) is Verdict.NEVER

    def witness(self, *holding: Condition, failing: Sequence[Condition] = ()) -> Witness | Verdict:
        """A visitor for whom all of some conditions hold and none of the `failing` ones."""
        found = self._search(holding, failing)
        if isinstance(found, Verdict):
            return found
        asked = everything(*holding, *map(Not, failing))
        index = Index({"asked": asked}, self._named(asked))
        reach = index.reach(["asked"])
        for example in islice(self._examples(found, asked), _MOST_MOMENTS):
            named = all(value is not UNNAMED for value in example.values.values())
            known = {**example.values, LOCAL_NOW: example.now.astimezone(self._zone)}
            if named and index.answers(reach, known, example.now).holds("asked"):
                return example
        return Verdict.UNDECIDED

    def _named(self, condition: Condition) -> Mapping[str, Condition]:
        """The segments that a condition names, through others too."""
        found: dict[str, Condition] = {}
        waiting = [condition]
        while waiting:
            for named in segments_named(waiting.pop()):
                if named.segment_id not in found:
                    found[named.segment_id] = self._segments[named.segment_id]
                    waiting.append(found[named.segment_id])
        return found

    def relation(self, one: Condition, other: Condition) -> Relation | None:
        """How the visitors of two conditions lie to one another; None where it can't be decided."""
        if self.is_never(one, other):
            return Relation.APART
        is_within = self.is_never(one, failing=(other,))
        contains = self.is_never(other, failing=(one,))
        if is_within or contains:
            return Relation.EQUAL if is_within and contains else Relation.WITHIN if is_within else Relation.CONTAINS
        asked = (((one, other), ()), ((one,), (other,)), ((other,), (one,)))
        decided = all(isinstance(self.witness(*holding, failing=failing), Witness) for holding, failing in asked)
        return Relation.OVERLAPS if decided else None

    def _search(self, holding: Sequence[Condition], failing: Sequence[Condition]) -> Tableau | Verdict:
        wanted: list[Statement] = [self._space.statement(condition) for condition in holding]
        wanted += [self._space.statement(condition, wanted=False) for condition in failing]
        try:
            return Tableau(self._space.full).search([*wanted, *self._space.laws]) or Verdict.NEVER
        except OutOfWorkError:
            return Verdict.UNDECIDED

    def _examples(self, found: Tableau, asked: Condition) -> Iterator[Witness]:
        """Examples of what is left at the end of a search, at one moment after the other."""
        told = (leaf.fact for leaf in all_leaves(asked, self._segments))
        facts = {one.name: one for fact in told for one in (fact, *self._sides(fact))}
        chosen = {name: self._chosen(found, fact) for name, fact in facts.items() if fact.root != NOW}
        plainest = Tableau(left & -left for left in found.left)
        compared = self._space.differences.samples(lambda leaf: bool(plainest.answer(self._space.statement(leaf))))
        chosen |= {name: sample for name, sample in compared.items() if name in chosen}
        is_timely = len(chosen) < len(facts)
        for now in self._moments(found) if is_timely else _own_moments(chosen.values()):
            values = {name: _value_at(sample, now) for name, sample in chosen.items()}
            local = now.astimezone(self._zone)
            values |= {name: now_value(fact, local) for name, fact in facts.items() if fact.root == NOW}
            ages = frozenset(name for name, sample in chosen.items() if sample.moves)
            yield Witness(values, now, facts, ages, is_timely)

    def _chosen(self, found: Tableau, fact: Fact) -> Sample:
        """The plainest of the samples that are left; of a list as few elements as are needed."""
        name = fact.name
        size = self._size(found, name)
        if name not in self._space.number:
            return Sample(None if size is None else [UNNAMED] * size)
        number = self._space.number[name]
        samples, left = self._space.dimensions[number].samples, found.left[number]
        if self._space.dimensions[number].names:
            together = samples[_lowest(left)]
            return Sample(together.value[name], together.at)
        if not self._space.dimensions[number].is_list:
            return samples[_lowest(left)]
        elements = 0
        for need in found.needs.get(number, ()):
            if not need & elements:
                elements |= 1 << _lowest(need & left)
        listed = [sample for place, sample in enumerate(samples[:-1]) if elements >> place & 1]
        if len(listed) == 1 and size is None and not fact.many:
            return listed[0]
        if size is not None and len(listed) < size:
            listed += [samples[_lowest(left & ~1)]] * (size - len(listed))
        elif not elements:
            return samples[0] if size is None else Sample([])
        return Sample([sample.value for sample in listed], moves=any(sample.moves for sample in listed))

    def _sides(self, fact: Fact) -> Iterator[Fact]:
        """The facts that one is put together from, where each of them has a value of its own here."""
        if fact.root == PAIR_ROOT:
            yield from (part for part in fact.parts if part.name in self._space.number)

    def _size(self, found: Tableau, name: str) -> int | None:
        """How many elements the list of this name has, if that is asked."""
        number = self._space.number.get(size_of(name))
        if number is None:
            return None
        size = self._space.dimensions[number].samples[_lowest(found.left[number])].value
        assert size is None or isinstance(size, int)
        return size

    def _moments(self, found: Tableau) -> Iterator[datetime]:
        for number in (self._space.number[name] for name in CLOCKS if name in self._space.number):
            left = found.left[number]
            samples = self._space.dimensions[number].samples
            yield from (sample.at for place, sample in enumerate(samples) if left >> place & 1)


def _lowest(bits: int) -> int:
    return (bits & -bits).bit_length() - 1


def _own_moments(chosen: Iterable[Sample]) -> list[datetime]:
    """The moments at which the samples were looked at, those first that are not all the same."""
    moments = {sample.at for sample in chosen}
    return [*sorted(moments - {SOME_MOMENT}), SOME_MOMENT]


def _value_at(sample: Sample, now: datetime) -> object:
    """The sample as it is at another moment: what is told as a distance from now moves with it."""
    return _moved(sample.value, now - SOME_MOMENT) if sample.moves else sample.value


def _moved(value: object, by: timedelta) -> object:
    match value:
        case datetime():
            return value + by
        case tuple():
            return tuple(to_micros(from_micros(micros) + by) for micros in value)
        case list():
            return [_moved(one, by) for one in value]
    return value
