"""The log of a store in memory: events in the order of arrival, found by their names and by their profiles."""

from bisect import bisect_right
from collections.abc import Callable, Sequence
from dataclasses import replace
from heapq import merge

from personalize.events.event import Event, EventName
from personalize.stores.erasing import joined_by
from personalize.stores.event_text import properties_as_text, properties_from_text
from personalize.stores.outcomes import outcome_of
from personalize.stores.projecting import Found, Part
from personalize.stores.protocols import Outcome


class MemoryLog:
    """What was appended and not taken back. Whoever reads it goes on with what they began with: what removes events
    makes another log."""

    def __init__(self, last_entry: int = 0) -> None:
        #: The number of the last entry that there ever was.
        self.last_entry = last_entry
        self._events: list[Event] = []
        self._numbers: list[int] = []
        self._known: dict[EventName, int] = {}
        self._places: dict[str, list[int]] = {}

    def __len__(self) -> int:
        return len(self._events)

    def __getitem__(self, places: slice) -> list[Event]:
        return self._events[places]

    def sorted_out(self, events: Sequence[Event]) -> tuple[list[Event], dict[int, Outcome]]:
        """The events that it has not, each once, and its own: what is no JSON raises here. And what becomes of the
        others, by their place."""
        new: dict[EventName, Event] = {}
        others: dict[int, Outcome] = {}
        for place, event in enumerate(events):
            key = (event.sender, event.event_id)
            if key in new:
                others[place] = outcome_of(event, new[key])
            elif key in self._known:
                others[place] = outcome_of(event, self._events[self._known[key]])
            else:
                kept = properties_from_text(properties_as_text(event.properties))
                new[key] = replace(event, properties=kept)
        return list(new.values()), others

    def append(self, events: Sequence[Event]) -> None:
        """Append events that it has not."""
        for event in events:
            self.last_entry += 1
            self._append(event, self.last_entry)

    def take_back(self, events: int) -> None:
        """Undo `append` of so many events."""
        for _ in range(events):
            event = self._events.pop()
            self.last_entry -= 1
            self._numbers.pop()
            del self._known[event.sender, event.event_id]
            self._places[event.profile_id].pop()

    def rewritten(self, left: Callable[[Event], Event | None]) -> tuple["MemoryLog", Sequence[Event], Sequence[bool]]:
        """The log with what is left of each event, those that went or changed, and which ones stay, by their place."""
        after = [left(event) for event in self._events]
        log = MemoryLog(self.last_entry)
        for event, number in zip(after, self._numbers, strict=True):
            if event is not None:
                log._append(event, number)
        changed = [event for event, now in zip(self._events, after, strict=True) if event != now]
        return log, changed, [event is not None for event in after]

    def stretch(self, after: int, until: int) -> Sequence[Event]:
        """The entries behind a number and up to another."""
        return self._events[bisect_right(self._numbers, after) : bisect_right(self._numbers, until)]

    def history(self, profile_id: str) -> list[Event]:
        """The events that were sent with an id."""
        return [self._events[place] for place in self._places.get(profile_id, ())]

    def latest(self, type_: str, profile_id: str, entries: int) -> Event | None:
        """The event of a type that occurred last, among so many at the end of a history."""
        found = (event for event in self.history(profile_id)[: -entries - 1 : -1] if event.type == type_)
        return max(found, key=lambda event: event.occurred_at, default=None)

    def ids(self) -> Sequence[str]:
        """Everybody whom it tells of: by their events, and by the joins that name them."""
        joined = {joined_id for event in self._events if (joined_id := joined_by(event)) is not None}
        return sorted(joined.union(self._places))

    def part(self, until: int | None, asked: Part) -> Found:
        """All of the histories behind the place that they were asked for from, up to another; places count from 1."""
        ends = len(self._events) if until is None else until
        places = merge(*(self._places.get(profile_id, ()) for profile_id in asked.profile_ids))
        events = [self._events[place] for place in places if asked.after <= place < ends]
        return [event for event in events if asked.types is None or event.type in asked.types], ends

    def _append(self, event: Event, number: int) -> None:
        self._known[event.sender, event.event_id] = len(self._events)
        self._places.setdefault(event.profile_id, []).append(len(self._events))
        self._numbers.append(number)
        self._events.append(event)
