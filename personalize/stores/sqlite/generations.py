"""Generations of the projections: the one that is served, the one being filled, and those to be cleared away.

Rows that hold something new are projected beside the served ones, slice by slice, and take their place when the
whole log is in them. So what was filled is what a rebuilding gives, since it is one. Who calls holds the transaction.
"""

import sqlite3
from collections.abc import Sequence
from datetime import datetime

from personalize.errors import StaleVersion
from personalize.events.event import from_micros, to_micros
from personalize.profiles.holding import Holding
from personalize.stores.holding_text import holding_as_text, holding_from_text
from personalize.stores.projecting import Course, Rows, course, holding_of, settle_by
from personalize.stores.protocols import NOTHING_LIVE, Filled, Filling, Live, Projector
from personalize.stores.sqlite import tables
from personalize.stores.sqlite.projections import ProjectionTable, quoted
from personalize.stores.sqlite.tables import Row

#: In the order in which `filled_from` takes them.
FILLED = f"""
    SELECT state, holding, projected, since, ({tables.LAST_SEQ})
    FROM generations ORDER BY state, id
"""
_SERVED, _FILLING, _DISCARDED = "served", "filling", "discarded"
_ID_OF = "SELECT id FROM generations WHERE state = ? ORDER BY id LIMIT 1"
_NAMES = "SELECT name FROM sqlite_master WHERE type = 'table' AND name LIKE 'projection~_%~~' || ? ESCAPE '~'"


def filled_from(rows: Sequence[Row]) -> Filled:
    """What `FILLED` found."""
    by_state = {state: (holding_from_text(holding), projected, since) for state, holding, projected, since, _ in rows}
    filling = by_state.get(_FILLING)
    return Filled(
        holding=by_state[_SERVED][0],
        filling=None if filling is None else Filling(filling[0], filling[1], from_micros(filling[2])),
        events=rows[0][-1],
        discarded=_DISCARDED in by_state,
    )


def set_live(
    connection: sqlite3.Connection,
    live: Live,
    projectors: Sequence[Projector],
    expected: str | None,
    at_once: int,
) -> None:
    """Add a life, and fill what it needs or begin to; see `Store.set_live`."""
    found = connection.execute(tables.LIVE).fetchone()
    before = NOTHING_LIVE if found is None else found[0]
    if expected is not None and before != expected:
        raise StaleVersion(before)
    tables.files_of(live.version, connection.execute(tables.RULE_SET, (live.version,)).fetchall())
    connection.execute(
        "INSERT INTO lives (version, at, by) VALUES (?, ?, ?)", (live.version, to_micros(live.at), live.by)
    )
    filled, needed = _filled(connection), holding_of(projectors)
    if not filled.holding.covers(needed) and filled.events <= at_once:
        rebuild(connection, projectors)
    _settled(connection, needed, live.at)


def rebuild(connection: sqlite3.Connection, projectors: Sequence[Projector]) -> int:
    """Project the whole log again into empty tables; the number of events."""
    if projectors:
        for projector in projectors:
            table = ProjectionTable(connection, projector.name)
            table.create()
            table.clear()
        connection.execute("DELETE FROM unprojected")
        _discard_filling(connection)
        _set_held(connection, _SERVED, holding_of(projectors))
    return tables.project(connection, projectors, tables.log_in_parts(connection, after=0))


def fill(
    connection: sqlite3.Connection, projectors: Sequence[Projector], version: str, at: datetime, events: int
) -> Filled:
    """One slice; see `Store.fill`."""
    tables.refuse_stale(connection, version)
    filled = _settled(connection, holding_of(projectors), at)
    if filled.filling is None:
        _clear_discarded(connection, events)
    else:
        _go_on(connection, projectors, filled.filling, events)
    return _filled(connection)


