"""Reading and writing the tables on one connection, by prepared SQL. Who calls holds the transaction."""

import json
import sqlite3
from array import array
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from itertools import chain
from typing import Any, TypeAlias

import orjson

from personalize.errors import StaleVersion, UnknownVersion
from personalize.events.event import Event, EventName, from_micros, to_micros
from personalize.profiles.holding import Holding
from personalize.stores.event_text import event_from_values, properties_as_text
from personalize.stores.holding_text import holding_as_text, holding_from_text
from personalize.stores.outcomes import outcome_of
from personalize.stores.projecting import Found, Part, Rows, holding_of, read_by, settle_by
from personalize.stores.protocols import (
    REPORTS_LAST,
    AccessToken,
    Export,
    Lease,
    Live,
    Outcome,
    Projector,
    Switch,
    WorkerReport,
)
from personalize.stores.sqlite.projections import ProjectionTable

Row: TypeAlias = tuple[Any, ...]

EVENTS_AT_ONCE = 1_000
ROWS_IN_MEMORY = 20_000
#: The same for a batch, of which most visitors come once: rows that still lie in the processor's cache are projected
#: and written a fifth faster.
ROWS_OF_A_BATCH = 500

_EVENT = "event_id, sender, type, profile_id, occurred_at, received_at, channel, version, properties, seq, previous"
_ENTRY = "(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
_APPEND = f"INSERT INTO events ({_EVENT}) VALUES {_ENTRY} ON CONFLICT (sender, event_id) DO NOTHING"
#: Of a batch so many go over in one statement: one by one they take a third more.
_APPENDED_AT_ONCE = 50
_APPEND_SOME = _APPEND.replace(_ENTRY, ", ".join([_ENTRY] * _APPENDED_AT_ONCE))
_KEPT = f"SELECT {_EVENT} FROM events WHERE sender = ? AND event_id = ?"
_MOVE_HEAD = """
    INSERT INTO heads (profile_id, seq) VALUES (?, ?)
    ON CONFLICT (profile_id) DO UPDATE SET seq = excluded.seq
"""
HEAD = "SELECT seq FROM heads WHERE profile_id = ?"
#: The number of the last entry there ever was: it may have been erased.
LAST_SEQ = "SELECT max(ifnull((SELECT max(seq) FROM events), 0), ifnull((SELECT seq FROM log_end), 0))"
_HELD = "SELECT holding FROM generations WHERE state = 'served'"
UNPROJECTED = "SELECT min(seq) FROM unprojected"
LOG = f"SELECT {_EVENT} FROM events WHERE seq > ? AND seq <= ? ORDER BY seq LIMIT ?"
HISTORY = f"""
    WITH RECURSIVE walk AS (
        SELECT {_EVENT} FROM events WHERE seq = ?
        UNION ALL
        SELECT {", ".join(f"events.{name}" for name in _EVENT.split(", "))}
        FROM walk JOIN events ON events.seq = walk.previous
    )
    SELECT * FROM walk LIMIT ?
"""
_WALK = """
    WITH RECURSIVE walk AS (
        SELECT seq, type, previous FROM events WHERE seq = (SELECT seq FROM heads WHERE profile_id = ?)
        UNION ALL
        SELECT events.seq, events.type, events.previous FROM walk JOIN events ON events.seq = walk.previous
    )
    SELECT seq, type FROM walk
"""
#: The event of a type that occurred last, among so many at the end of a history.
LATEST = f"""
    WITH RECURSIVE walk AS (
        SELECT seq, type, occurred_at, previous FROM events WHERE seq = (SELECT seq FROM heads WHERE profile_id = ?)
        UNION ALL
        SELECT events.seq, events.type, events.occurred_at, events.previous
        FROM walk JOIN events ON events.seq = walk.previous
        LIMIT ?
    )
    SELECT {_EVENT} FROM events
    WHERE seq = (SELECT seq FROM walk WHERE type = ? ORDER BY occurred_at DESC, seq DESC LIMIT 1)
"""
_ENTRIES = f"SELECT {_EVENT} FROM events WHERE seq IN (SELECT value FROM json_each(?)) ORDER BY seq"
LIVE = "SELECT version, at, by FROM lives ORDER BY seq DESC LIMIT 1"
LIVES = "SELECT version, at, by FROM lives ORDER BY seq"
RULE_SET = "SELECT files FROM rule_sets WHERE version = ?"
SWITCH = "SELECT off, at, by FROM switches ORDER BY seq DESC LIMIT 1"
EXPORTS = 'SELECT export_id, begun_at, "by", what, "where", ended_at FROM exports ORDER BY begun_at, export_id'
WORKERS = "SELECT worker, version, at FROM workers ORDER BY worker"
TOKENS = """
    SELECT digest, name, scopes, created_at, expires_at, used_at, revoked_at FROM access_tokens
    ORDER BY created_at, digest
"""


