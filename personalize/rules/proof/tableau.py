"""Whether statements about the values of several facts can all be true together, by search.

Each fact has a few values, its samples, and a statement about it is a set of them as bits of an integer. What must
be so narrows the samples that are left; where one of several statements must be true, those that can't be any more
fall away, and the rest are tried one after the other. This is the method of analytic tableaux (Smullyan 1968) with
the unit propagation of Davis, Putnam, Logemann and Loveland (1962), over sets of values in place of truth values.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeAlias

#: How many statements a search looks at before it gives up.
MOST_WORK = 40_000


@dataclass(frozen=True, slots=True)
class Is:
    """The value of a fact is among these samples."""

    fact: int
    samples: int


@dataclass(frozen=True, slots=True)
class Has:
    """A list holds an element among these samples."""

    fact: int
    samples: int


@dataclass(frozen=True, slots=True)
class Lacks:
    """A list holds no element among these samples."""

    fact: int
    samples: int


@dataclass(frozen=True, slots=True)
class Every:
    """All parts are true."""

    parts: tuple["Statement", ...] = ()


@dataclass(frozen=True, slots=True)
class Either:
    """At least one part is true."""

    parts: tuple["Statement", ...] = ()


Statement: TypeAlias = Is | Has | Lacks | Every | Either
TRUE = Every()
FALSE = Either()


class OutOfWorkError(Exception):
    """The search has looked at as much as it may."""


def every(parts: Iterable[Statement]) -> Statement:
    """All of these, statements about one fact put together."""
    single: dict[int, int] = {}
    others: dict[Statement, None] = {}
    for part in _flat(parts, Every):
        if part == FALSE:
            return FALSE
        if isinstance(part, Is):
            single[part.fact] = single.get(part.fact, part.samples) & part.samples
        else:
            others[part] = None
    if 0 in single.values():
        return FALSE
    kept = (*(Is(fact, samples) for fact, samples in single.items()), *others)
    return kept[0] if len(kept) == 1 else Every(kept)


def either(parts: Iterable[Statement], every_sample: Sequence[int]) -> Statement:
    """One of these, statements about one fact put together; `every_sample` are all samples of each fact."""
    single: dict[tuple[type[Is] | type[Has], int], int] = {}
    others: dict[Statement, None] = {}
    for part in _flat(parts, Either):
        if part == TRUE or (isinstance(part, Is) and part.samples == every_sample[part.fact]):
            return TRUE
        if isinstance(part, Is | Has):
            key = (type(part), part.fact)
            single[key] = single.get(key, 0) | part.samples
        else:
            others[part] = None
    if any(kind is Is and samples == every_sample[fact] for (kind, fact), samples in single.items()):
        return TRUE
    kept = (*(kind(fact, samples) for (kind, fact), samples in single.items()), *others)
    return kept[0] if len(kept) == 1 else Either(kept)


def _flat(parts: Iterable[Statement], group: type[Every] | type[Either]) -> Iterator[Statement]:
    for part in parts:
        if isinstance(part, group):
            yield from part.parts
        else:
            yield part


def parts_of(statement: Statement) -> Iterator[Statement]:
    """The statements about one fact each that a statement is put together from."""
    if isinstance(statement, Every | Either):
        for part in statement.parts:
            yield from parts_of(part)
    else:
        yield statement


class Tableau:
    """What is left of each fact's samples on one branch of a search, and what lists have to hold.

    Bit 0 of a list's samples is that there is no list; the others are elements that it may hold.
    """

    __slots__ = ("_work", "left", "needs")

    def __init__(self, left: Iterable[int], needs: dict[int, tuple[int, ...]] | None = None) -> None:
        self.left = list(left)
        self.needs = needs or {}
        self._work = [MOST_WORK]

    def branch(self) -> "Tableau":
        """The same, to be narrowed apart; both draw on one measure of work."""
        other = Tableau(self.left, dict(self.needs))
        other._work = self._work
        return other

    def search(self, statements: Iterable[Statement]) -> "Tableau | None":
        """A branch on which all of these are true whatever samples are chosen of those left; None where none is.

        Raises OutOfWorkError where that can't be found out in a bounded time.
        """
        waiting: list[Either] = []
        if not all(self._take(statement, waiting) for statement in statements):
            return None
        settled = self._settle(waiting)
        if not settled:
            return None if settled is None else self
        chosen = min(settled, key=lambda one: len(one.parts))
        rest = [one for one in settled if one is not chosen]
        before: list[Statement] = []
        for part in chosen.parts:
            found = self.branch().search([part, *before, *rest])
            if found is not None:
                return found
            before += self._opposite(part)
        return None

    def _settle(self, waiting: list[Either]) -> list[Either] | None:
        """Take what follows until nothing does; what is still open, or None where there is a contradiction."""
        while True:
            still: list[Either] = []
            followed = False
            for group in waiting:
                parts = self._possible(group)
                if parts is None:
                    continue
                if len(parts) > 1:
                    still.append(group if len(parts) == len(group.parts) else Either(parts))
                elif not parts or not self._take(parts[0], still):
                    return None
                else:
                    followed = True
            waiting = still
            if not followed:
                return waiting

    def _possible(self, group: Either) -> tuple[Statement, ...] | None:
        """The parts that may be true, or None where one of them is."""
        parts = []
        for part in group.parts:
            answer = self.answer(part)
            if answer:
                return None
            if answer is None:
                parts.append(part)
        return tuple(parts)

    def answer(self, statement: Statement) -> bool | None:
        """Whether a statement is true by what is left; None where it may be either."""
        self._work[0] -= 1
        if self._work[0] < 0:
            raise OutOfWorkError
        if isinstance(statement, Every | Either):
            answers = [self.answer(part) for part in statement.parts]
            settling = isinstance(statement, Either)
            return settling if settling in answers else None if None in answers else not settling
        left = self.left[statement.fact]
        inside = left & statement.samples
        if isinstance(statement, Is):
            return False if not inside else None if inside != left else True
        if not inside:
            return isinstance(statement, Lacks)
        needed = any(not need & left & ~statement.samples for need in self.needs.get(statement.fact, ()))
        return isinstance(statement, Has) if needed else None

    def _take(self, statement: Statement, waiting: list[Either]) -> bool:
        """Narrow what is left to where the statement is true; groups are put to those waiting. False: it can't be."""
        if isinstance(statement, Every):
            return all(self._take(part, waiting) for part in statement.parts)
        if isinstance(statement, Either):
            waiting.append(statement)
            return bool(statement.parts)
        fact = statement.fact
        if isinstance(statement, Has):
            self.left[fact] &= ~1
            self.needs[fact] = (*self.needs.get(fact, ()), statement.samples)
        else:
            self.left[fact] &= statement.samples if isinstance(statement, Is) else ~statement.samples
        left = self.left[fact]
        return left != 0 and all(need & left for need in self.needs.get(fact, ()))

    def _opposite(self, statement: Statement) -> list[Statement]:
        """What is so where a statement about one fact is not, as far as it is as simple."""
        match statement:
            case Is(fact, samples):
                return [Is(fact, self.left[fact] & ~samples)]
            case Has(fact, samples):
                return [Lacks(fact, samples)]
            case Lacks(fact, samples):
                return [Has(fact, samples)]
        return []
