"""What follows where facts are compared with one another, as in `purchase.last: {before: {fact: profile.renewed}}`.

Such a question bounds the difference of two facts, one with a limit that of a fact and nothing, and one about how long
ago something was that of a fact and now. Values with such differences are there if and only if around no circle of
facts the bounds add up to less than nothing (Bellman 1958, Ford 1956); so each such circle is a law.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from itertools import pairwise, permutations, product
from math import ceil, floor
from typing import TypeAlias

from personalize.events.event import from_micros, to_micros
from personalize.rules.beside import BESIDE, Beside, pairs
from personalize.rules.conditions import Any, Condition, Leaf, Not
from personalize.rules.equality import Listed
from personalize.rules.facts import PAIR_ROOT, Fact, FactType
from personalize.rules.now_facts import NOW
from personalize.rules.operators import OPERATORS
from personalize.rules.proof.samples import SOME_MOMENT, Sample, is_whole

#: The ends of a difference that are no facts: no length at all, and this moment.
_NOTHING, _THIS_MOMENT = "", "now"
#: Circles of more facts are not looked for, nor any more where so many steps were taken.
_MOST_AROUND, _MOST_STEPS = 4, 10_000
_MOST_NAMED = 8
_NAMED = frozenset({"is", "one_of", "between"})
_EXACT = _NAMED | {"same_as"}
_LESS = frozenset({"at_most", "less_than", "before"})
_MORE = frozenset({"at_least", "more_than", "after"})
#: Each word that bounds a value, and whether it may be its limit.
_WITH_LIMIT = frozenset({"at_most", "at_least"})

Answered: TypeAlias = Callable[[Leaf], bool]
#: A number, and how often a little less: what is less than 3 is at most (3, -1). Two are added place by place.
Least: TypeAlias = tuple[Fraction, int]
_NONE: Least = (Fraction(0), 0)
#: How much a little is, where whole numbers are too far apart: less than a part of the few bounds around a circle.
_A_LITTLE = Fraction(1, 16)


@dataclass(frozen=True, slots=True)
class Bound:
    """That `upper` is at most so much more than `lower`: so it is where a question has the answer that is `wanted`, of
    facts that are known."""

    upper: str
    lower: str
    most: Least
    leaf: Leaf
    wanted: bool


class Differences:
    """The bounds that questions set to differences of facts, of those facts that are compared with another one."""

    def __init__(self, leaves: Iterable[Leaf]) -> None:
        leaves = list(leaves)
        compared = [one for leaf in leaves if _is_told(leaf) for one in (leaf, *_sides_of(leaf))]
        self.facts = {fact.name: fact for leaf in compared for fact in leaf.fact.parts}
        self.pairs = {leaf.fact.name: leaf.fact for leaf in compared}
        alone = [leaf for leaf in leaves if leaf.fact.name in self.facts and not isinstance(leaf.argument, Beside)]
        alone += [side for leaf in alone for side in _sides_of(leaf)]
        self._compared = compared
        #: All questions that are asked here, and of each fact whether it is known.
        self.leaves = (*compared, *alone, *map(_exists, self.facts.values()))
        self._bounds = list(dict.fromkeys(bound for leaf in (*compared, *alone) for bound in _bounds(leaf)))

    def laws(self) -> Iterator[Condition]:
        """What no visitor can be: compared with what is not known, or around a circle of bounds that is too narrow."""
        for leaf in self._compared:
            missing = [Not(_exists(part)) for part in leaf.fact.parts]
            yield from (Any((Not(leaf), _exists(part))) for part in leaf.fact.parts)
            if leaf.word == "same_as":
                yield Any((leaf, *_sides_of(leaf), *missing))
        for circle in self._circles():
            knowing = {end for bound in circle if bound.wanted for end in (bound.upper, bound.lower)}
            unknown = [self.facts[end] for end in {bound.upper: None for bound in circle} if end in self.facts]
            missing = [Not(_exists(fact)) for fact in unknown if fact.name not in knowing]
            yield Any((*(Not(bound.leaf) if bound.wanted else bound.leaf for bound in circle), *missing))

    def _circles(self) -> Iterator[Sequence[Bound]]:
        """The circles of bounds that add up to less than nothing; of larger ones that differ in the last bound alone,
        the one with the widest: whatever is within a narrower one is within that, too."""
        across: dict[tuple[str, str], list[Bound]] = {}
        for bound in sorted(self._bounds, key=lambda one: one.most):
            if bound.leaf.word not in _EXACT:  # those that say more than a bound have their sides beside them
                across.setdefault((bound.upper, bound.lower), []).append(bound)
        for bound in self._bounds:
            if isinstance(bound.leaf.argument, Beside):
                beside = (one for one in across.get((bound.lower, bound.upper), ()) if one.leaf != bound.leaf)
                yield from ((bound, one) for one in beside if _sum([bound.most, one.most]) < _NONE)
        plain = {ends: list({bound.most: bound for bound in bounds}.values()) for ends, bounds in across.items()}
        names = sorted(self.facts)
        steps = 0
        for size in range(3, _MOST_AROUND + 1):
            for around in permutations([*names, _NOTHING, _THIS_MOMENT], size):
                first = around[0]
                if first not in self.facts or any(one < first for one in around if one in self.facts):
                    continue
                for path in product(*(plain.get(ends, ()) for ends in pairwise(around))):
                    steps += 1
                    if steps > _MOST_STEPS:
                        return
                    closing = _widest(plain.get((around[-1], first), ()), _sum(bound.most for bound in path))
                    yield from ((*path, one) for one in closing)

    def samples(self, answered: Answered) -> Mapping[str, Sample]:
        """Values of the facts that are compared, and of what is asked of them together, for which each question has the
        answer that is given; none where there are no such values that this can find."""
        known = {name: fact for name, fact in self.facts.items() if answered(_exists(fact))}
        ends = {_NOTHING: Fraction(0), _THIS_MOMENT: Fraction(to_micros(SOME_MOMENT))}
        ends |= {name: _USUAL.get(fact.type, Fraction(0)) for name, fact in known.items()}
        so = [one for one in self._bounds if answered(one.leaf) is one.wanted and {one.upper, one.lower} <= ends.keys()]
        places = _places(so, ends, Fraction(1)) or _places(so, ends, _A_LITTLE)
        if places is None:
            return {}
        origin = places[_NOTHING]
        now = from_micros(int(places[_THIS_MOMENT] - origin))
        found: dict[str, Sample] = {}
        for name, fact in self.facts.items():
            found[name] = Sample(_value(places[name] - origin, fact) if name in known else None, now)
        for name, fact in self.pairs.items():
            left, right = (found[part.name].value for part in fact.parts)
            found[name] = Sample(pairs(left, right, fold=fact.fold), now)
        return found


def _sum(bounds: Iterable[Least]) -> Least:
    found = _NONE
    for number, little in bounds:
        found = found[0] + number, found[1] + little
    return found


def _widest(bounds: Iterable[Bound], most: Least) -> Iterator[Bound]:
    """Those of some bounds from the narrowest on that with others add up to less than nothing, and are the widest."""
    fitting = [bound for bound in bounds if _sum([bound.most, most]) < _NONE]
    return (bound for bound in fitting if bound.most == fitting[-1].most)


def _is_told(leaf: Leaf) -> bool:
    """Whether a question compares two facts whose values can be taken from one another."""
    beside = leaf.argument
    if leaf.fact.root != PAIR_ROOT or not isinstance(beside, Beside) or beside.percent is not None:
        return False
    kinds = {_kind(fact) for fact in leaf.fact.parts}
    is_single = not any(fact.many or fact.root == NOW for fact in leaf.fact.parts)
    return is_single and len(kinds) == 1 and None not in kinds and len({fact.name for fact in leaf.fact.parts}) == 2


def _kind(fact: Fact) -> FactType | None:
    """What goes by one measure. A number of a profile may be stored as text, which has an order of its own."""
    if fact.type is FactType.NUMBER:
        return fact.type if is_whole(fact) else None
    return fact.type if fact.type in (FactType.DATE, FactType.TIME, FactType.MONEY) else None


def _has_steps(fact: Fact) -> bool:
    """Whether nothing lies between two neighbours: a day and the next one, one visit and two."""
    return fact.type is not FactType.MONEY


def _sides_of(leaf: Leaf) -> Iterator[Leaf]:
    """That a value is less, and that it is more, than one that a question asks it to be."""
    words = ("before", "after") if _first(leaf).type in (FactType.DATE, FactType.TIME) else ("less_than", "more_than")
    if leaf.word == "same_as":
        yield from (replace(leaf, operator=BESIDE[word], word=word) for word in words)
    elif leaf.word in _NAMED:
        named = leaf.argument if isinstance(leaf.argument, Listed | tuple) else [leaf.argument]
        numbers = [one for one in named if _number(one) is not None][:_MOST_NAMED]
        yield from (Leaf(leaf.fact, OPERATORS[word], word, one, leaf.fold) for one in numbers for word in words)


def _first(leaf: Leaf) -> Fact:
    return leaf.fact.parts[0] if leaf.fact.root == PAIR_ROOT else leaf.fact


def _bounds(leaf: Leaf) -> Iterator[Bound]:
    """What a question says of a difference where its answer is yes, and where it is no."""
    argument, name = leaf.argument, leaf.fact.name
    if isinstance(argument, Beside):
        left, right = leaf.fact.parts
        yield from _limits(leaf, left.name, right.name, _length(argument.plus or 0, left))
    elif leaf.word in ("within", "older_than") and isinstance(argument, timedelta):
        yield from _either(leaf, _THIS_MOMENT, name, (_length(argument, leaf.fact), 0), wanted=leaf.word == "within")
    elif leaf.word in _NAMED and isinstance(argument, Listed | tuple):
        named = [_number(one) for one in argument]
        numbers = [one for one in named if one is not None]
        if numbers and len(numbers) == len(named):
            yield Bound(name, _NOTHING, (max(numbers), 0), leaf, wanted=True)
            yield Bound(_NOTHING, name, (-min(numbers), 0), leaf, wanted=True)
    elif (number := _number(argument)) is not None:
        yield from _limits(leaf, name, _NOTHING, number)


def _limits(leaf: Leaf, name: str, other: str, more: Fraction) -> Iterator[Bound]:
    """A fact beside another end, so much behind it."""
    if leaf.word in ("is", "same_as"):
        yield Bound(name, other, (more, 0), leaf, wanted=True)
        yield Bound(other, name, (-more, 0), leaf, wanted=True)
    elif leaf.word in _LESS | _MORE:
        # Up to here a fact is less, and beyond it is more.
        reaches = (leaf.word in _WITH_LIMIT) is (leaf.word in _LESS)
        yield from _either(leaf, name, other, (more, 0 if reaches else -1), wanted=leaf.word in _LESS)


def _either(leaf: Leaf, upper: str, lower: str, most: Least, *, wanted: bool) -> Iterator[Bound]:
    """A bound, and its opposite for the other answer."""
    number, little = most
    if _has_steps(_first(leaf)):
        number, little = Fraction(ceil(number) - 1 if little else floor(number)), 0
        opposite = -number - 1, 0
    else:
        opposite = -number, -1 - little
    yield Bound(upper, lower, (number, little), leaf, wanted)
    yield Bound(lower, upper, opposite, leaf, not wanted)


def _length(step: object, fact: Fact) -> Fraction:
    if isinstance(step, timedelta):
        return Fraction(step // timedelta(days=1) if fact.type is FactType.DATE else step // timedelta(microseconds=1))
    assert isinstance(step, int | Decimal)
    return Fraction(step)


def _number(value: object) -> Fraction | None:
    match value:
        case bool():
            return None
        case datetime():
            return Fraction(to_micros(value))
        case date():
            return Fraction(value.toordinal())
        case int() | Decimal():
            return Fraction(value)
    return None


def _value(number: Fraction, fact: Fact) -> object:
    if fact.type is FactType.DATE:
        return date.fromordinal(int(number))
    if fact.type is FactType.TIME:
        return from_micros(int(number)).astimezone(UTC)
    return int(number) if number.denominator == 1 else Decimal(number.numerator) / number.denominator


def _places(bounds: Sequence[Bound], ends: Mapping[str, Fraction], little: Fraction) -> Mapping[str, Fraction] | None:
    """A number for each end, at most the one given, so that all bounds are kept; None where there are none."""
    places = dict(ends)
    for _ in range(len(places) + 1):
        is_done = True
        for one in bounds:
            most = places[one.lower] + one.most[0] + one.most[1] * little
            if places[one.upper] > most:
                places[one.upper], is_done = most, False
        if is_done:
            return places
    return None


_USUAL = {FactType.DATE: Fraction(SOME_MOMENT.toordinal()), FactType.TIME: Fraction(to_micros(SOME_MOMENT))}


def _exists(fact: Fact) -> Leaf:
    return Leaf(fact, OPERATORS["exists"], "exists", True, fact.fold)
