"""Why a slot shows what it shows: the same run as serving, with each question's answer written down."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from personalize.decisions.choose import choose
from personalize.decisions.context import Context
from personalize.decisions.counterfactual import Counterfactuals
from personalize.decisions.decide import Notes, decide
from personalize.decisions.decision import Decision
from personalize.decisions.explanation import (
    Difference,
    Explanation,
    Instead,
    RuleResult,
    RuleStep,
    Step,
    WithheldItem,
    Withholding,
)
from personalize.rules.conditions import All, Any, Condition, InSegment, Leaf, Not, questions
from personalize.rules.definitions import Rule
from personalize.rules.describe import Describer
from personalize.rules.index.index import Answers
from personalize.rules.misses.nearest_miss import Change, Miss
from personalize.rules.misses.shortfall import Shortfall
from personalize.rules.ruleset import RuleSet
from personalize.rules.unanswerable import Unanswerable


def explain(
    slot_id: str, context: Context, rule_set: RuleSet, *, shown: frozenset[str] = frozenset(), misses: bool = True
) -> Explanation:
    """Why the slot shows what it shows. `shown` are the items that the page view showed before this slot's page.

    `misses` says whether to look for what would have to be different, which takes longer than all the rest.
    Raises KeyError for a slot that the rule set doesn't have.
    """
    page = rule_set.pages[slot_id]
    slot = rule_set.slots[slot_id]
    notes: Notes = {}
    decisions = decide(page, context, rule_set, shown=shown, notes=notes)
    answers = context.answers(rule_set.index, page.reach)
    what_if = Counterfactuals(slot_id, context, rule_set, answers, shown) if misses else None
    teller = _Teller(slot_id, context, rule_set, answers, decisions, what_if)
    rules = tuple(teller.rule(rule, notes.get((slot_id, rule.rule_id))) for rule in slot.rules)
    return Explanation(decisions[slot_id], slot.title, rules, teller.instead(rules))


class _Teller:
    """Puts the answers of one visitor into words."""

    def __init__(
        self,
        slot_id: str,
        context: Context,
        rule_set: RuleSet,
        answers: Answers,
        decisions: Mapping[str, Decision],
        what_if: Counterfactuals | None,
    ) -> None:
        self._slot = rule_set.slots[slot_id]
        self._context = context
        self._rule_set = rule_set
        self._answers = answers
        self._standing = {item_id: slot for slot, one in decisions.items() for item_id in one.item_ids}
        self._describer = Describer(rule_set.conventions, rule_set.titles)
        self._shortfall = Shortfall(self._describer)
        self._if = what_if

    def rule(self, rule: Rule, items: tuple[str, ...] | None) -> RuleStep:
        conditions = [rule.to] if rule.when is None else [rule.to, rule.when]
        steps = tuple(map(self._step, conditions))
        holds = self._answers.holds((self._slot.slot_id, rule.rule_id))
        unanswered = next(filter(None, (step.unanswered for step in steps)), None)
        result = RuleResult.SHOWS if items else RuleResult.NO_MATCH
        withheld: tuple[WithheldItem, ...] = ()
        if unanswered is not None:
            result = RuleResult.UNANSWERED
        elif holds and items is None:
            result = RuleResult.SLOT_FULL
        elif holds and not items:
            withheld = tuple(self._withheld(rule))
            result = RuleResult.NOTHING_LEFT if withheld else RuleResult.NO_ITEMS
        return RuleStep(
            rule_id=rule.rule_id,
            title=rule.title,
            holds=holds,
            result=result,
            reached=items is not None,
            item_ids=items or (),
            conditions=steps,
            unanswered=unanswered,
            withheld=withheld,
            nearest_miss=() if holds or self._if is None else self._different(self._if.miss(rule)),
        )

    def _withheld(self, rule: Rule) -> Iterator[WithheldItem]:
        """Why none of the rule's items is shown by it."""
        for item_id in self._rule_set.candidates[self._slot.slot_id, rule.rule_id].item_ids:
            item = self._rule_set.library.items[item_id]
            if item.from_at is not None and self._context.now < item.from_at:
                yield WithheldItem(item_id, Withholding.NOT_YET, item.from_at)
            elif not item.is_current(self._context.now):
                yield WithheldItem(item_id, Withholding.EXPIRED, item.until_at)
            else:
                yield WithheldItem(item_id, Withholding.ON_PAGE, slot_id=self._standing.get(item_id))

    def instead(self, steps: Sequence[RuleStep]) -> tuple[Instead, ...]:
        """How each rule that shows nothing would show something."""
        if self._if is None:
            return ()
        found: list[tuple[tuple[int, timedelta], Instead]] = []
        for step, rule in zip(steps, self._slot.rules, strict=True):
            if step.result is RuleResult.SLOT_FULL and (item_ids := self._free(rule)):
                winner = next(one.rule_id for one in steps if one.item_ids)
                found.append(((1, timedelta()), Instead(item_ids, rule.rule_id, move_before=winner)))
            elif step.result is RuleResult.NO_MATCH and (showing := self._if.showing(rule)) is not None:
                different = self._different(showing.miss) or ()
                found.append((showing.miss.weight, Instead(showing.item_ids, rule.rule_id, different)))
        return tuple(instead for _, instead in sorted(found, key=lambda one: one[0]))

    def _free(self, rule: Rule) -> tuple[str, ...]:
        """What the rule would show if it came first."""
        candidates = self._rule_set.candidates[self._slot.slot_id, rule.rule_id]
        own = {item_id for item_id, slot_id in self._standing.items() if slot_id == self._slot.slot_id}
        taken = self._standing.keys() - own
        found = choose(candidates, self._rule_set.library, self._context.now, room=self._slot.holds, taken=taken)
        return tuple(item_id for item_id in found if item_id not in own)

    def _different(self, miss: Miss | None) -> tuple[Difference, ...] | None:
        return None if miss is None else tuple(self._difference(change, miss.at) for change in miss.changes)

    def _difference(self, change: Change, at: datetime) -> Difference:
        leaf, _ = change.asked[0]
        return Difference(
            fact=change.fact.name,
            text=self._shortfall.change(change, at),
            seen=self._describer.seen(leaf, change.before),
            needed=self._describer.value(change.fact, change.after) if change.is_exact else None,
        )

    def _step(self, condition: Condition) -> Step:
        unanswered = self._unanswered(condition)
        step = self._answered(condition, self._answers.walk(condition))
        return step if unanswered is None else replace(step, holds=False, unanswered=unanswered.value)

    def _answered(self, condition: Condition, holds: bool) -> Step:
        said = self._describer.condition
        match condition:
            case (Leaf() as leaf) | Not(Leaf() as leaf):
                return Step(said(condition), holds, self._seen(leaf))
            case InSegment(segment_id) | Not(InSegment(segment_id)):
                return Step(said(condition), holds, parts=(self._step(self._rule_set.segments[segment_id].who),))
            case All(()):
                return Step(said(condition), holds)
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
                    value = self._context[question.fact.name]
                    if isinstance(value, Unanswerable):
                        return value
                elif question.segment_id not in met:
                    met.add(question.segment_id)
                    waiting.append(self._rule_set.segments[question.segment_id].who)
        return None

    def _seen(self, leaf: Leaf) -> str:
        return self._describer.seen(leaf, self._context[leaf.fact.name])


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
