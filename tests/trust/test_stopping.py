"""A server that is told to stop finishes what it has begun; one that is killed while it changes its store loses
nothing.
"""

import asyncio
import random
import signal
import socket
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import httpx
import pytest
from sqlite_utils import Database

from personalize.errors import StoreError
from personalize.stores.sqlite.schema import schema
from personalize.stores.sqlite.store import SqliteStore
from tests.served.test_kills import TOKEN, prepare
from tests.served.test_workers import logged
from tests.stores.contract import opened
from tests.stores.other_process import line_to, other_process
from tests.stores.samples import all_of, projectors, purchase
from tests.trust.flood import request
from tests.trust.lived_site import Breeder, LivedSite
from tests.trust.trials import SEED, trials

CALLS = trials(20, 200)
LONGEST_STOP_SECONDS = 5
KILLS = trials(2, 200)
EVENTS = 50


@contextmanager
def begun(site: LivedSite) -> Iterator[list[tuple[socket.socket, bytes]]]:
    """Calls of which the server has a part, and the rest of each."""
    made = []
    port = int(site.address.rpartition(":")[2])
    try:
        for number in range(CALLS):
            connection = socket.create_connection(("127.0.0.1", port), timeout=LONGEST_STOP_SECONDS)
            told = request(TOKEN, number)
            connection.sendall(told[:-10])
            made.append((connection, told[-10:]))
        # Who comes behind them is answered: so the server has met them all.
        assert httpx.get(f"{site.address}/_personalize/health").status_code == 200
        yield made
    finally:
        for connection, _ in made:
            connection.close()


def answered_while_stopping(folder: Path, breeder: Breeder, *signals: signal.Signals) -> int:
    """How many calls that were begun are answered with success though the server was told to stop."""
    prepare(folder)
    site = LivedSite(folder, breeder)
    try:
        with begun(site) as calls:
            for each in signals:
                site.tell(each)
                time.sleep(0.1)
            for connection, rest in calls:
                try:
                    connection.sendall(rest)
                except OSError:
                    continue
            told_at = time.monotonic()
            answers = [_answer(connection) for connection, _ in calls]
        while site.runs:
            assert time.monotonic() - told_at < LONGEST_STOP_SECONDS
            time.sleep(0.01)
        return sum(answer.startswith(b"HTTP/1.1 201") for answer in answers)
    finally:
        site.stop()


def _answer(connection: socket.socket) -> bytes:
    try:
        return connection.recv(1_000)
    except OSError:
        return b""


@pytest.mark.trust(tries=CALLS)
def test_what_was_begun_is_answered_and_kept_before_a_server_stops(tmp_path: Path, breeder: Breeder) -> None:
    assert answered_while_stopping(tmp_path, breeder, signal.SIGTERM) == CALLS
    assert {event.event_id for event in logged(tmp_path)} == {f"f{number}" for number in range(CALLS)}


@pytest.mark.trust
@pytest.mark.planted
def test_a_server_that_drops_what_was_begun_is_found_out(tmp_path: Path, breeder: Breeder) -> None:
    """Told twice by the keyboard, uvicorn waits for nobody."""
    assert answered_while_stopping(tmp_path, breeder, signal.SIGINT, signal.SIGINT) < CALLS


def newest_change() -> tuple[str, set[str]]:
    """The newest change of the tables, and which of them it makes."""
    older, newer = Database(memory=True), Database(memory=True)
    changes = schema()
    changes.apply(newer)
    newest = changes.applied(newer)[-1].name
    changes.apply(older, stop_before=newest)
    made = set(newer.table_names()) - set(older.table_names())
    assert made, f"{newest} makes no table: take one back that does"
    return newest, made


def of_an_older_version(path: Path) -> None:
    """A store as the version before made it: without the newest change of its tables."""

    async def filled() -> None:
        async with opened(SqliteStore(path)) as store:
            await store.apply([purchase(event_id=f"e{number}") for number in range(EVENTS)], projectors())

    asyncio.run(filled())
    with closing(sqlite3.connect(path)) as connection:
        newest, made = newest_change()
        connection.execute("DELETE FROM _sqlite_migrations WHERE name = ?", (newest,))
        for table in made:
            connection.execute(f"DROP TABLE {table}")
        connection.commit()


def is_whole(path: Path) -> bool:
    """Whether it opens, has all that it had, and what was missing."""

    async def events() -> int:
        async with opened(SqliteStore(path)) as store:
            return len(await all_of(store.log()))

    try:
        found = asyncio.run(events())
    except StoreError:
        return False
    with closing(sqlite3.connect(path)) as connection:
        tables = {name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
        return found == EVENTS and tables >= newest_change()[1]


@pytest.mark.trust(tries=KILLS)
def test_who_is_killed_while_changing_a_store_leaves_it_as_it_was_or_as_it_shall_be(tmp_path: Path) -> None:
    dice, path = random.Random(SEED), tmp_path / "x.db"
    of_an_older_version(path)
    older = path.read_bytes()
    for _ in range(KILLS):
        for each in tmp_path.glob("x.db*"):
            each.unlink()
        path.write_bytes(older)
        with other_process("open_the_store", path) as other:
            line_to(other)
            time.sleep(dice.uniform(0, 0.03))
            other.kill()
        assert is_whole(path)


@pytest.mark.trust
@pytest.mark.planted
def test_a_store_that_was_changed_by_halves_is_found_out(tmp_path: Path) -> None:
    path = tmp_path / "x.db"
    of_an_older_version(path)
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("INSERT INTO _sqlite_migrations VALUES (99, 'personalize', ?, 'now')", (newest_change()[0],))
        connection.commit()
    assert not is_whole(path)
