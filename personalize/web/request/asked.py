"""One request of a client for a page, and what is known of the path that it asks for."""

from personalize.decisions.context import RequestFacts
from personalize.runtime.page_request import PageRequest
from personalize.web.headers import RawHeaders
from personalize.web.request.facts import request_facts


class Asked(PageRequest):
    """A request for a page; `had_slots` says whether slots were seen at its path before, or none, `conditions` what is
    asked of the site's bytes for a client that has the page."""

    had_slots: bool | None = None
    conditions: RawHeaders | None = None

    def facts(self) -> RequestFacts:
        """What the request tells of itself."""
        return request_facts(self.query_string, self.path, self.sent)

    def again(self) -> "Asked":
        """The same, as it came, but for the page itself and with nothing known of its path. What the site keeps in the
        state of the one is not in that of the other."""
        own = {"method": "GET", "headers": self.pairs, "state": {**self.scope.get("state", {})}}
        return Asked({**self.scope, **own})