def apply(
    connection: sqlite3.Connection,
    events: Sequence[Event],
    projectors: Sequence[Projector],
    version: str | None,
) -> Mapping[int, Outcome]:
    """Append what is new and project it; the outcomes of what is not new, by place. See `Store.apply`."""
    if version is not None:
        refuse_stale(connection, version)
    before: int = connection.execute(LAST_SEQ).fetchone()[0]
    waits_from: int | None = connection.execute(UNPROJECTED).fetchone()[0]
    new, others = append(connection, events)
    if projectors:
        _keep_held(connection, holding_of(projectors), is_first=(waits_from or before + 1) == 1)
    if projectors and waits_from is not None:
        project(connection, projectors, log_in_parts(connection, after=waits_from - 1))
        connection.execute("DELETE FROM unprojected")
    elif projectors and new:
        parts = (new[first : first + EVENTS_AT_ONCE] for first in range(0, len(new), EVENTS_AT_ONCE))
        project(connection, projectors, parts, most_rows=ROWS_OF_A_BATCH)
    elif new and waits_from is None:
        connection.execute("INSERT INTO unprojected (seq) VALUES (?)", (before + 1,))
    return others


def _keep_held(connection: sqlite3.Connection, holding: Holding, *, is_first: bool) -> None:
    """Write down what the rows hold once these projectors have their turn: what they count from the first entry of
    the log on, or later on only what all before them have counted, too."""
    text, served = holding_as_text(holding), connection.execute(_HELD).fetchone()[0]
    if text != served:
        kept = text if is_first else holding_as_text(holding_from_text(served).kept_under(holding))
        if kept != served:
            connection.execute("UPDATE generations SET holding = ? WHERE state = 'served'", (kept,))


def refuse_stale(connection: sqlite3.Connection, version: str) -> None:
    """Raise `StaleVersion` where another version than this one is live."""
    live = connection.execute(LIVE).fetchone()
    if live is not None and live[0] != version:
        raise StaleVersion(live[0])


def append(connection: sqlite3.Connection, events: Sequence[Event]) -> tuple[Sequence[Event], dict[int, Outcome]]:
    """Append the events that the log has not, each pointing to its profile's previous one; gives those, and what
    became of the others by their place. What the log has of these is read only where it has any: most are new."""
    cursor = connection.cursor()  # one for all: the connection would make one for every event
    if _append_all(cursor, events):
        return events, {}
    new, others = _new_of(cursor, events)
    _append_all(cursor, new)
    return new, others


def _append_all(cursor: sqlite3.Cursor, events: Sequence[Event]) -> bool:
    """Append all of these, or none where the log has any of them."""
    seq: int = cursor.execute(LAST_SEQ).fetchone()[0]
    heads: dict[str, int | None] = {}
    rows: list[Row] = []
    for event in events:
        profile_id = event.profile_id
        if profile_id not in heads:
            head = cursor.execute(HEAD, (profile_id,)).fetchone()
            heads[profile_id] = None if head is None else head[0]
        seq += 1
        rows.append((*event_as_row(event), seq, heads[profile_id]))
        heads[profile_id] = seq
    cursor.execute("SAVEPOINT appending")
    is_new = _inserted(cursor, rows) == len(rows)
    if not is_new:
        cursor.execute("ROLLBACK TO appending")
    cursor.execute("RELEASE appending")
    if is_new:
        cursor.executemany(_MOVE_HEAD, sorted(heads.items()))
    return is_new


def _inserted(cursor: sqlite3.Cursor, rows: Sequence[Row]) -> int:
    """Append those of these rows that the log has not; how many."""
    rest = len(rows) % _APPENDED_AT_ONCE
    count = cursor.executemany(_APPEND, rows[:rest]).rowcount if rest else 0
    for first in range(rest, len(rows), _APPENDED_AT_ONCE):
        values = list(chain.from_iterable(rows[first : first + _APPENDED_AT_ONCE]))
        count += cursor.execute(_APPEND_SOME, values).rowcount
    return count


def _new_of(cursor: sqlite3.Cursor, events: Sequence[Event]) -> tuple[list[Event], dict[int, Outcome]]:
    """Those that neither the log nor an earlier one of them has, and what becomes of the others by their place."""
    new: dict[EventName, Event] = {}
    others: dict[int, Outcome] = {}
    for place, event in enumerate(events):
        name = (event.sender, event.event_id)
        kept = new.get(name) or _kept(cursor, name)
        if kept is None:
            new[name] = event
        else:
            others[place] = outcome_of(event, kept)
    return list(new.values()), others


