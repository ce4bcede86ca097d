"""Why the log does not take an event, however well it fits its declaration."""

from dataclasses import dataclass
from enum import StrEnum

from personalize.events.event import Event


class Refusal(StrEnum):
    """Why the log does not take an event: it names somebody who was erased, or occurred before the oldest of which
    the log is complete."""

    ERASED = "erased"
    TOO_OLD = "too_old"


_REASONS = {
    Refusal.ERASED: "the visitor was erased, and what happened before that is not taken any more",
    Refusal.TOO_OLD: "it is older than what the log still has, so nobody could say whether it was counted before",
}


@dataclass(frozen=True, slots=True)
class Refused:
    """An event that the log does not take, and why not."""

    event: Event
    why: Refusal

    @property
    def reason(self) -> str:
        """The same as a sentence, without any value of the event."""
        return _REASONS[self.why]
