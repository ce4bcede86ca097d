"""Values of two facts that tell questions about each of them, and about both of them side by side, apart.

Two numbers are a point of a plane, which limits and lines cut into fields: a point in each field, on each edge and at
each corner tells all apart. They are found one column after the other (cylindrical decomposition, Collins 1975).
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from itertools import chain, combinations, count, islice, pairwise, product
from math import floor

from personalize.rules.beside import Beside, pairs
from personalize.rules.conditions import Leaf
from personalize.rules.equality import Listed
from personalize.rules.facts import PAIR_ROOT, Fact, FactType
from personalize.rules.now_facts import NOW
from personalize.rules.proof.samples import SOME_MOMENT, Sample, is_plain, is_whole
from personalize.rules.proof.spellings import spellings

_DAY = timedelta(days=1)
_NUMBERS = (FactType.NUMBER, FactType.MONEY)
_NAMED = (FactType.TEXT, FactType.CHOICE, FactType.BOOL)
_COMPARED = (_NUMBERS, (FactType.DATE,), _NAMED)
_EQUAL = frozenset({"is", "one_of", "same_as", "exists"})
_ORDERED = _EQUAL | {"at_least", "more_than", "at_most", "less_than", "between", "before", "after"}
_MOST_POINTS = 4_000

#: A line of the plane: the left fact is so many times the right one, and so much more.
Line = tuple[Fraction, Fraction]


def sides_of(fact: Fact) -> tuple[Fact, Fact] | None:
    """The two facts that one is the value of, if their values can be told apart together."""
    if fact.root != PAIR_ROOT or len(fact.parts) != 2:
        return None
    left, right = sorted(fact.parts, key=lambda one: one.name)
    kinds = [next((kind for kind in _COMPARED if one.type in kind), None) for one in fact.parts]
    is_told = kinds[0] is not None and kinds[0] == kinds[1] and left.name != right.name
    return (left, right) if is_told and not any(one.many or one.root == NOW for one in fact.parts) else None


def pair_samples(sides: tuple[Fact, Fact], leaves: Sequence[Leaf]) -> list[Sample] | None:
    """The values of both facts and of all that is asked of them together, by name; None where there are too many.

    One for each mixture of answers, missing values among them.
    """
    left, right = sides
    if left.type in _NAMED:
        points: Iterable[tuple[object, object]] = _named(sides, leaves)
    else:
        points = _points(sides, leaves)
    asked = {leaf.fact.name: leaf.fact for leaf in leaves if leaf.fact.root == PAIR_ROOT}
    found: dict[tuple[bool, ...], Sample] = {}
    for number, (one, other) in enumerate(chain([(None, None)], points)):
        if number > _MOST_POINTS:
            return None
        for a, b in ((one, other), (one, None), (None, other)):
            values: dict[str, object] = {left.name: a, right.name: b}
            for name, fact in asked.items():
                first, second = (values[part.name] for part in fact.parts)
                values[name] = pairs(first, second, fold=fact.fold)
            told = (a is None, b is None, *(leaf.holds(values[leaf.fact.name], SOME_MOMENT) for leaf in leaves))
            found.setdefault(told, Sample(values))
    return list(found.values())


def is_told(leaf: Leaf) -> bool:
    """Whether such samples tell a question about one of two facts, or about both."""
    words = _EQUAL if leaf.fact.type in _NAMED or _is_named(leaf) else _ORDERED
    return leaf.word in words and (leaf.fact.root == PAIR_ROOT or is_plain(leaf))


def _is_named(leaf: Leaf) -> bool:
    return leaf.fact.root == PAIR_ROOT and leaf.fact.parts[0].type in _NAMED


def _named(sides: tuple[Fact, Fact], leaves: Sequence[Leaf]) -> Iterator[tuple[object, object]]:
    """Each value of one with each of the other."""
    if sides[0].type is FactType.BOOL:
        yield from product((True, False), repeat=2)
        return
    texts = _texts(sides, leaves)
    yield from product(*(side.choices or texts for side in sides))


def _texts(sides: tuple[Fact, Fact], leaves: Sequence[Leaf]) -> list[str]:
    """Texts that are named or to choose from, and two others; where only some questions mind case, other spellings too.

    Two spellings that nobody names are enough: one for each side.
    """
    arguments = chain.from_iterable(_arguments(leaf) for leaf in leaves if leaf.fact.root != PAIR_ROOT)
    named = dict.fromkeys(one for one in chain(arguments, *(side.choices for side in sides)) if isinstance(one, str))
    folded = dict.fromkeys(text.casefold() for text in named)
    free = (text for text in chain(("other", "another"), map("other {}".format, count(3))) if text not in folded)
    others = list(islice(free, 2))
    if len({leaf.fold or leaf.fact.fold for leaf in leaves if leaf.word != "exists"}) > 1:
        for text in (*folded, *others):
            others += islice((one for one in spellings(text) if one not in named and one not in others), 2)
    return [*named, *others]


def _arguments(leaf: Leaf) -> Iterable[object]:
    return leaf.argument if isinstance(leaf.argument, Listed | tuple) else (leaf.argument,)


def _points(sides: tuple[Fact, Fact], leaves: Sequence[Leaf]) -> Iterator[tuple[object, object]]:
    left, right = sides
    edges = set(map(_number, (date.min, date.max))) if left.type is FactType.DATE else set()
    cuts = {
        side.name: edges.union(
            _number(one) for leaf in leaves if leaf.fact == side for one in _arguments(leaf) if _is_number(one)
        )
        for side in sides
    }
    lines = {_line(leaf, left) for leaf in leaves if isinstance(leaf.argument, Beside)}
    has_parts = any(times != 1 for times, _ in lines)
    counted = [side for side in sides if side.type is FactType.DATE or (is_whole(side) and not has_parts)]
    columns = set(cuts[right.name])
    columns |= {(cut - more) / times for times, more in lines if times for cut in cuts[left.name]}
    columns |= {(b - d) / (c - a) for (a, b), (c, d) in combinations(lines, 2) if a != c}
    # The plainest first: numbers near nothing, days near these days.
    middle = _number(SOME_MOMENT.date()) if edges else Fraction(0)
    for y in sorted(_along(columns | {middle}, is_wide=bool(counted)), key=lambda number: abs(number - middle)):
        rows = _along({*cuts[left.name], *(times * y + more for times, more in lines), middle})
        for x in sorted(rows, key=lambda number: abs(number - middle)):
            values = [_value(number, side, whole=side in counted) for number, side in ((x, left), (y, right))]
            if None not in values:
                yield from _written(values, sides)


def _is_number(value: object) -> bool:
    return isinstance(value, int | Decimal | date) and not isinstance(value, bool)


def _number(value: object) -> Fraction:
    if isinstance(value, date):
        return Fraction(value.toordinal())
    assert isinstance(value, int | Decimal)
    return Fraction(value)


def _line(leaf: Leaf, left: Fact) -> Line:
    """Where a question about both is at its limit."""
    beside = leaf.argument
    assert isinstance(beside, Beside)
    times = Fraction(1) if beside.percent is None else Fraction(beside.percent) / 100
    more = Fraction(beside.plus // _DAY) if isinstance(beside.plus, timedelta) else Fraction(beside.plus or 0)
    if leaf.fact.parts[0] == left or not times:
        return times, more
    return 1 / times, -more / times


def _along(cuts: set[Fraction], *, is_wide: bool = False) -> list[Fraction]:
    """The cuts, a number in each gap, a whole one if there is one, and one beyond each end.

    Where it `is_wide`, whole numbers at both ends of each gap: what lies between two lines is widest at one of them.
    """
    ordered = sorted(cuts)
    gaps = [_between(low, high) for low, high in pairwise(ordered)]
    found = [*ordered, *gaps, Fraction(floor(ordered[0]) - 1), Fraction(floor(ordered[-1]) + 1)]
    if is_wide:
        found += [Fraction(floor(cut) + step) for cut in ordered for step in range(-3, 5)]
    return list(dict.fromkeys(found))


def _between(low: Fraction, high: Fraction) -> Fraction:
    """A number with few digits between two others."""
    scale = 1
    while Fraction(floor(low * scale) + 1, scale) >= high:
        scale *= 10
    return Fraction(floor(low * scale) + 1, scale)


def _value(number: Fraction, side: Fact, *, whole: bool) -> object:
    """The number as a fact has it; None where none has it, as a third, half a day, or half a visit."""
    if number.denominator == 1:
        count = int(number)
        if side.type is not FactType.DATE:
            return count
        return date.fromordinal(count) if date.min.toordinal() <= count <= date.max.toordinal() else None
    if whole or side.type is FactType.DATE:
        return None
    value = Decimal(number.numerator) / Decimal(number.denominator)
    return value if Fraction(value) == number else None


def _written(values: Sequence[object], sides: tuple[Fact, Fact]) -> Iterator[tuple[object, object]]:
    """The point, and where its numbers may be stored as text, as after a change of declarations, their writings."""
    x, y = values
    yield x, y
    texts = [
        None if side.type is not FactType.NUMBER or is_whole(side) or side.root != "profile" else _text(value)
        for side, value in zip(sides, values, strict=True)
    ]
    if texts[0] is not None:
        yield texts[0], y
    if texts[1] is not None:
        yield x, texts[1]
    if texts[0] is not None and texts[1] is not None:
        yield from ((texts[0], texts[1]), (_longer(texts[0]), texts[1]), (texts[0], _longer(texts[1])))


def _text(value: object) -> str:
    return format(Decimal(str(value)), "f")


def _longer(text: str) -> str:
    """The same number with a zero more in front, which among texts puts it elsewhere."""
    return f"-0{text[1:]}" if text.startswith("-") else f"0{text}"
