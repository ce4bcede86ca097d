"""The tests that rule files carry: what personas must see, and whom segments and rules must reach or must not."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypeAlias

from personalize.decisions.context import Context, RequestFacts
from personalize.decisions.decide import Notes, decide
from personalize.decisions.evidence import Evidence, evidence
from personalize.problems import Problem, Problems, quoted
from personalize.rules.conditions import EVERYONE, Condition
from personalize.rules.definitions import Example, Expected, Named, Persona, Rule, Slot
from personalize.rules.index.index import Answers
from personalize.rules.pages import RuleKey
from personalize.rules.ruleset import RuleSet
from personalize.runtime.offline import persona_context
from personalize.settings import Settings
from personalize.yaml_tree import Place

#: How many answers a message names; what a long rule came out by is for `personalize explain`.
_MOST_NAMED = 3


@dataclass(frozen=True, slots=True)
class Sight:
    """A persona, and what they must see in one slot."""

    persona: Persona
    expected: Expected

    @property
    def name(self) -> str:
        """`persona olav sees home-hero`."""
        return f"persona {self.persona.persona_id} sees {self.expected.slot.text}"

    @property
    def place(self) -> Place:
        """Where it is written."""
        return self.expected.place


@dataclass(frozen=True, slots=True)
class Membership:
    """An example of a segment (its id) or of a rule (slot and id)."""

    of: str | RuleKey
    number: int
    example: Example

    @property
    def what(self) -> str:
        """`segment tent-people`, `rule home-hero/lunch`."""
        return f"segment {self.of}" if isinstance(self.of, str) else f"rule {'/'.join(self.of)}"

    @property
    def name(self) -> str:
        """`segment tent-people example 1`."""
        return f"{self.what} example {self.number}"

    @property
    def place(self) -> Place:
        """Where it is written."""
        return self.example.place


Trial: TypeAlias = Sight | Membership


def trials(rule_set: RuleSet) -> tuple[Trial, ...]:
    """All that the files say must come out in a certain way: personas, segments, then rules, in their order."""
    sights = (Sight(persona, expected) for persona in rule_set.personas.values() for expected in persona.sees)
    examples: list[tuple[str | RuleKey, Sequence[Example]]] = [
        *((segment.segment_id, segment.examples) for segment in rule_set.segments.values()),
        *(((slot.slot_id, rule.rule_id), rule.examples) for slot in rule_set.slots.values() for rule in slot.rules),
    ]
    members = (Membership(of, number, one) for of, several in examples for number, one in enumerate(several, 1))
    return (*sights, *members)


def run_trials(rule_set: RuleSet, settings: Settings, problems: Problems, *, now: datetime) -> int:
    """Collect what comes out otherwise than the files say, and give how many were run. `now` is the moment of those
    that name none."""
    tried = trials(rule_set)
    problems.extend(filter(None, (outcome(trial, rule_set, settings, now=now) for trial in tried)))
    return len(tried)


def outcome(trial: Trial, rule_set: RuleSet, settings: Settings, *, now: datetime) -> Problem | None:
    """What is wrong where it comes out otherwise, with the answers that decided it; None where all is well."""
    visitor = trial.persona if isinstance(trial, Sight) else trial.example.visitor
    moment = visitor.at if visitor.at is not None else now
    context = persona_context(visitor, rule_set, settings, now=moment, facts=RequestFacts())
    run = _Run(rule_set, context)
    return run.sight(trial) if isinstance(trial, Sight) else run.membership(trial)


@dataclass(frozen=True, slots=True)
class _Run:
    """The rules as one made-up visitor meets them at one moment."""

    rule_set: RuleSet
    context: Context

    def membership(self, trial: Membership) -> Problem | None:
        """Whether the conditions hold as the example says."""
        index, of = self.rule_set.index, trial.of
        reach = index.reach((), (of,)) if isinstance(of, str) else index.reach((of,))
        answers = self.context.answers(index, reach)
        holds = answers.in_segment(of) if isinstance(of, str) else answers.holds(of)
        if holds == trial.example.matches:
            return None
        said = "matches" if holds else "does not match"
        condition = self.rule_set.segments[of].who if isinstance(of, str) else self._rule(of).condition
        hint = _because(evidence(condition, self.context, self.rule_set, answers), condition)
        return _problem("E280", f"the example {said} the {trial.what}", trial.place, hint)

    def _rule(self, key: RuleKey) -> Rule:
        return next(rule for rule in self.rule_set.slots[key[0]].rules if rule.rule_id == key[1])

    def sight(self, trial: Sight) -> Problem | None:
        """Whether the persona sees what it must."""
        slot, expected = self.rule_set.slots[trial.expected.slot.text], _ids(trial.expected.items)
        notes: Notes = {}
        page = self.rule_set.pages[slot.slot_id]
        seen = decide(page, self.context, self.rule_set, notes=notes)[slot.slot_id].item_ids
        if seen == expected:
            return None
        message = (
            f"the persona {quoted(trial.persona.persona_id)} sees {_shown(seen)} in {slot.slot_id}, "
            f"not {_shown(expected)}"
        )
        return _problem("E281", message, trial.place, self._why(slot, expected, seen, notes))

    def _why(self, slot: Slot, expected: Sequence[str], seen: Sequence[str], notes: Notes) -> str:
        """Why the first item that is missed is not shown; else which rule shows one that is too many."""
        missed = next((item_id for item_id in expected if item_id not in seen), None)
        if missed is not None:
            return self._why_not(slot, missed, notes)
        extra = next((item_id for item_id in seen if item_id not in expected), None)
        if extra is None:
            return "the same items come in another order"
        by = next((rule for rule in slot.rules if extra in notes.get((slot.slot_id, rule.rule_id), ())), None)
        if by is None:
            return f"no rule has anything to show, and `otherwise` says {extra}"
        return f"the rule {quoted(by.rule_id)} shows {extra}{self._answers_of(slot, by)}"

    def _why_not(self, slot: Slot, item_id: str, notes: Notes) -> str:
        keys = ((rule, (slot.slot_id, rule.rule_id)) for rule in slot.rules)
        able = [(rule, key) for rule, key in keys if item_id in self.rule_set.candidates[key].item_ids]
        if not able:
            return f"no rule of {slot.slot_id} shows {item_id}"
        rule, key = next(((one, key) for one, key in able if self._holds(key)), able[0])
        name = quoted(rule.rule_id)
        if not self._holds(key):
            return f"the rule {name} shows it, but does not match{self._answers_of(slot, rule)}"
        if key not in notes:
            winner = next(one.rule_id for one in slot.rules if notes.get((slot.slot_id, one.rule_id)))
            return f"the rule {name} matches, but {quoted(winner)} stands before it and has filled the slot"
        return f"the rule {name} matches, but the item is not valid at this moment, or stands on the page already"

    def _holds(self, key: RuleKey) -> bool:
        return self._answers(key[0]).holds(key)

    def _answers(self, slot_id: str) -> Answers:
        page = self.rule_set.pages[slot_id]
        return self.context.answers(self.rule_set.index, page.reach)

    def _answers_of(self, slot: Slot, rule: Rule) -> str:
        answers = self._answers(slot.slot_id)
        because = _because(evidence(rule.condition, self.context, self.rule_set, answers), rule.condition)
        return f": {because}"


def _because(found: Sequence[Evidence], condition: Condition) -> str:
    if condition == EVERYONE:
        return "it is for everyone"
    more = f"; and {len(found) - _MOST_NAMED} more" if len(found) > _MOST_NAMED else ""
    return "; ".join(map(str, found[:_MOST_NAMED])) + more


def _ids(named: Iterable[Named]) -> tuple[str, ...]:
    return tuple(one.text for one in named)


def _shown(item_ids: Sequence[str]) -> str:
    return " and ".join(item_ids) or "the site's own markup"


def _problem(code: str, message: str, place: Place, hint: str) -> Problem:
    return Problem(code, message, place.file, place.line, place.column, hint, length=max(1, place.length))
