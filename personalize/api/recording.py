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
NEW, REPEATED = "new", "repeated"


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
    """Write one event: 201 where it is new, 200 where it was there already. Raises `Refused` where it is not taken."""
    (outcome,) = await kept(call, [event])
    if isinstance(outcome, Refused):
        raise outcome
    return Answer(201 if outcome == NEW else 200, {"outcome": outcome})


async def record_events(call: Call) -> Answer:
    """Record several events, each for itself: one that is refused leaves the others as they are."""
    made = [_made(call, one, place) for place, one in enumerate(call.values["events"])]
    events = [one for one in made if isinstance(one, Event)]
    outcomes = iter(await kept(call, events) if events else ())
    told = [_told(next(outcomes), one) if isinstance(one, Event) else _told(one) for one in made]
    return Answer(200, {"outcomes": told})


def _made(call: Call, one: object, place: int) -> Event | Refused:
    """The event at this place of a batch, or why it is none."""
    pointer = f"/events/{place}"
    try:
        return event_of(call, EVENT.read(one, pointer), pointer)
    except Refused as refused:
        return refused


def _told(outcome: "str | Refused", event: Event | None = None) -> dict[str, Any]:
    named = {} if event is None else {"id": event.event_id}
    if isinstance(outcome, Refused):
        return {**named, "outcome": "refused", "problem": outcome.as_values()}
    return {**named, "outcome": outcome}


async def kept(call: Call, events: Sequence[Event]) -> Sequence[str | Refused]:
    """Write events, durable when it returns: whether each was new, or there already, or why it was not taken.

    Raises `StoreError` where none of them could be kept.
    """
    if not call.personalizer.records:
        raise Refused("store_unavailable", "this site shows a moment of the past, and records nothing")
    applied = await call.personalizer.ingest.record(events)
    refused = {id(one.event): Refused(one.why, one.reason) for one in applied.refused}
    outcomes = (str(applied.outcome(place)) for place in range(len(events)))
    return [
        refused.get(id(event)) or (_conflict() if outcome == "conflicting" else outcome)
        for event, outcome in zip(events, outcomes, strict=True)
    ]


def _conflict() -> Refused:
    detail = "this sender has recorded another event under this id, and that one is kept"
    hint = "an event sent again has to be the same; another one takes an id of its own"
    return Refused("conflict", detail, "/id", hint)
