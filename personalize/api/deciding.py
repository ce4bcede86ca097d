"""Operations that ask what slots show to a visitor, and why."""

from collections.abc import Mapping, Sequence
from typing import Any

from personalize.api.events import DEFAULT_CHANNEL
from personalize.api.operation import Answer, Call
from personalize.api.payloads import (
    CHANNEL,
    EVENT_ID,
    FLAG,
    VISITOR,
    Field,
    list_of,
    obj,
    text,
    values_of,
)
from personalize.api.profile_values import json_value
from personalize.api.recording import kept
from personalize.api.refusal import Refused
from personalize.decisions.context import RequestFacts
from personalize.decisions.decision import Decision
from personalize.problems import did_you_mean, quoted
from personalize.rules.facts import DEVICES
from personalize.rules.ruleset import RuleSet
from personalize.runtime.channel_visit import ChannelVisit
from personalize.runtime.offline import organization_of
from personalize.visitors.consent import Consent, granting

MOST_SLOTS = 50
LONGEST_FACT = 500

_SLOT = text(64, pattern=r"[a-z0-9][a-z0-9_-]*", says="the id of a slot", example="home-hero")
_TEXT = text(LONGEST_FACT)
_DEVICE = text(20, pattern="|".join(DEVICES), says=f"one of {', '.join(DEVICES)},")
#: What a channel may tell of the occasion, as rules ask for it below `page.` and `visit.`.
_FACTS: Mapping[str, Field] = {
    "path": Field(_TEXT, "The page, screen or letter that they look at: `page.path`."),
    "host": Field(_TEXT, "The host of its address."),
    "referrer": Field(_TEXT, "Where they come from."),
    "source": Field(_TEXT, "The source of the visit: `visit.source`."),
    "medium": Field(_TEXT, "The medium of the visit."),
    "campaign": Field(_TEXT, "The campaign of the visit."),
    "device": Field(_DEVICE, "The kind of device."),
    "browser": Field(_TEXT, "The browser."),
    "os": Field(_TEXT, "The operating system."),
    "language": Field(_TEXT, "The language, such as nb."),
    "country": Field(_TEXT, "The country, such as NO."),
    "region": Field(_TEXT, "The region."),
    "city": Field(_TEXT, "The city."),
    "query": Field(values_of(_TEXT, 50), "Parameters of its address, by name."),
}
_ASKED: Mapping[str, Field] = {
    "visitor": Field(VISITOR, "Who is asked about; somebody of whom nothing is stored is a stranger.", required=True),
    "page": Field(obj(_FACTS), "What is known of the occasion; whatever is left out is missing."),
    "consent": Field(
        list_of(text(64), 50),
        "The purposes that they agreed to elsewhere. It counts where nothing is stored of their decision; without it,"
        " nothing that is known of such a visitor does.",
    ),
    "channel": Field(
        CHANNEL, f"Where it will be shown, as rules read it in `page.channel`; {DEFAULT_CHANNEL}, if left out."
    ),
}
DECIDE = obj(
    {
        **_ASKED,
        "slots": Field(list_of(_SLOT, MOST_SLOTS, fewest=1), "The slots, decided together.", required=True),
        "impression": Field(EVENT_ID, "Counts what is shown, once under this id; without it, nothing is counted."),
    }
)
EXPLAIN = obj(
    {
        **_ASKED,
        "slot": Field(_SLOT, "The slot.", required=True),
        "misses": Field(FLAG, "Whether to tell what would have to be different; it is, if left out."),
    }
)


async def visit_of(call: Call) -> ChannelVisit:
    """The visitor that the body names, as the live rules see them. Raises `Refused`, and `StoreError`."""
    personalizer, values = call.personalizer, call.values
    rule_set = personalizer.rule_set
    if rule_set is None:
        raise Refused("nothing_live", "personalize publish makes rules live", retry_after_seconds=2)
    given = dict(values.get("page", {}))
    profile = await personalizer.store.profile(values["visitor"])
    query = {name: (one,) for name, one in given.pop("query", {}).items()}
    agreed = granting(values["consent"]) if "consent" in values else Consent()
    return ChannelVisit(
        personalizer,
        rule_set,
        values["visitor"],
        profile,
        agreed=agreed,
        facts=RequestFacts(query=query, channel=values.get("channel", DEFAULT_CHANNEL), **given),
        organization=await organization_of(profile, personalizer.store, rule_set),
    )


async def decide_slots(call: Call) -> Answer:
    """What the slots show; nothing is counted unless it is asked for."""
    slot_ids: Sequence[str] = call.values["slots"]
    visit = await visit_of(call)
    for place, slot_id in enumerate(slot_ids):
        _refuse_unknown(slot_id, visit.rule_set, f"/slots/{place}")
    decisions = visit.decide(slot_ids)
    counted = "impression" in call.values and await _count(call, visit, list(decisions.values()))
    return Answer(
        200,
        {
            "visitor": visit.profile_id,
            "version": visit.rule_set.version,
            "consent": _granted(visit.consent),
            "counted": counted,
            "slots": {slot_id: decided(one, visit) for slot_id, one in decisions.items()},
        },
    )


async def _count(call: Call, visit: ChannelVisit, decisions: Sequence[Decision]) -> bool:
    channel = call.values.get("channel", DEFAULT_CHANNEL)
    event_id = call.values["impression"]
    event = visit.impression(decisions, event_id, sender=call.caller.name, channel=channel)
    if event is not None:
        await kept(call, [event])
    return event is not None


def decided(decision: Decision, visit: ChannelVisit) -> dict[str, Any]:
    """One decision: its items with their fields and as markup, empty where the channel's own is to be shown."""
    return {
        "items": [_item(item_id, visit) for item_id in decision.item_ids],
        "rule": decision.rule_id,
        "reason": str(decision.reason),
        "personal": decision.personal,
    }


def _item(item_id: str, visit: ChannelVisit) -> dict[str, Any]:
    item = visit.rule_set.library.items[item_id]
    return {
        "id": item.item_id,
        "collection": item.collection,
        "title": item.title,
        "tags": sorted(item.tags),
        "fields": {name: json_value(value) for name, value in item.fields.items()},
        "markup": visit.markup(item_id),
    }


async def explain_slot(call: Call) -> Answer:
    """Why a slot shows what it shows: each rule, each question, the values that were seen."""
    slot_id = call.values["slot"]
    visit = await visit_of(call)
    _refuse_unknown(slot_id, visit.rule_set, "/slot")
    explanation = visit.explain(slot_id, misses=call.values.get("misses", True))
    told = {
        "visitor": visit.profile_id,
        "stored": visit.profile is not None,
        "at": visit.now.isoformat(),
        "consent": _granted(visit.consent),
        **explanation.as_values(),
    }
    return Answer(200, told)


def _granted(consent: Consent) -> list[str] | None:
    return None if consent.granted is None else sorted(consent.granted)


def _refuse_unknown(slot_id: str, rule_set: RuleSet, pointer: str) -> None:
    if slot_id not in rule_set.slots:
        hint = did_you_mean(slot_id, rule_set.slots)
        raise Refused("unknown_slot", f"the live rules have no slot {quoted(slot_id)}", pointer, hint)
