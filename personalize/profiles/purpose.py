"""What each event is kept for, and what is left of it where its purpose is refused."""

from collections.abc import Collection
from dataclasses import replace

from personalize.events.event import CLICK, CONSENT, IMPRESSION, JOIN, RETRACT, SEEN, SET, UNDO, Event
from personalize.events.schema import DEFAULT_PURPOSE, Schema
from personalize.profiles.kept_totals import type_of
from personalize.visitors.consent import MEASURE_PURPOSE

#: What was shown, seen and clicked is kept to be counted.
_MEASURES = frozenset({IMPRESSION, SEEN, CLICK})
#: Whose events are whose, what did not happen, and what was agreed to is kept whatever is refused.
_NEEDED = frozenset({CONSENT, JOIN, UNDO, RETRACT})
#: What is kept of a decision itself: it proves what was agreed to.
_RECEIPT = frozenset({"granted", "text", "gpc"})


def left_without(event: Event, refused: Collection[str], schema: Schema) -> Event | None:
    """What may be kept of an event where these purposes are refused; None where that is nothing.

    Page views, and whatever is declared without a purpose, serve `personalize`, as does what no longer is declared;
    impressions, seen or not, and clicks serve `measure`. Of attributes that were set together each serves its own.
    """
    if event.type == CONSENT:
        is_bare = DEFAULT_PURPOSE not in refused or event.properties.keys() <= _RECEIPT
        return event if is_bare else _with(event, event.properties.keys() & _RECEIPT)
    if event.type == SET:
        left = {name for name in event.properties if attribute_purpose(name, schema) not in refused}
        return _with(event, left) if left else None
    return None if purpose_of_type(type_of(event), schema) in refused else event


def purpose_of_type(type_: str, schema: Schema) -> str | None:
    """What events of a type are kept for; None for what is kept whatever is refused."""
    if type_ in _NEEDED:
        return None
    if type_ in _MEASURES:
        return MEASURE_PURPOSE
    declared = schema.events.get(type_)
    return DEFAULT_PURPOSE if declared is None else declared.purpose


def attribute_purpose(name: str, schema: Schema) -> str:
    """What an attribute is kept for."""
    declared = schema.attributes.get(name)
    return DEFAULT_PURPOSE if declared is None else declared.purpose


def _with(event: Event, names: Collection[str]) -> Event:
    if len(names) == len(event.properties):
        return event
    return replace(event, properties={name: each for name, each in event.properties.items() if name in names})
