"""What went well and what did not, counted: the same figures for the health page, the log and the tests."""

import logging
from collections import Counter
from collections.abc import Mapping
from datetime import datetime

from personalize.decisions.decision import Reason
from personalize.errors import EventRefused

logger = logging.getLogger("personalize")

#: How many different slot names are counted apart; the rest share one name, so that no request can fill memory.
MOST_SLOTS = 500
_OTHERS = "(other)"
#: How many different pages, by what became of their slots, are counted whole.
_MOST_TOGETHER = 200
#: What became of a slot that shows what was decided.
FILLED = "filled"


class Health:
    """Counters of one worker since it started. `units_changed` are logins of people whom splits had placed before, who
    came from a browser that splits had placed, too. `webhooks` counts what became of messages, by webhook and
    outcome."""

    def __init__(self) -> None:
        self.failures: Counter[str] = Counter()
        self.skipped: Counter[str] = Counter()
        self.units_changed = 0
        self.webhooks: dict[str, Counter[str]] = {}
        self.last_failure: Mapping[str, str] | None = None
        self._slots: dict[str, Counter[str]] = {}
        self._met: dict[tuple[tuple[str, str], ...], list[int]] = {}
        self._told: set[str] = set()

    def met(self, outcomes: tuple[tuple[str, str], ...]) -> None:
        """Count what became of slots that were met together, as (slot id, `FILLED` or the reason why not).

        Most pages are like others before them, so they are counted whole, and sorted by slot when somebody asks.
        """
        count = self._met.get(outcomes)  # in a list, so that outcomes are looked up, and hashed, but once
        if count is None:
            if len(self._met) >= _MOST_TOGETHER:
                self._sort()
            self._tell_unknown(outcomes)
            count = self._met[outcomes] = [0]
        count[0] += 1

    def delivered(self, hook: str, outcome: str) -> None:
        """Count what became of a message to this webhook."""
        self.webhooks.setdefault(hook, Counter())[outcome] += 1

    def skip_page(self, reason: str) -> None:
        """Count a page whose slots could not be looked for."""
        self.skipped[reason] += 1

    @property
    def slots(self) -> Mapping[str, Mapping[str, int]]:
        """How often each slot was met, by its id and by what became of it."""
        self._sort()
        return self._slots

    def _sort(self) -> None:
        """Add what was met together to the counters of the slots."""
        for outcomes, (count,) in self._met.items():
            for slot_id, outcome in outcomes:
                name = slot_id if slot_id in self._slots or len(self._slots) < MOST_SLOTS else _OTHERS
                self._slots.setdefault(name, Counter())[outcome] += count
        self._met.clear()

    def _tell_unknown(self, outcomes: tuple[tuple[str, str], ...]) -> None:
        for slot_id, outcome in outcomes:
            if outcome == Reason.UNKNOWN_SLOT:
                self.tell_once(f"slot {slot_id}", "the page has a slot %r that no rule file defines", slot_id)

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
