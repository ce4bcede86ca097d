"""Erasing from the tables of a PostgreSQL store. Whoever erases is alone in the store, and holds the transaction."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from personalize.events.event import UNDO, Event
from personalize.profiles.encoding import decode_profile
from personalize.profiles.profile import Profile
from personalize.profiles.searched import SEARCH, term_keys
from personalize.stores.erasing import (
    Sifted,
    copies_holding,
    forgetting,
    joined_by,
    names_any,
    organization_without,
    person_of,
    refusal_of,
    sifted,
)
from personalize.stores.erasure import Erasure
from personalize.stores.floors import Floors, floors_from
from personalize.stores.postgres import log, tables
from personalize.stores.postgres.connections import Connection
from personalize.stores.postgres.kept import kept_text, text_kept
from personalize.stores.postgres.projections import PROFILE, ProjectionTable
from personalize.stores.postgres.trimming import project_anew
from personalize.stores.projecting import MARKS, PROFILES
from personalize.stores.protocols import Projector
from personalize.stores.seals import Seals

ERASURES = "SELECT seal, at, by, profiles, events, copies FROM erasures ORDER BY id"
FLOORS = "SELECT NULL, max(at) FROM floors UNION ALL SELECT type, at FROM type_floors"
_RAISE_FLOOR = "INSERT INTO floors (at) VALUES ($1) ON CONFLICT (at) DO NOTHING"
_RAISE_TYPE_FLOOR = """
    INSERT INTO type_floors (type, at) VALUES ($1, $2)
    ON CONFLICT (type) DO UPDATE SET at = greatest(type_floors.at, excluded.at)
"""
SEALED = "SELECT seal, at FROM erased ORDER BY seal"
ERASED_AT = "SELECT seal, at FROM erased WHERE seal = any($1::bytea[])"
#: Who nobody is left of must not be read in a page that was deleted; nor in an index.
NOTE_COMPACTION = "INSERT INTO compactions (at) VALUES ($1) ON CONFLICT (at) DO NOTHING"
COMPACTION_DUE = """
    SELECT min(at) FROM erasures WHERE at > coalesce((SELECT max(at) FROM compactions), '-infinity')
"""
COMPACT = ("VACUUM FULL events", "VACUUM FULL event_ids", "VACUUM FULL projections")
_JOINED = "SELECT joined_id, type FROM events WHERE profile_id = $1 AND joined_id IS NOT NULL ORDER BY seq DESC"
_NAMED = "SELECT DISTINCT joined_id FROM events WHERE profile_id = any($1::text[]) AND joined_id IS NOT NULL"
_PROFILES_OF = f"SELECT generation, row FROM projections WHERE key = $1 AND projection = '{PROFILES}'"
_ROWS_OF = "SELECT projection, generation, row FROM projections WHERE key = $1"
_MARKS = f"SELECT key, row FROM projections WHERE projection = '{MARKS}'"
_CONSENTS = f"{log.OF_PROFILE} AND type = 'consent' ORDER BY seq"
_TERMS_OF = f"SELECT row FROM projections WHERE key = $1 AND projection = '{SEARCH}'"
_REMOVE_FROM_INDEX = f"DELETE FROM projections WHERE key = any($1::text[]) AND projection = '{SEARCH}'"
_REMOVE_ROWS = "DELETE FROM projections WHERE key = $1"
# Joins that nothing followed from, since somebody had refused, name the id all the same.
_REMOVE_EVENTS = f"""
    DELETE FROM events WHERE profile_id = $1 OR joined_id = $1 RETURNING received_at, profile_id, {log.NAMES}
"""
SEAL = """
    INSERT INTO erased (seal, at) VALUES ($1, $2)
    ON CONFLICT (seal) DO UPDATE SET at = greatest(erased.at, excluded.at)
