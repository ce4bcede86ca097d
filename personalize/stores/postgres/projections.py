"""The rows of the projections in a PostgreSQL store. Who calls holds the transaction."""

from collections.abc import Iterable, Mapping, Sequence

from personalize.events.event import Event
from personalize.profiles.encoding import organization_in
from personalize.profiles.queue import RowChange
from personalize.profiles.searched import SEARCH
from personalize.stores.postgres.connections import Connection
from personalize.stores.postgres.kept import kept_text
from personalize.stores.postgres.link import InTheWay
from personalize.stores.postgres.log import HISTORIES, LOG, event_from_row, seq_of
from personalize.stores.projecting import PROFILES, QUEUES, Found, Part, Rows, Settling
from personalize.stores.protocols import Projector

EVENTS_AT_ONCE = 1_000
ROWS_IN_MEMORY = 20_000

_SERVED = f"projection = '{PROFILES}' AND generation = (SELECT id FROM generations WHERE state = 'served')"
PROFILE = f"SELECT row FROM projections WHERE key = $1 AND {_SERVED}"
#: The row of a member says where that of its organization is.
PROFILE_WITH_ORGANIZATION = f"""
    SELECT mine.row, theirs.row FROM projections AS mine LEFT JOIN projections AS theirs
    ON theirs.key = mine.organization_id AND theirs.projection = mine.projection AND theirs.generation = mine.generation
    WHERE mine.key = $1 AND mine.{_SERVED.replace("generation =", "mine.generation =")}
"""
#: The rows of organizations stand among those of profiles; ";" is the character behind ":".
_ARE_PROFILES = f"(key < 'o:' OR key >= 'o;') AND {_SERVED}"
PROFILE_ROWS = f"""
    SELECT key, row FROM projections
    WHERE key > $1 AND ($2::text IS NULL OR key <= $2) AND {_ARE_PROFILES} ORDER BY key LIMIT $3
"""
PROFILE_KEYS = f"SELECT key FROM projections WHERE key > $1 AND {_ARE_PROFILES} ORDER BY key LIMIT 2 OFFSET $2"
NEXT_KEYS = f"SELECT key FROM projections WHERE key > $1 AND {_ARE_PROFILES} ORDER BY key LIMIT $2"

_SERVED_NUMBER = "SELECT id FROM generations WHERE state = 'served'"
KEPT = f"""
    SELECT key, row FROM projections
    WHERE key = any($2::text[]) AND projection = $1 AND generation = ({_SERVED_NUMBER})
"""
# Named, not given as a value: the index of each queue is a part of the table.
DUE = {
    queue: f"""
        SELECT key, row FROM projections
        WHERE projection = '{queue}' AND generation = ({_SERVED_NUMBER}) AND substring(row from 1 for 8) <= $1
        ORDER BY substring(row from 1 for 8), key LIMIT $2
    """
    for queue in sorted(QUEUES)
}
FOUND = f"""
    SELECT key FROM projections
    WHERE projection = '{SEARCH}' AND generation = ({_SERVED_NUMBER}) AND substring(row from 1 for 8) = $1
    ORDER BY key LIMIT $2
"""
_MINE = "projection = $1 AND generation = $2"
# In the order of their keys, which everybody keeps to, so that no two wait for one another.
_READ = f"SELECT key, row FROM projections WHERE key = any($3::text[]) AND {_MINE} ORDER BY key FOR UPDATE"
_ADD = """
    INSERT INTO projections (projection, generation, key, row, organization_id)
    SELECT $1, $2, key, row, organization_id
    FROM unnest($3::text[], $4::bytea[], $5::text[]) AS new (key, row, organization_id) ORDER BY key
    ON CONFLICT (key, projection, generation) DO NOTHING
"""
# By the key of each: whatever the server believes of a table that it has not looked at, it finds rows by their index.
_CHANGE = _ADD.replace("DO NOTHING", "DO UPDATE SET row = excluded.row, organization_id = excluded.organization_id")
_REMOVE = f"DELETE FROM projections WHERE key = any($3::text[]) AND {_MINE}"


