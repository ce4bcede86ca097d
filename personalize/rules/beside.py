"""Questions about two facts: one fact beside another, or beside a part of it and something more or less.

The two values together are the value of one fact, a `Pair`; so a question about it is a leaf like any other.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from decimal import Context, Decimal
from types import MappingProxyType
from typing import TypeAlias

from personalize.rules.fact_values import decimal_number
from personalize.rules.facts import PAIR_ROOT, Fact, FactType
from personalize.rules.operators import OPERATORS, Operator

Step: TypeAlias = int | Decimal | timedelta

_EXACT = Context(prec=1000)
_HUNDRED = Decimal(100)


@dataclass(frozen=True, slots=True)
class Pair:
    """A value of a fact, and one of the fact that it is compared with."""

    left: object
    right: object


@dataclass(frozen=True, slots=True)
class Beside:
    """What a fact is compared with: `other`, or so many percent of it, with `plus` added (less than nothing: taken
    away)."""

    other: Fact
    percent: int | Decimal | None = None
    plus: Step | None = None

    @property
    def takes_away(self) -> bool:
        """Whether less than the other fact is meant."""
        return self.plus < timedelta() if isinstance(self.plus, timedelta) else self.plus is not None and self.plus < 0

    def bound(self, value: object) -> object:
        """The limit that a value of the other fact makes; None where it makes none."""
        if self.percent is None and self.plus is None:
            return value
        if isinstance(value, date):
            return self._moved(value)
        number = decimal_number(value) if isinstance(value, str) else value
        if isinstance(number, bool) or not isinstance(number, int | Decimal) or isinstance(self.plus, timedelta):
            return None
        part = Decimal(number) if self.percent is None else _EXACT.multiply(number, self.percent) / _HUNDRED
        return part if self.plus is None else _EXACT.add(part, self.plus)

    def _moved(self, value: date) -> date | None:
        try:
            return value + self.plus if isinstance(self.plus, timedelta) else None
        except OverflowError:
            return None


def pair_fact(left: Fact, beside: Beside) -> Fact:
    """The fact whose value are the values of both; where one of them folds, texts are compared so."""
    right = beside.other
    fold = left.fold or right.fold
    return Fact(
        f"{left.name} beside {right.name}{' in any case' if fold else ''}",
        PAIR_ROOT,
        left.name,
        FactType.PAIR,
        fold=fold,
        stored=left.stored or right.stored,
        personal=left.personal or right.personal,
        title=left.title,
        parts=(left, right),
    )


def pairs(left: object, right: object, *, fold: bool) -> object:
    """The value of a pair fact: each element of one with each of the other; None where one is missing."""
    if left is None or right is None:
        return None
    found = [Pair(_folded(one, fold=fold), _folded(other, fold=fold)) for one in _all(left) for other in _all(right)]
    return found if len(found) != 1 else found[0]


def _all(value: object) -> list[object]:
    return value if isinstance(value, list) else [value]


def _folded(value: object, *, fold: bool) -> object:
    return value.casefold() if fold and isinstance(value, str) else value


def _beside(operator: Operator) -> Operator:
    """The operator, asked about a pair: its own predicate about the left value, with the limit of the right one."""

    def holds(element: object, argument: object, now: datetime) -> bool:
        assert isinstance(argument, Beside)
        limit = argument.bound(element.right) if isinstance(element, Pair) else None
        return isinstance(element, Pair) and limit is not None and operator.holds(element.left, limit, now)

    return replace(operator, types=frozenset({FactType.PAIR}), holds=holds, cuts=None, reads_as=None)


#: The operators that compare a fact with another one, by their word.
BESIDE: Mapping[str, Operator] = MappingProxyType(
    {
        word: _beside(OPERATORS[word])
        for word in ("same_as", "at_least", "more_than", "at_most", "less_than", "before", "after")
    }
)
