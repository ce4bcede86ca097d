"""Erasing from the tables of a SQLite store. Who calls holds the transaction."""

import json
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from datetime import datetime

from personalize.errors import StoreBusy, TakenOver
from personalize.events.event import Event, from_micros, to_micros
from personalize.profiles.encoding import decode_profile
from personalize.profiles.profile import Profile
from personalize.stores.erasing import (
    Sifted,
    copies_holding,
    forgetting,
    joining,
    keys_about,
    left_of,
    named_in,
    names_any,
    organization_without,
    person_of,
    refusal_of,
    sifted,
)
from personalize.stores.erasure import Erasure
from personalize.stores.event_text import properties_as_text
from personalize.stores.floors import NO_FLOORS, Floors, floors_from
from personalize.stores.outcomes import applied
from personalize.stores.projecting import MARKS, PROFILES
from personalize.stores.protocols import Applied, Projector, Summing, Trimming
from personalize.stores.seals import Seals
from personalize.stores.sqlite import generations, projections, tables
from personalize.stores.sqlite.projections import ProjectionTable, quoted
from personalize.stores.sqlite.tables import Row

EVENTS_AT_ONCE = 1_000
ERASURES = "SELECT seal, at, by, profiles, events, copies FROM erasures ORDER BY id"
FLOORS = "SELECT NULL, max(at) FROM floors UNION ALL SELECT type, at FROM type_floors"
_SIFTING = """
    SELECT EXISTS (SELECT 1 FROM erased), EXISTS (SELECT 1 FROM floors) OR EXISTS (SELECT 1 FROM type_floors)
"""
_RAISE_TYPE_FLOOR = """
    INSERT INTO type_floors (type, at) VALUES (?, ?)
    ON CONFLICT (type) DO UPDATE SET at = max(at, excluded.at)
"""
_REWRITE = "UPDATE events SET properties = ? WHERE seq = ?"
SEALED = "SELECT seal, at FROM erased ORDER BY seal"
SEAL = """
    INSERT INTO erased (seal, at) VALUES (?, ?)
    ON CONFLICT (seal) DO UPDATE SET at = max(at, excluded.at)
"""
ERASED_AT = "SELECT at FROM erased WHERE seal = ?"
COMPACTION_DUE = "SELECT min(at) FROM erasures WHERE at > ifnull((SELECT max(at) FROM compactions), -1)"
_PROJECTIONS = "SELECT name FROM sqlite_master WHERE type = 'table' AND name LIKE 'projection~_%' ESCAPE '~'"
_JOINS_OF = "SELECT profile_id, seq FROM events WHERE type IN ('join', 'undo') AND properties ->> 'from' = ?"


def erase(
    connection: sqlite3.Connection,
    profile_id: str,
    at: datetime,
    by: str,
    seals: Seals,
    projectors: Sequence[Projector],
    version: str | None,
) -> Erasure:
    """Erase a person and keep the receipt; see `Store.erase`."""
    if version is not None:
        tables.refuse_stale(connection, version)
    profiles, received = erase_person(connection, profile_id, at, seals, projectors)
    exports = map(tables.export_from_row, connection.execute(tables.EXPORTS))
    copies = copies_holding(exports, map(from_micros, received))
    erasure = Erasure(seals.seal(profile_id).hex(), at, by, profiles, len(received), copies)
    keep_receipt(connection, erasure)
    return erasure


def apply(
    connection: sqlite3.Connection,
    events: Sequence[Event],
    projectors: Sequence[Projector],
    version: str | None,
    seals: Seals,
) -> Applied:
    """Apply what tells of nobody who was erased, and erase whose late join says that they were such a one."""
    any_erased, any_floors = connection.execute(_SIFTING).fetchone()
    floors = floors_kept(connection.execute(FLOORS).fetchall()) if any_floors else NO_FLOORS
    if any_erased:
        seals.require()
        sifting = sifted(events, lambda profile_id: erased_at(connection, profile_id, seals), floors)
    else:
        sifting = sifted(events, lambda _: None, floors) if any_floors else Sifted(events)
    others = tables.apply(connection, sifting.taken, projectors, version)
    for profile_id, at in sifting.following:
        with suppress(TakenOver):
            erase_person(connection, profile_id, at, seals, projectors)
    return applied(events, sifting, others)


def erased_at(connection: sqlite3.Connection, profile_id: str, seals: Seals) -> datetime | None:
    """When the profile of this id was erased last."""
    sealed = [found for seal in seals.all_of(profile_id) for found in connection.execute(ERASED_AT, (seal,))]
    return moment_from(sealed)


