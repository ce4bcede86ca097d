"""All the visitors there could be, as far as some conditions can tell them apart."""

from collections.abc import Callable, Iterable, Iterator, Mapping

from personalize.rules.conditions import All, Any, Condition, InSegment, Leaf, Not, leaves, questions
from personalize.rules.proof.differences import Differences
from personalize.rules.proof.dimensions import (
    Answer,
    Dimension,
    Dimensions,
    Question,
    by_dimension,
    joint,
    question_of,
    size_of,
)
from personalize.rules.proof.list_samples import size_laws
from personalize.rules.proof.samples import Sample
from personalize.rules.proof.tableau import TRUE, Has, Is, Lacks, Statement, either, every, parts_of


class Space:
    """The dimensions in which visitors differ for some conditions, and the conditions as statements about them.

    `segments` are those that the conditions name, which don't go in circles.
    """

    def __init__(
        self,
        conditions: Iterable[Condition],
        segments: Mapping[str, Condition],
        known: Dimensions,
        laws: Callable[[Iterable[Leaf]], Iterator[Condition]],
    ) -> None:
        self._segments = segments
        asked = [leaf for condition in conditions for leaf in all_leaves(condition, segments)]
        binding = tuple(laws(asked))
        asked += (leaf for law in binding for leaf in leaves(law))
        together = joint(asked)
        self.differences = Differences(leaf for leaf in asked if leaf.fact.name not in together)
        narrow = tuple(self.differences.laws())
        asked += self.differences.leaves
        self.dimensions: list[Dimension] = []
        self.number: dict[str, int] = {}
        self._answers: dict[Question, tuple[Statement, Statement]] = {}
        self.full: list[int] = []
        for name, about in by_dimension(asked).items():
            dimension, answers = known.answered(name, about)
            number = self._add(dimension)
            for question, answer in answers.items():
                self._answers[question] = self._said(question, answer, number)
        self._members: dict[tuple[str, bool], Statement] = {}
        self.laws = (*(self.statement(law) for law in (*binding, *narrow)), *self._sizes())

    def statement(self, condition: Condition, *, wanted: bool = True) -> Statement:
        """What a condition says of visitors, or where it is not `wanted`, its opposite."""
        match condition:
            case Leaf():
                yes, no = self._answers[question_of(condition)]
                return yes if wanted else no
            case InSegment(segment_id):
                known = self._members.get((segment_id, wanted))
                if known is None:
                    known = self.statement(self._segments[segment_id], wanted=wanted)
                    self._members[segment_id, wanted] = known
                return known
            case Not():
                return self.statement(condition.part, wanted=not wanted)
            case All() | Any():
                parts = [self.statement(part, wanted=wanted) for part in condition.parts]
                return every(parts) if isinstance(condition, All) == wanted else either(parts, self.full)

    def _add(self, dimension: Dimension) -> int:
        number = len(self.dimensions)
        self.number |= dict.fromkeys(dimension.names or (dimension.name,), number)
        self.dimensions.append(dimension)
        self.full.append(dimension.full)
        return number

    def _sizes(self) -> Iterator[Statement]:
        """What ties lists to the number of their elements."""
        wanted: dict[int, set[int]] = {}
        for part in (part for pair in self._answers.values() for one in pair for part in parts_of(one)):
            if isinstance(part, Has):
                wanted.setdefault(part.fact, set()).add(part.samples)
        for name, number in list(self.number.items()):
            if self.dimensions[number].is_list and size_of(name) in self.number:
                size = self.number[size_of(name)]
                yield from size_laws(
                    (number, self.full[number]), (size, self.dimensions[size].samples), wanted.get(number, ())
                )

    def _said(self, question: Question, answer: Answer, number: int) -> tuple[Statement, Statement]:
        """What a question and its opposite say of the samples of their dimension."""
        said: tuple[Statement, Statement]
        if not self.dimensions[number].is_list:
            said = (Is(number, answer.yes), Is(number, answer.no))
        else:
            each = answer.each or (answer.yes,)
            lacking = either([Lacks(number, one) for one in each], self.full)
            holding = [Has(number, one) for one in each] if answer.others is None else self._whole(answer, number)
            said = (every(holding), TRUE if answer.is_open else lacking)
        if answer.is_open:
            either_way = self._add(Dimension(f"{question}", (Sample(False), Sample(True))))
            said = (every([said[0], Is(either_way, 2)]), every([said[1], Is(either_way, 1)]))
        return said

    def _whole(self, answer: Answer, number: int) -> list[Statement]:
        """What is so of a list that is another one: that there is one, with all of its elements, and no others."""
        assert answer.others is not None
        there = Has(number, 1 << self.dimensions[number].full.bit_length() - 1)
        return [there, *(Has(number, one) for one in answer.each), Lacks(number, answer.others)]


def all_leaves(condition: Condition, segments: Mapping[str, Condition]) -> Iterator[Leaf]:
    """The questions of a condition, those of its segments too."""
    for question in questions(condition):
        if isinstance(question, Leaf):
            yield question
        else:
            yield from all_leaves(segments[question.segment_id], segments)
