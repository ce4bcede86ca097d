"""Which events are in force: what corrections, undone joins and refusals leave of a log.

It follows from which events there are and when they occurred, not from the order in which they arrived: of two logins
that claim one browser the earlier has it, and a join counts for nothing where somebody had refused by then.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from personalize.events.event import CONSENT, JOIN, MARK, RETRACT, UNDO, Event, EventName, JSONValue
from personalize.profiles.profile import Joined
from personalize.visitors.consent import UNKNOWN, Consent, granting, stricter

ANONYMOUS_PREFIX = "v:"
KNOWN_PREFIX = "u:"
#: For how long a join may be undone.
UNDO_WITHIN = timedelta(days=30)
#: The types of events that decide which others are in force. They can't be corrected themselves.
DECIDING_TYPES = frozenset({JOIN, UNDO, RETRACT, MARK, CONSENT})

#: A decision on consent, and when it was taken.
Decided = tuple[Consent, datetime | None]
_UNDECIDED: Decided = (UNKNOWN, None)


@dataclass(frozen=True, slots=True)
class InForce:
    """What holds among profiles that joins hold together.

    `joined` says by anonymous profile which login has it, and since when. `joins` and `refused` name the events of
    joins that took hold, and of those that moved nothing since somebody had refused. `consents` is by profile.
    `retracted` and `marked` name the events that did not happen, and those that tell nothing of what somebody likes,
    each with the profile that said so; `corrected` names all of these.
    """

    joined: Mapping[str, Joined]
    joins: frozenset[EventName]
    refused: frozenset[EventName]
    consents: Mapping[str, Decided]
    retracted: frozenset[tuple[str, EventName]]
    marked: frozenset[tuple[str, EventName]]
    corrected: frozenset[EventName]

    def owner(self, event: Event) -> str:
        """The profile that an event belongs to, once all joins are done."""
        joined = self.joined.get(event.profile_id)
        return event.profile_id if joined is None or event.occurred_at > joined.at else joined.into


def in_force(deciding: Iterable[Event]) -> InForce:
    """What holds, given all events of `DECIDING_TYPES` of these profiles."""
    events = sorted(deciding, key=lambda event: (event.occurred_at, event.type == JOIN, name_of(event)))
    undone = _undone(events)
    course = _Course()
    for event in events:
        if event.type == CONSENT:
            course.consent(event)
        elif event.type == JOIN and name_of(event) not in undone:
            course.join(event)
    retracted, marked = _corrected(events, RETRACT), _corrected(events, MARK)
    return InForce(
        joined=course.joined,
        joins=frozenset(course.joins),
        refused=frozenset(course.refused),
        consents=course.consents,
        retracted=retracted,
        marked=marked,
        corrected=frozenset(name for _, name in retracted | marked),
    )


def name_of(event: Event) -> EventName:
    """What names an event for ever."""
    return (event.sender, event.event_id)


def corrected_by(event: Event) -> EventName | None:
    """The event that a correction is about, by default one of its own sender; None where it names none."""
    event_id, sender = event.properties.get("event_id"), event.properties.get("sender", event.sender)
    return (sender, event_id) if isinstance(event_id, str) and isinstance(sender, str) else None


def anonymous_of(event: Event) -> str | None:
    """The anonymous profile that a join, or the undoing of one, is about; None for one that nothing follows from."""
    anonymous_id = event.properties.get("from")
    if not isinstance(anonymous_id, str) or not anonymous_id.startswith(ANONYMOUS_PREFIX):
        return None
    return anonymous_id if event.profile_id.startswith(KNOWN_PREFIX) else None


def tells_nothing(event: Event) -> bool:
    """Whether an event that should join, undo or correct something names nothing that it could be done to."""
    return (anonymous_of(event) if event.type in (JOIN, UNDO) else corrected_by(event)) is None


def consent_of(properties: Mapping[str, JSONValue]) -> Consent | None:
    """The decision that a consent tells, or None for one that tells nothing."""
    purposes = properties.get("granted")
    if not isinstance(purposes, list):
        return None
    return granting(purpose for purpose in purposes if isinstance(purpose, str))


def newest(present: Decided, given: Consent, at: datetime) -> Decided:
    """The decision that holds of two on one profile: the newest, and the stricter of two as old."""
    consent, present_at = present
    if present_at is None or at > present_at:
        return given, at
    return (stricter(consent, given), at) if at == present_at else present


class _Course:
    """Consents and joins in the order in which they occurred."""

    def __init__(self) -> None:
        self.consents: dict[str, Decided] = {}
        self.joined: dict[str, Joined] = {}
        self.joins: set[EventName] = set()
        self.refused: set[EventName] = set()

    def consent(self, event: Event) -> None:
        given = consent_of(event.properties)
        if given is not None:
            present = self.consents.get(event.profile_id, _UNDECIDED)
            self.consents[event.profile_id] = newest(present, given, event.occurred_at)

    def join(self, event: Event) -> None:
        known_id, anonymous_id = event.profile_id, anonymous_of(event)
        if anonymous_id is None or anonymous_id in self.joined:
            return
        known, anonymous = (self.consents.get(one, _UNDECIDED) for one in (known_id, anonymous_id))
        consent = stricter(known[0], anonymous[0])
        if known[0].forbids_identifier or anonymous[0].forbids_identifier:
            self.refused.add(name_of(event))
            if consent != known[0]:
                self.consents[known_id] = (consent, anonymous[1] if known[1] is None else known[1])
            return
        self.joins.add(name_of(event))
        self.joined[anonymous_id] = Joined(known_id, event.occurred_at)
        at = max((one for _, one in (known, anonymous) if one is not None), default=None)
        self.consents[known_id] = (consent, at)
        self.consents[anonymous_id] = _UNDECIDED


def _undone(events: Iterable[Event]) -> frozenset[EventName]:
    """The joins that are undone: those of the same two profiles that occurred up to `UNDO_WITHIN` before."""
    joins: dict[tuple[str, str], list[Event]] = {}
    undone: set[EventName] = set()
    for event in events:  # in order, joins last of those at one moment
        anonymous_id = anonymous_of(event) if event.type in (JOIN, UNDO) else None
        if anonymous_id is None:
            continue
        of_both = joins.setdefault((event.profile_id, anonymous_id), [])
        if event.type == JOIN:
            of_both.append(event)
        else:
            undone |= {name_of(join) for join in of_both if event.occurred_at - join.occurred_at <= UNDO_WITHIN}
    return frozenset(undone)


def _corrected(events: Iterable[Event], type_: str) -> frozenset[tuple[str, EventName]]:
    names = ((event.profile_id, corrected_by(event)) for event in events if event.type == type_)
    return frozenset((profile_id, name) for profile_id, name in names if name is not None)
