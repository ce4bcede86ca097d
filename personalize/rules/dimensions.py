"""The things in which visitors differ, and what each question about one makes of its values."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo

from personalize.rules.casts import Cast
from personalize.rules.conditions import Leaf
from personalize.rules.facts import FactType
from personalize.rules.moment_samples import MOMENT_WORDS, moment_samples
from personalize.rules.now_facts import CLOCKS, NOW, clock_of, now_value
from personalize.rules.samples import UNNAMED, Sample, is_plain, samples_of
from personalize.rules.window import Window

_MISSING = Sample(None)
#: Every list that there is has it among its elements.
THERE = Sample([])


@dataclass(frozen=True, slots=True)
class Dimension:
    """A fact, the moment that is now, or the answer to a question that samples don't decide.

    Bit i of a set of samples is the sample i. Of a list the samples are its elements; the first one is that there is
    no list, and the last that there is one, perhaps without any element.
    """

    name: str
    samples: tuple[Sample, ...]
    is_list: bool = False

    @property
    def full(self) -> int:
        """All samples."""
        return (1 << len(self.samples)) - 1


@dataclass(frozen=True, slots=True)
class Answer:
    """The samples of which a question is answered with yes, and with no; of those in both it may be either."""

    yes: int
    no: int

    @property
    def is_open(self) -> bool:
        """Whether samples don't decide the question."""
        return bool(self.yes & self.no)


#: What makes two questions the same one, as `Leaf` compares them; quicker to look up than a leaf.
Question = tuple[str, str, object, bool, Cast | None]


def question_of(leaf: Leaf) -> Question:
    """The question that a leaf asks."""
    return (leaf.fact.name, leaf.word, leaf.argument, leaf.fold, leaf.cast)


def by_dimension(asked: Iterable[Leaf]) -> Mapping[str, dict[Question, Leaf]]:
    """The questions about each thing, each once. All facts of the moment are one: which moment it is by a clock."""
    found: dict[str, dict[Question, Leaf]] = {}
    for leaf in asked:
        name = clock_of(leaf.fact) if leaf.fact.root == NOW else leaf.fact.name
        found.setdefault(name, {})[question_of(leaf)] = leaf
    return found


class Dimensions:
    """The dimensions of one site, each worked out once for all that is asked of it together.

    Each question is asked of each sample by its own predicate. `zone` is the site's.
    """

    def __init__(self, zone: tzinfo) -> None:
        self._zone = zone
        self._known: dict[frozenset[Question], tuple[Dimension, Mapping[Question, Answer]]] = {}

    def answered(self, name: str, asked: Mapping[Question, Leaf]) -> tuple[Dimension, Mapping[Question, Answer]]:
        """The dimension whose samples tell these questions apart, and the answers to them."""
        key = frozenset(asked)
        known = self._known.get(key)
        if known is None:
            dimension, undecided = self._dimension(name, tuple(asked.values()))
            answers = {one: self._answer(leaf, dimension, undecided) for one, leaf in asked.items()}
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
        found = samples_of(fact, asked)
        missing = () if name == "visitor.known" else (_MISSING,)
        is_list = fact.many and fact.type is not FactType.TIMES
        return Dimension(name, (*missing, *found.present, *([THERE] if is_list else ())), is_list), found.open

    def _answer(self, leaf: Leaf, dimension: Dimension, undecided: frozenset[str]) -> Answer:
        is_open = leaf.word in undecided or not self._is_told(leaf)
        missing = 1 if dimension.samples[0] is _MISSING else 0
        if is_open:
            yes = dimension.full & ~missing
        elif leaf.fact.root == NOW:
            yes = sum(1 << place for place, sample in enumerate(dimension.samples) if self._is_then(leaf, sample.at))
        else:
            told = enumerate(dimension.samples)
            yes = sum(1 << place for place, sample in told if leaf.holds(sample.value, sample.at))
        return Answer(yes, dimension.full if is_open else dimension.full & ~yes | missing)

    def _is_told(self, leaf: Leaf) -> bool:
        """Whether samples can tell the answer at all: a window must be one of the clock that they are made for."""
        if isinstance(leaf.argument, Window):
            return not leaf.argument.on and leaf.argument.zone in (None, self._zone)
        return is_plain(leaf)

    def _is_then(self, leaf: Leaf, moment: datetime) -> bool:
        local = moment.astimezone(self._zone)
        return leaf.holds(now_value(leaf.fact, local), local)
