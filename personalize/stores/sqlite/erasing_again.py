"""Erasures outlive a restore: who was erased after a backup was made is erased in what is restored from it."""

import sqlite3
from collections.abc import Mapping
from contextlib import closing, suppress
from pathlib import Path

from personalize.errors import TakenOver
from personalize.events.event import from_micros
from personalize.stores.seals import Seals
from personalize.stores.sqlite.erasing import compact, erase_person
from personalize.stores.sqlite.errors import store_errors
from personalize.stores.sqlite.link import link_for_writing
from personalize.stores.sqlite.tables import Row

_ERASED = "SELECT seal, at FROM erased"
_RECEIPTS = "SELECT seal, at, by, profiles, events, copies FROM erasures ORDER BY id"
_IDS = "SELECT profile_id FROM heads"
_BUSY_SECONDS = 5.0


def erase_again(replaced: Path, restored: Path, seals: Seals) -> int:
    """Erase in `restored`, a store that nobody has open, whom the store that it replaces has erased since; how many
    profiles that was. Their seals and receipts come along, and no byte of them stays.

    Raises `StoreUnavailable` where the store that is replaced can't be read: whoever restores has to know.
    """
    with store_errors(replaced), closing(sqlite3.connect(f"{replaced.absolute().as_uri()}?mode=ro", uri=True)) as old:
        erased, receipts = _read(old, _ERASED), _read(old, _RECEIPTS)
    link = link_for_writing(restored, create=False, busy_seconds=_BUSY_SECONDS)
    with store_errors(restored), closing(link.connection) as connection:
        connection.execute("BEGIN IMMEDIATE")
        since = _since(connection, dict(erased))
        if since:
            seals.require()
        found = sum(_erase(connection, profile_id, since, seals) for (profile_id,) in _read(connection, _IDS))
        connection.executemany(
            "INSERT INTO erased (seal, at) VALUES (?, ?) ON CONFLICT (seal) DO UPDATE SET at = max(at, excluded.at)",
            since.items(),
        )
        present = set(_read(connection, _RECEIPTS))
        connection.executemany(
            "INSERT INTO erasures (seal, at, by, profiles, events, copies) VALUES (?, ?, ?, ?, ?, ?)",
            [receipt for receipt in receipts if receipt not in present],
        )
        connection.execute("COMMIT")
        if found:
            compact(connection)
    return found


def _since(connection: sqlite3.Connection, erased: Mapping[bytes, int]) -> dict[bytes, int]:
    """The seals that a backup does not know, or of an earlier moment: what it holds of them came before."""
    known: dict[bytes, int] = dict(_read(connection, _ERASED))
    return {seal: at for seal, at in erased.items() if at > known.get(seal, -1)}


def _erase(connection: sqlite3.Connection, profile_id: str, since: Mapping[bytes, int], seals: Seals) -> int:
    moments = [since[seal] for seal in seals.all_of(profile_id) if seal in since]
    if not moments:
        return 0
    # An anonymous id that belongs to a known one goes with that one, whose seal is here, too.
    with suppress(TakenOver):
        profiles, _ = erase_person(connection, profile_id, from_micros(max(moments)), seals, ())
        return profiles
    return 0


def _read(connection: sqlite3.Connection, sql: str) -> list[Row]:
    """The rows that a statement finds; none where the file is of a time before there was such a table."""
    try:
        return connection.execute(sql).fetchall()
    except sqlite3.OperationalError as error:
        if "no such table" not in str(error):
            raise
        return []
