"""Counters: the latest times of the events that a `did` condition asks for."""

from bisect import bisect_right
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from personalize.events.event import Event, JSONValue, to_micros
from personalize.profiles.stored_part import having

#: The most times that any counter keeps; a rule set may not ask for more.
MOST_TIMES = 1000
_ROOM = (3, 10, 30, 100, 300, MOST_TIMES)


@dataclass(frozen=True, slots=True)
class Counter:
    """What one `did` condition needs to know: events of a type that pass a filter, and how many of the latest.

    `key` names the event type and the filter, not the limit; the same key keeps its times when a new rule
    set still asks for it.
    """

    key: str
    event_type: str
    limit: int
    matches: Callable[[Mapping[str, JSONValue]], bool]

    def __post_init__(self) -> None:
        if not 1 <= self.limit <= MOST_TIMES:
            raise ValueError(f"a counter keeps 1 to {MOST_TIMES} times, not {self.limit}")


def room_for(count: int) -> int:
    """How many times a counter keeps of which a rule asks for so many: somewhat more, so that a rule which asks for
    one more another day finds it kept, and need not wait until the log is counted again."""
    return next(room for room in _ROOM if room >= count)


def with_event(
    recent: Mapping[str, tuple[int, ...]], counters: Iterable[Counter], event: Event
) -> Mapping[str, tuple[int, ...]]:
    """The times of every counter after this event: microseconds since 1970, oldest first.

    A late event takes its place in time. Each counter keeps the latest `limit` times; keys of other rule
    sets stay as they are. The same mapping comes back where no counter matches.
    """
    matching = [
        counter for counter in counters if counter.event_type == event.type and counter.matches(event.properties)
    ]
    at = to_micros(event.occurred_at)
    for counter in matching:
        recent = having(recent, counter.key, _inserted(recent.get(counter.key, ()), at, counter.limit))
    return recent


def merged(one: tuple[int, ...], other: tuple[int, ...], limit: int = MOST_TIMES) -> tuple[int, ...]:
    """The latest `limit` times of two counters of the same key."""
    return tuple(sorted((*one, *other)))[-limit:]


def _inserted(times: tuple[int, ...], at: int, limit: int) -> tuple[int, ...]:
    place = bisect_right(times, at)
    return (*times[:place], at, *times[place:])[-limit:]
