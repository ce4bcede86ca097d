"""When a visitor was seen: first, last, and before that."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from personalize.light_values import replace
from personalize.profiles.profile import Changes, Profile, Visit


def seen_at(profile: Profile, visit: Visit | None, at: datetime, ends_after: timedelta) -> Changes:
    """What changes of a profile, on its newest visit, when the visitor was seen at this moment, too; moments may arrive
    in any order."""
    first, last = profile.first_seen_at, profile.last_seen_at
    if first is None or last is None:
        return {"first_seen_at": at, "last_seen_at": at, "visit": visit}
    newest = max(last, at)
    before = latest_before((profile.seen_before_at, last, at), newest - ends_after)
    if visit is not None and at < visit.started_at - ends_after:
        visit = replace(visit, previous_seen_at=max(visit.previous_seen_at or at, at))
    return {"first_seen_at": min(first, at), "last_seen_at": newest, "seen_before_at": before, "visit": visit}


def last_seen_before(profile: Profile, at: datetime, ends_after: timedelta) -> datetime | None:
    """When the visitor was last seen before a visit that begins at this moment; None for the first one.

    What was recorded shortly before a visit's first page view (by the code of that very page, say) belongs
    to that visit, so it does not count.
    """
    visit = profile.visit
    from_visit = () if visit is None else (visit.last_page_at, visit.previous_seen_at)
    return latest_before((profile.last_seen_at, profile.seen_before_at, *from_visit), at - ends_after)


def latest_before(moments: Iterable[datetime | None], limit: datetime) -> datetime | None:
    """The latest of the moments that lies before the limit."""
    latest: datetime | None = None
    for moment in moments:  # no generator: every page view asks
        if moment is not None and moment < limit and (latest is None or moment > latest):
            latest = moment
    return latest
