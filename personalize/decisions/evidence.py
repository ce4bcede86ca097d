"""Which questions decided a condition: what somebody has to look at who expected another answer."""

from collections.abc import Iterator
from dataclasses import dataclass

from personalize.decisions.context import Context
from personalize.rules.conditions import All, Any, Condition, InSegment, Leaf, Not
from personalize.rules.describe import NOT_KNOWN, Describer
from personalize.rules.index.index import Answers
from personalize.rules.ruleset import RuleSet


@dataclass(frozen=True, slots=True)
class Evidence:
    """One question in words, its answer, and the value that it looked at."""

    text: str
    holds: bool
    seen: str

    def __str__(self) -> str:
        seen = self.seen if self.seen == NOT_KNOWN else f"seen: {self.seen}"
        return f"{self.text}: {'yes' if self.holds else 'no'} ({seen})"


def evidence(condition: Condition, context: Context, rule_set: RuleSet, answers: Answers) -> tuple[Evidence, ...]:
    """The questions that a condition came out by, each once: of a group that fails the parts that fail, of one that
    any part is enough for those that hold. Questions inside of segments are among them."""
    describer = Describer(rule_set.conventions, {one.segment_id: one.title for one in rule_set.segments.values()})
    leaves = dict.fromkeys(_deciding(condition, rule_set, answers))
    return tuple(
        Evidence(describer.condition(leaf), answers.answer(leaf), describer.seen(leaf, context[leaf.fact.name]))
        for leaf in leaves
    )


def _deciding(condition: Condition, rule_set: RuleSet, answers: Answers) -> Iterator[Leaf]:
    match condition:
        case Leaf():
            yield condition
        case InSegment(segment_id):
            yield from _deciding(rule_set.segments[segment_id].who, rule_set, answers)
        case Not(part):
            yield from _deciding(part, rule_set, answers)
        case All(parts) | Any(parts):
            outcome = answers.walk(condition)
            for part in parts:
                if answers.walk(part) == outcome:
                    yield from _deciding(part, rule_set, answers)
