"""Generations of the projections in a PostgreSQL store: the one that is served, the one being filled, and those to be
cleared away; see `sqlite_generations`. All lie in one table, told apart by a number, so that none is made, renamed or
dropped while the site runs: that would keep every page waiting for whoever reads the table for long, as a backup does.

Whoever moves a generation is alone in the store; who calls holds the transaction.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from personalize.errors import StaleVersion
from personalize.profiles.holding import Holding
from personalize.stores.holding_text import holding_as_text, holding_from_text
from personalize.stores.postgres import tables
from personalize.stores.postgres.connections import Connection
from personalize.stores.postgres.log import LAST_SEQ, last_seq
from personalize.stores.postgres.projections import project_log
from personalize.stores.projecting import Course, course, holding_of
from personalize.stores.protocols import NOTHING_LIVE, Filled, Filling, Live, Projector

#: In the order in which `filled_from` takes them.
FILLED = f"SELECT state, holding, projected, since, (SELECT {LAST_SEQ}) FROM generations ORDER BY state, id"
_SERVED, _FILLING, _DISCARDED = "served", "filling", "discarded"
_ID_OF = "SELECT id FROM generations WHERE state = $1 ORDER BY id LIMIT 1"
_TO_CLEAR = "SELECT id, coalesce(cleared_until, '') FROM generations WHERE state = 'discarded' ORDER BY id LIMIT 1"
_CLEAR = """
    WITH old AS (
        SELECT key, projection FROM projections WHERE key >= $2 AND generation = $1 ORDER BY key, projection LIMIT $3
    ), gone AS (
        DELETE FROM projections USING old
        WHERE projections.key = old.key AND projections.projection = old.projection AND generation = $1
    )
    SELECT count(*), max(key) FROM old
"""


def filled_from(rows: Sequence[Any]) -> Filled:
    """What `FILLED` found."""
    by_state = {state: (holding_from_text(holding), projected, since) for state, holding, projected, since, _ in rows}
    filling = by_state.get(_FILLING)
    return Filled(
        holding=by_state[_SERVED][0],
        filling=None if filling is None else Filling(*filling),
        events=rows[0][-1],
        discarded=_DISCARDED in by_state,
    )


async def served(connection: Connection) -> int:
    """The number of the generation that is served."""
    number: int = await connection.fetchval(_ID_OF, _SERVED)
    return number


async def keep_held(connection: Connection, holding: Holding) -> None:
    """Write down what the served rows hold from now on."""
    await _set_held(connection, _SERVED, holding)


async def set_live(
    connection: Connection, live: Live, projectors: Sequence[Projector], expected: str | None, at_once: int
) -> None:
    """Add a life, and fill what it needs or begin to; see `Store.set_live`."""
    found = await connection.fetchrow(tables.LIVE)
    before = NOTHING_LIVE if found is None else found[0]
    if expected is not None and before != expected:
        raise StaleVersion(before)
    tables.files_of(live.version, await connection.fetch(tables.RULE_SET, live.version))
    await tables.add_life(connection, live)
    filled, needed = await _filled(connection), holding_of(projectors)
    if not filled.holding.covers(needed) and filled.events <= at_once:
        await rebuild(connection, projectors)
    await _settled(connection, needed, live.at)


async def rebuild(connection: Connection, projectors: Sequence[Projector]) -> int:
    """Project the whole log again into empty tables; the number of events."""
    number = await served(connection)
    if projectors:
        names = [projector.name for projector in projectors]
        await connection.execute(
            "DELETE FROM projections WHERE generation = $1 AND projection = any($2::text[])", number, names
        )
        await connection.execute("DELETE FROM unprojected")
        await _discard_filling(connection)
        await _set_held(connection, _SERVED, holding_of(projectors))
    return await project_log(connection, projectors, number, after=0, until=await last_seq(connection))


async def fill(
    connection: Connection, projectors: Sequence[Projector], version: str, at: datetime, events: int
) -> Filled:
    """One slice; see `Store.fill`."""
    await tables.refuse_stale(connection, version)
    filled = await _settled(connection, holding_of(projectors), at)
    if filled.filling is None:
        await _clear_discarded(connection, events)
    else:
        await _go_on(connection, projectors, filled.filling, events)
    return await _filled(connection)


async def _go_on(connection: Connection, projectors: Sequence[Projector], filling: Filling, events: int) -> None:
    number = await connection.fetchval(_ID_OF, _FILLING)
    last = await last_seq(connection)
    until = min(filling.projected + events, last)
    await project_log(connection, projectors, number, after=filling.projected, until=until)
    await connection.execute("UPDATE generations SET projected = $1 WHERE id = $2", until, number)
    if until == last:
        await connection.execute("UPDATE generations SET state = $1 WHERE state = $2", _DISCARDED, _SERVED)
        await connection.execute("UPDATE generations SET state = $1 WHERE id = $2", _SERVED, number)
        await connection.execute("DELETE FROM unprojected")


async def _settled(connection: Connection, needed: Holding, at: datetime) -> Filled:
    """The generations, after they were brought in line with what is needed from now on."""
    filled = await _filled(connection)
    filling = None if filled.filling is None else filled.filling.holding
    what = course(filled.holding, filling, needed)
    await _set_held(connection, _SERVED, filled.holding.kept_under(needed))
    if filling is not None and what is Course.GO_ON:
        await _set_held(connection, _FILLING, filling.kept_under(needed))
    else:
        await _discard_filling(connection)
    if what is Course.BEGIN:
        await connection.execute(
            "INSERT INTO generations (state, holding, projected, since) VALUES ($1, $2, 0, $3)",
            *(_FILLING, holding_as_text(needed), at),
        )
    return await _filled(connection)


async def _filled(connection: Connection) -> Filled:
    return filled_from(await connection.fetch(FILLED))


async def _set_held(connection: Connection, state: str, holding: Holding) -> None:
    await connection.execute("UPDATE generations SET holding = $1 WHERE state = $2", holding_as_text(holding), state)


async def _discard_filling(connection: Connection) -> None:
    await connection.execute("UPDATE generations SET state = $1 WHERE state = $2", _DISCARDED, _FILLING)


async def _clear_discarded(connection: Connection, rows: int) -> None:
    """Delete at most so many rows of the oldest discarded generation, and it itself once it is empty."""
    found = await connection.fetchrow(_TO_CLEAR)
    if found is None:
        return
    number, after = found
    count, last = await connection.fetchrow(_CLEAR, number, after, rows)
    if count == rows:
        await connection.execute("UPDATE generations SET cleared_until = $1 WHERE id = $2", last, number)
    else:
        await connection.execute("DELETE FROM generations WHERE id = $1", number)