def moment_from(rows: Sequence[Row]) -> datetime | None:
    """The latest moment of those that `ERASED_AT` found."""
    return from_micros(max(rows)[0]) if rows else None


def floors_kept(rows: Sequence[Row]) -> Floors:
    """What `FLOORS` found."""
    return floors_from((type_, None if at is None else from_micros(at)) for type_, at in rows)


def raise_floors(connection: sqlite3.Connection, floors: Floors) -> None:
    """Take nothing any more that lies below these floors."""
    if floors.of_all is not None:
        at = to_micros(floors.of_all)
        connection.execute("INSERT INTO floors (at) VALUES (?) ON CONFLICT (at) DO NOTHING", (at,))
    connection.executemany(_RAISE_TYPE_FLOOR, [(type_, to_micros(at)) for type_, at in floors.of_types.items()])


def sealed_from_row(row: Row) -> tuple[str, datetime]:
    """A seal that `SEALED` found, and its moment."""
    seal, at = row
    return seal.hex(), from_micros(at)


def erasure_from_row(row: Row) -> Erasure:
    """A receipt that `ERASURES` found."""
    seal, at, by, profiles, events, copies = row
    return Erasure(seal, from_micros(at), by, profiles, events, tuple(json.loads(copies)))


def keep_receipt(connection: sqlite3.Connection, erasure: Erasure) -> None:
    """Keep the receipt of an erasure."""
    connection.execute(
        "INSERT INTO erasures (seal, at, by, profiles, events, copies) VALUES (?, ?, ?, ?, ?, ?)",
        (
            *(erasure.seal, to_micros(erasure.at), erasure.by, erasure.profiles, erasure.events),
            json.dumps(erasure.copies),
        ),
    )


def cut(connection: sqlite3.Connection, profile_id: str, goes: Callable[[Row], bool]) -> list[int]:
    """Remove entries of a profile's history from the log, and close the gaps in its chain; when each was received, in
    microseconds since 1970."""
    removed: list[int] = []
    received: list[int] = []
    newer: Row | None = None
    for row in history(connection, profile_id):
        if goes(row):
            removed.append(tables.seq_of(row))
            received.append(tables.received_of(row))
            continue
        if newer is None and removed:
            connection.execute("UPDATE heads SET seq = ? WHERE profile_id = ?", (tables.seq_of(row), profile_id))
        elif newer is not None and tables.previous_of(newer) != tables.seq_of(row):
            _point(connection, newer, tables.seq_of(row))
        newer = row
    if removed and newer is None:
        connection.execute("DELETE FROM heads WHERE profile_id = ?", (profile_id,))
    elif removed and newer is not None and removed[-1] < tables.seq_of(newer):
        _point(connection, newer, None)
    _remove(connection, removed)
    return received


def erase_person(
    connection: sqlite3.Connection, profile_id: str, at: datetime, seals: Seals, projectors: Sequence[Projector]
) -> tuple[int, list[int]]:
    """Everything of one person, for a seal of each id; how many profiles it was, and when their events came."""
    ids = person_of(
        profile_id,
        lambda each: _profile(connection, each),
        lambda each: joining(map(tables.event_from_row, history(connection, each))),
    )
    return erase_ids(connection, ids, at, seals, projectors)


def erase_ids(
    connection: sqlite3.Connection, ids: Sequence[str], at: datetime, seals: Seals, projectors: Sequence[Projector]
) -> tuple[int, list[int]]:
    """Everything of these ids and nobody else, for a seal of each; how many had a profile, and when their events
    came."""
    rows = [_profile(connection, each) for each in ids]
    left: set[str] = set()
    received: list[int] = []
    for each in ids:
        left.update(named_in(map(tables.event_from_row, history(connection, each))))
        joins = connection.execute(_JOINS_OF, (each,)).fetchall()
        left.update(owner_id for owner_id, _ in joins)
        received += _erase_one(connection, each, joins)
    left.difference_update(ids)
    connection.executemany(SEAL, [(seals.seal(each), to_micros(at)) for each in ids])
    _let_go(connection, ids, sorted(left))
    for each in sorted(left):
        told = map(tables.event_from_row, history(connection, each))
        if (refusal := refusal_of(_profile(connection, each), told, at)) is not None:
            tables.append(connection, [refusal])
    for each in sorted(left):
        generations.project_anew(connection, each, projectors)
    return sum(row is not None for row in rows), received


