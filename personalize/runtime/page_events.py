"""What happened on one page view, made into events when they are written: a page does not wait for that."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final, NamedTuple, TypeAlias

from personalize.decisions.context import RequestFacts
from personalize.decisions.decision import Decision
from personalize.events.event import IMPRESSION, PAGE_VIEW, SEEN, Event, JSONValue, minted_event_id
from personalize.light_values import light_dataclass, mypyc_attr

#: Who sends the events of page views, beside their ids.
WEB_SENDER: Final = "web"
#: How many random bytes an event id has.
CHANCE_BYTES: Final = 10
#: What ids of the first events of a page end with: `format` would take longer than the rest of the id.
_NUMBERS: Final = tuple(format(number, "02x") for number in range(16))

#: The facts of a page view that rules may read later; never the query string.
_KEPT: Final = ("path", "source", "medium", "campaign", "device", "language", "country")
#: Their values, in this order.
PageFacts: TypeAlias = tuple[str | None, ...]


class Happening(NamedTuple):
    """One thing that happened on a page view; `event_id` where it counts once for ever, however often it is told."""

    type: str
    properties: dict[str, JSONValue]
    event_id: str | None = None


def page_facts(facts: RequestFacts) -> PageFacts:
    """What is kept of the request of a page view."""
    return facts.path, facts.source, facts.medium, facts.campaign, facts.device, facts.language, facts.country


def filling_of(shown: Decision) -> JSONValue:
    """What an event tells of a decision that filled its slot."""
    return {"slot": shown.slot_id, "items": list(shown.item_ids), "rule": shown.rule_id}


def impression_of(fillings: Sequence[JSONValue]) -> dict[str, JSONValue]:
    """What the one impression of a page tells: that slots were shown, together, filled with these."""
    return {"slots": list(fillings)}


def seen_of(seen: Decision, view_id: str) -> Happening:
    """That this decision came into view, once for each view of a page."""
    return Happening(SEEN, {"slots": [filling_of(seen)]}, f"seen:{view_id}:{seen.slot_id}")


@mypyc_attr(acyclic=True)
@light_dataclass(frozen=False, slots=True)
class PageEvents:
    """What is to be kept of one page view.

    `page` are its facts where the view itself is kept, `shown` what filled its slots (`filling_of`) where that is: one
    impression tells of the whole page. `told` is what else happened.
    """

    profile_id: Final[str]
    occurred_at: Final[datetime]
    version: Final[str | None]
    page: Final[PageFacts | None]
    shown: Final[Sequence[JSONValue]]
    told: Final[Sequence[Happening]]

    def __init__(
        self,
        profile_id: str,
        occurred_at: datetime,
        version: str | None,
        page: PageFacts | None = None,
        shown: Sequence[JSONValue] = (),
        told: Sequence[Happening] = (),
    ) -> None:
        self.profile_id = profile_id
        self.occurred_at = occurred_at
        self.version = version
        self.page = page
        self.shown = shown
        self.told = told

    def __len__(self) -> int:
        return (self.page is not None) + bool(self.shown) + len(self.told)

    def events(self, chance: bytes) -> list[Event]:
        """The events, in order. `chance` are random bytes for all of them together: beside those, their ids differ
        by a number."""
        minted = minted_event_id(self.occurred_at, chance)
        events: list[Event] = []
        if self.page is not None:
            events.append(self._event(_numbered(minted, 0), PAGE_VIEW, _known_of(self.page)))
        if self.shown:
            events.append(self._event(_numbered(minted, len(events)), IMPRESSION, impression_of(self.shown)))
        for type_, properties, event_id in self.told:
            events.append(self._event(event_id or _numbered(minted, len(events)), type_, properties))
        return events

    def _event(self, event_id: str, type_: str, properties: dict[str, JSONValue]) -> Event:
        at = self.occurred_at
        return Event(event_id, WEB_SENDER, type_, self.profile_id, at, at, properties, version=self.version)


def _numbered(minted: str, number: int) -> str:
    return minted + (_NUMBERS[number] if number < len(_NUMBERS) else format(number, "02x"))


def _known_of(page: PageFacts) -> dict[str, JSONValue]:
    known: dict[str, JSONValue] = {}
    for place, value in enumerate(page):
        if value is not None:
            known[_KEPT[place]] = value
    return known
