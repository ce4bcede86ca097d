from datetime import timedelta

import pytest

from personalize.profiles.lifecycle import Lifecycle, is_new, state_of
from personalize.profiles.profile import Profile, Visit
from tests.profiles.histories import minutes

LIFECYCLE = Lifecycle()
NOW = minutes(0)
STRANGER = Profile("v:a")


def seen(days_ago: float) -> Profile:
    at = NOW - timedelta(days=days_ago)
    return Profile("v:a", first_seen_at=at, last_seen_at=at)


def visit(number: int, *, started: float = 0, seen_days_before: float | None = None) -> Visit:
    """A visit that started so many minutes ago."""
    at = minutes(-started)
    before = None if seen_days_before is None else at - timedelta(days=seen_days_before)
    return Visit(number, at, at, 1, previous_seen_at=before)


@pytest.mark.parametrize(
    ("profile", "going_on", "state"),
    [
        (STRANGER, visit(1), "new"),
        (STRANGER, visit(1, started=29), "new"),
        (seen(10), visit(1, seen_days_before=10), "active"),
        (seen(0), visit(2, seen_days_before=1), "active"),
        (seen(0), visit(2, seen_days_before=90), "active"),
        (seen(0), visit(2, seen_days_before=90.01), "returned"),
        (seen(0), visit(1, seen_days_before=91), "returned"),
        (STRANGER, None, None),
        (seen(0), None, "active"),
        (seen(30), None, "active"),
        (seen(30.01), None, "cooling"),
        (seen(90), None, "cooling"),
        (seen(90.01), None, "lapsed"),
        (seen(91), visit(7, started=91 * 24 * 60), "lapsed"),
        (seen(40), visit(1, started=40 * 24 * 60), "cooling"),
    ],
)
def test_the_state_says_how_lately_somebody_was_here(
    profile: Profile, going_on: Visit | None, state: str | None
) -> None:
    assert state_of(profile, going_on, NOW, LIFECYCLE) == state


@pytest.mark.parametrize(
    ("profile", "going_on", "expected"),
    [
        (STRANGER, None, True),
        (STRANGER, visit(1), True),
        (STRANGER, visit(2), False),
        (seen(1), None, False),
        (seen(1), visit(1, seen_days_before=1), False),
        (seen(365), visit(1, started=365 * 24 * 60), False),
    ],
)
def test_new_is_who_is_on_a_first_visit_with_nothing_known_before(
    profile: Profile, going_on: Visit | None, expected: bool
) -> None:
    assert is_new(profile, going_on, NOW, LIFECYCLE) is expected
