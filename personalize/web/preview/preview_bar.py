"""What a preview adds to a page: attributes on slots, and at its end labels and a bar that says why. No script."""

import re
from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path

from markupsafe import escape

from personalize.decisions.decision import Reason
from personalize.decisions.explanation import Explanation, RuleResult, RuleStep, Step
from personalize.problems import quoted
from personalize.rules.describe import NOT_KNOWN
from personalize.runtime.preview import OpenPreview, PreviewPageView

#: Slots that get a label; further ones are outlined and stand in the bar.
MOST_LABELS = 50
_LABEL_RULES = "".join(
    f'[data-personalize-slot="{number}"]{{anchor-name:--personalize-{number}}}'
    f".personalize-label-{number}{{position-anchor:--personalize-{number}}}\n"
    for number in range(1, MOST_LABELS + 1)
)
#: Labels, outlines and the bar; what allows it by its hash needs just this text.
STYLE = Path(__file__).with_name("preview.css").read_text(encoding="utf-8") + _LABEL_RULES

# A comment can be read in one way only, or many of them without a tag behind would take for ever.
_FIRST_TAG = re.compile(r"(?:\s|<!--(?:(?!-->).)*-->)*<[a-zA-Z][^\s/>]*", re.DOTALL)


class SlotMarks:
    """Numbers the slots of a page in the order in which they are met, and marks their elements.

    Only attributes are added: an element more would change what the site's own style sheet makes of its neighbours.
    A slot that holds no element gets no outline.
    """

    def __init__(self) -> None:
        self._numbers: dict[str, int] = {}
        self._labelled: set[str] = set()

    @property
    def slot_ids(self) -> tuple[str, ...]:
        """The slots met so far, in the order of their numbers."""
        return tuple(self._numbers)

    @property
    def labels(self) -> str:
        """A label for each slot of which an element is marked."""
        named = [
            f'<span class="personalize-label-{number}">{number} {escape(slot_id)}</span>'
            for slot_id, number in self._numbers.items()
            if slot_id in self._labelled and number <= MOST_LABELS
        ]
        return f'<div class="personalize-labels" aria-hidden="true" hidden>{"".join(named)}</div>' if named else ""

    def meet(self, slot_id: str) -> None:
        """Give the slot the next number, where it has none yet."""
        self._numbers.setdefault(slot_id, len(self._numbers) + 1)

    def marked(self, slot_id: str, markup: str) -> str:
        """The markup of a slot, or of one item in it, with its first element marked."""
        tag = _FIRST_TAG.match(markup)
        if tag is None:
            return markup
        self.meet(slot_id)
        name = "item" if slot_id in self._labelled else "slot"
        self._labelled.add(slot_id)
        return f'{markup[: tag.end()]} data-personalize-{name}="{self._numbers[slot_id]}"{markup[tag.end() :]}'

    def marked_bytes(self, slot_id: str, markup: bytes) -> bytes:
        """The same for bytes of the page, in any encoding in which markup is ASCII."""
        return self.marked(slot_id, markup.decode("latin-1")).encode("latin-1")


def bar(page_view: PreviewPageView, marks: SlotMarks) -> str:
    """The labels, and the bar: whom the page is shown as, when and by which rules; each slot of it, and why."""
    opened = page_view.opened
    zone = opened.rule_set.conventions.zone
    slots = "".join(f"<li>{_slot(one, page_view.explanations.get(one))}</li>" for one in marks.slot_ids)
    unknown = "".join(f"<p>No rule file defines the slot {_code(one)}.</p>" for one in page_view.unknown)
    told = f"<ol>{slots}</ol>" if slots else "<p>This page has no slot that the rules define.</p>"
    moment, until = (_moment(one.astimezone(zone)) for one in (page_view.now, opened.preview.expires_at))
    return (
        f'<style>{STYLE}</style>{marks.labels}<aside class="personalize-preview" aria-label="Preview"><details>'
        f"<summary><strong>Preview</strong> as {_whom(opened)}, {moment}</summary><div>"
        f"<p>By the rules {_code(opened.preview.version)}. Nothing is recorded. Links lead to the site as you see it "
        f"yourself. This link works until {until}.</p>{told}{unknown}</div></details></aside>"
    )


def _whom(opened: OpenPreview) -> str:
    persona = opened.persona
    return "a stranger" if persona is None else f"<strong>{escape(persona.title)}</strong>"


def _moment(local: datetime) -> str:
    return str(escape(local.strftime("%Y-%m-%d %H:%M %Z")))


def _code(text: str) -> str:
    return f"<code>{escape(text)}</code>"


def _slot(slot_id: str, explanation: Explanation | None) -> str:
    if explanation is None:
        return f"<p>{_code(slot_id)} could not be decided; the site's log says why.</p>"
    title = explanation.slot_title
    name = _code(slot_id) + (f" ({escape(quoted(title))})" if title not in ("", slot_id) else "")
    rules = "".join(_rule(rule) for rule in explanation.rules if rule.reached)
    behind = [rule.rule_id for rule in explanation.rules if not rule.reached]
    more = f"<p>Not reached, since the slot is full: {', '.join(map(_code, behind))}</p>" if behind else ""
    return f"<p>{name} {_outcome(explanation)}</p><ul>{rules}</ul>{more}"


def _outcome(explanation: Explanation) -> str:
    decision = explanation.decision
    items = " and ".join(map(_code, decision.item_ids))
    match decision.reason:
        case Reason.RULE:
            gave = " and ".join(_code(rule.rule_id) for rule in explanation.rules if rule.item_ids)
            return f"shows {items}, by {gave}."
        case Reason.OTHERWISE:
            return f"shows {items}: no rule has anything to show, so <code>otherwise</code> counts."
    return "keeps the site's own markup: no rule has anything to show."


def _rule(rule: RuleStep) -> str:
    title = f" ({escape(quoted(rule.title))})" if rule.title not in ("", rule.rule_id) else ""
    conditions = "".join(_steps(rule.conditions))
    return f"<li>{_answer(rule.holds)} {_code(rule.rule_id)}{title}{_result(rule)}<ul>{conditions}</ul></li>"


def _result(rule: RuleStep) -> str:
    """What the rule gave, or the least that would have to be different for it to match."""
    match rule.result:
        case RuleResult.SHOWS:
            return f", shows {' and '.join(map(_code, rule.item_ids))}"
        case RuleResult.NO_MATCH if rule.nearest_miss:
            return f"; nearest miss: {escape(', and '.join(one.text for one in rule.nearest_miss))}"
        case RuleResult.NOTHING_LEFT | RuleResult.NO_ITEMS:
            return ", but it has nothing to show now"
        case RuleResult.UNANSWERED:
            return ": nobody can tell now"
    return ""


def _steps(steps: Sequence[Step]) -> Iterator[str]:
    for step in steps:
        seen = "" if step.seen is None else f" ({step.seen})" if step.seen == NOT_KNOWN else f" (seen: {step.seen})"
        parts = f"<ul>{''.join(_steps(step.parts))}</ul>" if step.parts else ""
        yield f"<li>{_answer(step.holds)} {escape(step.text + seen)}{parts}</li>"


def _answer(holds: bool) -> str:
    return '<span class="yes">yes</span>' if holds else '<span class="no">no</span>'
