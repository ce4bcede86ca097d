"""Page views of made-up visitors, as the rules of a rule set see them."""

from collections.abc import Collection, Mapping
from datetime import UTC, datetime, timedelta

from personalize.decisions.context import Context, RequestFacts, make_context
from personalize.events.event import Event, JSONValue
from personalize.profiles.lifecycle import Lifecycle
from personalize.profiles.profile import Profile
from personalize.profiles.project import ProfileProjector
from personalize.rules.ruleset import RuleSet
from personalize.visitors.consent import Consent, granting
from personalize.visitors.identity import Identity

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
EVERYTHING = granting(["personalize", "measure", "mail"])
HOME = RequestFacts(path="/")

Happened = tuple[str, datetime, Mapping[str, JSONValue]]


def ago(**length: float) -> datetime:
    """The moment so long before the time of asking: `ago(days=3)`."""
    return NOW - timedelta(**length)


def profile_of(rule_set: RuleSet, *events: Happened) -> Profile:
    """The profile of somebody to whom all this happened."""
    projector = ProfileProjector(rule_set.schema, rule_set.counters)
    profile = Profile("u:1")
    for number, (type_, at, properties) in enumerate(events):
        event = Event(str(number), "test", type_, "u:1", at, at, properties)
        profile = projector.project(event, {"u:1": profile})["u:1"]
    return profile


def context_for(
    rule_set: RuleSet,
    *events: Happened,
    stored: bool = True,
    consent: Consent = EVERYTHING,
    facts: RequestFacts | None = HOME,
    now: datetime = NOW,
    pending: Collection[str] = (),
) -> Context:
    """What the rules see of somebody to whom all this happened; not `stored`, somebody without a profile."""
    return make_context(
        rule_set.ground,
        Lifecycle(),
        identity=Identity(profile_id="u:1", consent=consent),
        profile=profile_of(rule_set, *events) if stored else None,
        facts=facts,
        now=now,
        pending=pending,
    )
