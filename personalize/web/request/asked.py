"""One request of a client, and what is known of the path that it asks for."""

from collections.abc import MutableMapping
from typing import Any

from personalize.light_values import light_dataclass
from personalize.visitors.sent_headers import SentHeaders


@light_dataclass(frozen=True, slots=True)
class Asked:
    """A request as it came, for a `path` as the site knows it; `is_get` says that it asks for the page itself.

    `had_slots` says whether slots were seen there before, or none; None where nothing is known.
    """

    scope: MutableMapping[str, Any]
    path: str
    sent: SentHeaders
    had_slots: bool | None
    is_get: bool

    def again(self) -> "Asked":
        """The same, but for the page itself and with nothing known of its path."""
        return Asked({**self.scope, "method": "GET"}, self.path, self.sent, None, is_get=True)
