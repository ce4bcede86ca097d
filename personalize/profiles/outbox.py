"""The outbox: what webhooks have yet to be told of visitors, and what became of telling it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any

import orjson

from personalize.events.event import SEGMENT_ENTERED, WEBHOOK, Event, JSONValue, to_micros
from personalize.profiles.holding import NOTHING_HELD
from personalize.profiles.queue import queued, without_moment
from personalize.profiles.row_replay import RowReplay
from personalize.profiles.watched import segment_of

#: The projection that these rows belong to.
OUTBOX = "outbox"
#: What became of a message: it was taken, it was not sent for want of consent, it is tried no more, or anew.
DELIVERED, WITHHELD, GIVEN_UP, AGAIN = "delivered", "withheld", "given_up", "again"
_ENDS = (DELIVERED, WITHHELD)


@dataclass(frozen=True, slots=True)
class Message:
    """One change of a segment that one webhook has to be told.

    `occurred_at_micros` is when it was noticed; `attempts` counts the tries since `since_micros`, `due_at_micros` is
    when to make the next one, None for a message that was given up. `round` counts how often it was begun anew.
    """

    hook: str
    event_id: str
    segment_id: str
    entered: bool
    occurred_at_micros: int
    since_micros: int
    due_at_micros: int | None
    attempts: int = 0
    round: int = 0

    @property
    def key(self) -> tuple[str, str]:
        """What tells messages of one visitor apart."""
        return self.hook, self.event_id


@dataclass(frozen=True, slots=True)
class Outbox:
    """The messages of one visitor that were not delivered yet, by webhook and event."""

    messages: Mapping[tuple[str, str], Message] = field(default_factory=lambda: MappingProxyType({}))

    @property
    def due_at_micros(self) -> int | None:
        """When the first of them is due, None where all were given up."""
        return min((one.due_at_micros for one in self.messages.values() if one.due_at_micros is not None), default=None)

    def having(self, message: Message) -> "Outbox":
        """The outbox with this message, in place of the one of the same key."""
        return Outbox({**self.messages, message.key: message})

    def without(self, key: tuple[str, str]) -> "Outbox":
        """The outbox without a message."""
        return Outbox({one: message for one, message in self.messages.items() if one != key})


def outcome_of(message: Message, outcome: str) -> dict[str, JSONValue]:
    """The properties of the event that says what became of a message."""
    return {"hook": message.hook, "event": message.event_id, "outcome": outcome, "round": message.round}


class OutboxProjector:
    """Keeps one `Outbox` per profile id. `hooks` are the names of the webhooks that a segment is told to."""

    name = OUTBOX
    holding = NOTHING_HELD

    def __init__(self, hooks: Mapping[str, tuple[str, ...]]) -> None:
        self._hooks = hooks

    def reads(self, event: Event, rows: Mapping[str, Outbox | None]) -> tuple[str, ...]:
        """The outbox of the visitor, where the event puts something into it or takes something out."""
        is_told = event.type == WEBHOOK or segment_of(event) in self._hooks
        return (event.profile_id,) if is_told else ()

    def project(self, event: Event, rows: Mapping[str, Outbox | None]) -> Mapping[str, Outbox | None]:
        """The outbox after the event; None where it is empty."""
        if event.profile_id not in self.reads(event, rows):
            return {}
        before = rows.get(event.profile_id) or Outbox()
        after = _after_outcome(before, event) if event.type == WEBHOOK else self._with_messages(before, event)
        return {event.profile_id: after if after.messages else None}

    def _with_messages(self, outbox: Outbox, event: Event) -> Outbox:
        segment_id = segment_of(event) or ""
        at = to_micros(event.occurred_at)
        for hook in self._hooks.get(segment_id, ()):
            is_entry, since = event.type == SEGMENT_ENTERED, to_micros(event.received_at)
            outbox = outbox.having(Message(hook, event.event_id, segment_id, is_entry, at, since, since))
        return outbox

    def replay(self, key: str) -> RowReplay[Outbox]:
        """The outbox of a visitor whose history has lost something: without the messages about that."""
        return RowReplay(key, _after_loss)

    def encode(self, row: Outbox) -> bytes:
        """The row as bytes that sort by when it is due."""
        return queued(row.due_at_micros, orjson.dumps([_message_as_json(one) for one in row.messages.values()]))

    def decode(self, data: bytes) -> Outbox:
        """The row that `encode` wrote."""
        messages = (Message(*stored) for stored in orjson.loads(without_moment(data)[1]))
        return Outbox({one.key: one for one in messages})


def _after_loss(outbox: Outbox | None, events: Sequence[Event]) -> Outbox | None:
    told = {event.event_id for event in events}
    messages = {} if outbox is None else {key: one for key, one in outbox.messages.items() if one.event_id in told}
    return Outbox(messages) if messages else None


def _after_outcome(outbox: Outbox, event: Event) -> Outbox:
    key = (str(event.properties.get("hook")), str(event.properties.get("event")))
    message, outcome = outbox.messages.get(key), event.properties.get("outcome")
    if message is None:
        return outbox
    if outcome in _ENDS:
        return outbox.without(key)
    if outcome == GIVEN_UP:
        return outbox.having(replace(message, due_at_micros=None))
    if outcome == AGAIN and message.due_at_micros is None:
        at = to_micros(event.received_at)
        again = replace(message, since_micros=at, due_at_micros=at, attempts=0, round=message.round + 1)
        return outbox.having(again)
    return outbox


def _message_as_json(message: Message) -> list[Any]:
    return [
        message.hook,
        message.event_id,
        message.segment_id,
        message.entered,
        message.occurred_at_micros,
        message.since_micros,
        message.due_at_micros,
        message.attempts,
        message.round,
    ]
