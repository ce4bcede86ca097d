"""The rows of the projections in a SQLite store, by prepared SQL. Who calls holds the transaction."""

import sqlite3
from collections.abc import Iterable, Sequence

from personalize.profiles.queue import RowChange
from personalize.profiles.searched import SEARCH
from personalize.stores.projecting import LED, PROFILES


def table_of(projection: str, generation: int | None = None) -> str:
    """The name of a projection's table, quoted; None is the generation that is served."""
    suffix = "" if generation is None else f"~{generation}"
    return quoted(f"projection_{projection}{suffix}")


def quoted(name: str) -> str:
    """A name as SQL writes it, whatever it holds."""
    return '"' + name.replace('"', '""') + '"'


PROFILE = f"SELECT row FROM {table_of(PROFILES)} WHERE key = ?"
#: The rows of organizations stand among those of profiles; ";" is the character behind ":".
_IS_PROFILE = "(key < 'o:' OR key >= 'o;')"
PROFILE_ROWS = f"""
    SELECT key, row FROM {table_of(PROFILES)} WHERE key > ? AND key <= ? AND {_IS_PROFILE} ORDER BY key LIMIT ?
"""
PROFILE_KEYS = f"SELECT key FROM {table_of(PROFILES)} WHERE key > ? AND {_IS_PROFILE} ORDER BY key LIMIT 2 OFFSET ?"
NEXT_KEYS = f"SELECT key FROM {table_of(PROFILES)} WHERE key > ? AND {_IS_PROFILE} ORDER BY key LIMIT ?"
#: SQLite puts every blob behind every text.
BEYOND_ALL_KEYS = b""
_LEAD = "substr(row, 1, 8)"
_INDEX_BY_LEAD = "SELECT 1 FROM sqlite_master WHERE type = 'index' AND tbl_name = ? AND name LIKE 'due~_%' ESCAPE '~'"


def kept_rows(projection: str) -> str:
    """What finds rows by a JSON array of their keys."""
    return f"SELECT key, row FROM {table_of(projection)} WHERE key IN (SELECT value FROM json_each(?))"


def due_rows(queue: str) -> str:
    """What finds the rows of a queue that are due by a moment, as bytes, and at most so many."""
    return f"SELECT key, row FROM {table_of(queue)} WHERE {_LEAD} <= ? ORDER BY {_LEAD}, key LIMIT ?"


#: What leads from a term to visitors.
FOUND = f"SELECT key FROM {table_of(SEARCH)} WHERE {_LEAD} = ? ORDER BY key LIMIT ?"


class ProjectionTable:
    """The rows of one projection, by key.

    A plain table with an index: WITHOUT ROWID was measured, and takes three times as long to write and to read
    once rows are longer than a quarter of a page, as busy profiles are.
    """

    def __init__(self, connection: sqlite3.Connection, projection: str, generation: int | None = None) -> None:
        self._connection = connection
        self._table = table_of(projection, generation)
        self._name = self._table.strip('"')
        self._is_led = projection in LED
        self._select = f"SELECT row FROM {self._table} WHERE key = ?"

    def create(self) -> None:
        """Make the table where this is the first projection of its name."""
        self._connection.execute(
            f"CREATE TABLE IF NOT EXISTS {self._table} (key TEXT NOT NULL PRIMARY KEY, row BLOB NOT NULL) STRICT"
        )
        if self._is_led and not self._is_indexed():
            (unused,) = self._connection.execute("PRAGMA schema_version").fetchone()
            index = quoted(f"due_{self._name}_{unused}")
            self._connection.execute(f"CREATE INDEX {index} ON {self._table} ({_LEAD}, key)")

    def _is_indexed(self) -> bool:
        """Whether there is an index by what rows begin with. It goes with its table when that gets another name."""
        found = self._connection.execute(_INDEX_BY_LEAD, (self._name,)).fetchone()
        return found is not None

    def clear(self) -> None:
        """Delete every row."""
        self._connection.execute(f"DELETE FROM {self._table}")

    def read(self, key: str) -> bytes | None:
        """The bytes of a row, or None."""
        found = self._connection.execute(self._select, (key,)).fetchone()
        return None if found is None else found[0]

    def write(self, changes: Iterable[tuple[str, bytes | None]]) -> None:
        """Put or, where there are no bytes, delete rows."""
        put = f"""
            INSERT INTO {self._table} (key, row) VALUES (?, ?)
            ON CONFLICT (key) DO UPDATE SET row = excluded.row
        """
        rows = list(changes)
        self._connection.executemany(put, [row for row in rows if row[1] is not None])
        gone = [(key,) for key, data in rows if data is None]
        self._connection.executemany(f"DELETE FROM {self._table} WHERE key = ?", gone)


def exchange(connection: sqlite3.Connection, projection: str, changes: Sequence[RowChange]) -> int:
    """Change the rows that are still as they were seen; how many."""
    table = ProjectionTable(connection, projection)
    good = [change for change in changes if table.read(change.key) == change.seen]
    table.write((change.key, change.then) for change in good)
    return len(good)
