"""Connections to a database file that know when the file under them was taken away or exchanged."""

import os
import sqlite3
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

from personalize.errors import StoreUnavailable
from personalize.stores.sqlite.schema import migrate, use_write_ahead_log

#: How much of the file a writer keeps in memory. Of a million visitors, those of one batch lie on ten thousand pages,
#: which are read, then written: with the 2 MB that SQLite takes by itself they are read and written twice.
CACHE_KILOBYTES = 64 * 1024


@dataclass(frozen=True, slots=True)
class Link:
    """An open connection, and which file on the disk it was made to; `log` is the write-ahead log beside it. `cursor`
    is for statements whose rows are fetched at once: to make one for each takes a tenth of what reading a row does.

    A deleted file stays open and writable for whoever has it open, and all that is written there is lost; so
    before trusting a connection one asks whether it still `holds`.
    """

    connection: sqlite3.Connection
    cursor: sqlite3.Cursor
    path: str
    file: tuple[int, int]
    log: tuple[int, int] | None = None

    @property
    def holds(self) -> bool:
        """Whether the path still names the file that was opened."""
        return _file_at(self.path) == self.file

    def close(self) -> None:
        """Let go of the connection; a transaction that is under way is rolled back.

        To close does not do that while a statement is being read, such as one that an error's traceback holds: then the
        file would stay locked for as long as that.
        """
        with suppress(sqlite3.Error):  # it goes on with closing: a file that is gone, say, can't be rolled back
            self.connection.rollback()
        self.connection.close()


def link_for_reading(path: Path, before: Link | None = None) -> Link:
    """A connection that never waits and never writes, after the one `before`. The file must exist."""
    _refuse_a_log_of_another(path, before)
    link = _link(path, "rw", busy_seconds=0)
    link.connection.execute("PRAGMA query_only = ON")
    return _with_log(link)


def link_for_writing(path: Path, before: Link | None = None, *, create: bool, busy_seconds: float) -> Link:
    """A connection whose commits are synced to the disk, to a file with an up-to-date schema, after the one `before`.

    `create` makes the file and its folder where they are missing.
    """
    _refuse_a_log_of_another(path, before)
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
    return _with_log(link)


def gone(path: Path) -> StoreUnavailable:
    """The error for a file that is not where it was, or that can't be looked at any more."""
    return StoreUnavailable(f"the store {path} is gone: was the file moved or deleted, or its folder closed?")


def _refuse_a_log_of_another(path: Path, before: Link | None) -> None:
    """Raise `StoreUnavailable` where another file was put in the place of the one that this process knew, and beside it
    lies the write-ahead log of that one: SQLite would take pages of both for one file, and damage it.

    Nothing is deleted here: what the log holds may be all that there is of the latest events of that file.
    """
    if before is None or before.log is None or before.log != _file_at(_log_of(before.path)):
        return
    if _file_at(before.path) not in (None, before.file):
        beside = f"{path.name}-wal and {path.name}-shm"
        raise StoreUnavailable(
            f"the store {path} can't be used: another file was put in its place, and {beside} beside it belong to the"
            " one before: take them away, and all goes on"
        )


def _with_log(link: Link) -> Link:
    return replace(link, log=_file_at(_log_of(link.path)))


def _log_of(path: str) -> str:
    return f"{path}-wal"


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
    return Link(connection, connection.cursor(), str(path), file)


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
