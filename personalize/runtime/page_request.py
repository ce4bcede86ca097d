"""One request for a page: as the site sees it, and as the browser has sent it."""

from collections.abc import Callable

from personalize.decisions.context import RequestFacts
from personalize.light_values import light_dataclass
from personalize.runtime.sources import Scope
from personalize.visitors.sent_headers import SentHeaders


@light_dataclass(frozen=True, slots=True)
class PageRequest:
    """What there is to know of a request.

    `scope` is the one that the site sees, so that a login put into it inside the site is found; `sent` are the headers
    of the browser, our own cookies among them, which the site does not see. `read_facts` reads what the request tells
    of itself, and is called at most once, when something first asks.
    """

    scope: Scope
    sent: SentHeaders
    read_facts: Callable[[], RequestFacts]

    def scope_as_sent(self) -> Scope:
        """The site's scope as it is by now, with the headers that the browser sent."""
        return {**self.scope, "headers": self.sent.pairs}
