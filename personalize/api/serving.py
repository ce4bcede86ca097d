"""The operation for whoever serves a visitor, by a till or a telephone system of the site's own."""

from typing import Any

from personalize.api.operation import Answer, Call
from personalize.api.payloads import LONGEST_ID, Field, obj, text
from personalize.api.refusal import Refused
from personalize.runtime.serving import Counter, Served

_LONGEST = 200
SERVE = obj(
    {
        "user_id": Field(text(LONGEST_ID - 2, example="anna"), "The site's own id of whom they serve.", required=True),
        "by": Field(text(_LONGEST, example="Ole"), "Who looks, as it is to be written down.", required=True),
        "why": Field(text(_LONGEST, example="on the phone"), "Why they look.", required=True),
    }
)


async def serve_visitor(call: Call) -> Answer:
    """What may be told of a visitor to whoever serves them. Whoever asks for many of whom nothing is stored waits."""
    name = call.caller.name
    if (seconds := call.misses.exhausted(name)) is not None:
        detail = "too many visitors were asked for of whom nothing is stored"
        raise Refused("too_often", detail, retry_after_seconds=seconds)
    if call.personalizer.rule_set is None:
        raise Refused("nothing_live", "what is stored can't be told without rules", retry_after_seconds=2)
    counter = Counter(call.personalizer, f"{name}: {call.values['by']}")
    served = await counter.look(call.values["user_id"], call.values["why"])
    if served is None:
        call.misses.take(name)
        raise Refused("unknown_visitor", "nothing is stored of such a visitor", "/user_id")
    return Answer(200, _told(served))


def _told(served: Served) -> dict[str, Any]:
    known = served.known
    return {
        "user_id": served.user_id,
        "may_be_used": served.may_be_used,
        "attributes": [{"title": one.title, "value": one.value} for one in known.attributes],
        "did": [
            {"title": one.title, "count": one.count, "total": one.total, "last_at": one.last_at.isoformat()}
            for one in known.totals
        ],
        "events": [
            {
                "title": one.title,
                "at": one.event.occurred_at.isoformat(),
                "channel": one.event.channel,
                "says": dict(one.says),
            }
            for one in known.events
        ],
        "interests": [{"tag": one.tag, "strength": float(one.strength), "said": one.said} for one in known.interests],
        "segments": list(served.segments),
        "advice": [{"slot": one.slot, "items": list(one.items), "why": one.why} for one in served.advice],
    }
