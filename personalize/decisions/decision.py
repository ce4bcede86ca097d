"""What was decided for one slot, and why."""

from collections.abc import Hashable, Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, NoReturn


class Reason(StrEnum):
    """Why a slot shows what it shows.

    `rule`: a rule won. `otherwise`: no rule had anything to show, and the slot names an item for that.
    `default`: no rule had anything to show, so the site's own markup stays. `unknown_slot`: no slot of this name.
    `degraded`: we could not decide in time or at all, so the site's own markup stays.
    """

    RULE = "rule"
    OTHERWISE = "otherwise"
    DEFAULT = "default"
    UNKNOWN_SLOT = "unknown_slot"
    DEGRADED = "degraded"


@dataclass(frozen=True, slots=True)
class Decision:
    """What one slot shows on one page view.

    `item_ids` in the order shown; empty means the site's own markup stays. `rule_id` is the first rule that
    gave an item. `personal` says that somebody else may get something else, so no shared cache may keep the
    page. `version` is the rule set that decided.
    """

    slot_id: str
    item_ids: tuple[str, ...] = ()
    rule_id: str | None = None
    reason: Reason = Reason.DEFAULT
    personal: bool = False
    version: str | None = None

    def __reduce__(self) -> tuple[type, tuple[object, ...]]:
        """Copied and pickled by its fields, compiled or not."""
        return Decision, (self.slot_id, self.item_ids, self.rule_id, self.reason, self.personal, self.version)


class PageDecisions(dict[str, Decision]):
    """What the slots of one page show, by slot id, in the rule set's order.

    All visitors for whom a page is decided alike may share one. `room` is for who writes it on pages, to keep what came
    of that.
    """

    __slots__ = ("room",)

    def __init__(self, decisions: Iterable[Decision]) -> None:
        super().__init__((one.slot_id, one) for one in decisions)
        self.room: dict[Hashable, Any] = {}

    def __setitem__(self, slot_id: str, decision: Decision) -> NoReturn:
        raise TypeError("what was decided stays as it is")
