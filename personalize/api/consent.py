"""Operations about what a visitor has agreed to."""

from personalize.api.events import DEFAULT_CHANNEL, event_made
from personalize.api.operation import Answer, Call
from personalize.api.payloads import CHANNEL, EVENT_ID, MOMENT, VISITOR, Field, list_of, obj, text
from personalize.api.profile_values import consent
from personalize.api.recording import answered
from personalize.api.refusal import Refused
from personalize.events.event import CONSENT, JSONValue
from personalize.problems import did_you_mean, quoted

READ = obj({"visitor": Field(VISITOR, "Who is asked about.", required=True)})
SET = obj(
    {
        "id": Field(EVENT_ID, "Names this decision: sent again, it counts once.", required=True),
        "visitor": Field(VISITOR, "Whose decision it is.", required=True),
        "granted": Field(
            list_of(text(64), 50), "All purposes that they agree to; none of them is a refusal.", required=True
        ),
        "at": Field(MOMENT, "When they decided; now, if left out."),
        "channel": Field(CHANNEL, f"Where they decided; {DEFAULT_CHANNEL}, if left out."),
    }
)


async def read_consent(call: Call) -> Answer:
    """The decision that is stored; null where there is none."""
    visitor = call.values["visitor"]
    return Answer(200, {"visitor": visitor, **consent(await call.personalizer.store.profile(visitor))})


async def set_consent(call: Call) -> Answer:
    """Record a decision: 201 where it is new, 200 where it was there already."""
    values, personalizer = call.values, call.personalizer
    purposes = personalizer.settings.privacy.purposes
    for place, purpose in enumerate(values["granted"]):
        if purpose not in purposes:
            hint = did_you_mean(purpose, purposes) or f"it asks for {', '.join(purposes)}"
            raise Refused("invalid", f"the site asks for no {quoted(purpose)}", f"/granted/{place}", hint)
    granted: list[JSONValue] = []
    granted.extend(sorted(set(values["granted"])))
    event = event_made(call, values, CONSENT, values["visitor"], {"granted": granted}, values["id"])
    return await answered(call, event)
