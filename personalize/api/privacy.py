"""Operations for a visitor who asks what is kept of them, or that nothing be: all of it, their browsers with them."""

from typing import Any

from personalize.api.operation import Answer, Call
from personalize.api.payloads import VISITOR, Field, obj
from personalize.api.profile_values import json_value, moment
from personalize.api.refusal import Refused
from personalize.errors import TakenOver
from personalize.events.event import Event
from personalize.runtime.person import person_in

PERSON = obj({"visitor": Field(VISITOR, "Who asked for it.", required=True)})


async def download_person(call: Call) -> Answer:
    """All that is stored of a person: every event that they, and the browsers they logged in with, have told."""
    try:
        person = await person_in(call.personalizer.store, call.values["visitor"])
    except TakenOver as error:
        raise _taken_over(error) from error
    events = [_event(event) for event in person.events]
    return Answer(200, {"visitor": person.profile_id, "browsers": list(person.browsers), "events": events})


async def erase_person(call: Call) -> Answer:
    """Erase a person. The receipt names the copies that may hold them still."""
    personalizer = call.personalizer
    try:
        receipt = await personalizer.erase(call.values["visitor"], by=call.caller.name)
    except TakenOver as error:
        raise _taken_over(error) from error
    told = {
        "receipt": receipt.seal,
        "at": moment(receipt.at),
        "profiles": receipt.profiles,
        "events": receipt.events,
        "copies": list(receipt.copies),
    }
    return Answer(200, told)


def _event(event: Event) -> dict[str, Any]:
    return {
        "id": event.event_id,
        "sender": event.sender,
        "type": event.type,
        "visitor": event.profile_id,
        "at": moment(event.occurred_at),
        "received_at": moment(event.received_at),
        "channel": event.channel,
        "properties": {name: json_value(value) for name, value in event.properties.items()},
    }


def _taken_over(error: TakenOver) -> Refused:
    detail = "this browser went into a login, and is that person's by now"
    return Refused("taken_over", detail, "/visitor", "ask for the login", more={"into": error.into})