def project_anew(connection: sqlite3.Connection, profile_id: str, projectors: Sequence[Projector]) -> None:
    """Project a profile anew, whose history has changed, and whoever joins hold together with it, in the generation
    that is served and the one being filled, each up to where it has come. From those discarded they go."""
    waits_from: int | None = connection.execute(tables.UNPROJECTED).fetchone()[0]
    for number, state, projected in connection.execute("SELECT id, state, projected FROM generations").fetchall():
        for projector in projectors:
            is_served = state == _SERVED
            table = ProjectionTable(connection, projector.name, None if is_served else number)
            table.create()
            until = projected
            if is_served:
                until = None if waits_from is None else waits_from - 1
            rows = Rows(projector)
            rows.project_anew(profile_id)
            settle_by(table.read, tables.Histories(connection, until).part, rows.settle())
            changes = rows.changes()
            table.write(changes if state != _DISCARDED else ((key, None) for key, _ in changes))


def _go_on(connection: sqlite3.Connection, projectors: Sequence[Projector], filling: Filling, events: int) -> None:
    generation = connection.execute(_ID_OF, (_FILLING,)).fetchone()[0]
    last = connection.execute(tables.LAST_SEQ).fetchone()[0]
    until = min(filling.projected + events, last)
    parts = tables.log_in_parts(connection, after=filling.projected, last=until)
    tables.project(connection, projectors, parts, generation=generation, until=until)
    connection.execute("UPDATE generations SET projected = ? WHERE id = ?", (until, generation))
    if until == last:
        _serve(connection, generation)


def _serve(connection: sqlite3.Connection, generation: int) -> None:
    """Put a generation that has the whole log in it in the place of the served one."""
    served = connection.execute(_ID_OF, (_SERVED,)).fetchone()[0]
    names = [name for (name,) in connection.execute(_NAMES, (generation,)).fetchall()]
    for name in names:
        projection = name.removesuffix(f"~{generation}")
        connection.execute(f"ALTER TABLE {quoted(projection)} RENAME TO {quoted(f'{projection}~{served}')}")
        connection.execute(f"ALTER TABLE {quoted(name)} RENAME TO {quoted(projection)}")
    connection.execute("UPDATE generations SET state = ? WHERE id = ?", (_DISCARDED, served))
    connection.execute("UPDATE generations SET state = ? WHERE id = ?", (_SERVED, generation))
    connection.execute("DELETE FROM unprojected")


def _settled(connection: sqlite3.Connection, needed: Holding, at: datetime) -> Filled:
    """The generations, after they were brought in line with what is needed from now on."""
    filled = _filled(connection)
    filling = None if filled.filling is None else filled.filling.holding
    what = course(filled.holding, filling, needed)
    _set_held(connection, _SERVED, filled.holding.kept_under(needed))
    if filling is not None and what is Course.GO_ON:
        _set_held(connection, _FILLING, filling.kept_under(needed))
    else:
        _discard_filling(connection)
    if what is Course.BEGIN:
        connection.execute(
            "INSERT INTO generations (state, holding, projected, since) VALUES (?, ?, 0, ?)",
            (_FILLING, holding_as_text(needed), to_micros(at)),
        )
    return _filled(connection)


def _filled(connection: sqlite3.Connection) -> Filled:
    return filled_from(connection.execute(FILLED).fetchall())


def _set_held(connection: sqlite3.Connection, state: str, holding: Holding) -> None:
    connection.execute("UPDATE generations SET holding = ? WHERE state = ?", (holding_as_text(holding), state))


def _discard_filling(connection: sqlite3.Connection) -> None:
    connection.execute("UPDATE generations SET state = ? WHERE state = ?", (_DISCARDED, _FILLING))


def _clear_discarded(connection: sqlite3.Connection, rows: int) -> None:
    """Delete at most so many rows of the oldest discarded generation, and it itself once it is empty."""
    found = connection.execute(_ID_OF, (_DISCARDED,)).fetchone()
    if found is None:
        return
    for (name,) in connection.execute(_NAMES, found).fetchall():
        table = quoted(name)
        deleted = connection.execute(
            f"DELETE FROM {table} WHERE rowid IN (SELECT rowid FROM {table} LIMIT ?)", (rows,)
        ).rowcount
        if deleted == rows:
            return
        connection.execute(f"DROP TABLE {table}")
    connection.execute("DELETE FROM generations WHERE id = ?", found)