class ProjectionTable:
    """The rows of one generation of one projection, by key, inside of a transaction.

    Rows are locked when they are read. Where there is none, there is nothing to lock: what somebody else has put there
    meanwhile raises `InTheWay` when it is written, and the transaction begins anew.
    """

    def __init__(self, connection: Connection, projection: str, generation: int) -> None:
        self._connection = connection
        self._mine = (projection, generation)
        self._found: set[str] = set()

    async def read(self, keys: Sequence[str]) -> Mapping[str, bytes | None]:
        """The bytes of these rows, None where there is none."""
        by_kept = {kept_text(key): key for key in keys}
        found = await self._connection.fetch(_READ, *self._mine, sorted(by_kept))
        rows = {by_kept[key]: row for key, row in found}
        self._found.update(rows)
        return {key: rows.get(key) for key in keys}

    async def write(self, changes: Iterable[tuple[str, bytes | None]]) -> None:
        """Put or, where there are no bytes, delete rows; all were read before."""
        put: list[tuple[str, bytes]] = []
        gone: list[str] = []
        for key, data in changes:
            if data is not None:
                put.append((key, data))
            elif key in self._found:
                gone.append(kept_text(key))
        await self._put(_CHANGE, [each for each in put if each[0] in self._found])
        await self._put(_ADD, [each for each in put if each[0] not in self._found])
        if gone:
            await self._connection.execute(_REMOVE, *self._mine, gone)
        self._found.clear()

    async def _put(self, statement: str, rows: Sequence[tuple[str, bytes]]) -> None:
        if rows:
            keys, data = [kept_text(key) for key, _ in rows], [data for _, data in rows]
            answer = await self._connection.execute(
                statement, *self._mine, keys, data, list(map(_organization_of, data))
            )
            if int(answer.rpartition(" ")[2]) != len(rows):
                raise InTheWay


def _organization_of(row: bytes) -> str | None:
    found = organization_in(row)
    return None if found is None else kept_text(found)


async def exchange(connection: Connection, projection: str, changes: Sequence[RowChange]) -> int:
    """Change the rows of the served generation that are still as they were seen; how many."""
    number: int = await connection.fetchval(_SERVED_NUMBER)
    table = ProjectionTable(connection, projection, number)
    found = await table.read([change.key for change in changes])
    good = [change for change in changes if found[change.key] == change.seen]
    await table.write((change.key, change.then) for change in good)
    return len(good)


class Projecting:
    """Projects events into one generation of one projection, inside of a transaction."""

    def __init__(self, connection: Connection, projector: Projector, generation: int) -> None:
        self._connection = connection
        self._table = ProjectionTable(connection, projector.name, generation)
        self._rows = Rows(projector)

    async def project(self, events: Sequence[Event]) -> None:
        """Let the projector answer events, one after the other."""
        await self._go_through(self._rows.project(events), until=0)

    def project_anew(self, key: str) -> None:
        """Have a row projected anew, whose history has changed."""
        self._rows.project_anew(key)

    async def settle(self, until: int) -> None:
        """Project anew what has to be, from what the log has up to an entry of it."""
        await self._go_through(self._rows.settle(), until)

    async def spare_memory(self) -> None:
        """Write what has come together, where it is much."""
        if len(self._rows) > ROWS_IN_MEMORY:
            await self.write()

    async def write(self) -> None:
        """Write the rows that changed."""
        await self._table.write(self._rows.changes())
        self._rows.forget()

    async def discard(self) -> None:
        """Delete the rows that changed."""
        await self._table.write([(key, None) for key, _ in self._rows.changes()])
        self._rows.forget()

    async def _go_through(self, asking: Settling, until: int) -> None:
        asked = next(asking, None)
        while asked is not None:
            answer = await (self._part(asked, until) if isinstance(asked, Part) else self._table.read(asked))
            try:
                asked = asking.send(answer)
            except StopIteration:
                return

    async def _part(self, asked: Part, until: int) -> Found:
        ids, types = list(map(kept_text, asked.profile_ids)), None if asked.types is None else sorted(asked.types)
        found = await self._connection.fetch(HISTORIES, ids, asked.after, until, types, EVENTS_AT_ONCE)
        return [event_from_row(row) for row in found], seq_of(found[-1]) if found else asked.after


async def project_log(
    connection: Connection, projectors: Iterable[Projector], generation: int, *, after: int, until: int
) -> int:
    """Project the entries of the log behind one and up to another into a generation; the number of events."""
    projecting = [Projecting(connection, one, generation) for one in projectors]
    count, seq = 0, after
    while found := await connection.fetch(LOG, seq, until, EVENTS_AT_ONCE):
        events, seq, count = [event_from_row(row) for row in found], seq_of(found[-1]), count + len(found)
        for each in projecting:
            await each.project(events)
            await each.spare_memory()
    for each in projecting:
        await each.settle(until)
        await each.write()
    return count
