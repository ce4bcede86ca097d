"""A visitor's download: everything that is kept of one person, for programs as JSON and for themselves as a page.

Attributes, events and segments have the titles that the site declares, amounts of money stand in the site's currency.
What is no longer declared is told as it is kept, so that nothing is left out.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any, TypeAlias

from markupsafe import Markup, escape

from personalize.events.event import CONSENT, KEPT_TOTALS, SET, Event, JSONValue, from_micros
from personalize.events.schema import DEFAULT_PURPOSE, EventType, Schema, Shape, ValueType
from personalize.profiles.kept_totals import type_of
from personalize.profiles.profile import AttributeValue, Profile, Totals, Visit
from personalize.rules.ruleset import RuleSet
from personalize.runtime.offline import visitor_context
from personalize.runtime.person import Person
from personalize.settings import Settings
from personalize.stores.event_text import properties_as_text

#: What a download holds: JSON, and nothing else.
Download: TypeAlias = dict[str, Any]

#: Where names are those of properties and values, not ours.
_TOLD = frozenset({"details", "value", "interests", "said_of_interests"})
_STYLE = (
    "body{font:1em/1.5 system-ui,sans-serif;max-width:50em;margin:2em auto;padding:0 1em}"
    "dt{font-weight:bold;margin-top:.4em}dd{margin:0 0 0 1.5em}ol>li{margin-bottom:1em}"
)


def download_of(person: Person, rule_set: RuleSet, settings: Settings, *, now: datetime) -> Download:
    """All that is kept of a person, under the rule set whose words and segments count."""
    words = _Words(rule_set.schema)
    profile = person.profile
    return {
        "visitor": person.profile_id,
        "made_at": now.isoformat(),
        "currency": settings.currency,
        "browsers": list(person.browsers),
        "profile": {} if profile is None else words.profile(profile),
        "segments": [] if profile is None else _segments(profile, rule_set, settings, now),
        "consent": [words.decision(event) for event in person.events if event.type == CONSENT],
        "events": [words.event(event) for event in person.events],
    }


def as_json(download: Download) -> str:
    """The download as JSON text; numbers are exact, moments ISO 8601 in UTC."""
    return properties_as_text(download)


def as_html(download: Download) -> str:
    """The download as one page that stands for itself: no script, nothing fetched, every value as text."""
    title = Markup("What is kept of {}").format(download["visitor"])
    head = Markup('<!doctype html><html lang="en"><meta charset="utf-8"><title>{}</title>').format(title)
    parts = (
        Markup("<h2>{}</h2>{}").format(name.replace("_", " ").capitalize(), _html(each))
        for name, each in download.items()
    )
    return head + Markup("<style>{}</style><h1>{}</h1>").format(Markup(_STYLE), title) + Markup().join(parts)


class _Words:
    """Says what is kept in the words of one schema."""

    def __init__(self, schema: Schema) -> None:
        self._schema = schema

    def profile(self, profile: Profile) -> Download:
        """The profile, without what it has only to be kept up to date."""
        return _without_gaps(
            {
                "first_seen_at": profile.first_seen_at,
                "last_seen_at": profile.last_seen_at,
                "consent": None if profile.consent.granted is None else sorted(profile.consent.granted),
                "consent_at": profile.consent_at,
                "visit": None if profile.visit is None else _visit(profile.visit),
                "attributes": [self._attribute(*each) for each in sorted(profile.attributes.items())],
                "totals": [self._totals(*each) for each in sorted(profile.totals.items())],
                "interests": {tag: list(map(from_micros, times)) for tag, times in sorted(profile.interests.items())},
                "said_of_interests": {tag: stated.value for tag, stated in sorted(profile.stated.items())},
                "organization": None if profile.membership is None else profile.membership.organization_id,
                "counted_at": {key: list(map(from_micros, times)) for key, times in sorted(profile.recent.items())},
                "placed_in_tests_by": profile.unit,
            }
        )

    def event(self, event: Event) -> Download:
        """An event, whole."""
        type_ = type_of(event)
        declared = self._schema.events.get(type_)
        title = self._schema.title_of_event(type_)
        return _without_gaps(
            {
                "what": f"{title}, added up" if event.type == KEPT_TOTALS else title,
                "type": event.type,
                "occurred_at": event.occurred_at,
                "received_at": event.received_at,
                "details": self._details(event, declared),
                "sent_as": event.profile_id,
                "sent_by": event.sender,
                "channel": event.channel,
                "event_id": event.event_id,
                "rules": event.version,
            }
        )

    def _details(self, event: Event, declared: EventType | None) -> Mapping[str, object]:
        shapes = {} if declared is None else declared.properties
        if event.type == SET:
            shapes = {name: each.shape for name, each in self._schema.attributes.items()}
        elif event.type == KEPT_TOTALS:
            amount = shapes.get(str(event.properties.get("value")))
            shapes = {} if amount is None else dict.fromkeys(("sum", "first_value", "last_value"), amount)
        return {name: self._value(each, shapes.get(name)) for name, each in event.properties.items()}

    def decision(self, event: Event) -> Download:
        """A decision on consent: when, what was granted, and whatever else is kept of it."""
        return {"at": event.occurred_at.isoformat(), "channel": event.channel, **event.properties}

    def _attribute(self, name: str, stored: AttributeValue) -> Download:
        declared = self._schema.attributes.get(name)
        return _without_gaps(
            {
                "what": self._schema.title_of_attribute(name),
                "name": name,
                "value": self._value(stored.value, None if declared is None else declared.shape),
                "set_at": from_micros(stored.set_at_micros),
                "purpose": DEFAULT_PURPOSE if declared is None else declared.purpose,
            }
        )

    def _totals(self, type_: str, totals: Totals) -> Download:
        declared = self._schema.events.get(type_)
        shape = None if declared is None or declared.value is None else declared.properties.get(declared.value)
        return _without_gaps(
            {
                "what": self._schema.title_of_event(type_),
                "type": type_,
                "count": totals.count,
                "sum": None if shape is None else self._value(totals.sum, shape),
                "first_at": totals.first_at,
                "last_at": totals.last_at,
            }
        )

    def _value(self, value: JSONValue, shape: Shape | None) -> JSONValue:
        """A value as its type writes it: an amount of money in the currency, not in its smallest unit."""
        if shape is None or value is None:
            return value
        if shape.type is ValueType.MONEY and isinstance(value, int) and not isinstance(value, bool):
            return Decimal(value).scaleb(-self._schema.currency_digits)
        if isinstance(value, list):
            return [self._value(each, shape.of) for each in value]
        if isinstance(value, dict):
            return {name: self._value(each, shape.fields.get(name)) for name, each in value.items()}
        return value


def _visit(visit: Visit) -> Download:
    return _without_gaps(
        {
            "number": visit.number,
            "started_at": visit.started_at,
            "last_page_at": visit.last_page_at,
            "pages": visit.pages,
            "landing_path": visit.landing_path,
            "source": visit.source,
            "medium": visit.medium,
            "campaign": visit.campaign,
            "seen_before_at": visit.previous_seen_at,
        }
    )


def _segments(profile: Profile, rule_set: RuleSet, settings: Settings, now: datetime) -> list[str]:
    index = rule_set.index
    reach = index.reach((), rule_set.segments)
    context = visitor_context(profile.profile_id, profile, rule_set, settings, now=now)
    members = context.answers(index, reach).members
    return [one for one in rule_set.segments if members >> index.segments.number[one] & 1]


def _without_gaps(told: Mapping[str, object]) -> Download:
    """The same without what is missing, and moments as text."""
    return {name: _plain(value) for name, value in told.items() if value not in (None, [], {})}


def _plain(value: object) -> object:
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, list):
        return [_plain(each) for each in value]
    return {name: _plain(each) for name, each in value.items()} if isinstance(value, dict) else value


def _html(value: object, *, ours: bool = True) -> Markup:
    """A value as lists within lists. Names that are `ours` are words; those that came with an event stay as sent."""
    if isinstance(value, Mapping):
        pairs = (
            Markup("<dt>{}</dt><dd>{}</dd>").format(
                name.replace("_", " ") if ours else name, _html(each, ours=ours and name not in _TOLD)
            )
            for name, each in value.items()
        )
        return Markup("<dl>{}</dl>").format(Markup().join(pairs))
    if isinstance(value, Sequence) and not isinstance(value, str):
        items = Markup().join(Markup("<li>{}</li>").format(_html(each, ours=ours)) for each in value)
        return Markup("<ol>{}</ol>").format(items)
    if value is None or isinstance(value, bool):
        return escape({True: "yes", False: "no", None: "nothing"}[value])
    return escape(value)
