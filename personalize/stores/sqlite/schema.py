"""The tables of a SQLite store, and how they come to be in a file that several processes open at once."""

import json
import sqlite3
import time

from sqlite_utils import Database, Migrations

from personalize.errors import StoreUnavailable
from personalize.profiles.outbox import OUTBOX
from personalize.profiles.searched import SEARCH
from personalize.profiles.watched import WATCH
from personalize.stores.fence import refuse_newer
from personalize.stores.projecting import AGEING, MARKS, PROFILES
from personalize.stores.sqlite.projections import ProjectionTable

RETRY_SECONDS = 0.02


def the_log(database: Database) -> None:
    """Events, and the newest of each profile."""
    database.table("events").create(
        {
            "seq": int,
            "event_id": str,
            "sender": str,
            "type": str,
            "profile_id": str,
            "occurred_at": int,
            "received_at": int,
            "channel": str,
            "version": str,
            "properties": str,
            "previous": int,
        },
        pk="seq",
        not_null={
            *("event_id", "sender", "type", "profile_id"),
            *("occurred_at", "received_at", "channel", "properties"),
        },
        strict=True,
    )
    database.table("events").create_index(["sender", "event_id"], unique=True)
    # An index of events on a random id would make every insert ten times slower: the newest event of each
    # profile is kept here, and each event names the one before it. The rows are short and of one B-tree.
    database.execute(
        "CREATE TABLE heads (profile_id TEXT NOT NULL PRIMARY KEY, seq INTEGER NOT NULL) STRICT, WITHOUT ROWID"
    )

    ProjectionTable(database.conn, PROFILES).create()


def the_rule_sets(database: Database) -> None:
    """Rule sets, which of them are live, and who serves them."""
    database.table("rule_sets").create(
        {"version": str, "files": str, "saved_at": int},
        pk="version",
        not_null={"files", "saved_at"},
        strict=True,
    )
    database.table("lives").create(
        {"seq": int, "version": str, "at": int, "by": str},
        pk="seq",
        not_null={"version", "at", "by"},
        strict=True,
    )
    database.table("workers").create(
        {"worker": str, "version": str, "at": int}, pk="worker", not_null={"at"}, strict=True
    )


def what_waits_in_the_log(database: Database) -> None:
    """From where on events have not been projected yet."""
    # At most one row: the first event that no projection knows yet; all behind it wait with it.
    database.table("unprojected").create({"seq": int}, pk="seq", strict=True)


def what_the_projections_hold(database: Database) -> None:
    """Generations of the projections, and leases of jobs."""
    # One row is "served", at most one "filling", the others are "discarded" and cleared away bit by bit. The
    # served rows lie in the tables of their projections, all others in tables that have the id in their name.
    database.table("generations").create(
        {"id": int, "state": str, "holding": str, "projected": int, "since": int},
        pk="id",
        not_null={"state", "holding"},
        strict=True,
    )
    database.table("generations").insert({"state": "served", "holding": '{"counters":{},"values":[]}'})
    database.table("leases").create(
        {"job": str, "holder": str, "until": int}, pk="job", not_null={"holder", "until"}, strict=True
    )


def whether_pages_are_touched(database: Database) -> None:
    """When somebody switched personalizing off or on."""
    database.table("switches").create(
        {"seq": int, "off": int, "at": int, "by": str}, pk="seq", not_null={"off", "at", "by"}, strict=True
    )


def what_was_copied(database: Database) -> None:
    """Which copies of what is stored were made."""
    database.table("exports").create(
        {"export_id": str, "begun_at": int, "by": str, "what": str, "where": str, "ended_at": int},
        pk="export_id",
        not_null={"begun_at", "by", "what", "where"},
        strict=True,
    )


def who_may_use_the_api(database: Database) -> None:
    """Tokens of the API, by their hash."""
    database.table("access_tokens").create(
        {
            "digest": str,
            "name": str,
            "scopes": str,
            "created_at": int,
            "expires_at": int,
            "used_at": int,
            "revoked_at": int,
        },
        pk="digest",
        not_null={"name", "scopes", "created_at"},
        strict=True,
    )


