"""The page view of a request that asks for some slots of a page, which itself came from a cache."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from personalize.decisions.decision import Decision
from personalize.runtime.page_request import PageRequest
from personalize.runtime.page_view import PageView

if TYPE_CHECKING:
    from personalize.runtime.personalizer import Personalizer


class FragmentView(PageView):
    """Decides slots as their whole page would, and tells of the page view only where `counts_page` says so.

    `before` are the slots that stand before them on the page: they are decided first, and neither shown nor counted,
    so that no item stands in two slots whose requests know nothing of one another.
    """

    def __init__(
        self, personalizer: "Personalizer", request: PageRequest, *, before: Sequence[str] = (), counts_page: bool
    ) -> None:
        super().__init__(personalizer, request, is_off=personalizer.off)
        self._before = before
        self._counts_page = counts_page

    async def cookies(self) -> tuple[str, ...]:
        """None: many fragments are asked for at once, and each would tell the visitor apart anew."""
        return ()

    async def _decide(self, slot_id: str) -> Decision:
        before, self._before = self._before, ()
        for earlier in before:
            await super()._decide(earlier)
        return await super()._decide(slot_id)
