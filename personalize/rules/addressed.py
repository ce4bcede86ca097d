"""Conditions as they are told to the visitor whom they are about: "your last purchase is more than 90 days ago"."""

import re
from collections.abc import Iterator, Mapping

from personalize.rules.conditions import All, Any, Condition, InSegment, Leaf, Not
from personalize.rules.conventions import Conventions
from personalize.rules.definitions import Rule, Segment
from personalize.rules.spoken import Spoken

#: What is said of the visitor, with what is said to them.
_TO_YOU: Mapping[str, str] = {"their": "your", "them": "you", "they": "you"}
_ABOUT = re.compile(r"\b(" + "|".join(sorted(_TO_YOU, key=len, reverse=True)) + r")\b")
#: Words of the site's own stand in quotes, and stay as they are.
_QUOTED = re.compile(r'("[^"]*")')


class Addressed(Spoken):
    """Says conditions to the visitor. What segments are called is for the editors: their conditions are told."""

    def __init__(self, conventions: Conventions, segments: Mapping[str, Segment]) -> None:
        super().__init__(conventions)
        self._segments = segments

    def reasons(self, rule: Rule) -> tuple[str, ...]:
        """What the rule asks of a visitor and of the moment, a clause each; none where it is for everybody."""
        clauses = tuple(self.condition(part) for part in _parts(self._opened(rule.to)))
        return clauses if rule.when is None else (*clauses, str(rule.when.argument))

    def clause(self, text: str) -> str:
        """The words of one question, said to whom it is about."""
        parts = _QUOTED.split(text)
        said = (part if part.startswith('"') else _ABOUT.sub(lambda one: _TO_YOU[one[0]], part) for part in parts)
        return "".join(said)

    def _opened(self, condition: Condition) -> Condition:
        """The condition with those of segments in their place, so that groups are bracketed as they have to be."""
        match condition:
            case InSegment(segment_id):
                return self._opened(self._segments[segment_id].who)
            case Leaf():
                return condition
            case Not(part):
                return Not(self._opened(part))
            case All(parts):
                return All(tuple(map(self._opened, parts)))
            case Any(parts):
                return Any(tuple(map(self._opened, parts)))


def _parts(condition: Condition) -> Iterator[Condition]:
    """The parts that all have to hold."""
    if isinstance(condition, All):
        for part in condition.parts:
            yield from _parts(part)
    else:
        yield condition
