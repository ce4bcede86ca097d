"""The state of a visitor: how lately we saw them tells more than what they like."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from personalize.profiles.profile import Profile, Visit


@dataclass(frozen=True, slots=True)
class Lifecycle:
    """After how long a visit ends, a visitor is cooling, and has lapsed."""

    visit_ends_after: timedelta = timedelta(minutes=30)
    cooling_after: timedelta = timedelta(days=30)
    lapsed_after: timedelta = timedelta(days=90)


def is_new(profile: Profile, visit: Visit | None) -> bool:
    """Whether nothing is known of this visitor from before the given visit."""
    if visit is None:
        return profile.first_seen_at is None
    return visit.number == 1 and visit.previous_seen_at is None


def state_of(profile: Profile, visit: Visit | None, now: datetime, lifecycle: Lifecycle) -> str | None:
    """`new`, `active`, `cooling`, `lapsed` or `returned`; None for a visitor who was never seen.

    `returned` is somebody who had lapsed when the visit of this moment began; without a visit going on, the
    time since they were last seen decides.
    """
    on_visit = visit is not None and now - visit.last_page_at <= lifecycle.visit_ends_after
    if on_visit and visit is not None:
        if is_new(profile, visit):
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