def _kept(cursor: sqlite3.Cursor, name: EventName) -> Event | None:
    row = cursor.execute(_KEPT, name).fetchone()
    return None if row is None else event_from_row(row)


def project(
    connection: sqlite3.Connection,
    projectors: Sequence[Projector],
    parts: Iterable[Sequence[Event]],
    *,
    generation: int | None = None,
    until: int | None = None,
    most_rows: int | None = None,
) -> int:
    """Bring the tables up to date with these events, by default those that are served; the number of events.

    The last of them is entry `until` of the log, by default its end. Not many more than `most_rows` are in memory, by
    default as many as are well kept there.
    """
    limit = ROWS_IN_MEMORY if most_rows is None else most_rows
    tables = [ProjectionTable(connection, projector.name, generation) for projector in projectors]
    for table in tables:
        table.create()
    rows = [Rows(projector) for projector in projectors]
    count = 0
    for events in parts:
        count += len(events)
        for each, table in zip(rows, tables, strict=True):
            read_by(table.read, each.project(events))
            if len(each) > limit:
                table.write(each.changes())
                each.forget()
    for each, table in zip(rows, tables, strict=True):
        settle_by(table.read, Histories(connection, until).part, each.settle())
        table.write(each.changes())
    return count


class Histories:
    """Histories of profiles, read in parts, up to entry `until` of the log, by default to its end.

    A history is walked from its end, so the row numbers of the one that is asked for are kept: eight bytes an event.
    """

    def __init__(self, connection: sqlite3.Connection, until: int | None) -> None:
        self._connection = connection
        self._until = until
        self._numbers = array("q")

    def part(self, asked: Part) -> Found:
        """The next events of what is asked for; see `projecting.Part`."""
        if not asked.after:
            self._numbers = array("q", sorted(self._walked(asked)))
        first = bisect_right(self._numbers, asked.after)
        numbers = self._numbers[first : first + EVENTS_AT_ONCE].tolist()
        if not numbers:
            return (), asked.after
        rows = self._connection.execute(_ENTRIES, (json.dumps(numbers),)).fetchall()
        return [event_from_row(row) for row in rows], numbers[-1]

    def _walked(self, asked: Part) -> Iterator[int]:
        for profile_id in asked.profile_ids:
            for seq, type_ in self._connection.execute(_WALK, (profile_id,)):
                is_within = self._until is None or seq <= self._until
                if is_within and (asked.types is None or type_ in asked.types):
                    yield seq


def log_in_parts(connection: sqlite3.Connection, *, after: int, last: int | None = None) -> Iterator[list[Event]]:
    """The entries of the log behind one and up to another, or to its end."""
    if last is None:
        last = connection.execute(LAST_SEQ).fetchone()[0]
    seq = after
    while found := connection.execute(LOG, (seq, last, EVENTS_AT_ONCE)).fetchall():
        yield [event_from_row(row) for row in found]
        seq = seq_of(found[-1])


def save_rule_set(connection: sqlite3.Connection, version: str, files: Mapping[str, str], at: datetime) -> None:
    """Keep the files of a version, the first time that it is saved."""
    connection.execute(
        "INSERT INTO rule_sets (version, files, saved_at) VALUES (?, ?, ?) ON CONFLICT (version) DO NOTHING",
        (version, json.dumps(dict(files)), to_micros(at)),
    )


def files_of(version: str, found: Sequence[Row]) -> dict[str, str]:
    """The files in what `RULE_SET` found. Raises `UnknownVersion`."""
    if not found:
        raise UnknownVersion(version)
    files: dict[str, str] = orjson.loads(found[0][0])
    return files


def set_switch(connection: sqlite3.Connection, switch: Switch) -> None:
    """Switch personalizing off or on; how it was before is kept."""
    connection.execute(
        "INSERT INTO switches (off, at, by) VALUES (?, ?, ?)", (int(switch.off), to_micros(switch.at), switch.by)
    )


def note_export(connection: sqlite3.Connection, export: Export) -> None:
    """Put what is known of a copy in the place of what was known before."""
    begun_at = to_micros(export.begun_at)
    ended_at = None if export.ended_at is None else to_micros(export.ended_at)
    connection.execute(
        """
        INSERT INTO exports (export_id, begun_at, "by", what, "where", ended_at) VALUES (?, ?, ?, ?, ?, ?)
        ON CONFLICT (export_id) DO UPDATE SET begun_at = excluded.begun_at, "by" = excluded."by",
            what = excluded.what, "where" = excluded."where", ended_at = excluded.ended_at
        """,
        (export.export_id, begun_at, export.by, export.what, export.where, ended_at),
    )


