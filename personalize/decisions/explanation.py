"""What an explanation tells: a decision, how each rule of the slot came out, and what would show something else."""

from dataclasses import asdict, dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from personalize.decisions.decision import Decision


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


class RuleResult(StrEnum):
    """How a rule came out.

    `shows`: it gave something to the slot. `no_match`: its people or its time don't fit. `unanswered`: nobody can
    tell now whether they fit. `slot_full`: it matches, and a rule before it has filled the slot. `nothing_left`: it
    matches, and each of its items is withheld. `no_items`: it matches, and its collection has no item for it.
    """

    SHOWS = "shows"
    NO_MATCH = "no_match"
    UNANSWERED = "unanswered"
    SLOT_FULL = "slot_full"
    NOTHING_LEFT = "nothing_left"
    NO_ITEMS = "no_items"


class Withholding(StrEnum):
    """Why an item is not shown: it is not valid yet, not any more, or it stands on the page already."""

    NOT_YET = "not_yet"
    EXPIRED = "expired"
    ON_PAGE = "on_page"


@dataclass(frozen=True, slots=True)
class WithheldItem:
    """An item that a matching rule could not show. `at` is when it begins or has ended; `slot_id` is where on the
    page it stands, None where it stood there before the page's slots were decided."""

    item_id: str
    why: Withholding
    at: datetime | None = None
    slot_id: str | None = None


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing that would have to be different. `fact` is its name, `now.instant` for the moment.

    `text` asks for it in words. `seen` is the present value in words, `needed` one that would do; None where any
    would that gives the answers that are asked for.
    """

    fact: str
    text: str
    seen: str
    needed: str | None


@dataclass(frozen=True, slots=True)
class RuleStep:
    """One rule of the slot: whether its people and its time fit, and what it gave to the slot.

    `reached` is false for a rule behind the one that filled the slot. `unanswered` says why a rule can't be
    answered now, as in its steps. `withheld` are its items where it has nothing left to show. `nearest_miss` is the
    least that would have to be different for it to match, all of it together: empty where it matches or nobody asked,
    None where nothing would do, as for a rule that can't be answered.
    """

    rule_id: str
    title: str
    holds: bool
    result: RuleResult
    reached: bool
    item_ids: tuple[str, ...]
    conditions: tuple[Step, ...]
    unanswered: str | None = None
    withheld: tuple[WithheldItem, ...] = ()
    nearest_miss: tuple[Difference, ...] | None = ()


@dataclass(frozen=True, slots=True)
class Instead:
    """How the slot would show these items: by what would have to be `different` of the visitor or the moment, or,
    where the rule matches already, by moving it before another one."""

    item_ids: tuple[str, ...]
    rule_id: str
    different: tuple[Difference, ...] = ()
    move_before: str | None = None


@dataclass(frozen=True, slots=True)
class Explanation:
    """A decision, how each rule of the slot came out, and how something else would be shown `instead`: what needs
    the least comes first, at most one way a rule."""

    decision: Decision
    slot_title: str
    rules: tuple[RuleStep, ...]
    instead: tuple[Instead, ...]

    def as_values(self) -> dict[str, Any]:
        """The same for programs, by names: texts, numbers, lists; moments are datetimes."""
        decision = self.decision
        return {
            "slot": decision.slot_id,
            "version": decision.version,
            "items": list(decision.item_ids),
            "rule": decision.rule_id,
            "reason": str(decision.reason),
            "personal": decision.personal,
            "rules": [asdict(rule) for rule in self.rules],
            "instead": [asdict(way) for way in self.instead],
        }
