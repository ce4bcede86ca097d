"""One request for a page: as the site sees it, and as the browser has sent it."""

from collections.abc import Callable

from personalize.decisions.context import RequestFacts
from personalize.runtime.sources import Scope
from personalize.visitors.sent_headers import SentHeaders


class PageRequest:
    """What there is to know of a request.

    `scope` is the one that the site sees, so that a login put into it inside the site is found; `sent` are the headers
    of the browser, our own cookies among them, which the site does not see. `read_facts` reads what the request tells
    of itself, and is called at most once, when something first asks. `is_get` says that it only asks for a page,
    `is_secure` that it came by https.
    """

    __slots__ = ("is_get", "is_secure", "read_facts", "scope", "sent")

    def __init__(self, scope: Scope, sent: SentHeaders, read_facts: Callable[[], RequestFacts]) -> None:
        self.scope = scope
        self.sent = sent
        self.read_facts = read_facts
        self.is_get = scope.get("method") == "GET"
        self.is_secure = scope.get("scheme") == "https"

    def scope_as_sent(self) -> Scope:
        """The site's scope as it is by now, with the headers that the browser sent."""
        return {**self.scope, "headers": self.sent.pairs}

    def part_with_scope(self) -> None:
        """Forget the scope, once the request has been asked for all that it tells of the visitor's identity."""
        self.scope, self.read_facts = {}, RequestFacts
