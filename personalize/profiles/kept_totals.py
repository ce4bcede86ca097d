"""Kept totals: what stays of events whose time is over, where their declaration says `keep: totals`.

One event stands for all those of one type that went: how many they were, what they added up to, and what the first and
the last of them were. It is projected as those would be, as far as totals go.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from datetime import datetime

from personalize.events.event import KEPT_TOTALS, Event, JSONValue
from personalize.events.schema import Schema
from personalize.light_values import light_dataclass
from personalize.profiles.profile import Totals
from personalize.profiles.totals import amount_of, together, with_one_more

#: Who sends these events.
SENDER = "retention"
_OF, _VALUE, _COUNT, _SUM = "of", "value", "count", "sum"
_FIRST, _FIRST_VALUE, _LAST_VALUE = "first", "first_value", "last_value"


@light_dataclass(frozen=True, slots=True)
class KeptTotals:
    """What events of the type `of` added up to; `value` names the property whose amounts are in it, None for none."""

    of: str
    value: str | None
    totals: Totals

    def by(self, value: str | None) -> Totals:
        """The totals where this is the property that is added up by now: amounts of another one are none of it."""
        if value == self.value:
            return self.totals
        return replace(self.totals, sum=0, first_value=None, last_value=None)


def type_of(event: Event) -> str:
    """The type of what an event tells of: kept totals are those of another type."""
    of = event.properties.get(_OF) if event.type == KEPT_TOTALS else None
    return of if isinstance(of, str) else event.type


def kept_totals_of(event: Event) -> KeptTotals | None:
    """What such an event tells; None for one that tells nothing."""
    told = event.properties
    of, value, count, first = (told.get(name) for name in (_OF, _VALUE, _COUNT, _FIRST))
    if not isinstance(of, str) or not isinstance(count, int) or count < 1 or not isinstance(first, str):
        return None
    try:
        first_at = datetime.fromisoformat(first)
    except ValueError:
        return None
    if first_at.utcoffset() is None or first_at > event.occurred_at:
        return None
    sum_, first_value, last_value = (amount_of(told.get(name)) for name in (_SUM, _FIRST_VALUE, _LAST_VALUE))
    totals = Totals(count, sum_ or 0, first_at, event.occurred_at, first_value, last_value)
    return KeptTotals(of, value if isinstance(value, str) else None, totals)


def summed(gone: Iterable[Event], schema: Schema, belongs: Callable[[Event], bool], *, at: datetime) -> Sequence[Event]:
    """The events that stand for those of one profile that went, as of the moment `at`; kept totals among them go on.

    `belongs` says whether an event belongs to the profile that it was sent with: what a join has moved to another one
    is summed up by itself, so that it stays there, and comes back where that is undone. An event that `schema` does
    not keep the totals of is left out.
    """
    sums: dict[tuple[str, bool], Totals | None] = {}
    profile_id = ""
    for event in gone:
        type_ = type_of(event)
        declared = schema.events.get(type_)
        if declared is not None and declared.keeps_totals:
            profile_id, group = event.profile_id, (type_, belongs(event))
            sums[group] = _with_event(sums.get(group), event, declared.value)
    found = [(*group, totals) for group, totals in sums.items() if totals is not None]
    value_of = {type_: schema.events[type_].value for type_, _ in sums}
    return [_event(profile_id, value_of[type_], type_, is_own, totals, at) for type_, is_own, totals in found]


def _with_event(totals: Totals | None, event: Event, value: str | None) -> Totals | None:
    if event.type != KEPT_TOTALS:
        amount = None if value is None else amount_of(event.properties.get(value))
        return with_one_more(totals, event.occurred_at, amount)
    kept = kept_totals_of(event)
    return totals if kept is None else together(totals, kept.by(value))


def _event(profile_id: str, value: str | None, type_: str, is_own: bool, totals: Totals, at: datetime) -> Event:
    """It occurred when the last of those did that it stands for."""
    properties: dict[str, JSONValue] = {
        _OF: type_,
        _VALUE: value,
        _COUNT: totals.count,
        _SUM: totals.sum,
        _FIRST: totals.first_at.isoformat(),
        _FIRST_VALUE: totals.first_value,
        _LAST_VALUE: totals.last_value,
    }
    return Event(
        event_id=f"{profile_id} {type_}{'' if is_own else ' joined'}",
        sender=SENDER,
        type=KEPT_TOTALS,
        profile_id=profile_id,
        occurred_at=totals.last_at,
        received_at=at,
        properties={name: told for name, told in properties.items() if told is not None},
        channel=SENDER,
    )
