"""How often something must have happened, and how lately: what `did` asks."""

from dataclasses import dataclass
from datetime import timedelta


@dataclass(frozen=True, slots=True)
class Times:
    """The argument of `did`: at least `count` times, the latest `count` of them within the duration."""

    count: int
    within: timedelta | None = None
