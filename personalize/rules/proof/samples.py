"""The values of a fact that tell its questions apart: one for every pattern of answers that is possible.

For numbers, dates and lengths of time these are the limits that questions name and one value in each gap between
them; for texts those that are named, and such as are put together from the parts that are asked for. What a
question answers for a value is not decided here: the question's own predicate is asked.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import ROUND_CEILING, ROUND_FLOOR, Context, Decimal
from itertools import chain, combinations_with_replacement, pairwise
from typing import Any, TypeVar

from personalize.events.event import to_micros
from personalize.rules.conditions import Leaf
from personalize.rules.days import Days
from personalize.rules.equality import Listed
from personalize.rules.fact_values import NumberText
from personalize.rules.facts import EVENT_KEYS, Fact, FactType
from personalize.rules.id_lists import NamedList
from personalize.rules.operators import Asked
from personalize.rules.proof.text_samples import text_samples
from personalize.rules.proof.version_samples import version_samples
from personalize.rules.times import Times

#: What is told as a distance from now is worked out from this moment; any other would do.
SOME_MOMENT = datetime(2026, 1, 1, 12, tzinfo=UTC)
_DAY = timedelta(days=1)
#: Moments from about the years 1200 to 2800 can be told from any other that is some decades away.
_FAR = timedelta(days=300_000)
_EXACT = Context(prec=2_000)
#: A fact of which more would have to be looked at is not decided.
MOST_SAMPLES = 500
_MOST_TIMES = 100
_MOST_IDS = 100

Value = TypeVar("Value")


@dataclass(frozen=True, slots=True)
class Sample:
    """A value of a fact, None for a missing one, looked at `at` a moment.

    `moves` ones are told as a distance from now: what matters of them is how long ago they are.
    """

    value: Any
    at: datetime = SOME_MOMENT
    moves: bool = False


@dataclass(frozen=True, slots=True)
class Samples:
    """The samples of one fact. Questions among the `open` words may be answered either way by present values."""

    present: tuple[Sample, ...]
    open: frozenset[str] = frozenset()


def samples_of(fact: Fact, leaves: Sequence[Leaf]) -> Samples:
    """Values of a fact that tell these questions about it apart, the plainest first; None is not among them.

    Of a list they are values of its elements.
    """
    words = frozenset(leaf.word for leaf in leaves)
    leaves = [leaf for leaf in leaves if is_plain(leaf)]
    read = _READERS.get(fact.type)
    if read is None:
        return Samples((Sample(UNNAMED),), words - {"exists"})
    found = read(fact, leaves)
    if len(found.present) > MOST_SAMPLES:
        return Samples(found.present[:1], words)
    return Samples(found.present, found.open | (words - _DECIDED[fact.type] - {"exists"}))


def is_plain(leaf: Leaf) -> bool:
    """Whether a question is asked of single values as they are: not of lists as wholes, not of values read as another
    type, and not about days in words, which depend on what day it is."""
    if leaf.word in ("exists", "did", "when"):
        return True
    is_single = leaf.operator.asked is Asked.EACH or (leaf.operator.asked is Asked.EITHER and leaf.word == "one_of")
    is_as_it_is = leaf.cast is None or leaf.cast.type is FactType.VERSION
    named = leaf.argument if isinstance(leaf.argument, Listed | tuple) else (leaf.argument,)
    return is_single and is_as_it_is and not any(isinstance(one, list | tuple | Mapping | Days) for one in named)


class _Unnamed:
    """A value of a fact of which no value can be given here."""

    def __repr__(self) -> str:
        return "some value"


UNNAMED = _Unnamed()


def is_whole(fact: Fact) -> bool:
    """Whether the fact counts something, so that it is 0, 1, 2 and so on."""
    if fact.root in ("visitor", "visit"):
        return fact.type is FactType.NUMBER
    return fact.key == "count" and fact.root not in ("profile", "page", "event")


def arguments(leaves: Iterable[Leaf], *words: str) -> set[Any]:
    """The single values that questions with these words name."""
    found: set[Any] = set()
    for leaf in leaves:
        if leaf.word in words:
            named: Any = leaf.argument
            found |= set(named) if isinstance(named, Listed | tuple) else {named}
    return found


def along(cuts: Iterable[Value], middle: Callable[[Value, Value], Value | None], *ends: Value) -> list[Value]:
    """The limits, a value between each two neighbours where there is one, and those beyond the ends."""
    ordered = sorted(cuts)  # type: ignore[type-var]
    gaps = [middle(low, high) for low, high in pairwise(ordered)]
    return list(dict.fromkeys([*ordered, *(gap for gap in gaps if gap is not None), *ends]))


_EQUAL = ("is", "one_of")
_ORDER = ("at_least", "more_than", "at_most", "less_than", "between")


def _number_samples(fact: Fact, leaves: Sequence[Leaf]) -> Samples:
    lists = [leaf.argument.ids for leaf in leaves if isinstance(leaf.argument, NamedList)]
    if lists and (is_whole(fact) or sum(map(len, lists)) > _MOST_IDS):
        return Samples((Sample(1),), _DECIDED[fact.type])
    cuts = {one for one in (*arguments(leaves, *_EQUAL, *_ORDER), *chain(*lists)) if not isinstance(one, str)}
    values = whole_values(cuts) if is_whole(fact) else number_values(cuts)
    # A number may be stored as text, from when it was declared as such: order reads it, equality does not.
    is_reckoned = fact.type is FactType.MONEY or is_whole(fact) or fact.key in EVENT_KEYS
    texts = [] if is_reckoned else [format(value, "f") for value in values]
    return Samples(tuple(map(Sample, [*values, *texts])))


def number_values(cuts: set[Any]) -> list[Any]:
    """The limits and a number in each gap, whole ones where there are."""
    return along(cuts, _number_between, _floor(min(cuts)) - 1, _floor(max(cuts)) + 1) if cuts else [1]


def _number_between(low: Any, high: Any) -> Any:
    whole = _floor(low) + 1
    return whole if whole < high else _EXACT.divide(_EXACT.add(Decimal(low), Decimal(high)), Decimal(2))


def _floor(number: Any, rounding: str = ROUND_FLOOR) -> int:
    return int(Decimal(number).to_integral_value(rounding))


def whole_values(cuts: set[Any]) -> list[int]:
    """Whole numbers from 0 on at the limits and beside them."""
    ends = {_floor(cut, way) for cut in cuts for way in (ROUND_FLOOR, ROUND_CEILING)}
    near = {end + step for end in ends for step in (-1, 0, 1)}
    return sorted(one for one in {0, 1, *near} if one >= 0)


def _date_samples(fact: Fact, leaves: Sequence[Leaf]) -> Samples:
    cuts = arguments(leaves, *_EQUAL, "between", "before", "after")
    before = {cut - _DAY for cut in cuts if cut > date.min}
    after = {cut + _DAY for cut in cuts if cut < date.max}
    return Samples(tuple(map(Sample, sorted(cuts | before | after) or [SOME_MOMENT.date()])))


def _bool_samples(fact: Fact, leaves: Sequence[Leaf]) -> Samples:
    return Samples((Sample(True), Sample(False)))


def _choice_samples(fact: Fact, leaves: Sequence[Leaf]) -> Samples:
    if not fact.choices or fact.root == "page":  # what a site's own code says of a request may be anything
        return _text_samples(fact, leaves)
    return Samples(tuple(map(Sample, fact.choices)))


def _text_samples(fact: Fact, leaves: Sequence[Leaf]) -> Samples:
    values, undecided = text_samples(leaves)
    return Samples(tuple(map(Sample, values)), undecided)


def _any_samples(fact: Fact, leaves: Sequence[Leaf]) -> Samples:
    """Values of every kind that is asked for, and one of each other kind; of a list they are its elements."""
    lists = list(chain(*(leaf.argument.ids for leaf in leaves if isinstance(leaf.argument, NamedList))))
    if len(lists) > _MOST_IDS:
        return Samples((Sample(1),), _DECIDED[FactType.ANY])
    named = [*lists, *chain(*(_named(leaf) for leaf in leaves if leaf.word in (*_EQUAL, *_ORDER)))]
    cuts = {Decimal(one) if isinstance(one, NumberText) else one for one in named if _is_number(one)}
    texts, undecided = text_samples([leaf for leaf in leaves if _may_be_text(leaf)])
    return Samples(tuple(map(Sample, [*number_values(cuts), *texts, True, False, {}])), undecided)


def _may_be_text(leaf: Leaf) -> bool:
    """Whether the answer may be yes of a text: the order of numbers reads those that are written as text, too."""
    return leaf.word in _ORDER or not all(isinstance(one, int | Decimal) for one in _named(leaf))


def _named(leaf: Leaf) -> Sequence[object]:
    """The single values that a question names, in a list: among those of a set, true would be taken for 1."""
    return tuple(leaf.argument) if isinstance(leaf.argument, Listed | tuple) else (leaf.argument,)


def _is_number(value: object) -> bool:
    return isinstance(value, int | Decimal | NumberText) and not isinstance(value, bool)


def _version_samples(fact: Fact, leaves: Sequence[Leaf]) -> Samples:
    values = version_samples(leaves)
    if values is None:
        return Samples((Sample("1"),), _DECIDED[FactType.VERSION])
    return Samples(tuple(map(Sample, values)))


def _time_samples(fact: Fact, leaves: Sequence[Leaf]) -> Samples:
    """Moments by how long ago they are, by when they are, or by both, as the questions ask."""
    limits = sorted(arguments(leaves, "within", "older_than"))
    ages = [*limits, limits[-1] + _DAY] if limits else []
    cuts = arguments(leaves, "before", "after")
    if any(abs(cut - SOME_MOMENT) > _FAR for cut in cuts):
        return Samples((Sample(SOME_MOMENT),), _DECIDED[FactType.TIME])
    ends = (min(cuts) - _DAY, max(cuts) + _DAY) if cuts else ()
    moments = along(cuts, lambda low, high: low + (high - low) / 2, *ends)
    if not moments:
        return Samples(tuple(Sample(SOME_MOMENT - age, moves=True) for age in ages or [_DAY]))
    if not ages:
        return Samples(tuple(map(Sample, moments)))
    return Samples(tuple(Sample(moment, moment + age) for moment in moments for age in ages))


def _counter_samples(fact: Fact, leaves: Sequence[Leaf]) -> Samples:
    """For each number of times that is asked for, how long ago that many were done; never later than fewer."""
    asked = [leaf.argument for leaf in leaves if isinstance(leaf.argument, Times)]
    counts = sorted({times.count for times in asked})
    limits = sorted({times.within for times in asked if times.within is not None})
    ages = [*limits, limits[-1] + _DAY] if limits else [_DAY]
    if not counts or counts[-1] > _MOST_TIMES:
        return Samples((Sample(()),), frozenset({"did"}))
    found: list[Sample] = [Sample((), moves=True)]
    for known in range(1, len(counts) + 1):
        for chosen in combinations_with_replacement(ages, known):
            found.append(Sample(_times(counts[:known], chosen), moves=True))
            if len(found) > MOST_SAMPLES:
                return Samples((Sample(()),), frozenset({"did"}))
    return Samples(tuple(found))


def _times(counts: Sequence[int], ages: Sequence[timedelta]) -> tuple[int, ...]:
    """A counter, oldest first, whose latest times up to each count are so long ago."""
    found: list[int] = []
    for count, age in zip(counts, ages, strict=True):
        found += [to_micros(SOME_MOMENT - age)] * (count - len(found))
    return tuple(reversed(found))


_READERS: Mapping[FactType, Callable[[Fact, Sequence[Leaf]], Samples]] = {
    FactType.NUMBER: _number_samples,
    FactType.MONEY: _number_samples,
    FactType.DATE: _date_samples,
    FactType.BOOL: _bool_samples,
    FactType.CHOICE: _choice_samples,
    FactType.TEXT: _text_samples,
    FactType.TIME: _time_samples,
    FactType.TIMES: _counter_samples,
    FactType.VERSION: _version_samples,
    FactType.ANY: _any_samples,
}
_VERSION_WORDS = frozenset(
    {"version_is", "version_at_least", "version_more_than", "version_at_most", "version_less_than", "version_in"}
)
_TEXT_WORDS = frozenset(
    {*_EQUAL, *_ORDER, "contains", "starts_with", "ends_with", "like", "matches", "exactly", "in_list", "in_network"}
)
#: The words whose questions the samples of a type tell apart; a question with any other is left open.
_DECIDED: Mapping[FactType, frozenset[str]] = {
    FactType.NUMBER: frozenset({*_EQUAL, *_ORDER, "in_list"}),
    FactType.MONEY: frozenset({*_EQUAL, *_ORDER}),
    FactType.DATE: frozenset({*_EQUAL, "between", "before", "after"}),
    FactType.BOOL: frozenset(_EQUAL),
    FactType.CHOICE: _TEXT_WORDS,
    FactType.TEXT: _TEXT_WORDS | _VERSION_WORDS,
    FactType.VERSION: frozenset({*_EQUAL, *_ORDER}) | _VERSION_WORDS,
    FactType.TIME: frozenset({"within", "older_than", "before", "after"}),
    FactType.TIMES: frozenset({"did"}),
    FactType.ANY: _TEXT_WORDS | _VERSION_WORDS,
}
