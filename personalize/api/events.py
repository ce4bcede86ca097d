"""Events as bodies hold them, and as the log takes them."""

from collections.abc import Mapping
from typing import Any

from personalize.api.operation import Call
from personalize.api.payloads import CHANNEL, EVENT_ID, MOMENT, VALUES, VISITOR, Field, obj, text
from personalize.api.refusal import Refused, not_declared
from personalize.errors import EventRefused
from personalize.events.event import SET, Event, JSONValue
from personalize.events.validate import check_attributes, check_event
from personalize.runtime.access import BROWSER_SENDER

#: The channel of what no caller says another one of.
DEFAULT_CHANNEL = "api"

_ID = Field(
    EVENT_ID,
    "Names it among all that this token's sender records: sent again, as after an answer that got lost, it counts"
    " once.",
    required=True,
)
_AT = Field(MOMENT, "When it happened; now, if left out.")
_CHANNEL = Field(CHANNEL, f"Where it happened; {DEFAULT_CHANNEL}, if left out.")
_WHO = Field(VISITOR, "Whose it is.", required=True)
_TYPE = Field(text(64, pattern=r"[a-z][a-z0-9_]*", says="a type of events"), "What happened.", required=True)
_PROPERTIES = Field(VALUES, "More about it, as the type declares.")
_ATTRIBUTES = Field(VALUES, "New values of declared attributes; null removes one.", required=True)

#: One event of a token, and of a browser, whose visitor is that of its cookie.
EVENT = obj({"id": _ID, "type": _TYPE, "visitor": _WHO, "properties": _PROPERTIES, "at": _AT, "channel": _CHANNEL})
BROWSER_EVENT = obj({"id": _ID, "type": _TYPE, "properties": _PROPERTIES})
ATTRIBUTES = obj({"id": _ID, "visitor": _WHO, "attributes": _ATTRIBUTES, "at": _AT, "channel": _CHANNEL})
BROWSER_ATTRIBUTES = obj({"id": _ID, "attributes": _ATTRIBUTES})


def event_of(call: Call, given: Mapping[str, Any], pointer: str = "") -> Event:
    """The event of a token's body. Raises `Refused` where the site does not declare it so."""
    properties = _declared(call, given, pointer)
    return event_made(call, given, given["type"], given["visitor"], properties, given["id"], pointer)


def browser_event_of(call: Call, given: Mapping[str, Any]) -> Event:
    """The event of a browser's body. Raises `Refused` where a browser may not send it or its visitor did not agree."""
    properties = _declared(call, given, "", from_browser=True)
    _refuse_ungranted(call, [call.personalizer.schema.events[given["type"]].purpose])
    return _of_browser(call, given["type"], properties, given["id"])


def attributes_of(call: Call, given: Mapping[str, Any]) -> Event:
    """The event that sets attributes. Raises `Refused`."""
    return event_made(call, given, SET, given["visitor"], _known_attributes(call, given), given["id"])


def browser_attributes_of(call: Call, given: Mapping[str, Any]) -> Event:
    """The event that sets attributes of a browser's visitor. Raises `Refused`."""
    known = _known_attributes(call, given, from_browser=True)
    _refuse_ungranted(call, [call.personalizer.schema.attributes[name].purpose for name in known])
    return _of_browser(call, SET, known, given["id"])


def _declared(
    call: Call, given: Mapping[str, Any], pointer: str, *, from_browser: bool = False
) -> dict[str, JSONValue]:
    personalizer, type_ = call.personalizer, given["type"]
    is_declared = type_ in personalizer.schema.events
    try:
        return check_event(
            type_, given.get("properties", {}), personalizer.schema, zone=personalizer.zone, from_browser=from_browser
        )
    except EventRefused as error:
        if not is_declared or error.field == type_:
            raise Refused(error.code, error.reason, f"{pointer}/type") from None
        raise not_declared(error, f"{pointer}/properties") from None


def _known_attributes(call: Call, given: Mapping[str, Any], *, from_browser: bool = False) -> dict[str, JSONValue]:
    personalizer = call.personalizer
    try:
        known = check_attributes(
            given["attributes"], personalizer.schema, zone=personalizer.zone, from_browser=from_browser
        )
    except EventRefused as error:
        raise not_declared(error, "/attributes") from None
    if not known:
        raise Refused("invalid", "no attribute is named", "/attributes")
    return known


def event_made(
    call: Call,
    given: Mapping[str, Any],
    type_: str,
    profile_id: str,
    properties: Mapping[str, JSONValue],
    event_id: str,
    pointer: str = "",
) -> Event:
    """The event of this caller; `given` says when and where it occurred, if it says so, and lies at `pointer`."""
    try:
        return call.personalizer.event(
            type_,
            profile_id,
            properties,
            occurred_at=given.get("at"),
            event_id=event_id,
            sender=call.caller.name,
            channel=given.get("channel", DEFAULT_CHANNEL),
        )
    except EventRefused as error:
        raise Refused("invalid", error.reason, f"{pointer}/at") from None


def _of_browser(call: Call, type_: str, properties: dict[str, JSONValue], event_id: str) -> Event:
    """An event of a browser's visitor. Its id is theirs alone, so that nobody can take an id before somebody else."""
    assert call.visitor is not None
    profile_id = call.visitor.identity.profile_id
    assert profile_id is not None
    return call.personalizer.event(
        type_, profile_id, properties, event_id=f"{profile_id}/{event_id}", sender=BROWSER_SENDER
    )


def _refuse_ungranted(call: Call, purposes: list[str]) -> None:
    """Raise `Refused` where the visitor of the browser has not agreed to what it is for."""
    assert call.visitor is not None
    consent = call.visitor.consent
    for purpose in purposes:
        if not consent.allows(purpose):
            detail = f"the visitor has not agreed to {purpose}, which this is for"
            raise Refused("no_visitor", detail)
