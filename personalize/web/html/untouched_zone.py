"""The inside of an element that wants to be left alone: `data-slots="off"`."""

from personalize.web.html.open_elements import End, OpenElements
from personalize.web.html.page_context import ENTERED, Sections, Zone

_ZONES = {End.STAYS: Zone.STAYS, End.CLOSES: Zone.ENDS, End.DOUBT: Zone.LOST}


class UntouchedZone:
    """Follows what is nested in it up to its end. Where that is doubtful, so is the rest of the page."""

    sections = Sections.NONE
    enters = ENTERED

    def __init__(self, element: bytes, *, in_form: bool) -> None:
        self._elements = OpenElements(element=element, in_form=in_form)

    def tag(self, name: bytes, *, is_end: bool, self_closing: bool) -> Zone:
        """A start or end tag inside."""
        if is_end:
            return _ZONES[self._elements.end(name)]
        return Zone.STAYS if self._elements.start(name) else Zone.LOST
