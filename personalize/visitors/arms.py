"""Arms: what stands for visitors who let us measure and nothing else. One of a thousand, drawn by chance, and shared by
all who drew the same, so that it tells nobody apart.

A visitor's place in splits follows from the arm, and what was shown is counted under it. Nothing else is kept.
"""

import re
from collections.abc import Sequence
from typing import Final

#: What the ids of arms begin with, where those of visitors stand in the log.
ARM_PREFIX: Final = "a:"
ARMS: Final = 1_000
#: For how long a browser keeps its arm, which is never renewed: thirteen months, as the CNIL has it for measuring
#: without consent.
LONGEST_DAYS = 395

_WRITTEN: Final = re.compile(r"0|[1-9][0-9]{0,2}")


def arm_from(chance: bytes) -> str:
    """The arm that random bytes draw: `a:0` to `a:999`."""
    return f"{ARM_PREFIX}{int.from_bytes(chance) % ARMS}"


def arm_in(cookie_values: Sequence[str]) -> str | None:
    """The arm that all values of the cookie name; None where there is none, or they contradict one another."""
    written = set(cookie_values)
    if len(written) != 1 or _WRITTEN.fullmatch(text := written.pop()) is None:
        return None
    return f"{ARM_PREFIX}{text}"


def arm_as_text(arm: str) -> str:
    """The arm as its cookie has it. It needs no signature: whoever changes it moves themselves, and nobody else."""
    return arm.removeprefix(ARM_PREFIX)


def is_arm(profile_id: str) -> bool:
    """Whether an id names an arm, and no visitor."""
    return profile_id.startswith(ARM_PREFIX)


def all_arms() -> Sequence[str]:
    """Every arm that there is."""
    return [f"{ARM_PREFIX}{number}" for number in range(ARMS)]
