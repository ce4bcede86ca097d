"""Why a slot shows what it shows: the same run as serving, with each question's answer written down."""

from dataclasses import dataclass, replace

from personalize.decisions.context import Context
from personalize.decisions.decide import Notes, decide
from personalize.decisions.decision import Decision
from personalize.rules.conditions import All, Any, Condition, InSegment, Leaf, Not, questions
from personalize.rules.definitions import Rule
from personalize.rules.describe import Describer
from personalize.rules.index import Answers
from personalize.rules.ruleset import RuleSet
from personalize.rules.unanswerable import Unanswerable


@dataclass(frozen=True, slots=True)
class Step:
    """One condition with its answer. `seen` is the value that a single question looked at, in words.

    `parts` are the conditions inside a group, a `not` or a segment. A group's text is only how they belong
    together, since each of them says itself what it asks. One that reads what can't be answered now does not hold,
    and says why in `unanswered`: "pending" or "raised".
    """

    text: str
    holds: bool
    seen: str | None = None
    parts: tuple["Step", ...] = ()
    unanswered: str | None = None


@dataclass(frozen=True, slots=True)
class RuleStep:
    """One rule of the slot: whether its people and its time fit, and what it gave to the slot.

    `reached` is false for a rule behind the one that filled the slot. `unanswered` says why a rule can't be
    answered now, as in its steps.
    """

    rule_id: str
    title: str
    holds: bool
    reached: bool
    item_ids: tuple[str, ...]
    conditions: tuple[Step, ...]
    unanswered: str | None = None


@dataclass(frozen=True, slots=True)
class Explanation:
    """A decision and how each rule of the slot came out."""

    decision: Decision
    slot_title: str
    rules: tuple[RuleStep, ...]


def explain(slot_id: str, context: Context, rule_set: RuleSet, *, shown: frozenset[str] = frozenset()) -> Explanation:
    """Why the slot shows what it shows. `shown` are the items that the page view showed before this slot's page.

    Raises KeyError for a slot that the rule set doesn't have.
    """
    page = rule_set.pages[slot_id]
    slot = rule_set.slots[slot_id]
    notes: Notes = {}
    decision = decide(page, context, rule_set, shown=shown, notes=notes)[slot_id]
    teller = _Teller(context, rule_set, rule_set.index.answers(page.reach, context.values, context.now))
    rules = tuple(teller.rule(slot_id, rule, notes.get((slot_id, rule.rule_id))) for rule in slot.rules)
    return Explanation(decision, slot.title, rules)


class _Teller:
    """Puts the answers of one visitor into words."""

    def __init__(self, context: Context, rule_set: RuleSet, answers: Answers) -> None:
        titles = {segment_id: segment.title for segment_id, segment in rule_set.segments.items()}
        self._context = context
        self._rule_set = rule_set
        self._answers = answers
        self._describer = Describer(rule_set.conventions, titles)

    def rule(self, slot_id: str, rule: Rule, items: tuple[str, ...] | None) -> RuleStep:
        conditions = [rule.to] if rule.when is None else [rule.to, rule.when]
        steps = tuple(map(self._step, conditions))
        return RuleStep(
            rule_id=rule.rule_id,
            title=rule.title,
            holds=self._answers.holds((slot_id, rule.rule_id)),
            reached=items is not None,
            item_ids=items or (),
            conditions=steps,
            unanswered=next(filter(None, (step.unanswered for step in steps)), None),
        )

    def _step(self, condition: Condition) -> Step:
        unanswered = self._unanswered(condition)
        step = self._answered(condition, self._answers.walk(condition))
        return step if unanswered is None else replace(step, holds=False, unanswered=unanswered.value)

    def _answered(self, condition: Condition, holds: bool) -> Step:
        text = self._describer.condition(condition)
        match condition:
            case Leaf():
                return Step(text, holds, self._seen(condition))
            case Not(part=Leaf() as leaf):
                return Step(text, holds, self._seen(leaf))
            case InSegment(segment_id) | Not(InSegment(segment_id)):
                return Step(text, holds, parts=(self._step(self._rule_set.segments[segment_id].who),))
            case All(()):
                return Step(text, holds)
            case All(parts) | Any(parts) | Not(All(parts)) | Not(Any(parts)):
                return Step(_group(condition), holds, parts=tuple(map(self._step, parts)))
            case Not(part):
                return Step("not", holds, parts=(self._step(part),))

    def _unanswered(self, condition: Condition) -> Unanswerable | None:
        """Why a condition can't be answered, if it can't: a fact that it reads, through segments too."""
        waiting, met = [condition], set[str]()
        while waiting:
            for question in questions(waiting.pop()):
                if isinstance(question, Leaf):
                    value = self._context.values[question.fact.name]
                    if isinstance(value, Unanswerable):
                        return value
                elif question.segment_id not in met:
                    met.add(question.segment_id)
                    waiting.append(self._rule_set.segments[question.segment_id].who)
        return None

    def _seen(self, leaf: Leaf) -> str:
        return self._describer.seen(leaf, self._context.values[leaf.fact.name])


def _group(condition: Condition) -> str:
    """How the parts of a group belong together."""
    match condition:
        case All():
            return "all of these"
        case Any():
            return "any of these"
        case Not(All()):
            return "not all of these"
    return "none of these"
