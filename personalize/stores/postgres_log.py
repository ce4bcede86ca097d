"""The log of a PostgreSQL store: reading and writing events, by prepared SQL. Who writes holds the transaction.

An event counts once for a profile: its sender and id name it among those of its profile, since a unique key over all of
them would need one place for all, and a profile is to lie where the others' need not be known.
"""

from collections.abc import Sequence
from typing import Any

from personalize.events.event import Event
from personalize.stores.erasing import joined_by
from personalize.stores.event_text import properties_as_text, properties_from_text
from personalize.stores.outcomes import outcome_of
from personalize.stores.postgres_connections import Connection
from personalize.stores.postgres_kept import kept_text, text_kept
from personalize.stores.postgres_link import InTheWay
from personalize.stores.protocols import Outcome

_EVENT = "profile_id, sender, event_id, type, occurred_at, received_at, channel, version, properties"
_KEY = "unnest($1::text[], $2::text[], $3::text[]) WITH ORDINALITY AS sent (profile_id, sender, event_id, place)"
# One look into the index for each, whatever the server believes of a table that it has not looked at.
_KNOWN = f"""
    SELECT place, known.* FROM {_KEY} CROSS JOIN LATERAL (
        SELECT {_EVENT}, seq FROM events
        WHERE profile_id = sent.profile_id AND sender = sent.sender AND event_id = sent.event_id LIMIT 1
    ) AS known
"""
# Numbers are given out in the order of the events; whoever holds the profiles' rows has the next ones of their events.
_APPEND = f"""
    INSERT INTO events (seq, {_EVENT}, joined_id)
    SELECT nextval('events_seq'), {_EVENT}, joined_id
    FROM unnest(
        $1::text[], $2::text[], $3::text[], $4::text[], $5::timestamptz[], $6::timestamptz[],
        $7::text[], $8::text[], $9::text[], $10::text[]
    ) WITH ORDINALITY AS sent ({_EVENT}, joined_id, place)
    ORDER BY place
    ON CONFLICT DO NOTHING
"""
#: The last number given out. One that a broken transaction had is in no event.
LAST_SEQ = "CASE WHEN is_called THEN last_value ELSE 0 END FROM events_seq"
LOG = f"SELECT {_EVENT}, seq FROM events WHERE seq > $1 AND seq <= $2 ORDER BY seq LIMIT $3"
HISTORY = f"SELECT {_EVENT}, seq FROM events WHERE profile_id = $1 AND seq < $2 ORDER BY seq DESC LIMIT $3"
HISTORIES = f"""
    SELECT {_EVENT}, seq FROM events
    WHERE profile_id = any($1::text[]) AND seq > $2 AND seq <= $3 AND ($4::text[] IS NULL OR type = any($4))
    ORDER BY seq LIMIT $5
"""
BEYOND_ALL_SEQS = 2**63 - 1


async def append(connection: Connection, events: Sequence[Event]) -> None:
    """Append events that the log has not. Raises `InTheWay` where one of them has come meanwhile."""
    if events:
        answer = await connection.execute(_APPEND, *zip(*map(event_as_row, events), strict=True))
        if int(answer.rpartition(" ")[2]) != len(events):
            raise InTheWay


async def sorted_out(connection: Connection, events: Sequence[Event]) -> tuple[list[Event], dict[int, Outcome]]:
    """The events that the log has not, each once, and what becomes of the others, by their place."""
    if not events:
        return [], {}
    names = [(event.profile_id, event.sender, event.event_id) for event in events]
    keys = zip(*(map(kept_text, name) for name in names), strict=True)
    known = {names[row[0] - 1]: event_from_row(row[1:]) for row in await connection.fetch(_KNOWN, *keys)}
    new: list[Event] = []
    others: dict[int, Outcome] = {}
    for place, (name, event) in enumerate(zip(names, events, strict=True)):
        if name in known:
            others[place] = outcome_of(event, known[name])
        else:
            known[name] = event
            new.append(event)
    return new, others


async def last_seq(connection: Connection) -> int:
    """The number of the newest event."""
    last: int = await connection.fetchval(f"SELECT {LAST_SEQ}")
    return last


def event_as_row(event: Event) -> tuple[Any, ...]:
    """The event in the order of the table's columns, without `seq`, and whom it joins."""
    joined_id = joined_by(event)
    return (
        kept_text(event.profile_id),
        kept_text(event.sender),
        kept_text(event.event_id),
        kept_text(event.type),
        event.occurred_at,
        event.received_at,
        kept_text(event.channel),
        None if event.version is None else kept_text(event.version),
        properties_as_text(event.properties),
        None if joined_id is None else kept_text(joined_id),
    )


def event_from_row(row: Sequence[Any]) -> Event:
    """The event of a row that `LOG` or `HISTORY` found."""
    profile_id, sender, event_id, type_, occurred_at, received_at, channel, version, properties, _ = row
    return Event(
        event_id=text_kept(event_id),
        sender=text_kept(sender),
        type=text_kept(type_),
        profile_id=text_kept(profile_id),
        occurred_at=occurred_at,
        received_at=received_at,
        properties=properties_from_text(properties),
        channel=text_kept(channel),
        version=None if version is None else text_kept(version),
    )


def seq_of(row: Sequence[Any]) -> int:
    """The number of an event."""
    seq: int = row[9]
    return seq
