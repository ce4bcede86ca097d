"""One request of a client for a page, and what is known of the path that it asks for."""

from personalize.decisions.context import RequestFacts
from personalize.runtime.page_request import PageRequest
from personalize.web.asgi import Scope
from personalize.web.request.facts import request_facts


class Asked(PageRequest):
    """A request for a page at a `path` as the site knows it.

    `had_slots` says whether slots were seen there before, or none; None where nothing is known.
    """

    __slots__ = ("_query_string", "had_slots", "path")

    def __init__(self, scope: Scope, path: str, *, had_slots: bool | None = None) -> None:
        super().__init__(scope)
        self.path = path
        self.had_slots = had_slots
        self._query_string: bytes = scope.get("query_string", b"")

    def facts(self) -> RequestFacts:
        """What the request tells of itself."""
        return request_facts(self._query_string, self.path, self.sent)

    def again(self) -> "Asked":
        """The same, as it came, but for the page itself and with nothing known of its path."""
        return Asked({**self.scope, "method": "GET", "headers": self.sent.pairs}, self.path)
