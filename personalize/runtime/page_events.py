"""What happened on one page view, made into events all at once when it is over."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from personalize.events.event import Event, JSONValue, minted_event_id

#: Who sends the events of page views, beside their ids.
WEB_SENDER = "web"
#: How many random bytes an event id has.
CHANCE_BYTES = 10


class Happening(NamedTuple):
    """One thing that happened on a page view; `event_id` where it counts once for ever, however often it is told."""

    type: str
    properties: dict[str, JSONValue]
    event_id: str | None = None


def page_events(
    happened: Sequence[Happening],
    profile_id: str,
    *,
    occurred_at: datetime,
    received_at: datetime,
    version: str | None,
    chance: bytes,
) -> list[Event]:
    """The events of one page view, in order. `chance` are random bytes for all of them together: beside those,
    their ids differ by a number."""
    minted = minted_event_id(received_at, chance)
    return [
        Event(
            event_id or f"{minted}{number:02x}",
            WEB_SENDER,
            type_,
            profile_id,
            occurred_at,
            received_at,
            properties,
            version=version,
        )
        for number, (type_, properties, event_id) in enumerate(happened)
    ]
