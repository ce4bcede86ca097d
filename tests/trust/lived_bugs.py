"""Bugs that the state machine has to find; each is planted into a process of its own."""

from typing import Any

from personalize.runtime import personalizer
from personalize.visitors import identity
from personalize.visitors.tokens import TokenReading


def answers_too_soon() -> None:
    """Events are said to be kept before they are written."""
    from tests.served.sites import hasty  # noqa: F401, PLC0415  it plants itself


def keeps_what_was_withdrawn() -> None:
    """A withdrawal removes the cookie and nothing else."""

    async def nothing(*_: Any, **__: Any) -> int:
        return 0

    personalizer.withdraw = nothing  # type: ignore[attr-defined]


def loses_what_was_before_a_login() -> None:
    """A login takes nothing over from its browser."""
    with_login = identity._with_login

    def alone(user_id: str, reading: TokenReading | None, *rest: Any) -> identity.Identity:
        return with_login(user_id, None, *rest)

    identity._with_login = alone
