"""What a condition is, once it is read: a tree of all, any and not over questions about single facts."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import TypeAlias

from personalize.rules.casts import Cast
from personalize.rules.days import Days
from personalize.rules.equality import Listed
from personalize.rules.facts import Fact, FactType
from personalize.rules.operators import Asked, Operator
from personalize.rules.scales import FOLDED_TEXTS, TEXTS, Cuts
from personalize.yaml_tree import Place

#: As a tuple: `list | tuple` would be put together anew each time a question is asked.
_SEVERAL = (list, tuple)


@dataclass(frozen=True, slots=True)
class Leaf:
    """One question about one fact. Two leaves that ask the same are equal, wherever they were written.

    `argument` is as the operator read it, case-folded already where `fold` compares without regard to case. With a
    `cast`, values are read as another type than they have before they are asked.
    """

    fact: Fact
    operator: Operator = field(compare=False)
    word: str
    argument: object
    fold: bool = False
    cast: Cast | None = None
    place: Place | None = field(default=None, compare=False)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Leaf):
            return NotImplemented
        # Whether it is 1 is not whether it is true, though Python takes the two for equal.
        is_same = self.word == other.word and type(self.argument) is type(other.argument)
        return is_same and self._told == other._told

    @property
    def _told(self) -> tuple[object, ...]:
        return (self.argument, self.fact, self.fold, self.cast)

    def __hash__(self) -> int:
        # Of the parts that tell most apart: loading looks up tens of thousands of leaves.
        return hash((self.fact.name, self.word, self.argument))

    def cuts(self) -> Cuts | None:
        """Where its answer for one element can change; None where that can't be said, as of values of any type."""
        if self.cast is not None or self.fact.type is FactType.ANY:
            return None
        found = self.operator.cuts(self.argument) if self.operator.cuts is not None else None
        return replace(found, scale=FOLDED_TEXTS) if found is not None and self.fold and found.scale is TEXTS else found

    @property
    def asked(self) -> Asked:
        """What it is asked of where the fact's value is a list. Of what takes either only the elements matter if no
        list is among its values: a list equals nothing but a list."""
        is_plain = (
            self.cast is None
            and isinstance(self.argument, Listed)
            and not any(isinstance(one, _SEVERAL) for one in self.argument)
        )
        return Asked.EACH if self.operator.asked is Asked.EITHER and is_plain else self.operator.asked

    @property
    def uses_now(self) -> bool:
        """Whether the answer may change as time goes by."""
        return self.operator.uses_now or isinstance(self.argument, Days)

    def holds(self, value: object, now: datetime) -> bool:
        """Whether it holds for the fact's value: never for a missing one. Of a list, any element will do, unless the
        operator is asked of the list as a whole."""
        if value is None:
            return False
        if isinstance(value, _SEVERAL) and self.operator.asked is not Asked.WHOLE:
            if any(self.holds_for(element, now) for element in value):
                return True
            return self.operator.asked is Asked.EITHER and self.holds_for(value, now)
        return self.holds_for(value, now)

    def holds_for(self, value: object, now: datetime) -> bool:
        """Whether it holds for one present value: for one element, or for a list as a whole."""
        if self.cast is not None:
            value = self.cast.read(value)
        if self.fold:
            value = _folded(value)
        return self.operator.holds(value, self.argument, now)


def _folded(value: object) -> object:
    if isinstance(value, str):
        return value.casefold()
    return [_folded(one) for one in value] if isinstance(value, _SEVERAL) else value


@dataclass(frozen=True, slots=True)
class InSegment:
    """Whether the visitor is in a segment."""

    segment_id: str
    place: Place | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class Not:
    """The exact opposite of a condition."""

    part: "Condition"


@dataclass(frozen=True, slots=True)
class All:
    """Every part holds; without parts it always does."""

    parts: tuple["Condition", ...] = ()


@dataclass(frozen=True, slots=True)
class Any:
    """At least one part holds; without parts it never does."""

    parts: tuple["Condition", ...] = ()


Condition: TypeAlias = Leaf | InSegment | Not | All | Any

EVERYONE = All()


def questions(condition: Condition) -> Iterator[Leaf | InSegment]:
    """The single questions of a condition in the order written; those inside its segments are not among them."""
    waiting = [condition]
    while waiting:
        one = waiting.pop()
        if isinstance(one, Leaf | InSegment):
            yield one
        elif isinstance(one, Not):
            waiting.append(one.part)
        else:
            waiting += reversed(one.parts)


def leaves(condition: Condition) -> Iterator[Leaf]:
    """The questions about facts."""
    return (one for one in questions(condition) if isinstance(one, Leaf))


def segments_named(condition: Condition) -> Iterator[InSegment]:
    """The segments that a condition names itself."""
    return (one for one in questions(condition) if isinstance(one, InSegment))


def everything(*parts: Condition) -> Condition:
    """All of these; a single one stays itself."""
    kept = tuple(part for part in parts if part != EVERYONE)
    return kept[0] if len(kept) == 1 else All(kept)