def _let_go(connection: sqlite3.Connection, ids: Sequence[str], left: Sequence[str]) -> None:
    """Those who stay forget the names of those who are gone, and so do the marks of jobs."""
    for (name,) in connection.execute(_PROJECTIONS).fetchall():
        projection, _, number = name.removeprefix("projection_").partition("~")
        table = ProjectionTable(connection, projection, int(number) if number else None)
        if projection == MARKS:
            marks = connection.execute(f"SELECT key, row FROM {quoted(name)}").fetchall()
            table.write([(key, None) for key, row in marks if names_any(row, ids)])
        rows = [(each, row) for each in left if (row := table.read(each)) is not None]
        table.write([(each, forgetting(projection, row, ids)) for each, row in rows])


def _erase_one(connection: sqlite3.Connection, profile_id: str, joins: Sequence[Row]) -> list[int]:
    for (name,) in connection.execute(_PROJECTIONS).fetchall():
        projection = name.removeprefix("projection_")
        if projection.partition("~")[0] == PROFILES:
            _take_out(ProjectionTable(connection, projection), profile_id)
        table = ProjectionTable(connection, projection)
        gone = keys_about(profile_id, projection.partition("~")[0], table.read(profile_id))
        table.write([(key, None) for key in gone])
    received = cut(connection, profile_id, lambda row: True)
    for owner_id, seq in joins:
        # Joins that nothing followed from, since somebody had refused: they name the id all the same.
        received += cut(connection, owner_id, lambda row, seq=seq: tables.seq_of(row) == seq)  # type: ignore[misc]
    return received


def _take_out(table: ProjectionTable, profile_id: str) -> None:
    """Take a profile out of the organization that it belongs to."""
    left = organization_without(table.read(profile_id), table.read)
    if left is not None:
        table.write([left])


def history(connection: sqlite3.Connection, profile_id: str) -> Iterator[Row]:
    """The rows of a profile's events, newest entry of the log first."""
    head = connection.execute(tables.HEAD, (profile_id,)).fetchone()
    seq = None if head is None else head[0]
    while seq is not None:
        found = connection.execute(tables.HISTORY, (seq, EVENTS_AT_ONCE)).fetchall()
        yield from found
        seq = tables.previous_of(found[-1])


def _point(connection: sqlite3.Connection, newer: Row, previous: int | None) -> None:
    connection.execute("UPDATE events SET previous = ? WHERE seq = ?", (previous, tables.seq_of(newer)))


def _remove(connection: sqlite3.Connection, entries: Sequence[int]) -> None:
    """Delete entries of the log. No later one gets the number of one that is gone: what is filled goes by them."""
    if not entries:
        return
    last: int = connection.execute(tables.LAST_SEQ).fetchone()[0]
    connection.executemany("DELETE FROM events WHERE seq = ?", [(seq,) for seq in entries])
    if last in entries:
        connection.execute("DELETE FROM log_end")
        connection.execute("INSERT INTO log_end (seq) VALUES (?)", (last,))


def _profile(connection: sqlite3.Connection, profile_id: str) -> Profile | None:
    found = connection.execute(projections.PROFILE, (profile_id,)).fetchone()
    return None if found is None else decode_profile(found[0])


def trim(
    connection: sqlite3.Connection,
    profile_id: str,
    trimmed: Trimming,
    projectors: Sequence[Projector],
    version: str | None,
    summed: Summing | None,
) -> int:
    """Trim a history, and project it anew in every generation; see `Store.trim`."""
    if version is not None:
        tables.refuse_stale(connection, version)
    changed = 0
    went: list[Event] = []

    def goes(row: Row) -> bool:
        nonlocal changed
        event = tables.event_from_row(row)
        left = left_of(event, trimmed)
        if left is not None and left.properties != event.properties:
            connection.execute(_REWRITE, (properties_as_text(left.properties), tables.seq_of(row)))
            changed += 1
        if left is None and summed is not None:
            went.append(event)
        return left is None

    gone = cut(connection, profile_id, goes)
    changed += len(gone)
    if summed is not None:
        tables.append(connection, summed(went[::-1]))
    if changed:
        generations.project_anew(connection, profile_id, projectors)
    return changed


def note_compaction(connection: sqlite3.Connection, at: datetime) -> None:
    """Write down that the store is compact as of a moment."""
    connection.execute("INSERT INTO compactions (at) VALUES (?) ON CONFLICT (at) DO NOTHING", (to_micros(at),))


def compact(connection: sqlite3.Connection) -> None:
    """Copy what is kept to new pages, and empty the write-ahead log. Nobody may be in a transaction of this one."""
    connection.execute("VACUUM")
    (is_busy, *_), *_ = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
    if is_busy:
        raise StoreBusy("the store is compact, but its write-ahead log is being read: try again")
