"""How one site's pages live with caches: what their heads say, by the mode that the settings name."""

from abc import ABC, abstractmethod
from typing import Final

from personalize.cache_settings import CacheSettings
from personalize.runtime.cache_facts import CacheFacts
from personalize.runtime.visitor import Visitor
from personalize.web.caching.cache_policy import ASKS_EACH_TIME, KEEPS_NOTHING, capped, may_be_shared, shared
from personalize.web.caching.edge import Edge
from personalize.web.headers import RawHeaders

#: What browsers are to forget when somebody else is looking than before.
_FETCHED_IN_ADVANCE = (b"clear-site-data", b'"prefetchCache", "prerenderCache"')
#: What nginx reads of it.
_LONGEST_VARY: Final = 128


class HeadPolicy(ABC):
    """What heads say to caches. `control` is the `Cache-Control` of what depends on the visitor, `gives_tags` says that
    whole pages get a validator of ours, `shares` that pages with slots are meant for all, `clears` that browsers are to
    forget what they hold when a visitor logs in or out."""

    def __init__(self, settings: CacheSettings, *, shares: bool) -> None:
        self.shares = shares
        self.gives_tags = shares or settings.revalidate
        self.control = ASKS_EACH_TIME if settings.revalidate else KEEPS_NOTHING
        self.clears = settings.clear_site_data

    @abstractmethod
    def public(self, headers: RawHeaders, facts: CacheFacts, *, is_whole: bool) -> RawHeaders | None:
        """The headers of a page with slots that nothing has made private; None where it has to be.

        Where the page is not `is_whole` when its head leaves, slots may come of which nothing is known yet.
        """

    def clearing(self, visitor: Visitor) -> RawHeaders:
        """What a response says where somebody else is looking than before, if the settings ask for it (`clears`)."""
        return [_FETCHED_IN_ADVANCE] if visitor.changes_hands else []


class Private(HeadPolicy):
    """Pages that depend on the visitor are the visitor's; others are kept as the site says, until the clock changes
    them."""

    def __init__(self, settings: CacheSettings) -> None:
        super().__init__(settings, shares=False)

    def public(self, headers: RawHeaders, facts: CacheFacts, *, is_whole: bool) -> RawHeaders | None:
        """The site's own, with nothing that a cache would keep beyond the next change."""
        page = facts.shared_page(is_whole=is_whole)
        seconds = None if page is None else page.seconds_left(facts.now)
        return headers if seconds is None else capped(headers, seconds, facts.now)


class Variants(HeadPolicy):
    """Pages with slots are the same for all of whom the edge tells the same."""

    def __init__(self, settings: CacheSettings, edge: Edge) -> None:
        super().__init__(settings, shares=True)
        self._seconds = settings.seconds
        self._most = settings.max_variants
        self._values = {one.fact: len(one.values) + 1 for one in settings.inputs}
        self._edge = edge

    def public(self, headers: RawHeaders, facts: CacheFacts, *, is_whole: bool) -> RawHeaders | None:
        """Those of a page for all, unless the site keeps it for one visitor."""
        page, visitor = facts.shared_page(is_whole=is_whole), facts.visitor
        if page is None or (is_whole and not facts.pages):
            return headers  # slots that nobody defines are the site's own
        if not (visitor.request.is_get and may_be_shared(headers, is_known=visitor.is_known_to_site)):
            return None
        left = page.seconds_left(facts.now)
        if self._count(page.inputs) > self._most:
            facts.tell_once("variants", "a page has more variants than cache.max_variants allows: it is not shared")
            return None
        told = shared(
            headers,
            seconds=self._seconds if left is None else min(self._seconds, left),
            now=facts.now,
            vary=[self._edge.headers[fact] for fact in page.inputs],
            keys=page.keys,
        )
        if sum(len(value) for name, value in told if name.lower() == b"vary") > _LONGEST_VARY:
            facts.tell_once("vary", "a page's Vary has more than 128 characters: nginx does not keep it")
        return told

    def _count(self, inputs: tuple[str, ...]) -> int:
        count = 1
        for fact in inputs:
            count *= self._values[fact]
        return count


def policy_of(settings: CacheSettings, edge: Edge) -> HeadPolicy:
    """What the settings ask for."""
    return Variants(settings, edge) if settings.mode == "variants" else Private(settings)
