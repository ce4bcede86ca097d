"""What went well and what did not, counted: the same figures for the health page, the log and the tests."""

import logging
from collections import Counter
from collections.abc import Mapping
from datetime import datetime

from personalize.decisions.decision import Decision, Reason
from personalize.errors import EventRefused

logger = logging.getLogger("personalize")

#: How many different slot names are counted apart; the rest share one name, so that no request can fill memory.
MOST_SLOTS = 500
_OTHERS = "(other)"


class Health:
    """Counters of one worker since it started."""

    def __init__(self) -> None:
        self.slots: dict[str, Counter[str]] = {}
        self.failures: Counter[str] = Counter()
        self.last_failure: Mapping[str, str] | None = None
        self._told: set[str] = set()

    def decided(self, decision: Decision, *, filled: bool) -> None:
        """Count what became of a slot."""
        counted = self.slots.get(decision.slot_id) or self._counter(decision.slot_id)
        counted["filled" if filled else decision.reason.value] += 1
        if decision.reason is Reason.UNKNOWN_SLOT:
            name = decision.slot_id if decision.slot_id in self.slots else _OTHERS
            self.tell_once(f"slot {name}", "the page has a slot %r that no rule file defines", name)

    def _counter(self, slot_id: str) -> Counter[str]:
        """The counter of a slot that was not met before."""
        name = slot_id if len(self.slots) < MOST_SLOTS else _OTHERS
        return self.slots.setdefault(name, Counter())

    def failed(self, what: str, error: BaseException | None, at: datetime) -> None:
        """Count a failure, keep it for the health page, and log it; never with a visitor's id in it."""
        self.failures[what] += 1
        kind = type(error).__name__ if error is not None else ""
        self.last_failure = {"what": what, "error": kind, "at": at.isoformat(timespec="seconds")}
        if self.failures[what] & (self.failures[what] - 1) == 0:  # the 1st, 2nd, 4th, 8th … of a kind
            logger.warning("%s (%d times): %s", what, self.failures[what], _said(error))

    def tell_once(self, about: str, message: str, *args: object) -> None:
        """Log a finding that would otherwise come with every page."""
        if about not in self._told and len(self._told) < MOST_SLOTS:
            self._told.add(about)
            logger.warning(message, *args)


def _said(error: BaseException | None) -> str:
    """The kind of an error and our own errors' words; a foreign message, and one about an event, may hold
    personal data."""
    if error is None:
        return ""
    if isinstance(error, EventRefused):
        return f"{error.code}: {error.discreet}"
    own = type(error).__module__.startswith("personalize.")
    return f"{type(error).__name__}: {error}" if own else type(error).__name__
