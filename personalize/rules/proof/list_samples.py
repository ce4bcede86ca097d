"""What tells questions about lists apart: what is asked of their elements, and how many elements there are."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import combinations

from personalize.rules.conditions import Leaf
from personalize.rules.equality import Listed
from personalize.rules.facts import FactType
from personalize.rules.filters import HOW_MANY, Filter
from personalize.rules.operators import OPERATORS
from personalize.rules.proof.samples import Sample, Samples, arguments, whole_values
from personalize.rules.proof.tableau import Either, Has, Is, Lacks, Statement

#: The words of questions about a list as a whole that its elements tell; `size` is told apart from them.
OF_ELEMENTS = frozenset({"any_of", "all_of", "some"})
SIZE = "size"
_REACHED = ("is", "one_of", "at_least", "more_than", "at_most", "less_than", "between")
#: Of so many different elements that lists have to hold, each choice is held against the size.
_MOST_NEEDS = 6


def of_elements(leaf: Leaf) -> Iterator[Leaf]:
    """The questions about elements that a question about a list asks."""
    if leaf.word in ("any_of", "all_of"):
        yield replace(leaf, operator=OPERATORS["one_of"], word="one_of")
    elif isinstance(leaf.argument, Filter):
        yield from leaf.argument.leaves()
    elif (whole := whole_list(leaf)) is not None:
        yield replace(leaf, argument=Listed(whole))
    else:
        yield leaf


def whole_list(leaf: Leaf) -> Sequence[object] | None:
    """The list that a list has to be, element by element; None for any other question."""
    if leaf.word != "one_of" or leaf.fact.type is FactType.ANY or not isinstance(leaf.argument, Listed):
        return None
    one, *others = leaf.argument
    return one if isinstance(one, list) and not others else None


def each_needed(leaf: Leaf) -> Sequence[Leaf]:
    """An `all_of` or a whole list as questions for one of its elements each; any other question as itself."""
    whole = whole_list(leaf)
    if whole is None and (leaf.word != "all_of" or not isinstance(leaf.argument, Listed)):
        return [leaf]
    each = leaf.argument if whole is None else whole
    assert isinstance(each, Iterable)
    return [replace(leaf, argument=Listed([one])) for one in each]


def size_samples(leaves: Iterable[Leaf]) -> Samples:
    """Numbers of elements that tell questions about the size of a list apart."""
    asked = [one for leaf in leaves for one in of_elements(leaf)]
    cuts = arguments(asked, *_REACHED)
    is_told = all(one.word in (*_REACHED, "exists") and one.fact == HOW_MANY for one in asked)
    numbers = whole_values({cut for cut in cuts if not isinstance(cut, str)})
    return Samples(tuple(map(Sample, numbers)), frozenset() if is_told else frozenset({SIZE}))


def size_laws(
    elements: tuple[int, int], size: tuple[int, Sequence[Sample]], needs: Iterable[int]
) -> Iterator[Statement]:
    """What ties a list to the number of its elements; each is the number of a dimension, with its samples.

    `needs` are the sets of elements that questions want one of: those without a common element need one place each.
    """
    (number, full), (of_size, sizes) = elements, size
    missing, every = 1, (1 << len(sizes)) - 1
    # Without the first sample, that there is no list, and the last one, that there is one.
    any_element = (full & ~1) & ~(1 << full.bit_length() - 1)

    def reaching(least: int) -> int:
        """The sizes that may be as large: each stands for all up to the next one, and the last for all beyond."""
        larger = [*(one.value for one in sizes[2:]), None]
        return sum(2 << place for place, behind in enumerate(larger) if behind is None or behind > least)

    yield Either((Is(of_size, missing), Is(number, full & ~1)))
    yield Either((Is(of_size, every & ~missing), Is(number, 1)))
    yield Either((Is(of_size, every & ~reaching(1)), Has(number, any_element)))
    yield Either((Is(of_size, reaching(1) | missing), Lacks(number, any_element)))
    different = sorted({need & any_element for need in needs} - {0, any_element})[:_MOST_NEEDS]
    for least in range(2, len(different) + 1):
        for chosen in combinations(different, least):
            if not any(one & other for one, other in combinations(chosen, 2)):
                yield Either((Is(of_size, reaching(least)), *(Lacks(number, need) for need in chosen)))
