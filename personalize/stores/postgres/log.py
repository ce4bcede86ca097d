"""The log of a PostgreSQL store: reading and writing events, by prepared SQL. Who writes holds the transaction.

Events lie with their profile. Their ids lie in a table of their own, each where its id says: so one counts once among
all, and still nobody has to ask a place that all share.
"""

from collections.abc import Sequence
from typing import Any

import asyncpg

from personalize.events.event import Event
from personalize.stores.erasing import joined_by
from personalize.stores.event_text import properties_as_text, properties_from_text
from personalize.stores.outcomes import outcome_of
from personalize.stores.postgres.connections import Connection
from personalize.stores.postgres.kept import kept_text, text_kept
from personalize.stores.postgres.link import InTheWay
from personalize.stores.protocols import Outcome

_EVENT = "profile_id, sender, event_id, type, occurred_at, received_at, channel, version, properties"
# One look into the index for each, whatever the server believes of a table that it has not looked at.
_KNOWN = """
    SELECT place, known.profile_id, seq
    FROM unnest($1::text[], $2::text[]) WITH ORDINALITY AS sent (event_id, sender, place) CROSS JOIN LATERAL (
        SELECT profile_id, seq FROM event_ids WHERE event_id = sent.event_id AND sender = sent.sender LIMIT 1
    ) AS known
"""
_KEPT = f"""
    SELECT place, kept.* FROM unnest($1::text[], $2::bigint[]) WITH ORDINALITY AS known (profile_id, seq, place)
    CROSS JOIN LATERAL (
        SELECT {_EVENT}, seq FROM events WHERE profile_id = known.profile_id AND seq = known.seq LIMIT 1
    ) AS kept
"""
# Numbers are given out in the order of the events; whoever holds the profiles' rows has the next ones of their events.
# The ids are added in an order of their own, which everybody keeps to, so that no two wait for one another.
_ADD_IDS = """
    INSERT INTO event_ids (event_id, sender, profile_id, seq)
    SELECT event_id, sender, profile_id, seq FROM (
        SELECT event_id, sender, profile_id, nextval('events_seq') AS seq
        FROM unnest($1::text[], $2::text[], $3::text[]) AS sent (event_id, sender, profile_id)
    ) AS numbered
    ORDER BY event_id, sender
    RETURNING seq
"""
_APPEND = f"""
    INSERT INTO events (seq, {_EVENT}, joined_id)
    SELECT seq, {_EVENT}, joined_id FROM unnest(
        $1::bigint[], $2::text[], $3::text[], $4::text[], $5::text[], $6::timestamptz[], $7::timestamptz[],
        $8::text[], $9::text[], $10::text[], $11::text[]
    ) AS sent (seq, {_EVENT}, joined_id)
"""
# What was kept under the same id for another profile, before ids counted for all, stays named by the first.
_REMOVE_IDS = """
    DELETE FROM event_ids USING unnest($1::text[], $2::text[], $3::text[]) AS gone (event_id, sender, profile_id)
    WHERE event_ids.event_id = gone.event_id AND event_ids.sender = gone.sender
    AND event_ids.profile_id = gone.profile_id
"""
#: What `remove_ids` wants to know of events that are deleted.
NAMES = "event_id, sender, profile_id"
#: The last number given out. One that a broken transaction had is in no event.
LAST_SEQ = "CASE WHEN is_called THEN last_value ELSE 0 END FROM events_seq"
LOG = f"SELECT {_EVENT}, seq FROM events WHERE seq > $1 AND seq <= $2 ORDER BY seq LIMIT $3"
OF_PROFILE = f"SELECT {_EVENT}, seq FROM events WHERE profile_id = $1"
HISTORY = f"{OF_PROFILE} AND seq < $2 ORDER BY seq DESC LIMIT $3"
#: Of each of several ids the event of a type that occurred last, among so many at the end of its history.
LATEST = f"""
    SELECT latest.* FROM unnest($1::text[]) AS asked (profile_id) CROSS JOIN LATERAL (
        SELECT recent.* FROM (
            SELECT {_EVENT}, seq FROM events WHERE profile_id = asked.profile_id ORDER BY seq DESC LIMIT $3
        ) AS recent
        WHERE type = $2 ORDER BY occurred_at DESC, seq DESC LIMIT 1
    ) AS latest
"""
HISTORIES = f"""
    SELECT {_EVENT}, seq FROM events
    WHERE profile_id = any($1::text[]) AND seq > $2 AND seq <= $3 AND ($4::text[] IS NULL OR type = any($4))
    ORDER BY seq LIMIT $5
"""
BEYOND_ALL_SEQS = 2**63 - 1


async def append(connection: Connection, events: Sequence[Event]) -> None:
    """Append events that the log has not. Raises `InTheWay` where one of them has come meanwhile."""
    if events:
        columns = list(zip(*map(event_as_row, events), strict=True))
        profile_ids, senders, event_ids, *_ = columns
        try:
            added = await connection.fetch(_ADD_IDS, event_ids, senders, profile_ids)
        except asyncpg.UniqueViolationError as error:
            raise InTheWay from error
        await connection.execute(_APPEND, sorted(seq for (seq,) in added), *columns)


async def sorted_out(connection: Connection, events: Sequence[Event]) -> tuple[list[Event], dict[int, Outcome]]:
    """The events that the log has not, each once, and what becomes of the others, by their place."""
    if not events:
        return [], {}
    names = [(event.sender, event.event_id) for event in events]
    known = await _known(connection, names)
    new: list[Event] = []
    others: dict[int, Outcome] = {}
    for place, (name, event) in enumerate(zip(names, events, strict=True)):
        if name in known:
            others[place] = outcome_of(event, known[name])
        else:
            known[name] = event
            new.append(event)
    return new, others


async def _known(connection: Connection, names: Sequence[tuple[str, str]]) -> dict[tuple[str, str], Event]:
    """What the log has under these senders and ids."""
    keys = [list(map(kept_text, column)) for column in zip(*names, strict=True)]
    found = await connection.fetch(_KNOWN, *reversed(keys))
    if not found:
        return {}
    places, profile_ids, seqs = zip(*found, strict=True)
    kept = {places[row[0] - 1]: event_from_row(row[1:]) for row in await connection.fetch(_KEPT, profile_ids, seqs)}
    return {names[place - 1]: event for place, event in kept.items()}


async def remove_ids(connection: Connection, names: Sequence[Sequence[str]]) -> None:
    """Let go of the ids of events that were deleted; of each event its `NAMES`, as they were kept."""
    if names:
        await connection.execute(_REMOVE_IDS, *zip(*names, strict=True))


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
