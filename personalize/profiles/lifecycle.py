"""The state of a visitor: how lately we saw them tells more than what they like."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from personalize.profiles.profile import Profile, Visit


@dataclass(frozen=True, slots=True)
class Lifecycle:
    """After how long a visit ends, a visitor is cooling, and has lapsed; and an interest is half as heavy."""

    visit_ends_after: timedelta = timedelta(minutes=30)
    cooling_after: timedelta = timedelta(days=30)
    lapsed_after: timedelta = timedelta(days=90)
    interest_half_life: timedelta = timedelta(days=30)


def is_new(profile: Profile, visit: Visit | None, now: datetime, lifecycle: Lifecycle) -> bool:
    """Whether this moment belongs to the visitor's first visit and nothing is known from before it.

    Somebody whose first visit is over is not new any more; somebody who was never seen is.
    """
    if visit is not None and _goes_on(visit, now, lifecycle):
        return visit.number == 1 and visit.previous_seen_at is None
    return visit is None and profile.first_seen_at is None


def state_of(profile: Profile, visit: Visit | None, now: datetime, lifecycle: Lifecycle) -> str | None:
    """`new`, `active`, `cooling`, `lapsed` or `returned`; None for a visitor who was never seen.

    `returned` is somebody who had lapsed when the visit of this moment began; without a visit going on, the
    time since they were last seen decides.
    """
    if visit is not None and _goes_on(visit, now, lifecycle):
        if is_new(profile, visit, now, lifecycle):
            return "new"
        before = visit.previous_seen_at
        returned = before is not None and visit.started_at - before > lifecycle.lapsed_after
        return "returned" if returned else "active"
    if profile.last_seen_at is None:
        return None
    silent_for = now - profile.last_seen_at
    if silent_for > lifecycle.lapsed_after:
        return "lapsed"
    return "cooling" if silent_for > lifecycle.cooling_after else "active"


def _goes_on(visit: Visit, now: datetime, lifecycle: Lifecycle) -> bool:
    return now - visit.last_page_at <= lifecycle.visit_ends_after
