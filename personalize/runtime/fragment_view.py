"""The page view of a request that asks for some slots of a page, which itself came from a cache."""

from collections.abc import Awaitable, Sequence
from typing import TYPE_CHECKING

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

    def _reading_for(self, slot_id: str) -> Awaitable[None] | None:
        return self._decide_in_turn(slot_id) if self._before else super()._reading_for(slot_id)

    async def _decide_in_turn(self, slot_id: str) -> None:
        """Decide what stands before this slot, then the slot."""
        before, self._before = self._before, ()
        for each in (*before, slot_id):
            await self._decided(each)
