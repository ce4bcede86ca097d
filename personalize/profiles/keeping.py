"""For how long what is kept of somebody stays: by what the site declares, and by its settings."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta

from personalize.events.event import (
    BUILT_IN_TYPES,
    CONSENT,
    INTEREST,
    JOIN,
    KEPT_TOTALS,
    MARK,
    RETRACT,
    SEGMENT_ENTERED,
    SEGMENT_LEFT,
    SET,
    UNDO,
    Event,
)
from personalize.events.schema import DEFAULT_PURPOSE, Schema
from personalize.privacy_settings import Ages
from personalize.profiles.kept_totals import type_of
from personalize.profiles.purpose import attribute_purpose, purpose_of_type

#: Whose events are whose, what did not happen, and what was agreed to: that lasts as long as the profile.
_LASTING = frozenset({CONSENT, JOIN, UNDO, RETRACT, MARK})

#: What follows from the rest; the last change of each segment says whether somebody is in it.
_OF_SEGMENTS = frozenset({SEGMENT_ENTERED, SEGMENT_LEFT})


class Keeping:
    """How old each kind of event may become: as old as the shortest says of what its declaration, the settings for its
    purpose, and the settings for all events say.

    What visitors say of themselves, attributes and interests, grows too old by its purpose alone.
    """

    def __init__(self, schema: Schema, ages: Ages) -> None:
        self._schema = schema
        self._ages = ages
        self._by_type = {type_: self._age_of(type_) for type_ in sorted({*BUILT_IN_TYPES, *schema.events})}

    def age_of(self, type_: str) -> timedelta | None:
        """How old an event of this type may become, None for as old as it likes. Of attributes each has its own age."""
        return self._by_type[type_] if type_ in self._by_type else self._age_of(type_)

    def oldest_by_type(self, now: datetime) -> dict[str, datetime]:
        """From when on events of each type are complete, where they are not all; what visitors said of themselves
        counts once, however often it is told."""
        done = {type_: age for type_, age in self._by_type.items() if type_ not in (SET, INTEREST, KEPT_TOTALS)}
        return {type_: now - age for type_, age in done.items() if age is not None}

    def left_of(self, event: Event, now: datetime) -> Event | None:
        """What of an event is not too old; None where that is nothing."""
        if event.type == SET:
            left = {name for name in event.properties if not _is_over(event, self._age_of_attribute(name), now)}
            properties = {name: value for name, value in event.properties.items() if name in left}
            if len(left) == len(event.properties):
                return event
            return replace(event, properties=properties) if left else None
        return None if _is_over(event, self._age(event), now) else event

    def grows_old_at(self, event: Event) -> datetime | None:
        """The moment behind which something of an event is too old; None for never.

        That somebody entered or left a segment goes with what else grows too old of them, since the last of it stays.
        """
        if event.type in _OF_SEGMENTS:
            return None
        names = event.properties if event.type == SET else ()
        age = _shortest(map(self._age_of_attribute, names)) if event.type == SET else self._age(event)
        return None if age is None else event.occurred_at + age

    def _age(self, event: Event) -> timedelta | None:
        if event.type != KEPT_TOTALS:
            return self.age_of(event.type)
        declared = self._schema.events.get(type_of(event))
        return None if declared is not None and declared.keeps_totals else self.age_of(type_of(event))

    def _age_of(self, type_: str) -> timedelta | None:
        if type_ in _LASTING or type_ == SET:
            return None
        purposes = self._ages.purposes
        if type_ == INTEREST:
            return purposes.get(DEFAULT_PURPOSE)
        declared = self._schema.events.get(type_)
        purpose = purpose_of_type(type_, self._schema)
        by_purpose = None if purpose is None else purposes.get(purpose)
        return _shortest((None if declared is None else declared.keep, by_purpose, self._ages.events))

    def _age_of_attribute(self, name: str) -> timedelta | None:
        return self._ages.purposes.get(attribute_purpose(name, self._schema))


def _is_over(event: Event, age: timedelta | None, now: datetime) -> bool:
    return age is not None and event.occurred_at < now - age


def _shortest(ages: Iterable[timedelta | None]) -> timedelta | None:
    return min((age for age in ages if age is not None), default=None)