def report(connection: sqlite3.Connection, worker: WorkerReport) -> None:
    """Put a worker's report in place of its last one, and drop those of workers that are gone."""
    connection.execute("DELETE FROM workers WHERE at < ?", (to_micros(worker.at - REPORTS_LAST),))
    connection.execute(
        """
        INSERT INTO workers (worker, version, at) VALUES (?, ?, ?)
        ON CONFLICT (worker) DO UPDATE SET version = excluded.version, at = excluded.at
        """,
        (worker.worker, worker.version, to_micros(worker.at)),
    )


def keep_token(connection: sqlite3.Connection, token: AccessToken) -> None:
    """Keep what is known of a token; of what was known before, revocation and use stand."""
    # The scalar min and max of SQLite are NULL where one of their arguments is.
    connection.execute(
        """
        INSERT INTO access_tokens (digest, name, scopes, created_at, expires_at, used_at, revoked_at)
        VALUES (?, ?, ?, ?, ?, ?, ?)
        ON CONFLICT (digest) DO UPDATE SET
            used_at = coalesce(max(used_at, excluded.used_at), used_at, excluded.used_at),
            revoked_at = coalesce(min(revoked_at, excluded.revoked_at), revoked_at, excluded.revoked_at)
        """,
        (
            token.digest,
            token.name,
            " ".join(sorted(token.scopes)),
            to_micros(token.created_at),
            *(None if at is None else to_micros(at) for at in (token.expires_at, token.used_at, token.revoked_at)),
        ),
    )


def lease(connection: sqlite3.Connection, wanted: Lease, at: datetime) -> bool:
    """Take or keep a job that nobody else holds at this moment."""
    taken = connection.execute(
        """
        INSERT INTO leases (job, holder, until) VALUES (?, ?, ?)
        ON CONFLICT (job) DO UPDATE SET holder = excluded.holder, until = excluded.until
        WHERE holder = excluded.holder OR until <= ? OR until > ?
        """,
        (wanted.job, wanted.holder, to_micros(wanted.until), to_micros(at), to_micros(wanted.longest(at))),
    )
    return bool(taken.rowcount)


def release(connection: sqlite3.Connection, job: str, holder: str) -> None:
    """Let go of a job."""
    connection.execute("DELETE FROM leases WHERE job = ? AND holder = ?", (job, holder))


def event_as_row(event: Event) -> Row:
    """The event in the order of the table's columns, without `seq` and `previous`."""
    occurred_at = to_micros(event.occurred_at)
    return (
        event.event_id,
        event.sender,
        event.type,
        event.profile_id,
        occurred_at,
        occurred_at if event.received_at is event.occurred_at else to_micros(event.received_at),
        event.channel,
        event.version,
        properties_as_text(event.properties),
    )


def event_from_row(row: Row) -> Event:
    """The event of a row that `LOG` or `HISTORY` found."""
    return event_from_values(row[:9])


def seq_of(row: Row) -> int:
    """The row number of an event."""
    seq: int = row[9]
    return seq


def received_of(row: Row) -> int:
    """When an event was received, in microseconds since 1970."""
    received: int = row[5]
    return received


def previous_of(row: Row) -> int | None:
    """The row number of the same profile's previous event."""
    previous: int | None = row[10]
    return previous


def live_from_row(row: Row) -> Live:
    """A life that `LIVE` or `LIVES` found."""
    version, at, by = row
    return Live(version=version, at=from_micros(at), by=by)


def switch_from_row(row: Row) -> Switch:
    """What `SWITCH` found."""
    off, at, by = row
    return Switch(off=bool(off), at=from_micros(at), by=by)


def export_from_row(row: Row) -> Export:
    """A copy that `EXPORTS` found."""
    export_id, begun_at, by, what, where, ended_at = row
    return Export(
        export_id, from_micros(begun_at), by, what, where, None if ended_at is None else from_micros(ended_at)
    )


def token_from_row(row: Row) -> AccessToken:
    """A token that `TOKENS` found."""
    digest, name, scopes, created_at, *others = row
    expires_at, used_at, revoked_at = (None if at is None else from_micros(at) for at in others)
    return AccessToken(
        digest, name, frozenset(scopes.split()), from_micros(created_at), expires_at, used_at, revoked_at
    )


def worker_from_row(row: Row) -> WorkerReport:
    """A report that `WORKERS` found."""
    worker, version, at = row
    return WorkerReport(worker=worker, version=version, at=from_micros(at))
