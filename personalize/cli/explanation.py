"""An explanation in words, for a terminal, and as JSON, for programs."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import click

from personalize.cli.tables import paragraph
from personalize.decisions.context import Context
from personalize.decisions.decision import Reason
from personalize.decisions.explanation import (
    Difference,
    Explanation,
    RuleResult,
    RuleStep,
    Step,
    WithheldItem,
    Withholding,
)
from personalize.problems import quoted
from personalize.rules.definitions import Slot
from personalize.rules.describe import NOT_KNOWN, listed
from personalize.rules.ruleset import RuleSet

_YES, _NO = "YES", "no "
_UNANSWERED = {
    "pending": "no, it is pending: what it asks for is still being counted from the log",
    "raised": "no, it can't be answered: the site's own code raised an error",
}
_INDENT = 2
_MOST_NOT_REACHED = 12
_MOST_INSTEAD = 5
#: How the names of visitors begin that the store may know: logged in, or a browser.
STORED_VISITORS = ("u:", "v:")


@dataclass(frozen=True, slots=True)
class Asked:
    """What was asked: about whom (`visitor`, and `told` of them in words), at which moment, of which rules.

    `is_stored` says that the visitor's own profile was read.
    """

    visitor: str
    is_stored: bool
    told: str
    moment: str
    rules: str
    context: Context
    rule_set: RuleSet


def as_text(explanation: Explanation, asked: Asked, *, width: int) -> Iterator[str]:
    """The lines of an explanation: what is shown, who was asked about, and each rule with its conditions."""
    yield paragraph(_outcome(explanation, asked.rule_set.slots[explanation.decision.slot_id]), rest="  ", width=width)
    yield ""
    facts = {
        "visitor": f"{asked.visitor}: {asked.told}",
        "consent": _consent(asked),
        "moment": asked.moment,
        "rules": asked.rules,
    }
    for name, text in facts.items():
        yield paragraph(text, first=f"  {name:<9}", rest=" " * 11, width=width)
    reached = [rule for rule in explanation.rules if rule.reached]
    for number, rule in enumerate(reached, start=1):
        yield ""
        yield from _rule(number, rule, explanation, asked, width)
    others = [rule for rule in explanation.rules if not rule.reached]
    if others:
        yield ""
        yield from _not_reached(others, explanation, width)
    if explanation.instead:
        yield ""
        yield "  To see something else here:"
        yield from _instead(explanation, width)


def _not_reached(others: Sequence[RuleStep], explanation: Explanation, width: int) -> Iterator[str]:
    """The rules behind the one that filled the slot, with one line each on whether they match."""
    yield paragraph(f"  Not reached, since {_by(explanation)} filled the slot before:", width=width)
    for rule in others[:_MOST_NOT_REACHED]:
        text = "it matches, too" if rule.holds else _unanswered(rule) or f"no; {_nearest(rule)}"
        yield paragraph(f"{rule.rule_id}: {text}", first=" " * 5, rest=" " * 7, width=width)
    if len(others) > _MOST_NOT_REACHED:
        yield f"     and {len(others) - _MOST_NOT_REACHED} more, which --format json lists"


def _instead(explanation: Explanation, width: int) -> Iterator[str]:
    misses = {rule.rule_id: rule.nearest_miss for rule in explanation.rules}
    for way in explanation.instead[:_MOST_INSTEAD]:
        if way.move_before is not None:
            text = f'move the rule "{way.rule_id}" before "{way.move_before}": it matches, too'
        elif way.different == misses[way.rule_id]:
            text = f'the nearest miss of the rule "{way.rule_id}" is all it takes'
        else:
            text = f'by the rule "{way.rule_id}", {_asked_for(way.different)}'
        yield paragraph(f"{listed(way.item_ids)}: {text}", first=" " * 5, rest=" " * 7, width=width)
    if len(explanation.instead) > _MOST_INSTEAD:
        yield f"     and {len(explanation.instead) - _MOST_INSTEAD} more, which --format json lists"


def _nearest(rule: RuleStep) -> str:
    """What the rule lacks, in words."""
    if rule.nearest_miss is None:
        return "no change was found that would make it match"
    return f"nearest miss: {_asked_for(rule.nearest_miss)}"


def _asked_for(different: Sequence[Difference]) -> str:
    return ", and ".join(one.text for one in different)


def _outcome(explanation: Explanation, of: Slot) -> str:
    decision = explanation.decision
    slot = decision.slot_id
    named = f'{slot} ("{explanation.slot_title}")' if explanation.slot_title not in ("", slot) else slot
    match decision.reason:
        case Reason.RULE:
            text = f"{named} shows {listed(decision.item_ids)}, by the {_by(explanation)}."
            return f"{text}{_places(len(decision.item_ids), of.holds)}"
        case Reason.OTHERWISE:
            return f"{named} shows {listed(decision.item_ids)}: no rule has anything to show, so `otherwise` counts."
        case _:
            return f"{named} keeps the site's own markup: no rule has anything to show."


def _by(explanation: Explanation) -> str:
    """The rules that gave something, in words."""
    gave = [quoted(rule.rule_id) for rule in explanation.rules if rule.item_ids]
    return f"rule {gave[0]}" if len(gave) == 1 else f"rules {listed(gave)}"


def _places(filled: int, holds: int) -> str:
    """What becomes of the places of a slot that were not filled; nothing where there are none."""
    if filled == holds:
        return ""
    rest = range(filled + 1, holds + 1)
    stay = f"the {_ordinal(rest[0])} stays" if len(rest) == 1 else "the others stay"
    return f" {filled} of {holds} places; {stay} empty."


def _ordinal(number: int) -> str:
    return {2: "second", 3: "third", 4: "fourth", 5: "fifth"}.get(number, "last")


def _consent(asked: Asked) -> str:
    consent = asked.context.consent
    if not asked.is_stored and asked.visitor.startswith(STORED_VISITORS):
        return "no decision is stored, and nothing that it would be needed for"
    if consent.refused:
        return "refused, so nothing that is stored counts"
    purposes = ", ".join(sorted(consent.granted or ()))
    if _is_decided(asked):
        return f"given for {purposes}"
    return f"{'no decision is stored; ' if asked.is_stored else ''}taken as given for {purposes}"


def _is_decided(asked: Asked) -> bool:
    """Whether the visitor has decided: their profile says so, or it is withheld for they have refused."""
    profile = asked.context.profile
    return asked.is_stored and (profile is None or profile.consent.decided)


def _rule(number: int, rule: RuleStep, explanation: Explanation, asked: Asked, width: int) -> Iterator[str]:
    name = f'{rule.rule_id} ("{rule.title}")' if rule.title not in ("", rule.rule_id) else rule.rule_id
    head = f"{number:>3}  "
    yield _marked(rule.holds, paragraph(f"{name}: {_gave(rule, asked)}", first=head, rest=" " * 5, width=width))
    for step in rule.conditions:
        yield from _step(step, _INDENT + 3, width)
    if rule.result is RuleResult.NO_MATCH:
        yield paragraph(_nearest(rule), first=" " * 5, rest=" " * 7, width=width)


def _gave(rule: RuleStep, asked: Asked) -> str:
    match rule.result:
        case RuleResult.SHOWS:
            return f"YES, it shows {listed(rule.item_ids)}"
        case RuleResult.NOTHING_LEFT:
            return f"YES, but nothing to show: {'; '.join(_held_back(rule.withheld, asked))}"
        case RuleResult.NO_ITEMS:
            return "YES, but its collection has no such item"
    return _unanswered(rule) or "no"


def _unanswered(rule: RuleStep) -> str | None:
    return None if rule.unanswered is None else _UNANSWERED[rule.unanswered]


def _held_back(withheld: Sequence[WithheldItem], asked: Asked) -> Iterator[str]:
    """Why items are not shown, those with the same reason together."""
    reasons: dict[str, list[str]] = {}
    for one in withheld:
        reasons.setdefault(_reason(one, asked), []).append(one.item_id)
    return (f"{listed(item_ids)} ({reason})" for reason, item_ids in reasons.items())


def _reason(one: WithheldItem, asked: Asked) -> str:
    at = "" if one.at is None else f"{one.at.astimezone(asked.rule_set.conventions.zone):%Y-%m-%d %H:%M}"
    match one.why:
        case Withholding.NOT_YET:
            return f"not valid before {at}"
        case Withholding.EXPIRED:
            return f"not valid since {at}"
    return f"{'on the page' if one.slot_id is None else f'in {one.slot_id}'} already"


def _step(step: Step, indent: int, width: int) -> Iterator[str]:
    seen = "" if step.seen is None else f" (seen: {step.seen})"
    if step.seen == NOT_KNOWN or step.unanswered is not None:
        seen = seen.replace("seen: ", "", 1)
    mark = _YES if step.holds else _NO
    first = " " * indent + f"{mark}  "
    yield _marked(step.holds, paragraph(step.text + seen, first=first, rest=" " * len(first), width=width))
    for part in step.parts:
        yield from _step(part, indent + _INDENT, width)


def _marked(holds: bool, text: str) -> str:
    """The text with its YES in green, where there are colours."""
    return text.replace(_YES, click.style(_YES, fg="green", bold=True), 1) if holds else text


def as_json(explanation: Explanation, asked: Asked) -> dict[str, Any]:
    """The same for programs."""
    told = explanation.as_values()
    consent = asked.context.consent
    return {
        "slot": told.pop("slot"),
        "visitor": asked.visitor,
        "stored": asked.is_stored,
        "at": asked.context.now.isoformat(),
        **{name: told.pop(name) for name in ("version", "items", "rule", "reason", "personal")},
        "consent": {
            "granted": None if consent.granted is None else sorted(consent.granted),
            "assumed": not _is_decided(asked),
        },
        **told,
    }
