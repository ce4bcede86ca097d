"""What reads a SQLite file for pages, on the event loop: it never waits, and never writes."""

import sqlite3
from pathlib import Path
from time import monotonic
from typing import Any

from personalize.profiles.profile import Profile
from personalize.stores.decoded import DecodedProfiles
from personalize.stores.sqlite.errors import meaning_of
from personalize.stores.sqlite.link import Link, link_for_reading
from personalize.stores.sqlite.projections import PROFILE
from personalize.stores.sqlite.writer import Writer

#: How long a connection is trusted before its file is looked at again.
_LOOK_SECONDS = 0.1


class Reader:
    """Reads by one connection, of which a new one is made after whatever went wrong.

    Whether its file is still in place is looked at ten times a second, since a look takes as long as a read (who writes
    looks every time). What was decoded meanwhile is not kept for longer.

    Raises `StoreBusy` at once where the file is locked, and `StoreUnavailable`.
    """

    def __init__(self, path: Path, writer: Writer) -> None:
        self._path = path
        self._writer = writer
        self._link: Link | None = None
        self._look_again_at = 0.0
        self._decoded = DecodedProfiles()

    def profile(self, profile_id: str) -> Profile | None:
        """The stored profile, or None."""
        found = self.rows(PROFILE, (profile_id,))
        return self._decoded.profile(profile_id, found[0][0]) if found else None

    def rows(self, sql: str, parameters: tuple[object, ...] = ()) -> list[tuple[Any, ...]]:
        """The rows that a statement finds, all at once, so that no read transaction stays open."""
        try:
            found: list[tuple[Any, ...]] = self.linked().cursor.execute(sql, parameters).fetchall()
        except sqlite3.Error as error:
            self.close()
            raise meaning_of(error, self._path) from error
        return found

    def linked(self) -> Link:
        """A connection to the file that the path names now, or did a tenth of a second ago."""
        now = monotonic()
        if self._link is not None and now < self._look_again_at:
            return self._link
        if self._link is None or not self._link.holds:
            self.close()
            self._link = link_for_reading(self._path, self._writer.link_before)
        self._look_again_at = now + _LOOK_SECONDS
        self._decoded.forget()
        return self._link

    def close(self) -> None:
        """Let go of the connection; who reads on makes another one."""
        if self._link is not None:
            self._link.close()
            self._link = None
