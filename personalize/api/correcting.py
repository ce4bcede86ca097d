"""Operations that take back what was recorded: an event, what it tells of somebody's taste, a join."""

from collections.abc import Mapping
from typing import Any

from personalize.api.events import DEFAULT_CHANNEL, event_made
from personalize.api.operation import Answer, Call
from personalize.api.payloads import BROWSER, CHANNEL, EVENT_ID, LOGIN, MOMENT, VISITOR, Field, obj
from personalize.api.recording import answered
from personalize.api.refusal import Refused
from personalize.errors import EventRefused
from personalize.events.event import MARK, RETRACT, UNDO, Event, JSONValue
from personalize.runtime.correcting import check_undo

_CORRECTION: Mapping[str, Field] = {
    "id": Field(EVENT_ID, "Names this correction: sent again, it counts once.", required=True),
    "visitor": Field(VISITOR, "Whose it is.", required=True),
    "at": Field(MOMENT, "When it was corrected; now, if left out."),
    "channel": Field(CHANNEL, f"Where it was corrected; {DEFAULT_CHANNEL}, if left out."),
}
CORRECTION = obj(
    {
        **_CORRECTION,
        "event": Field(EVENT_ID, "The id of an event that this token's sender recorded of them.", required=True),
    }
)
UNDOING = obj(
    {
        **_CORRECTION,
        "visitor": Field(LOGIN, "Who took a browser's past over by logging in.", required=True),
        "browser": Field(BROWSER, "That browser.", required=True),
    }
)


async def retract_event(call: Call) -> Answer:
    """Take back an event of this sender: from then on everything is as if it had never been."""
    return await _correct(call, RETRACT, {"event_id": call.values["event"]})


async def mark_event(call: Call) -> Answer:
    """Say that an event tells nothing of what its visitor likes; it counts all the same."""
    return await _correct(call, MARK, {"event_id": call.values["event"]})


async def undo_join(call: Call) -> Answer:
    """Give a browser its own past back, where a login took it over that was not its visitor's."""
    undo = _made(call, UNDO, {"from": call.values["browser"]})
    try:
        await check_undo(call.personalizer.store, undo)
    except EventRefused as error:
        raise Refused(error.code, error.reason, "/browser") from None
    return await answered(call, undo)


async def _correct(call: Call, type_: str, properties: Mapping[str, JSONValue]) -> Answer:
    return await answered(call, _made(call, type_, properties))


def _made(call: Call, type_: str, properties: Mapping[str, JSONValue]) -> Event:
    values: Mapping[str, Any] = call.values
    return event_made(call, values, type_, values["visitor"], properties, values["id"])
