"""One request for a page: as the site sees it, and as the browser has sent it."""

from personalize.decisions.context import RequestFacts
from personalize.runtime.sources import Scope
from personalize.visitors.sent_headers import SentHeaders


class PageRequest:
    """What there is to know of a request.

    `scope` is the one that the site sees, so that a login put into it inside the site is found; `sent` are the headers
    of the browser, our own cookies among them, which the site does not see. `is_get` says that it only asks for a page,
    `is_secure` that it came by https.
    """

    __slots__ = ("is_get", "is_secure", "scope", "sent")

    def __init__(self, scope: Scope) -> None:
        self.scope = scope
        self.sent = SentHeaders(scope.get("headers", ()))
        self.is_get: bool = scope.get("method") == "GET"
        self.is_secure: bool = scope.get("scheme") == "https"

    def facts(self) -> RequestFacts:
        """What the request tells of the page that it is for: nothing where it is for none."""
        return RequestFacts()

    def scope_as_sent(self) -> Scope:
        """The site's scope as it is by now, with the headers that the browser sent."""
        return {**self.scope, "headers": self.sent.pairs}

    def part_with_scope(self) -> None:
        """Forget the scope, once it has been asked for all that it tells of the visitor."""
        self.scope = {}
