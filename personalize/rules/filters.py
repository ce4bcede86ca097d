"""Conditions on one value alone: which events of a type a `did` counts, and which element of a list will do."""

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from personalize.rules.conditions import EVERYONE, All, Any, Condition, InSegment, Leaf, Not, leaves
from personalize.rules.equality import Listed
from personalize.rules.fact_values import fact_value
from personalize.rules.facts import Fact, FactType
from personalize.rules.paths import follow

#: A filter of events asks nothing about the present moment, so any moment gives the same answer.
_NO_MOMENT = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Filter:
    """A condition on the properties of one event, on one element of a list, or on the number of its elements."""

    condition: Condition

    def matches(self, value: object, now: datetime = _NO_MOMENT) -> bool:
        """Whether the event with these properties counts, or the element will do."""
        return _holds(self.condition, value, now)

    def leaves(self) -> Iterator[Leaf]:
        """All questions of the filter, those of filters inside it too."""
        for leaf in leaves(self.condition):
            yield leaf
            if isinstance(leaf.argument, Filter):
                yield from leaf.argument.leaves()

    def counter_key(self, event_type: str) -> str:
        """The name of the counter of such events: the same event and filter give the same one in every rule set."""
        return hashlib.sha256(f"{event_type}\n{self.canonical()}".encode()).hexdigest()[:16]

    def canonical(self) -> str:
        """The filter as a text that is the same for the same meaning, whatever its order in the file."""
        return _canonical(self.condition)


EVERY_EVENT = Filter(EVERYONE)
#: What the filter of `size` asks about.
HOW_MANY = Fact("the number of elements", "element", "", FactType.NUMBER)


def _holds(condition: Condition, value: object, now: datetime) -> bool:
    match condition:
        case Leaf():
            return condition.holds(_fact_value(condition.fact, value), now)
        case Not():
            return not _holds(condition.part, value, now)
        case All():
            return all(_holds(part, value, now) for part in condition.parts)
        case Any():
            return any(_holds(part, value, now) for part in condition.parts)
        case InSegment():
            raise AssertionError("a filter names no segment")


def _fact_value(fact: Fact, value: object) -> object:
    """What a fact is of this value: what its key leads to, by way of all elements of lists, and its path from there.

    Without a key it is the value itself, of whatever type, or what the path leads to inside it.
    """
    if not fact.key:
        return follow(value, fact.path)
    reached = _along(value, fact.key.split("."))
    if fact.path:
        found = [follow(one, fact.path) for one in reached]
    elif fact.many:
        found = [element for one in reached for element in (one if isinstance(one, list) else [one])]
    else:
        found = reached
    typed = [one for each in found if (one := fact_value(each, fact.type)) is not None]
    if not fact.many:
        return next(iter(typed), None)
    is_empty = bool(reached) and not found
    return typed if typed or is_empty else None


def _along(value: object, path: list[str]) -> list[object]:
    """What stands at the end of a dotted path; every element of a list on the way is followed."""
    if not path:
        return [value]
    if isinstance(value, list):
        return [found for element in value for found in _along(element, path)]
    if isinstance(value, Mapping) and path[0] in value:
        return _along(value[path[0]], path[1:])
    return []


def _canonical(condition: Condition) -> str:
    match condition:
        case Leaf():
            cast = "" if condition.cast is None else f" as {condition.cast.type} {condition.cast.zone}"
            fold = " fold" if condition.fold else ""
            return f"{condition.fact.name} {condition.word} {_written(condition.argument)}{fold}{cast}"
        case Not():
            return f"not({_canonical(condition.part)})"
        case All():
            return "all(" + ",".join(sorted(map(_canonical, condition.parts))) + ")"
        case Any():
            return "any(" + ",".join(sorted(map(_canonical, condition.parts))) + ")"
        case InSegment():
            raise AssertionError("a filter names no segment")


def _written(argument: object) -> str:
    if isinstance(argument, Filter):
        return argument.canonical()
    return str(sorted(map(repr, argument))) if isinstance(argument, Listed) else repr(argument)
