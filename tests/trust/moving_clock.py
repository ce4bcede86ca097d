"""A clock that goes where a test says, backwards too."""

from dataclasses import dataclass
from datetime import datetime


@dataclass
class MovingClock:
    """Tells the moment that it was moved to."""

    moment: datetime

    def now(self) -> datetime:
        """The moment that it stands at."""
        return self.moment
