"""One request for a page: as the site sees it, and as the browser has sent it."""

from typing import Any

from personalize.decisions.context import RequestFacts
from personalize.runtime.sources import Scope
from personalize.visitors.sent_headers import SentHeaders


class PageRequest:
    """What there is to know of a request.

    `scope` is the one that the site sees, so that a login put into it inside the site is found; `pairs` are the headers
    of the browser, our own cookies among them, which the site does not see. `is_get` says that it only asks for a page,
    `is_secure` that it came by https, `path` where the page is as the site knows it, empty where it is for none.
    """

    def __init__(self, scope: Scope, path: str = "") -> None:
        self.scope: dict[str, Any] = scope if isinstance(scope, dict) else dict(scope)
        self.path = path
        scope = self.scope
        self.query_string: bytes = scope.get("query_string") or b""
        pairs = list(scope.get("headers", ()))
        #: Some servers send lists of two, as ASGI lets them.
        self.pairs: list[tuple[bytes, bytes]] = pairs if pairs and type(pairs[0]) is tuple else [*map(tuple, pairs)]
        self.is_get: bool = scope.get("method") == "GET"
        self.is_secure: bool = scope.get("scheme") == "https"
        self._sent: SentHeaders | None = None

    @property
    def sent(self) -> SentHeaders:
        """The headers of the browser, by name; of most of what a site serves nobody asks for one."""
        if self._sent is None:
            self._sent = SentHeaders(self.pairs)
        return self._sent

    def facts(self) -> RequestFacts:
        """What the request tells of the page that it is for: nothing where it is for none."""
        return RequestFacts()

    def scope_as_sent(self) -> Scope:
        """The site's scope as it is by now, with the headers that the browser sent."""
        return {**self.scope, "headers": self.pairs}

    def part_with_scope(self) -> None:
        """Forget the scope, once the site has returned. The page view stands in it, and what leads back to itself would
        live until the garbage collector finds it: a tenth of what a page costs."""
        self.scope = {}
