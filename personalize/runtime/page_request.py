"""One request for a page: as the site sees it, and as the browser has sent it."""

from typing import Any, Final

from personalize.decisions.context import RequestFacts
from personalize.runtime.sources import Scope
from personalize.visitors.sent_headers import SentHeaders

#: In the place of a scope that was parted with.
_NOTHING_LEFT: Final[dict[str, Any]] = {}


class PageRequest:
    """What there is to know of a request.

    `scope` is the one that the site sees, so that a login put into it inside the site is found; `pairs` are the headers
    of the browser, our own cookies among them, which the site does not see. `is_get` says that it only asks for a page,
    `is_secure` that it came by https, `root_path` where the site is mounted, `path` what is asked for as the site knows
    it.
    """

    _sent: SentHeaders | None = None

    def __init__(self, scope: Scope) -> None:
        self.scope: dict[str, Any] = scope if isinstance(scope, dict) else dict(scope)
        scope = self.scope
        self.root_path: str = scope.get("root_path") or ""  # a mount inside the site changes the scope's
        self.path: str = scope.get("path", "")
        if self.root_path and self.path.startswith(f"{self.root_path}/"):  # servers differ in whether it stands there
            self.path = self.path.removeprefix(self.root_path)
        self.query_string: bytes = scope.get("query_string") or b""
        pairs = scope.get("headers", ())
        #: Some servers send lists of two, as ASGI lets them.
        is_usual = isinstance(pairs, list) and bool(pairs) and isinstance(pairs[0], tuple)
        self.pairs: list[tuple[bytes, bytes]] = pairs if is_usual else [*map(tuple, pairs)]
        method: str = scope.get("method", "")
        scheme: str = scope.get("scheme", "")
        self.is_get, self.is_secure = method == "GET", scheme == "https"

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
        self.scope = _NOTHING_LEFT
