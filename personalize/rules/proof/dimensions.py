"""The things in which visitors differ, and what each question about one makes of its values."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo
from functools import reduce
from operator import or_

from personalize.rules.beside import Beside
from personalize.rules.casts import Cast
from personalize.rules.conditions import Leaf
from personalize.rules.days import Days
from personalize.rules.facts import Fact, FactType
from personalize.rules.filters import Filter
from personalize.rules.now_facts import CLOCKS, NOW, clock_of, now_value
from personalize.rules.proof.day_samples import DAY_WORDS, DayWork, day_samples
from personalize.rules.proof.list_samples import OF_ELEMENTS, SIZE, each_needed, of_elements, size_samples, whole_list
from personalize.rules.proof.moment_samples import MOMENT_WORDS, moment_samples
from personalize.rules.proof.pair_samples import is_told as is_told_beside
from personalize.rules.proof.pair_samples import pair_samples, sides_of
from personalize.rules.proof.samples import UNNAMED, Sample, is_plain, samples_of
from personalize.rules.window import Window

_MISSING = Sample(None)
#: Every list that there is has it among its elements.
THERE = Sample([])


@dataclass(frozen=True, slots=True)
class Dimension:
    """A fact, the moment that is now, or the answer to a question that samples don't decide.

    Bit i of a set of samples is the sample i. Of a list the samples are its elements; the first one is that there is
    no list, and the last that there is one, perhaps without any element. Where several facts are one dimension, their
    `names` are those by which each sample has their values.
    """

    name: str
    samples: tuple[Sample, ...]
    is_list: bool = False
    names: tuple[str, ...] = ()

    @property
    def full(self) -> int:
        """All samples."""
        return (1 << len(self.samples)) - 1


@dataclass(frozen=True, slots=True)
class Answer:
    """The samples of which a question is answered with yes, and with no; of those in both it may be either.

    What wants several elements of a list has the samples that will do for `each`. What wants a list to be another one,
    in its order, has the only `others` that may not be in it; of lists with its elements it may be either.
    """

    yes: int
    no: int
    each: tuple[int, ...] = ()
    others: int | None = None

    @property
    def is_open(self) -> bool:
        """Whether samples don't decide the question."""
        return self.others is not None or (not self.each and bool(self.yes & self.no))


#: What makes two questions the same one, as `Leaf` compares them; quicker to look up than a leaf.
Question = tuple[str, str, type, object, bool, Cast | None]


def question_of(leaf: Leaf) -> Question:
    """The question that a leaf asks."""
    return (leaf.fact.name, leaf.word, type(leaf.argument), leaf.argument, leaf.fold, leaf.cast)


def by_dimension(asked: Iterable[Leaf]) -> Mapping[str, dict[Question, Leaf]]:
    """The questions about each thing, each once. All facts of the moment are one: which moment it is by a clock. Two
    facts that are compared with one another, and with no others, are one, too."""
    asked = list(asked)
    together = joint(asked)
    found: dict[str, dict[Question, Leaf]] = {}
    for leaf in asked:
        found.setdefault(together.get(leaf.fact.name) or _dimension_of(leaf), {})[question_of(leaf)] = leaf
    return found


def joint(asked: Sequence[Leaf]) -> Mapping[str, str]:
    """The dimension of two facts together, by the names of both and of what is asked of them together."""
    compared = {leaf.fact.name: sides for leaf in asked if (sides := sides_of(leaf.fact)) is not None}
    if not compared:
        return {}
    beside = Counter(side.name for sides in set(compared.values()) for side in sides)
    names: dict[str, set[str]] = {}
    for name, sides in compared.items():
        names.setdefault(joint_name(sides), set()).update((name, *(side.name for side in sides)))
    told: dict[str, str] = {}
    for name, members in names.items():
        about = [leaf for leaf in asked if leaf.fact.name in members]
        if all(beside[member] <= 1 for member in members) and all(map(is_told_beside, about)):
            told |= dict.fromkeys(members, name)
    return told


def joint_name(sides: tuple[Fact, Fact]) -> str:
    """The dimension of two facts that are compared."""
    return " and ".join(side.name for side in sides)


def _dimension_of(leaf: Leaf) -> str:
    if leaf.fact.root == NOW:
        return clock_of(leaf.fact)
    return size_of(leaf.fact.name) if leaf.word == SIZE else leaf.fact.name


def size_of(name: str) -> str:
    """The dimension of the number of elements that a list of this name has."""
    return f"the size of {name}"


