"""What an error of SQLite means for whoever runs the site; no sqlite3 error leaves the store."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from personalize.errors import StoreBusy, StoreError, StoreUnavailable

_LOCKED = frozenset({sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED})
_ABOUT_THE_VALUE = frozenset({sqlite3.SQLITE_CONSTRAINT, sqlite3.SQLITE_MISMATCH, sqlite3.SQLITE_TOOBIG})
_REASONS = {
    sqlite3.SQLITE_FULL: "the disk is full",
    sqlite3.SQLITE_CANTOPEN: "it cannot be opened: does the folder exist, and may this process write there?",
    sqlite3.SQLITE_PERM: "this process has no permission for it",
    sqlite3.SQLITE_READONLY: "it is read-only: file, folder or disk",
    sqlite3.SQLITE_IOERR: "the disk reports an error",
    sqlite3.SQLITE_CORRUPT: "it is damaged: put a backup in its place",
    sqlite3.SQLITE_NOTADB: "it is not a SQLite database",
    sqlite3.SQLITE_NOMEM: "there is no memory left",
}


@contextmanager
def store_errors(path: Path) -> Iterator[None]:
    """Turn what sqlite3 raises inside into `StoreBusy`, `StoreUnavailable`, or `ValueError` for a value that
    no row can hold."""
    try:
        yield
    except sqlite3.Error as error:
        raise meaning_of(error, path) from error


def meaning_of(error: sqlite3.Error, path: Path) -> StoreError | ValueError:
    """The error of ours that an operator can act on."""
    code = getattr(error, "sqlite_errorcode", None)
    primary = None if code is None else code & 0xFF
    if primary in _LOCKED:
        return StoreBusy(f"the store {path} is locked by another process")
    if primary in _ABOUT_THE_VALUE or isinstance(error, sqlite3.InterfaceError | sqlite3.DataError):
        return ValueError(f"the store cannot hold this value: {error}")
    reason = _REASONS.get(primary, str(error)) if primary is not None else str(error)
    return StoreUnavailable(f"the store {path} cannot be used: {reason}")
