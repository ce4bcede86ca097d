"""What would have to be different for a rule to match, and for its items to be shown: tried out before it is said."""

from dataclasses import dataclass
from datetime import datetime

from personalize.decisions.context import Context
from personalize.decisions.decide import Notes, decide
from personalize.rules.conditions import All, Condition, Not
from personalize.rules.definitions import Rule
from personalize.rules.index.index import Answers
from personalize.rules.misses.nearest_miss import Miss, NearestMisses
from personalize.rules.ruleset import RuleSet


@dataclass(frozen=True, slots=True)
class Showing:
    """What would have to be different for a slot to show these items, which it doesn't show now."""

    item_ids: tuple[str, ...]
    miss: Miss


class Counterfactuals:
    """Asks what one slot would show to the same visitor if something were different.

    `answers` are those of the page as it is. What is found is asked of the index and of `decide` before it is
    given; only a change that no value can be named for is taken on trust.
    """

    def __init__(
        self, slot_id: str, context: Context, rule_set: RuleSet, answers: Answers, shown: frozenset[str]
    ) -> None:
        self._slot_id = slot_id
        self._context = context
        self._rule_set = rule_set
        self._shown = shown
        self._page = rule_set.pages[slot_id]
        self._now_shown = self._items(context)
        self._conditions = {rule.rule_id: rule.condition for rule in rule_set.slots[slot_id].rules}
        segments = {segment_id: segment.who for segment_id, segment in rule_set.segments.items()}
        self._alone: dict[str, tuple[Miss | None, Context]] = {}
        self._misses = NearestMisses(segments, self._values_at, answers.answer, context.now)

    def miss(self, rule: Rule) -> Miss | None:
        """The least that would have to be different for the rule to match; None where nothing would do."""
        miss, context = self._nearest(rule)
        if miss is None or not miss.is_exact:
            return miss
        answers = context.answers(self._rule_set.index, self._page.reach)
        return miss if answers.holds((self._slot_id, rule.rule_id)) else None

    def showing(self, rule: Rule) -> Showing | None:
        """The least that would have to be different for the slot to show something else, by this rule.

        First what makes the rule match; where rules before it would still fill the slot, what makes them fail, too.
        """
        # All that the rule has is shown already: nothing would be new.
        if self._now_shown.issuperset(self._rule_set.candidates[self._slot_id, rule.rule_id].item_ids):
            return None
        conditions: list[Condition] = [rule.condition]
        for is_alone in (True, False):
            miss, context = self._nearest(rule) if is_alone else self._tried(All(tuple(conditions)))
            if miss is None or not miss.is_exact:
                return None
            notes: Notes = {}
            items = self._items(context, notes)
            new = tuple(one for one in notes.get((self._slot_id, rule.rule_id), ()) if one in items - self._now_shown)
            if new:
                return Showing(new, miss)
            conditions += [Not(self._conditions[one]) for one in self._before(rule.rule_id, notes)]
        return None

    def _nearest(self, rule: Rule) -> tuple[Miss | None, Context]:
        """What the rule alone needs, looked for once."""
        if rule.rule_id not in self._alone:
            self._alone[rule.rule_id] = self._tried(rule.condition)
        return self._alone[rule.rule_id]

    def _tried(self, condition: Condition) -> tuple[Miss | None, Context]:
        """What a condition needs, and the page view with it."""
        miss = self._misses.of(condition)
        if miss is None or not miss.is_exact:
            return miss, self._context
        return miss, self._context.otherwise(miss.values, now=miss.at)

    def _before(self, rule_id: str, notes: Notes) -> list[str]:
        """The rules that gave something before this one."""
        ids = list(self._conditions)
        return [one for one in ids[: ids.index(rule_id)] if notes.get((self._slot_id, one))]

    def _items(self, context: Context, notes: Notes | None = None) -> frozenset[str]:
        notes = {} if notes is None else notes
        decisions = decide(self._page, context, self._rule_set, shown=self._shown, notes=notes)
        return frozenset(decisions[self._slot_id].item_ids)

    def _values_at(self, moment: datetime) -> Context:
        return self._context.otherwise({}, now=moment)
