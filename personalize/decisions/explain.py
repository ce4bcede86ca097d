"""Why a slot shows what it shows: the same run as serving, with each question's answer written down."""

from dataclasses import dataclass

from personalize.decisions.context import Context
from personalize.decisions.decide import decide
from personalize.decisions.decision import Decision
from personalize.rules.conditions import All, Any, Condition, InSegment, Leaf, Not
from personalize.rules.definitions import Rule
from personalize.rules.describe import Describer
from personalize.rules.index import Answers
from personalize.rules.ruleset import RuleSet


@dataclass(frozen=True, slots=True)
class Step:
    """One condition with its answer. `seen` is the value that a single question looked at, in words.

    `parts` are the conditions inside a group, a `not` or a segment.
    """

    text: str
    holds: bool
    seen: str | None = None
    parts: tuple["Step", ...] = ()


@dataclass(frozen=True, slots=True)
class RuleStep:
    """One rule of the slot: whether its people and its time fit, and what it gave to the slot.

    `reached` is false for a rule behind the one that filled the slot.
    """

    rule_id: str
    title: str
    holds: bool
    reached: bool
    item_ids: tuple[str, ...]
    conditions: tuple[Step, ...]


@dataclass(frozen=True, slots=True)
class Explanation:
    """A decision and how each rule of the slot came out."""

    decision: Decision
    slot_title: str
    rules: tuple[RuleStep, ...]


def explain(slot_id: str, context: Context, rule_set: RuleSet) -> Explanation:
    """Why the slot shows what it shows. Raises KeyError for a slot that the rule set doesn't have."""
    page = rule_set.pages[slot_id]
    slot = rule_set.slots[slot_id]
    decision = decide(page, context, rule_set)[slot_id]
    answers = rule_set.index.answers(page.reach, context.values, context.now)
    teller = _Teller(context, rule_set, answers)
    rules: list[RuleStep] = []
    left = list(decision.item_ids)
    for rule in slot.rules:
        reached = bool(left) or not any(step.item_ids for step in rules) or len(decision.item_ids) < slot.holds
        given = _given(rule, left, rule_set) if teller.rule_holds(slot_id, rule) else ()
        left = [item_id for item_id in left if item_id not in given]
        rules.append(teller.rule(slot_id, rule, reached=reached, item_ids=given))
    return Explanation(decision, slot.title, tuple(rules))


def _given(rule: Rule, left: list[str], rule_set: RuleSet) -> tuple[str, ...]:
    """Of the items still to be accounted for, those that came from this rule: rules fill a slot in order."""
    if rule.show.collection is not None:
        own = rule_set.library.tagged(rule.show.collection.text, rule.show.tagged)
    else:
        own = tuple(named.text for named in rule.show.items)
    given: list[str] = []
    for item_id in left[: rule.show.limit]:
        if item_id not in own:
            break
        given.append(item_id)
    return tuple(given)


class _Teller:
    """Puts the answers of one visitor into words."""

    def __init__(self, context: Context, rule_set: RuleSet, answers: Answers) -> None:
        titles = {segment_id: segment.title for segment_id, segment in rule_set.segments.items()}
        self._context = context
        self._rule_set = rule_set
        self._answers = answers
        self._describer = Describer(rule_set.conventions, titles)

    def rule_holds(self, slot_id: str, rule: Rule) -> bool:
        return self._answers.holds((slot_id, rule.rule_id))

    def rule(self, slot_id: str, rule: Rule, *, reached: bool, item_ids: tuple[str, ...]) -> RuleStep:
        conditions = [self._step(rule.to)] if rule.when is None else [self._step(rule.to), self._step(rule.when)]
        return RuleStep(rule.rule_id, rule.title, self.rule_holds(slot_id, rule), reached, item_ids, tuple(conditions))

    def _step(self, condition: Condition) -> Step:
        text = self._describer.condition(condition)
        holds = self._answers.walk(condition)
        match condition:
            case Leaf():
                return Step(text, holds, self._seen(condition))
            case Not(part=Leaf() as leaf):
                return Step(text, holds, self._seen(leaf))
            case InSegment():
                return Step(text, holds, parts=(self._step(self._rule_set.segments[condition.segment_id].who),))
            case Not():
                return Step(text, holds, parts=(self._step(condition.part),))
            case All() | Any():
                return Step(text, holds, parts=tuple(map(self._step, condition.parts)))

    def _seen(self, leaf: Leaf) -> str:
        return self._describer.value(leaf.fact, self._context.values[leaf.fact.name])
