"""Operations that tell what is known of a visitor, and find one."""

from personalize.api.events import DEFAULT_CHANNEL
from personalize.api.operation import Answer, Call
from personalize.api.payloads import LONGEST_ID, VISITOR, Field, obj, text
from personalize.api.profile_values import known
from personalize.api.refusal import Refused
from personalize.decisions.context import RequestFacts
from personalize.profiles.profile import Profile
from personalize.runtime.channel_visit import ChannelVisit
from personalize.runtime.offline import organization_of
from personalize.visitors.consent import Consent

READ = obj({"visitor": Field(VISITOR, "Who is asked about.", required=True)})
SEARCH = obj({"user_id": Field(text(LONGEST_ID - 2, example="anna"), "The site's own id of them.", required=True)})


async def read_profile(call: Call) -> Answer:
    """What is stored of a visitor. Whoever asks for many of whom nothing is, is made to wait: they are guessing."""
    name = call.caller.name
    if (seconds := call.misses.exhausted(name)) is not None:
        detail = "too many visitors were asked for of whom nothing is stored"
        raise Refused("too_often", detail, retry_after_seconds=seconds)
    profile = await call.personalizer.store.profile(call.values["visitor"])
    if profile is None:
        call.misses.take(name)
        raise Refused("unknown_visitor", "nothing is stored of such a visitor", "/visitor")
    return Answer(200, known(await _as_known(call, profile), profile))


async def find_visitors(call: Call) -> Answer:
    """The visitors of whom exactly this is stored: none is no error."""
    profile = await call.personalizer.store.profile(f"u:{call.values['user_id']}")
    found = [] if profile is None else [profile.profile_id]
    return Answer(200, {"visitors": found})


async def _as_known(call: Call, profile: Profile) -> ChannelVisit:
    rule_set = call.personalizer.rule_set
    if rule_set is None:
        raise Refused("nothing_live", "what is stored can't be told without rules", retry_after_seconds=2)
    return ChannelVisit(
        call.personalizer,
        rule_set,
        profile.profile_id,
        profile,
        agreed=Consent(),
        facts=RequestFacts(channel=DEFAULT_CHANNEL),
        organization=await organization_of(profile, call.personalizer.store, rule_set),
    )
