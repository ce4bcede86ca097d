"""How one site's pages live with caches: what their heads say, by the mode that the settings name."""

from abc import ABC, abstractmethod

from personalize.cache_settings import CacheSettings
from personalize.runtime.page_view import PageView
from personalize.web.cache_policy import ASKS_EACH_TIME, KEEPS_NOTHING, capped, may_be_shared, shared
from personalize.web.edge import Edge
from personalize.web.headers import RawHeaders

#: What browsers are to forget when somebody else is looking than before.
_FETCHED_IN_ADVANCE = (b"clear-site-data", b'"prefetchCache", "prerenderCache"')
#: What nginx reads of it.
_LONGEST_VARY = 128


class HeadPolicy(ABC):
    """What heads say to caches. `control` is the `Cache-Control` of what depends on the visitor, `gives_tags` says that
    whole pages get a validator of ours, `shares` that pages with slots are meant for all."""

    def __init__(self, settings: CacheSettings, *, shares: bool) -> None:
        self.shares = shares
        self.gives_tags = shares or settings.revalidate
        self.control = ASKS_EACH_TIME if settings.revalidate else KEEPS_NOTHING
        self._clears = settings.clear_site_data

    @abstractmethod
    def public(self, headers: RawHeaders, page_view: PageView, *, is_whole: bool) -> RawHeaders | None:
        """The headers of a page with slots that nothing has made private; None where it has to be.

        Where the page is not `is_whole` when its head leaves, slots may come of which nothing is known yet.
        """

    def also(self, page_view: PageView) -> RawHeaders:
        """What a response says beside all else, because of who is looking."""
        return [_FETCHED_IN_ADVANCE] if self._clears and page_view.changes_hands else []


class Private(HeadPolicy):
    """Pages that depend on the visitor are the visitor's; others are kept as the site says, until the clock changes
    them."""

    def __init__(self, settings: CacheSettings) -> None:
        super().__init__(settings, shares=False)

    def public(self, headers: RawHeaders, page_view: PageView, *, is_whole: bool) -> RawHeaders | None:
        """The site's own, with nothing that a cache would keep beyond the next change."""
        page, now = page_view.shared_page(is_whole=is_whole), page_view.clock_now
        seconds = None if page is None else page.seconds_left(now)
        return headers if seconds is None else capped(headers, seconds, now)


class Variants(HeadPolicy):
    """Pages with slots are the same for all of whom the edge tells the same."""

    def __init__(self, settings: CacheSettings, edge: Edge) -> None:
        super().__init__(settings, shares=True)
        self._seconds = settings.seconds
        self._most = settings.max_variants
        self._values = {one.fact: len(one.values) + 1 for one in settings.inputs}
        self._edge = edge

    def public(self, headers: RawHeaders, page_view: PageView, *, is_whole: bool) -> RawHeaders | None:
        """Those of a page for all, unless the site keeps it for one visitor."""
        page, now = page_view.shared_page(is_whole=is_whole), page_view.clock_now
        if page is None or (is_whole and not page_view.has_decided):
            return headers  # slots that nobody defines are the site's own
        if not (page_view.is_get and may_be_shared(headers, is_known=page_view.is_known)):
            return None
        left = page.seconds_left(now)
        if self._count(page.inputs) > self._most:
            page_view.tell_once("variants", "a page has more variants than cache.max_variants allows: it is not shared")
            return None
        told = shared(
            headers,
            seconds=self._seconds if left is None else min(self._seconds, left),
            now=now,
            vary=[self._edge.headers[fact] for fact in page.inputs],
            keys=page.keys,
        )
        if sum(len(value) for name, value in told if name.lower() == b"vary") > _LONGEST_VARY:
            page_view.tell_once("vary", "a page's Vary has more than 128 characters: nginx does not keep it")
        return told

    def _count(self, inputs: tuple[str, ...]) -> int:
        count = 1
        for fact in inputs:
            count *= self._values[fact]
        return count


def policy_of(settings: CacheSettings, edge: Edge) -> HeadPolicy:
    """What the settings ask for."""
    return Variants(settings, edge) if settings.mode == "variants" else Private(settings)
