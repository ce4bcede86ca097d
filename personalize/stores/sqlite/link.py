"""Connections to a database file that know when the file under them was taken away or exchanged."""

import os
import sqlite3
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from personalize.errors import StoreUnavailable
from personalize.stores.sqlite.schema import migrate, use_write_ahead_log

#: How much of the file a writer keeps in memory. Of a million visitors, those of one batch lie on ten thousand pages,
#: which are read, then written: with the 2 MB that SQLite takes by itself they are read and written twice.
CACHE_KILOBYTES = 64 * 1024


@dataclass(frozen=True, slots=True)
class Link:
    """An open connection, and which file on the disk it was made to.

    A deleted file stays open and writable for whoever has it open, and all that is written there is lost; so
    before trusting a connection one asks whether it still `holds`.
    """

    connection: sqlite3.Connection
    path: str
    file: tuple[int, int]

    @property
    def holds(self) -> bool:
        """Whether the path still names the file that was opened."""
        return _file_at(self.path) == self.file

    def close(self) -> None:
        """Let go of the connection; a transaction that is under way is rolled back."""
        self.connection.close()


def link_for_reading(path: Path) -> Link:
    """A connection that never waits and never writes. The file must exist."""
    link = _link(path, "rw", busy_seconds=0)
    link.connection.execute("PRAGMA query_only = ON")
    return link


def link_for_writing(path: Path, *, create: bool, busy_seconds: float) -> Link:
    """A connection whose commits are synced to the disk, to a file with an up-to-date schema.

    `create` makes the file and its folder where they are missing.
    """
    if create:
        _make_folder(path.parent)
        _make_file(path)
    link = _link(path, "rwc" if create else "rw", busy_seconds)
    try:
        use_write_ahead_log(link.connection, busy_seconds)
        link.connection.execute(f"PRAGMA cache_size = -{CACHE_KILOBYTES}")
        # What is deleted is overwritten at once; what was moved before goes when the store is compacted.
        link.connection.execute("PRAGMA secure_delete = ON")
        migrate(link.connection)
    except BaseException:
        link.close()
        raise
    return link


def gone(path: Path) -> StoreUnavailable:
    """The error for a file that is not where it was, or that can't be looked at any more."""
    return StoreUnavailable(f"the store {path} is gone: was the file moved or deleted, or its folder closed?")


def _link(path: Path, mode: str, busy_seconds: float) -> Link:
    # Path.exists raises where the folder may not be entered.
    if mode == "rw" and not os.path.exists(path):  # noqa: PTH110
        raise gone(path)
    connection = sqlite3.connect(
        f"{path.absolute().as_uri()}?mode={mode}",
        uri=True,
        timeout=busy_seconds,
        isolation_level=None,
        check_same_thread=False,
    )
    file = _file_at(str(path))
    if file is None:
        connection.close()
        raise gone(path)
    return Link(connection, str(path), file)


def _file_at(path: str) -> tuple[int, int] | None:
    try:
        found = os.stat(path)  # noqa: PTH116 - a third of the time of Path.stat, once a page view
    except OSError:
        return None
    return found.st_dev, found.st_ino


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise StoreUnavailable(f"the folder {folder} of the store cannot be made: {error.strerror or error}") from error


def _make_file(path: Path) -> None:
    """Make the file where it is missing, for its owner alone: it holds what people did. SQLite's own files
    beside it get the same rights. Where it can't be made, opening it says why."""
    with suppress(OSError):
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
