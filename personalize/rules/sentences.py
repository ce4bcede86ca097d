"""Rules as sentences: *Show* this content *to* these people *when* it is this time."""

from collections.abc import Iterator, Mapping, Sequence

from personalize.rules.conditions import All, Any, Condition, InSegment, Leaf, Not, questions
from personalize.rules.conventions import Conventions
from personalize.rules.definitions import MOST_ITEMS, Placement, Rule, Segment, Show, Slot
from personalize.rules.describe import listed
from personalize.rules.spoken import OfWhom, Spoken, is_about_visitor


class Sentences:
    """Says the rules, segments and slots of a site. `titles` are those of its segments, by their id."""

    def __init__(self, conventions: Conventions, titles: Mapping[str, str]) -> None:
        self._spoken = Spoken(conventions, titles)
        self._of_whom = OfWhom(conventions, titles)

    def rule(self, rule: Rule, slot: Slot) -> str:
        """What a rule does, in one sentence."""
        people, circumstances = self._parted(rule.to)
        parts = [f"Show {_shown(rule.show, slot.holds)} to {self._people(people)}"]
        if circumstances:
            parts.append(f"when {self._spoken.condition(_together(circumstances))}")
        if rule.when is not None:
            parts.append(str(rule.when.argument))
        return ", ".join(parts) + "."

    def segment(self, segment: Segment) -> str:
        """Who is in a segment, in one sentence."""
        people, circumstances = self._parted(segment.who)
        when = f", when {self._spoken.condition(_together(circumstances))}" if circumstances else ""
        return f'"{segment.title or segment.segment_id}" is {self._people(people)}{when}.'

    def slot(self, slot: Slot) -> str:
        """What a slot is, in one sentence."""
        kinds = listed([kind.text for kind in slot.accepts], "or")
        kind = f" of the kind {kinds}" if kinds else ""
        page = f' on the page "{slot.page}"' if slot.page else ""
        holds = f"one item{kind}" if slot.holds == 1 else f"up to {slot.holds} items{kind}"
        return f'"{slot.title or slot.slot_id}"{page} holds {holds}.{_placed(slot.placement)}'

    def otherwise(self, slot: Slot) -> str:
        """What a slot shows where no rule has anything to show."""
        if slot.otherwise is None:
            return "Otherwise keep the site's own markup."
        return f"Otherwise show {slot.otherwise.text}."

    def _parted(self, condition: Condition) -> tuple[list[Condition], list[Condition]]:
        """The parts of a condition that ask about the visitor, and those that ask only about the circumstances."""
        parts = list(_flat(condition))
        people = [part for part in parts if _asks_about_visitor(part)]
        return people, [part for part in parts if not _asks_about_visitor(part)]

    def _people(self, parts: Sequence[Condition]) -> str:
        segments = [text for part in parts if (text := self._membership(part)) is not None]
        others = [part for part in parts if self._membership(part) is None]
        clauses = self._of_whom.condition(_together(others)) if others else ""
        if segments and len(others) == 1 and isinstance(others[0], Any):
            clauses = f"for whom either {self._spoken.condition(others[0])}"
        return " ".join(filter(None, ("everyone", listed(segments), clauses)))

    def _membership(self, part: Condition) -> str | None:
        """`in "A"`, `outside "A"`, `in "A" or "B"`; None for what asks more than that."""
        match part:
            case InSegment():
                return f'in "{self._spoken.title(part)}"'
            case Not(InSegment() as segment):
                return f'outside "{self._spoken.title(segment)}"'
            case Any(parts) if parts and all(isinstance(one, InSegment) for one in parts):
                titles = [f'"{self._spoken.title(one)}"' for one in parts if isinstance(one, InSegment)]
                return f"in {listed(titles, 'or')}"
        return None


def _flat(condition: Condition) -> Iterator[Condition]:
    if isinstance(condition, All):
        for part in condition.parts:
            yield from _flat(part)
    else:
        yield condition


def _together(parts: Sequence[Condition]) -> Condition:
    return parts[0] if len(parts) == 1 else All(tuple(parts))


def _asks_about_visitor(condition: Condition) -> bool:
    asked = list(questions(condition))
    return not asked or any(not isinstance(one, Leaf) or is_about_visitor(one) for one in asked)


def _placed(placement: Placement | None) -> str:
    if placement is None:
        return ""
    what = {"inside": "fills", "replace": "takes the place of", "before": "stands before", "after": "stands behind"}
    return f" It {what[placement.how]} the first element that {placement.css} finds."


def _shown(show: Show, holds: int) -> str:
    """What a rule shows, in a slot of so many places."""
    if show.collection is None:
        names = [named.text for named in show.items]
        return listed(names, "or else") if holds == 1 else listed(names)
    most = min(show.limit, holds, MOST_ITEMS)
    items = "the first item" if most == 1 else f"up to {most} items"
    tagged = f" tagged {listed([f'{chr(34)}{tag}{chr(34)}' for tag in show.tagged], 'or')}" if show.tagged else ""
    return f"{items} of {show.collection.text}{tagged}"