"""
_KEEP_RECEIPT = "INSERT INTO erasures (seal, at, by, profiles, events, copies) VALUES ($1, $2, $3, $4, $5, $6)"


async def erase(
    connection: Connection,
    profile_id: str,
    at: datetime,
    by: str,
    seals: Seals,
    projectors: Sequence[Projector],
    version: str | None,
) -> Erasure:
    """Erase a person and keep the receipt; see `Store.erase`."""
    if version is not None:
        await tables.refuse_stale(connection, version)
    seal = seals.seal(profile_id).hex()
    profiles, received = await erase_person(connection, profile_id, at, seals, projectors)
    exports = [tables.export_from_row(row) for row in await connection.fetch(tables.EXPORTS)]
    erasure = Erasure(seal, at, by, profiles, len(received), copies_holding(exports, received))
    await keep_receipt(connection, erasure)
    return erasure


async def erase_person(
    connection: Connection, profile_id: str, at: datetime, seals: Seals, projectors: Sequence[Projector]
) -> tuple[int, list[datetime]]:
    """Everything of one person, for a seal of each id; how many profiles it was, and when their events came."""
    found = await connection.fetch(_JOINED, kept_text(profile_id))
    parted = {joined_id for joined_id, type_ in found if type_ == UNDO}
    joined_ids = [text_kept(joined_id) for joined_id, _ in found if joined_id not in parted]
    rows = {each: await _profile(connection, each) for each in (profile_id, *joined_ids)}
    ids = person_of(profile_id, rows.get, lambda _: joined_ids)
    received = await erase_ids(connection, ids, at, seals, projectors)
    return sum(rows[each] is not None for each in ids), received


async def erase_ids(
    connection: Connection, ids: Sequence[str], at: datetime, seals: Seals, projectors: Sequence[Projector]
) -> list[datetime]:
    """Everything of these ids and nobody else, for a seal of each; when their events came."""
    found = await connection.fetch(_NAMED, list(map(kept_text, ids)))
    left = {text_kept(joined_id) for (joined_id,) in found}
    received: list[datetime] = []
    for each in ids:
        await _take_out(connection, each)
        await _remove_from_index(connection, each)
        await connection.execute(_REMOVE_ROWS, kept_text(each))
        removed = await connection.fetch(_REMOVE_EVENTS, kept_text(each))
        await log.remove_ids(connection, [names for _, _, *names in removed])
        received += [moment for moment, *_ in removed]
        left.update(text_kept(owner_id) for _, owner_id, *_ in removed)
        await connection.execute(SEAL, seals.seal(each), at)
    left.difference_update(ids)
    await _let_go(connection, ids, sorted(left))
    for each in sorted(left):
        history = [log.event_from_row(row) for row in await connection.fetch(_CONSENTS, kept_text(each))]
        if (refusal := refusal_of(await _profile(connection, each), history, at)) is not None:
            await log.append(connection, [refusal])
    for each in sorted(left):
        await project_anew(connection, each, projectors)
    return received


async def _let_go(connection: Connection, ids: Sequence[str], left: Sequence[str]) -> None:
    """Those who stay forget the names of those who are gone, in every generation, and so do the marks of jobs."""
    for key, row in await connection.fetch(_MARKS):
        if names_any(row, ids):
            await connection.execute(_REMOVE_ROWS, key)
    for each in left:
        for projection, generation, row in await connection.fetch(_ROWS_OF, kept_text(each)):
            after = forgetting(projection, row, ids)
            if after != row:
                table = ProjectionTable(connection, projection, generation)
                await table.read([each])
                await table.write([(each, after)])


async def sifted_events(connection: Connection, events: Sequence[Event], seals: Seals, floors: Floors) -> Sifted:
    """The events that tell of nobody who was erased and are not older than the log, and what follows from the others;
    see `stores.erasing`."""
    ids = {each for event in events for each in (event.profile_id, joined_by(event)) if each is not None}
    by_seal = {seal: each for each in ids for seal in seals.all_of(each)}
    found = await connection.fetch(ERASED_AT, list(by_seal))
    # Of several moments the latest stays.
    moments = {by_seal[seal]: at for seal, at in sorted(found, key=lambda row: row[1])}
    return sifted(events, moments.get, floors)


def floors_kept(rows: Sequence[Any]) -> Floors:
    """What `FLOORS` found."""
    return floors_from((None if type_ is None else text_kept(type_), at) for type_, at in rows)


async def raise_floors(connection: Connection, floors: Floors) -> None:
    """Take nothing any more that lies below these floors."""
    if floors.of_all is not None:
        await connection.execute(_RAISE_FLOOR, floors.of_all)
    for type_, at in sorted(floors.of_types.items()):
        await connection.execute(_RAISE_TYPE_FLOOR, kept_text(type_), at)


def moment_from(rows: Sequence[Any]) -> datetime | None:
    """The latest moment of those that `ERASED_AT` found."""
    return max((at for _, at in rows), default=None)


def erasure_from_row(row: Sequence[Any]) -> Erasure:
    """A receipt that `ERASURES` found."""
    seal, at, by, profiles, events, copies = row
    return Erasure(seal, at, by, profiles, events, tuple(copies))


async def keep_receipt(connection: Connection, erasure: Erasure) -> None:
    """Keep the receipt of an erasure."""
    counted = (erasure.profiles, erasure.events, list(erasure.copies))
    await connection.execute(_KEEP_RECEIPT, erasure.seal, erasure.at, erasure.by, *counted)


async def _take_out(connection: Connection, profile_id: str) -> None:
    """Take a profile out of the organization that it belongs to, in every generation."""
    for generation, row in await connection.fetch(_PROFILES_OF, kept_text(profile_id)):
        membership = decode_profile(row).membership
        if membership is None:
            continue
        table = ProjectionTable(connection, PROFILES, generation)
        rows = await table.read([membership.organization_id])
        if (left := organization_without(row, rows.get)) is not None:
            await table.write([left])


async def _remove_from_index(connection: Connection, profile_id: str) -> None:
    """Nobody is found by what was known of them, in any generation."""
    rows = await connection.fetch(_TERMS_OF, kept_text(profile_id))
    keys = {kept_text(key) for (row,) in rows for key in term_keys(profile_id, row)}
    if keys:
        await connection.execute(_REMOVE_FROM_INDEX, sorted(keys))


async def _profile(connection: Connection, profile_id: str) -> Profile | None:
    found = await connection.fetchrow(PROFILE, kept_text(profile_id))
    return None if found is None else decode_profile(found[0])
