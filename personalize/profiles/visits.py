"""Visits: page views of one visitor without a long pause between them."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from personalize.profiles.profile import Visit


@dataclass(frozen=True, slots=True)
class PageFacts:
    """What a page view says of where its visit comes from."""

    path: str | None = None
    source: str | None = None
    medium: str | None = None
    campaign: str | None = None


def visit_with_page(
    visit: Visit | None,
    page: PageFacts,
    at: datetime,
    last_seen_at: datetime | None,
    ends_after: timedelta,
) -> Visit:
    """The visit that a page view at this moment belongs to, with that page counted.

    It goes on where the last page is at most `ends_after` ago; otherwise a new one begins with this page's
    source. A page view that arrives late, from before the visit began, counts a page and changes nothing else.
    """
    if visit is None or at - visit.last_page_at > ends_after:
        return Visit(
            number=1 if visit is None else visit.number + 1,
            started_at=at,
            last_page_at=at,
            pages=1,
            landing_path=page.path,
            source=page.source,
            medium=page.medium,
            campaign=page.campaign,
            previous_seen_at=last_seen_at,
        )
    return replace(visit, pages=visit.pages + 1, last_page_at=max(visit.last_page_at, at))
