"""The page view of a request that personalize does not see: the site's code runs, and nothing comes of it."""

from collections.abc import Mapping

from personalize.decisions.decision import Decision
from personalize.runtime.page_view import Notice
from personalize.visitors.consent import UNKNOWN, Consent
from personalize.visitors.identity import Identity


class NobodysPageView:
    """Answers as a `PageView` does where nobody is known and nothing is live."""

    identity = Identity()
    consent: Consent = UNKNOWN
    notice = Notice(shown=False, action="", fields={})

    @property
    def decisions(self) -> Mapping[str, Decision]:
        """Nothing is decided."""
        return {}

    async def slot(self, slot_id: str) -> Decision:
        """The site's own markup."""
        return Decision(slot_id)

    def record(self, type: str, /, **properties: object) -> bool:
        """False: no event is kept."""
        return False

    def state_interest(self, tag: str, likes: bool | None) -> bool:
        """False: nothing is kept of anybody's taste."""
        return False

    def set(self, **attributes: object) -> bool:
        """False: no attribute is kept."""
        return False
