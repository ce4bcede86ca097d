"""Operations that record: what is answered with success survives whatever happens to us, and counts once."""

from collections.abc import Sequence
from typing import Any

from personalize.api.events import (
    EVENT,
    attributes_of,
    browser_attributes_of,
    browser_event_of,
    event_of,
)
from personalize.api.operation import Answer, Call
from personalize.api.refusal import Refused
from personalize.events.event import Event

MOST_EVENTS = 1_000


async def record_event(call: Call) -> Answer:
    """Record one event: 201 where it is new, 200 where it was there already."""
    return await answered(call, event_of(call, call.values))


async def record_browser_event(call: Call) -> Answer:
    """Record one event of a browser's visitor."""
    return await answered(call, browser_event_of(call, call.values))


async def set_attributes(call: Call) -> Answer:
    """Set attributes of a visitor."""
    return await answered(call, attributes_of(call, call.values))


async def set_browser_attributes(call: Call) -> Answer:
    """Set attributes of a browser's visitor."""
    return await answered(call, browser_attributes_of(call, call.values))


async def answered(call: Call, event: Event) -> Answer:
    """Write one event, and answer with what became of it."""
    new = await kept(call, [event])
    return Answer(201, {"outcome": "new"}) if new else Answer(200, {"outcome": "repeated"})


async def record_events(call: Call) -> Answer:
    """Record several events, each for itself: one that is refused leaves the others as they are."""
    outcomes: list[dict[str, Any]] = []
    events: list[Event] = []
    for place, one in enumerate(call.values["events"]):
        try:
            given = EVENT.read(one, f"/events/{place}")
            events.append(event_of(call, given, f"/events/{place}"))
            outcomes.append({"id": given["id"], "outcome": "kept"})
        except Refused as refused:
            outcomes.append({"outcome": "refused", "problem": refused.as_values()})
    if events:
        await kept(call, events)
    return Answer(200, {"outcomes": outcomes})


async def kept(call: Call, events: Sequence[Event]) -> int:
    """Write events, durable when it returns; how many of them are new. Raises `StoreError` where none was kept."""
    if not call.personalizer.records:
        raise Refused("store_unavailable", "this site shows a moment of the past, and records nothing")
    return (await call.personalizer.ingest.record(events)).new
