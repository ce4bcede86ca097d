"""Erasing again, in the tables of a SQLite store. Who calls holds the transaction."""

import sqlite3
from collections.abc import Sequence
from contextlib import closing
from datetime import datetime
from pathlib import Path

from personalize.events.event import to_micros
from personalize.stores.erasing_again import told_since
from personalize.stores.erasure import Erasure
from personalize.stores.protocols import Projector
from personalize.stores.seals import Seals
from personalize.stores.sqlite import erasing, tables
from personalize.stores.sqlite.errors import store_errors

#: Everybody whom the log tells of, behind an id and so many at once: by their events, and by the joins that name them.
IDS = (
    "SELECT profile_id FROM heads WHERE profile_id > ? ORDER BY profile_id LIMIT ?",
    """
    SELECT DISTINCT properties ->> 'from' FROM events
    WHERE type IN ('join', 'undo') AND properties ->> 'from' > ? ORDER BY properties ->> 'from' LIMIT ?
    """,
)


def erase_again(
    connection: sqlite3.Connection, profile_id: str, at: datetime, seals: Seals, projectors: Sequence[Projector]
) -> bool:
    """Erase one id as of a moment; False where nothing here is so old."""
    history = [tables.event_from_row(row) for row in erasing.history(connection, profile_id)][::-1]
    since = told_since(profile_id, history, at)
    if since and len(since) == len(history):
        return False
    erasing.erase_ids(connection, (profile_id,), at, seals, projectors)
    if since:
        erasing.apply(connection, since, projectors, None, seals)
    return True


def erasures_in(path: Path) -> tuple[Sequence[Erasure], Sequence[tuple[str, datetime]]]:
    """The receipts and the seals of a store that nobody has open; it is not changed, and may be of an older version.

    Raises `StoreUnavailable` where it can't be read.
    """
    with store_errors(path), closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as connection:
        receipts, sealed = _read(connection, erasing.ERASURES), _read(connection, erasing.SEALED)
    return [erasing.erasure_from_row(row) for row in receipts], [erasing.sealed_from_row(row) for row in sealed]


def _read(connection: sqlite3.Connection, sql: str) -> list[tables.Row]:
    """The rows that a statement finds; none where the file is of a time before there was such a table."""
    try:
        return connection.execute(sql).fetchall()
    except sqlite3.OperationalError as error:
        if "no such table" not in str(error):
            raise
        return []


def keep(connection: sqlite3.Connection, erasures: Sequence[Erasure], sealed: Sequence[tuple[str, datetime]]) -> None:
    """Keep the receipts and the seals of another store."""
    kept = {erasing.erasure_from_row(row) for row in connection.execute(erasing.ERASURES)}
    for erasure in erasures:
        if erasure not in kept:
            erasing.keep_receipt(connection, erasure)
    connection.executemany(erasing.SEAL, [(bytes.fromhex(seal), to_micros(at)) for seal, at in sealed])
