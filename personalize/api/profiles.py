"""Operations that tell what is known of a visitor, and find one."""

from collections.abc import Sequence

from personalize.api.events import DEFAULT_CHANNEL
from personalize.api.operation import Answer, Call
from personalize.api.payloads import LONGEST_ID, VISITOR, Field, obj, text
from personalize.api.profile_values import known
from personalize.api.refusal import Refused
from personalize.decisions.context import RequestFacts
from personalize.events.values import LONGEST_TEXT
from personalize.problems import did_you_mean, quoted
from personalize.profiles.profile import Profile
from personalize.runtime.channel_visit import ChannelVisit
from personalize.runtime.offline import organization_of
from personalize.runtime.searching import visitors_with
from personalize.visitors.consent import Consent

READ = obj({"visitor": Field(VISITOR, "Who is asked about.", required=True)})
SEARCH = obj(
    {
        "user_id": Field(text(LONGEST_ID - 2, example="anna"), "The site's own id of them; or else:"),
        "attribute": Field(text(64, example="email"), "An attribute that is declared `searchable`."),
        "value": Field(text(LONGEST_TEXT), "Its value; large and small letters are the same, and blanks count once."),
    }
)
#: What is told together, by the fields of a body.
SEARCH_FIELDS = ("user_id", "attribute", "value")
SEARCHES = (("user_id",), ("attribute", "value"))


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
    store, values = call.personalizer.store, call.values
    if tuple(name for name in SEARCH_FIELDS if name in values) not in SEARCHES:
        raise Refused("invalid", "a search takes a `user_id`, or an `attribute` and its `value`")
    if "user_id" in values:
        profile = await store.profile(f"u:{values['user_id']}")
        found: Sequence[Profile] = [] if profile is None else [profile]
    else:
        _refuse_unsearchable(call, values["attribute"])
        found = await visitors_with(store, values["attribute"], values["value"])
    return Answer(200, {"visitors": [profile.profile_id for profile in found]})


def _refuse_unsearchable(call: Call, name: str) -> None:
    """Refuse an attribute that visitors are not found by, or not yet."""
    searchable, filled = call.personalizer.schema.searchable, call.personalizer.follower.filled
    if name not in searchable:
        hint = did_you_mean(name, searchable) or "rule files declare what visitors are found by: `searchable: true`"
        raise Refused("invalid", f"visitors are not found by {quoted(name)}", "/attribute", hint)
    if filled is not None and name not in filled.holding.searchable:
        detail = "what is known of visitors is still being gone through for this attribute"
        raise Refused("not_yet", detail, retry_after_seconds=5)


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
