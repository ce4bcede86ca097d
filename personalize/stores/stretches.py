"""Stretches of the profiles, by which much work is cut into pieces."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Stretch:
    """A stretch of the profiles in order of their ids: those beyond the id `after`, up to `until` and with it.

    None is without an end, so `Stretch()` is all of them.
    """

    after: str = ""
    until: str | None = None

    def holds(self, profile_id: str) -> bool:
        """Whether this id lies in the stretch."""
        return profile_id > self.after and (self.until is None or profile_id <= self.until)


ALL_PROFILES = Stretch()


def stretches_between(ends: Sequence[str]) -> Sequence[Stretch]:
    """All profiles in stretches that end at these ids, which are in order; the last one has no end."""
    return [Stretch(*ends_of) for ends_of in zip(("", *ends), (*ends, None), strict=True)]
