"""What time it is: the one place that asks the machine."""

from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import Protocol


class Clock(Protocol):
    """Tells the present moment."""

    def now(self) -> datetime:
        """The present moment, an aware UTC datetime."""


class SystemClock:
    """The clock of the machine."""

    #: The present moment, an aware UTC datetime; every page asks.
    now = partial(datetime.now, UTC)


@dataclass(frozen=True, slots=True)
class FixedClock:
    """A clock that stands still, for tests and for serving a moment of the past."""

    moment: datetime

    def now(self) -> datetime:
        """Always the same moment."""
        return self.moment
