"""The `where` of a `did`: which events of a type count, by their properties alone."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from personalize.events.event import JSONValue
from personalize.rules.conditions import EVERYONE, All, Any, Condition, InSegment, Leaf, Not
from personalize.rules.describe import Describer
from personalize.rules.equality import Listed
from personalize.rules.fact_values import fact_value

#: A filter asks nothing about the present moment, so any moment gives the same answer.
_NO_MOMENT = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Filter:
    """A condition on the properties of one event."""

    condition: Condition

    def matches(self, properties: Mapping[str, JSONValue]) -> bool:
        """Whether an event with these properties counts."""
        return _holds(self.condition, properties)

    def describe(self, describer: Describer) -> str:
        """The filter in words, ready to follow the event's title; empty where every event counts."""
        return "" if self.condition == EVERYONE else f", where {describer.condition(self.condition)},"

    def canonical(self) -> str:
        """The filter as a text that is the same for the same meaning, whatever its order in the file."""
        return _canonical(self.condition)


def _holds(condition: Condition, properties: Mapping[str, JSONValue]) -> bool:
    match condition:
        case Leaf():
            return condition.holds(_value(properties, condition), _NO_MOMENT)
        case Not():
            return not _holds(condition.part, properties)
        case All():
            return all(_holds(part, properties) for part in condition.parts)
        case Any():
            return any(_holds(part, properties) for part in condition.parts)
        case InSegment():
            raise AssertionError("a filter of events names no segment")


def _value(properties: Mapping[str, JSONValue], leaf: Leaf) -> object:
    found = list(_along(properties, leaf.fact.key.split(".")))
    typed = [value for one in found if (value := fact_value(one, leaf.fact.type)) is not None]
    if not typed:
        return None
    return typed if leaf.fact.many else typed[0]


def _along(value: object, path: list[str]) -> list[object]:
    """What stands at the end of a dotted path; every element of a list on the way is followed."""
    if isinstance(value, list):
        return [found for element in value for found in _along(element, path)]
    if not path:
        return [value]
    if isinstance(value, Mapping) and path[0] in value:
        return _along(value[path[0]], path[1:])
    return []


def _canonical(condition: Condition) -> str:
    match condition:
        case Leaf():
            argument = condition.argument
            written = sorted(map(repr, argument)) if isinstance(argument, Listed) else repr(argument)
            return f"{condition.fact.name} {condition.word} {written}{' fold' if condition.fold else ''}"
        case Not():
            return f"not({_canonical(condition.part)})"
        case All():
            return "all(" + ",".join(sorted(map(_canonical, condition.parts))) + ")"
        case Any():
            return "any(" + ",".join(sorted(map(_canonical, condition.parts))) + ")"
        case InSegment():
            raise AssertionError("a filter of events names no segment")
