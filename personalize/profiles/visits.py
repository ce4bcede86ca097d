"""Visits: page views of one visitor without a long pause between them."""

from datetime import datetime, timedelta
from typing import Final, Protocol

from personalize.light_values import light_dataclass
from personalize.profiles.profile import Visit


class TellsOrigin(Protocol):
    """What tells where a visit comes from, such as the facts of a request."""

    @property
    def path(self) -> str | None:
        """The page that it landed on."""

    @property
    def source(self) -> str | None:
        """The site or campaign that led here."""

    @property
    def medium(self) -> str | None:
        """By what kind of link."""

    @property
    def campaign(self) -> str | None:
        """Its name."""


@light_dataclass(frozen=False, slots=True)
class PageFacts:
    """What is kept of a page view of where its visit comes from."""

    path: Final[str | None]
    source: Final[str | None]
    medium: Final[str | None]
    campaign: Final[str | None]

    def __init__(
        self,
        path: str | None = None,
        source: str | None = None,
        medium: str | None = None,
        campaign: str | None = None,
    ) -> None:
        self.path = path
        self.source = source
        self.medium = medium
        self.campaign = campaign


def visit_with_page(
    visit: Visit | None,
    page: TellsOrigin,
    at: datetime,
    seen_before_at: datetime | None,
    ends_after: timedelta,
    *,
    pages: int = 1,
) -> Visit:
    """The newest visit after a page view at this moment.

    It goes on where the last page is at most `ends_after` ago; otherwise a new one begins with this page's
    source. `seen_before_at` is when the visitor was last seen before such a visit (`profiles.seen`). A page view
    that arrives late counts, and becomes the landing page, where it lies at most `ends_after` before the visit's
    start; one from longer ago belongs to an older visit and changes nothing here. `pages` is 0 for what begins
    a visit without being a page view.
    """
    if visit is None or at - visit.last_page_at > ends_after:
        number = 1 if visit is None else visit.number + 1
        return _begun(page, at, seen_before_at, number=number, last_page_at=at, pages=pages)
    if at >= visit.started_at:
        return Visit(  # by place, and no `replace`, which would cost more than all else here, on every page
            visit.number,
            visit.started_at,
            max(visit.last_page_at, at),
            visit.pages + pages,
            visit.landing_path,
            visit.source,
            visit.medium,
            visit.campaign,
            visit.previous_seen_at,
        )
    if visit.started_at - at <= ends_after:
        pages += visit.pages
        return _begun(page, at, seen_before_at, number=visit.number, last_page_at=visit.last_page_at, pages=pages)
    return visit


def begins_with_page(visit: Visit | None, at: datetime, ends_after: timedelta) -> bool:
    """Whether a visit comes from the page viewed at this moment: a new one, or one that it was late for."""
    if visit is None:
        return True
    if at < visit.started_at:
        return visit.started_at - at <= ends_after
    return at - visit.last_page_at > ends_after


def _begun(
    page: TellsOrigin, at: datetime, seen: datetime | None, *, number: int, last_page_at: datetime, pages: int
) -> Visit:
    return Visit(number, at, last_page_at, pages, page.path, page.source, page.medium, page.campaign, seen)