class Dimensions:
    """The dimensions of one site, each worked out once for all that is asked of it together.

    Each question is asked of each sample by its own predicate. `zone` is the site's; where a site `has_zones`, some
    visitors have another one.
    """

    def __init__(self, zone: tzinfo, *, has_zones: bool) -> None:
        self._zone = zone
        self._has_zones = has_zones
        self._work = DayWork()
        self._known: dict[tuple[str, frozenset[Question]], tuple[Dimension, Mapping[Question, Answer]]] = {}

    def answered(self, name: str, asked: Mapping[Question, Leaf]) -> tuple[Dimension, Mapping[Question, Answer]]:
        """The dimension whose samples tell these questions apart, and the answers to them."""
        key = (name, frozenset(asked))
        known = self._known.get(key)
        if known is None:
            dimension, undecided = self._dimension(name, tuple(asked.values()))
            local = [sample.at.astimezone(self._zone) for sample in dimension.samples] if name in CLOCKS else []
            answers = {one: self._answer(leaf, dimension, undecided, local) for one, leaf in asked.items()}
            known = self._known[key] = dimension, answers
        return known

    def may_be_either(self, leaf: Leaf) -> bool:
        """Whether samples tell for sure that a question, asked alone, is answered yes for some and no for others.

        Missing values are left aside: some facts are known of everybody of whom anything is.
        """
        ((name, asked),) = by_dimension([leaf]).items()
        dimension, answers = self.answered(name, asked)
        answer = answers[question_of(leaf)]
        present = dimension.full & ~1 if dimension.samples[0] is _MISSING else dimension.full
        return not answer.is_open and bool(answer.yes) and bool(answer.no & present)

    def _dimension(self, name: str, asked: Sequence[Leaf]) -> tuple[Dimension, frozenset[str]]:
        """A dimension, and the words of questions that all but the missing one of its samples answer either way."""
        if name in CLOCKS:
            words = frozenset(leaf.word for leaf in asked)
            moments = moment_samples(asked, self._zone)
            if moments is None:
                return Dimension(name, (Sample(UNNAMED),)), words
            return Dimension(name, tuple(Sample(UNNAMED, at) for at in moments)), words - MOMENT_WORDS
        fact = asked[0].fact
        compared = next((sides for leaf in asked if (sides := sides_of(leaf.fact)) is not None), None)
        if compared is not None and name == joint_name(compared):
            samples = pair_samples(compared, asked)
            if samples is None:
                return Dimension(name, (Sample(UNNAMED),)), frozenset(leaf.word for leaf in asked)
            return Dimension(name, tuple(samples), names=tuple(samples[0].value)), frozenset()
        # A value of any type may be a list; where it is none, most questions take it for the only element of one.
        may_be_single = fact.type is FactType.ANY and not fact.many
        if asked[0].word == SIZE:
            sizes = size_samples(asked)
            return Dimension(name, (_MISSING, *sizes.present)), frozenset({SIZE}) if may_be_single else sizes.open
        is_list = (fact.many and fact.type is not FactType.TIMES) or may_be_single
        of_one = [one for leaf in asked for one in of_elements(leaf)] if is_list else asked
        of_days = [leaf for leaf in asked if isinstance(leaf.argument, Days)]
        days = self._days(fact.type, asked) if of_days and not is_list else None
        if days is not None:
            return Dimension(name, (_MISSING, *days)), frozenset()
        found = samples_of(fact, of_one)
        undecided = {leaf.word for leaf in asked if any(one.word in found.open for one in of_elements(leaf))}
        undecided |= {leaf.word for leaf in of_days}
        if fact.type is FactType.ANY:  # elements may hold more than can be told here, and what is no list has none
            undecided |= OF_ELEMENTS if may_be_single else {"some"}
        missing = () if name == "visitor.known" else (_MISSING,)
        return Dimension(name, (*missing, *found.present, *([THERE] if is_list else ())), is_list), frozenset(undecided)

    def _days(self, type_: FactType, asked: Sequence[Leaf]) -> list[Sample] | None:
        """Samples that tell days in words apart from all else that is asked; None where they can't.

        A moment is in another day by the clock of a visitor far away.
        """
        told = [leaf for leaf in asked if leaf.word != "exists"]
        is_by_clock = type_ is FactType.TIME and not all(isinstance(leaf.argument, Days) for leaf in told)
        is_told = all(leaf.word in DAY_WORDS and (isinstance(leaf.argument, Days) or is_plain(leaf)) for leaf in told)
        return (
            None
            if not is_told or (is_by_clock and self._has_zones)
            else day_samples(type_, told, self._zone, self._work)
        )

    def _answer(self, leaf: Leaf, dimension: Dimension, undecided: frozenset[str], local: Sequence[datetime]) -> Answer:
        """What a question makes of the samples; `local` are those of a clock by the site's clock."""
        of_list = (leaf.word in OF_ELEMENTS or whole_list(leaf) is not None) and dimension.is_list
        is_open = leaf.word in undecided or not all(map(self._is_told, of_elements(leaf) if of_list else [leaf]))
        missing = 1 if dimension.samples[0] is _MISSING else 0
        if is_open:
            yes = dimension.full & ~missing
        elif leaf.fact.root == NOW:
            yes = _bits(leaf.holds(now_value(leaf.fact, at), at) for at in local)
        elif dimension.names:
            yes = _bits(leaf.holds(sample.value[leaf.fact.name], sample.at) for sample in dimension.samples)
        elif leaf.word == SIZE:
            yes = _bits(sample.value is not None and _fits(leaf, sample.value) for sample in dimension.samples)
        elif of_list:
            told = dimension.samples[1:-1]
            each = tuple(_bits(each.holds([one.value], one.at) for one in told) << 1 for each in each_needed(leaf))
            yes = reduce(or_, each, 0)
            others = None if whole_list(leaf) is None else dimension.full & ~(yes | 1 | 1 << len(told) + 1)
            return Answer(yes, dimension.full, each, others)
        else:
            yes = _bits(leaf.holds(sample.value, sample.at) for sample in dimension.samples)
        return Answer(yes, dimension.full if is_open else dimension.full & ~yes | missing)

    def _is_told(self, leaf: Leaf) -> bool:
        """Whether samples can tell the answer at all: a window must be one of the clock that they are made for."""
        if isinstance(leaf.argument, Window):
            return leaf.argument.zone in (None, self._zone)
        is_together = leaf.word == SIZE or isinstance(leaf.argument, Days | Beside)
        return is_together or is_plain(leaf)


def _fits(leaf: Leaf, size: int) -> bool:
    assert isinstance(leaf.argument, Filter)
    return leaf.argument.matches(size)


def _bits(answers: Iterable[bool]) -> int:
    """Answers as bits, the first one lowest."""
    return sum(1 << place for place, answer in enumerate(answers) if answer)
