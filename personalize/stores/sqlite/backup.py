"""Copies of a SQLite store: made while it is written to, looked at whether they are whole, and put in its place.

`VACUUM INTO` reads as any page does: in one transaction, which stops nobody from writing. It copies what is there and
no free page, so that nothing erased lives on in a backup that was made later.
"""

import hashlib
import os
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path

from personalize.errors import StoreBusy, StoreUnavailable
from personalize.stores.projecting import PROFILES
from personalize.stores.sqlite.errors import store_errors
from personalize.stores.sqlite.projections import table_of

#: Steps of SQLite's machine between two looks at how far it is: some hundredths of a second.
_STEPS_BETWEEN = 500_000
#: What belongs to a store's file: its write-ahead log, and the memory that its users share.
_ENDINGS = ("", "-wal", "-shm")
_COUNTS = f"SELECT (SELECT count(*) FROM events), (SELECT count(*) FROM {table_of(PROFILES)})"


@dataclass(frozen=True, slots=True)
class Contents:
    """What a file holds: entries of the log, profiles, and bytes."""

    events: int
    profiles: int
    size_bytes: int


def copy_database(path: Path, target: Path, goes_on: Callable[[], bool]) -> Contents:
    """Copy the store at `path` to the new file `target`, and look whether the copy is whole; synced when it returns.

    Everything that was committed before the call is in the copy. `goes_on` is asked now and then; where it says no, as
    where the copy can't be made, `StoreUnavailable` is raised.
    """
    _make_file(target)
    with store_errors(path), closing(_connected(path)) as connection:
        before = _last_entry(connection)
        connection.set_progress_handler(lambda: not goes_on(), _STEPS_BETWEEN)
        connection.execute("VACUUM INTO ?", (str(target),))
    contents = check_database(target)
    with store_errors(target), closing(_connected(target)) as copy:
        if _last_entry(copy) < before:
            raise StoreUnavailable(f"the copy {target} lacks the newest events: its disk has lost what was written")
    sync(target)
    return contents


def check_database(path: Path) -> Contents:
    """What a store's file holds that nobody has open. Raises `StoreUnavailable` where it is damaged or no store."""
    with store_errors(path), closing(_connected(path)) as connection:
        (found, *_) = connection.execute("PRAGMA integrity_check(1)").fetchone()
        if found != "ok":
            raise StoreUnavailable(f"{path} is damaged: {found}")
        events, profiles = connection.execute(_COUNTS).fetchone()
    return Contents(events, profiles, path.stat().st_size)


def sha256_of(path: Path) -> str:
    """The SHA-256 of a file, in hex."""
    with path.open("rb") as source:
        return hashlib.file_digest(source, "sha256").hexdigest()


def copy_file(source: Path, target: Path) -> None:
    """Copy a file that nobody writes to a new one; synced when it returns."""
    _make_file(target)
    shutil.copyfile(source, target)
    sync(target)


def close_for_all(path: Path) -> None:
    """Fold the write-ahead log of a store into its file, so that the file is all there is. Raises `StoreBusy` where
    somebody has it open. One that is damaged is left as it is."""
    with suppress(sqlite3.DatabaseError), closing(_connected(path)) as connection:
        try:
            connection.execute("PRAGMA journal_mode = DELETE")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
                raise StoreBusy(f"the store {path} is in use: stop the site first") from error
            raise


def remove(path: Path) -> None:
    """Remove a store that nobody has open, with all that belongs to it; harmless where it is not there."""
    for ending in _ENDINGS:
        path.with_name(path.name + ending).unlink(missing_ok=True)


def move_aside(path: Path, name: str) -> None:
    """Give a store that nobody has open another name in its folder, with all that belongs to it."""
    for ending in _ENDINGS:
        with suppress(FileNotFoundError):
            path.with_name(path.name + ending).rename(path.with_name(name + ending))


def sync(path: Path) -> None:
    """Have a file, or the names in a folder, on the disk."""
    opened = os.open(path, os.O_RDONLY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)


def _connected(path: Path) -> sqlite3.Connection:
    return sqlite3.connect(f"{path.absolute().as_uri()}?mode=rw", uri=True, isolation_level=None)


def _last_entry(connection: sqlite3.Connection) -> int:
    last: int | None = connection.execute("SELECT max(seq) FROM events").fetchone()[0]
    return last or 0


def _make_file(path: Path) -> None:
    """An empty file, for its owner alone."""
    os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
