"""An explanation in words, for a terminal, and as JSON, for programs."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import click

from personalize.cli.tables import paragraph
from personalize.decisions.context import Context
from personalize.decisions.decision import Decision, Reason
from personalize.decisions.explain import Explanation, RuleStep, Step
from personalize.problems import quoted
from personalize.rules.definitions import Slot
from personalize.rules.describe import NOT_KNOWN
from personalize.rules.ruleset import RuleSet

_YES, _NO = "YES", "no "
_UNANSWERED = {
    "pending": "no, it is pending: what it asks for is still being counted from the log",
    "raised": "no, it can't be answered: the site's own code raised an error",
}
_INDENT = 2
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
    others = [rule.rule_id for rule in explanation.rules if not rule.reached]
    if others:
        yield ""
        yield paragraph(
            f"not reached, since the slot is full: {', '.join(others)}", first="  ", rest=" " * 5, width=width
        )


def _outcome(explanation: Explanation, of: Slot) -> str:
    decision = explanation.decision
    slot = decision.slot_id
    named = f'{slot} ("{explanation.slot_title}")' if explanation.slot_title not in ("", slot) else slot
    match decision.reason:
        case Reason.RULE:
            text = f"{named} shows {_listed(decision.item_ids)}, by the {_by(explanation)}."
            return f"{text}{_places(len(decision.item_ids), of.holds)}"
        case Reason.OTHERWISE:
            return f"{named} shows {_listed(decision.item_ids)}: no rule has anything to show, so `otherwise` counts."
        case _:
            return f"{named} keeps the site's own markup: no rule has anything to show."


def _by(explanation: Explanation) -> str:
    """The rules that gave something, in words."""
    gave = [quoted(rule.rule_id) for rule in explanation.rules if rule.item_ids]
    return f"rule {gave[0]}" if len(gave) == 1 else f"rules {_listed(gave)}"


def _places(filled: int, holds: int) -> str:
    """What becomes of the places of a slot that were not filled; nothing where there are none."""
    if filled == holds:
        return ""
    rest = range(filled + 1, holds + 1)
    stay = f"the {_ordinal(rest[0])} stays" if len(rest) == 1 else "the others stay"
    return f" {filled} of {holds} places; {stay} empty."


def _ordinal(number: int) -> str:
    return {2: "second", 3: "third", 4: "fourth", 5: "fifth"}.get(number, "last")


def _listed(names: Sequence[str]) -> str:
    return " and ".join(filter(None, (", ".join(names[:-1]), *names[-1:])))


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
    yield _marked(
        rule.holds, paragraph(f"{name}: {_gave(rule, explanation, asked)}", first=head, rest=" " * 5, width=width)
    )
    for step in rule.conditions:
        yield from _step(step, _INDENT + 3, width)


def _gave(rule: RuleStep, explanation: Explanation, asked: Asked) -> str:
    if rule.item_ids:
        return f"YES, it shows {_listed(rule.item_ids)}"
    if rule.unanswered is not None:
        return _UNANSWERED[rule.unanswered]
    if not rule.holds:
        return "no"
    slot = asked.rule_set.slots[explanation.decision.slot_id]
    show = next(one.show for one in slot.rules if one.rule_id == rule.rule_id)
    named = [item.text for item in show.items]
    if show.collection is not None:
        named = list(asked.rule_set.library.tagged(show.collection.text, show.tagged))
    library = asked.rule_set.library
    current = [one for one in named if (item := library.item(one)) is not None and item.is_current(asked.context.now)]
    if not named:
        return "YES, but its collection has no such item"
    if not current:
        return f"YES, but nothing to show: {_listed(named)} is not valid at this moment"
    return f"YES, but nothing to show: {_listed(current)} stands on the page already"


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
    decision: Decision = explanation.decision
    consent = asked.context.consent
    return {
        "slot": decision.slot_id,
        "visitor": asked.visitor,
        "stored": asked.is_stored,
        "at": asked.context.now.isoformat(),
        "version": decision.version,
        "items": list(decision.item_ids),
        "rule": decision.rule_id,
        "reason": str(decision.reason),
        "personal": decision.personal,
        "consent": {
            "granted": None if consent.granted is None else sorted(consent.granted),
            "assumed": not _is_decided(asked),
        },
        "rules": [asdict(rule) for rule in explanation.rules],
    }