def what_erasure_leaves(database: Database) -> None:
    """Seals of erased ids, the receipts, and where the log ended when its last entry was removed."""
    # Seals are random: short rows of one B-tree, as heads are. The end of the log is at most one row.
    database.execute("CREATE TABLE erased (seal BLOB NOT NULL PRIMARY KEY, at INTEGER NOT NULL) STRICT, WITHOUT ROWID")
    database.table("erasures").create(
        {"id": int, "seal": str, "at": int, "by": str, "profiles": int, "events": int, "copies": str},
        pk="id",
        not_null={"seal", "at", "by", "profiles", "events", "copies"},
        strict=True,
    )
    # Joins are rare, and so is this index. What an erased browser had joined is found by it.
    database.execute("CREATE INDEX joins ON events (properties ->> 'from') WHERE type IN ('join', 'undo')")
    database.table("log_end").create({"seq": int}, pk="seq", strict=True)


def how_far_back_the_log_reaches(database: Database) -> None:
    """Moments before which nothing is taken any more; the latest holds."""
    database.table("floors").create({"at": int}, pk="at", strict=True)


def who_is_watched(database: Database) -> None:
    """Whom to look at again, in which watched segments they are, and what webhooks have to be told."""
    for projection in (WATCH, OUTBOX, MARKS):
        ProjectionTable(database.conn, projection).create()


def how_far_back_each_type_reaches(database: Database) -> None:
    """The same for events of one type; and when something in each stretch of the log grows too old."""
    ProjectionTable(database.conn, AGEING).create()
    database.table("type_floors").create({"type": str, "at": int}, pk="type", not_null={"at"}, strict=True)


def when_it_was_compacted(database: Database) -> None:
    """As of which moments no byte of what was deleted is left; the latest counts."""
    database.table("compactions").create({"at": int}, pk="at", strict=True)


def what_visitors_are_found_by(database: Database) -> None:
    """The index of attributes that visitors can be found by."""
    ProjectionTable(database.conn, SEARCH).create()


#: All changes of the schema, oldest first. One that was released is never edited: add the next; what their names say to
#: older versions stands in `stores.fence`.
CHANGES = (
    the_log,
    the_rule_sets,
    what_waits_in_the_log,
    what_the_projections_hold,
    whether_pages_are_touched,
    what_was_copied,
    who_may_use_the_api,
    what_erasure_leaves,
    how_far_back_the_log_reaches,
    who_is_watched,
    how_far_back_each_type_reaches,
    when_it_was_compacted,
    what_visitors_are_found_by,
)
_KNOWN = json.dumps([change.__name__ for change in CHANGES])
_UNKNOWN = """
    SELECT replace(name, '_', ' ') FROM _sqlite_migrations
    WHERE migration_set = 'personalize' AND name NOT IN (SELECT value FROM json_each(?))
"""


def schema() -> Migrations:
    """The changes as what applies them."""
    migrations = Migrations("personalize")
    for change in CHANGES:
        migrations()(change)
    return migrations


def migrate(connection: sqlite3.Connection) -> None:
    """Bring the schema up to date; of several processes one does it and the others wait. A newer one stays as it is:
    who writes asks `refuse_newer_file`."""
    database, migrations = Database(connection), schema()
    if not migrations.pending(database):
        return
    connection.execute("BEGIN IMMEDIATE")
    try:
        migrations.apply(database)
        connection.execute("COMMIT")
    finally:
        if connection.in_transaction:
            connection.execute("ROLLBACK")


def refuse_newer_file(connection: sqlite3.Connection, *, adds_only: bool = False) -> None:
    """Raise `NewerStore` where the file has changes that this version does not know; see `stores.fence`. It holds
    until the end of a transaction that may write."""
    refuse_newer((name for (name,) in connection.execute(_UNKNOWN, (_KNOWN,))), adds_only=adds_only)


def use_write_ahead_log(connection: sqlite3.Connection, busy_seconds: float) -> None:
    """Switch the file to WAL, once for all, and this connection to a sync of every commit.

    While two connections switch at once, SQLite tells one of them "locked" without waiting; so this waits.
    """
    give_up_at = time.monotonic() + busy_seconds
    while not _switched_to_wal(connection, give_up_at):
        time.sleep(RETRY_SECONDS)
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute(f"PRAGMA journal_size_limit = {64 * 1024 * 1024}")


def _switched_to_wal(connection: sqlite3.Connection, give_up_at: float) -> bool:
    try:
        (mode,) = connection.execute("PRAGMA journal_mode = WAL").fetchone()
    except sqlite3.OperationalError as error:
        if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() >= give_up_at:
            raise
        return False
    if mode != "wal":
        raise StoreUnavailable("the store's disk cannot keep a write-ahead log: use a local disk")
    return True
