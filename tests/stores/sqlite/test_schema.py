"""A store file comes into being once, however many open it at once, and nobody spoils a newer one."""

import asyncio
import sqlite3
from contextlib import ExitStack, closing
from pathlib import Path

import pytest
from sqlite_utils import Database

from personalize.errors import StoreUnavailable
from personalize.stores.sqlite import tables
from personalize.stores.sqlite.projections import PROFILE
from personalize.stores.sqlite.schema import schema
from personalize.stores.sqlite.store import SqliteStore
from tests.stores.contract import opened
from tests.stores.other_process import line_from, line_to, other_process


def test_four_processes_may_open_a_new_file_at_once(tmp_path: Path) -> None:
    for attempt in range(3):
        path = tmp_path / f"{attempt}.db"
        with ExitStack() as stack:
            processes = [stack.enter_context(other_process("open_the_store", path)) for _ in range(4)]
            for process in processes:
                line_to(process)
            assert [line_from(process) for process in processes] == ["done"] * 4
        assert applied_to(path) == [migration.name for migration in schema().pending(Database(memory=True))]


def test_opening_again_changes_nothing(tmp_path: Path) -> None:
    async def scene() -> None:
        for _ in range(2):
            async with opened(SqliteStore(tmp_path / "x.db")):
                pass

    asyncio.run(scene())
    assert len(applied_to(tmp_path / "x.db")) == len(set(applied_to(tmp_path / "x.db")))


def test_a_file_of_a_newer_version_is_refused_and_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "x.db"

    async def scene() -> None:
        async with opened(SqliteStore(path)):
            pass
        with sqlite3.connect(path) as connection:
            connection.execute(
                "INSERT INTO _sqlite_migrations (migration_set, name, applied_at) VALUES ('personalize', 'better', '')"
            )
        connection.close()
        store = SqliteStore(path)
        with pytest.raises(StoreUnavailable, match=r'newer version of personalize.*"better"'):
            await store.open()
        await store.close()

    asyncio.run(scene())


def test_every_table_checks_the_types_of_its_columns(tmp_path: Path) -> None:
    async def scene() -> None:
        async with opened(SqliteStore(tmp_path / "x.db")):
            pass

    asyncio.run(scene())
    connection = sqlite3.connect(tmp_path / "x.db")
    tables = connection.execute("PRAGMA table_list").fetchall()
    connection.close()
    strict = {name: bool(is_strict) for _, name, _, _, _, is_strict in tables if "sqlite_" not in name}
    assert set(strict) == {
        *("events", "heads", "projection_profiles", "generations", "unprojected"),
        *("rule_sets", "lives", "switches", "workers", "leases", "exports", "access_tokens"),
        *("erased", "erasures", "log_end", "floors", "type_floors", "projection_ageing", "compactions"),
        *("projection_watch", "projection_outbox", "projection_marks", "projection_search"),
    }
    assert all(strict.values())


def applied_to(path: Path) -> list[str]:
    """The names of the changes of the schema that a file has."""
    connection = sqlite3.connect(path)
    names = [migration.name for migration in schema().applied(Database(connection))]
    connection.close()
    return names


def test_nothing_in_the_log_is_found_by_a_random_id_and_nothing_by_looking_at_all_of_it(tmp_path: Path) -> None:
    """An index that is led by a random id is written all over with every batch: it makes a long log ten times slower.
    That of event ids is led by the sender, and grows at its end where their ids begin with the time."""

    async def scene() -> None:
        async with opened(SqliteStore(tmp_path / "x.db")):
            pass

    asyncio.run(scene())
    with closing(sqlite3.connect(tmp_path / "x.db")) as connection:
        assert led_by(connection) == {"sender": "whole", None: "part"}
        connection.execute("CREATE INDEX slow ON events (profile_id, occurred_at)")
        assert led_by(connection)["profile_id"] == "whole"
        connection.execute("DROP INDEX slow")
        for sql in (tables.HEAD, tables.HISTORY, tables.LOG, PROFILE):
            plan = [row[3] for row in connection.execute(f"EXPLAIN QUERY PLAN {sql}", (1,) * sql.count("?"))]
            assert [step for step in plan if step.startswith("SCAN") and step != "SCAN walk"] == [], sql


def led_by(connection: sqlite3.Connection) -> dict[str | None, str]:
    """What the indexes of the log are led by, None for an expression, and whether they hold the whole of it."""
    found = connection.execute("SELECT name, partial FROM pragma_index_list('events')").fetchall()
    first = "SELECT name FROM pragma_index_info(?) ORDER BY seqno"
    return {connection.execute(first, (name,)).fetchone()[0]: ("whole", "part")[partial] for name, partial in found}
