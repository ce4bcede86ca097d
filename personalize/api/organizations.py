"""Operations about organizations: what is known of one itself, and what its members add up to."""

from typing import Any

from personalize.api.events import DEFAULT_CHANNEL, event_made
from personalize.api.operation import Answer, Call
from personalize.api.payloads import CHANNEL, EVENT_ID, MOMENT, VALUES, Field, Kind, obj, text
from personalize.api.profile_values import organization
from personalize.api.recording import answered
from personalize.api.refusal import Refused, not_declared
from personalize.errors import EventRefused
from personalize.events.event import SET
from personalize.events.validate import check_organization
from personalize.profiles.organization import LONGEST_NAME, folds_names, organization_id

_NAME: Kind = text(LONGEST_NAME, example="Acme")
_WHICH = Field(_NAME, "Its name, as the attribute of its members has it.", required=True)
READ_ORGANIZATION = obj({"organization": _WHICH})
SET_ORGANIZATION = obj(
    {
        "id": Field(EVENT_ID, "Names this news: sent again, it counts once.", required=True),
        "organization": _WHICH,
        "attributes": Field(VALUES, "New values of its own attributes; null removes one.", required=True),
        "at": Field(MOMENT, "Since when it is so; now, if left out."),
        "channel": Field(CHANNEL, f"Where it was told; {DEFAULT_CHANNEL}, if left out."),
    }
)


async def set_organization(call: Call) -> Answer:
    """Set attributes of an organization itself: 201 where that is new, 200 where it was there already."""
    personalizer, values = call.personalizer, call.values
    belongs = _id_of(call)
    try:
        known = check_organization(values["attributes"], personalizer.schema, zone=personalizer.zone)
    except EventRefused as error:
        raise not_declared(error, "/attributes") from None
    if not known:
        raise Refused("invalid", "no attribute is named", "/attributes")
    return await answered(call, event_made(call, values, SET, belongs, known, values["id"]))


async def read_organization(call: Call) -> Answer:
    """What is known of an organization; one that nobody belongs to and nothing was told of has no members."""
    belongs = _id_of(call)
    found = await call.personalizer.store.organization(belongs)
    told: dict[str, Any] = {"organization": call.values["organization"]}
    return Answer(200, {**told, **organization(found, call.personalizer.schema)})


def _id_of(call: Call) -> str:
    """The id of the organization that the body names. Raises `Refused` where the site knows none."""
    schema = call.personalizer.schema
    found = organization_id(call.values["organization"], folds=folds_names(schema))
    if schema.organization is None or found is None:
        hint = "rule files declare what visitors belong to under `organization:`"
        raise Refused("no_organizations", "there is none that a visitor could belong to", "/organization", hint)
    return found
