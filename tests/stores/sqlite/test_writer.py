"""What is acknowledged is on the disk, whoever writes beside us and whoever is killed."""

import asyncio
import random
import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from personalize.errors import StoreBusy, StoreUnavailable
from personalize.stores.sqlite.store import SqliteStore
from personalize.stores.sqlite.writer import MOST_JOBS_OF_A_COMMIT, Writer
from tests.stores.contract import opened
from tests.stores.other_process import AHEAD, line_from, line_to, other_process
from tests.stores.samples import all_of
from tests.trust.trials import trials

KILLS = trials(5, 1_000)


@pytest.fixture
def writer(tmp_path: Path) -> Iterator[Writer]:
    writer = Writer(tmp_path / "x.db", busy_seconds=0.05)
    writer.submit(lambda connection: connection.execute("CREATE TABLE t (x INTEGER)")).result()
    yield writer
    writer.stop()


@contextmanager
def held_up(writer: Writer) -> Iterator[None]:
    """Nothing is written inside; what is submitted there waits together."""
    begun, go_on = threading.Event(), threading.Event()

    def wait(_: sqlite3.Connection) -> None:
        begun.set()
        go_on.wait()

    waiting = writer.submit(wait)
    begun.wait()
    try:
        yield
    finally:
        go_on.set()
        waiting.result()


def inserting(number: int) -> Callable[[sqlite3.Connection], int]:
    """A job that puts a number into the table, and gives it back."""

    def insert(connection: sqlite3.Connection) -> int:
        connection.execute("INSERT INTO t VALUES (?)", (number,))
        return number

    return insert


def numbers_in(writer: Writer) -> list[int]:
    """What is in the table, in the order in which it came."""
    found = writer.submit(lambda connection: connection.execute("SELECT x FROM t ORDER BY rowid").fetchall())
    return [number for (number,) in found.result()]


def test_a_commit_is_synced_to_the_disk(writer: Writer) -> None:
    def pragma(name: str) -> object:
        return writer.submit(lambda connection: connection.execute(f"PRAGMA {name}").fetchone()[0]).result()

    assert pragma("journal_mode") == "wal"
    assert pragma("synchronous") == 2, "2 is FULL: the log is synced before a commit returns"


def test_jobs_that_wait_together_share_one_commit(writer: Writer) -> None:
    statements: list[str] = []
    writer.submit(lambda connection: connection.set_trace_callback(statements.append)).result()
    with held_up(writer):
        futures = [writer.submit(inserting(number)) for number in range(100)]
        statements.clear()
    assert [future.result() for future in futures] == list(range(100))
    assert statements.count("COMMIT") == 2, "one of the job that held them up, one of all the others"
    assert numbers_in(writer) == list(range(100))


def test_more_jobs_than_a_commit_takes_are_all_done(writer: Writer) -> None:
    with held_up(writer):
        futures = [writer.submit(inserting(number)) for number in range(MOST_JOBS_OF_A_COMMIT * 2 + 1)]
    assert [future.result() for future in futures] == numbers_in(writer)


def test_an_error_reaches_its_own_job_and_undoes_no_other(writer: Writer) -> None:
    def insert_and_fail(connection: sqlite3.Connection) -> int:
        inserting(-1)(connection)
        raise ZeroDivisionError("a bug of ours")

    with held_up(writer):
        before, bad, after = (writer.submit(job) for job in (inserting(1), insert_and_fail, inserting(2)))
    assert isinstance(bad.exception(), ZeroDivisionError)
    assert (before.result(), after.result()) == (1, 2)
    assert numbers_in(writer) == [1, 2]


def test_jobs_keep_their_order_when_one_of_them_raises(writer: Writer) -> None:
    tries: list[int] = []
    alone, go_on = threading.Event(), threading.Event()

    def fail_twice(_: sqlite3.Connection) -> int:
        tries.append(1)
        if len(tries) == 2:
            alone.set()
            go_on.wait()
        raise ZeroDivisionError("a bug of ours")

    with held_up(writer):
        early = [writer.submit(inserting(1)), writer.submit(fail_twice), *map(writer.submit, map(inserting, (2, 3)))]
    alone.wait()
    late = [writer.submit(inserting(number)) for number in (4, 5, 6)]
    go_on.set()
    assert [future.exception() is None for future in (*early, *late)] == [True, False, True, True, True, True, True]
    assert numbers_in(writer) == [1, 2, 3, 4, 5, 6]


def test_who_gives_up_waiting_stops_nobody_else(writer: Writer) -> None:
    def fail(_: sqlite3.Connection) -> int:
        raise ZeroDivisionError("a bug of ours")

    with held_up(writer):
        futures = [writer.submit(job) for job in (inserting(1), fail, inserting(2), inserting(3))]
        assert futures[0].cancel()
        assert futures[2].cancel()
    assert isinstance(futures[1].exception(), ZeroDivisionError)
    assert futures[3].result() == 3
    with held_up(writer):
        later = [writer.submit(inserting(number)) for number in (4, 5)]
    assert [future.result() for future in later] == [4, 5]
    assert numbers_in(writer) == [3, 4, 5]


def test_an_error_of_sqlite_is_one_of_ours(writer: Writer) -> None:
    error = writer.submit(lambda connection: connection.execute("SELECT * FROM nowhere")).exception()
    assert isinstance(error, StoreUnavailable)
    assert "no such table: nowhere" in error.reason


def test_an_error_whose_traceback_holds_what_was_being_read_leaves_the_file_unlocked(writer: Writer) -> None:
    def breaks_off(connection: sqlite3.Connection) -> None:
        connection.execute("INSERT INTO t VALUES (1), (2), (3)")
        reading = connection.execute("SELECT x FROM t")
        assert reading.fetchone() == (1,)
        raise LookupError("broken off")

    with pytest.raises(LookupError, match="broken off") as kept:
        writer.submit(breaks_off).result()
    assert writer.submit(inserting(4)).result() == 4
    assert numbers_in(writer) == [4], "what was broken off is undone"
    assert kept.tb is not None, "until here somebody held `reading`"


def test_a_commit_to_a_file_that_was_deleted_meanwhile_is_no_commit(tmp_path: Path, writer: Writer) -> None:
    def insert_and_delete(connection: sqlite3.Connection) -> int:
        (tmp_path / "x.db").unlink()
        return inserting(1)(connection)

    error = writer.submit(insert_and_delete).exception()
    assert isinstance(error, StoreUnavailable)
    assert "is gone" in error.reason


def test_while_another_process_writes_all_that_wait_are_told_so_at_once(tmp_path: Path, writer: Writer) -> None:
    with other_process("hold_the_write_lock", tmp_path / "x.db") as other:
        line_to(other)
        assert line_from(other) == "held"
        with held_up_outside(writer):
            futures = [writer.submit(inserting(number)) for number in range(50)]
        errors = [future.exception() for future in futures]
        assert [type(error) for error in errors] == [StoreBusy] * 50
        assert len({id(error.__cause__) for error in errors[:-1] if error}) == 1, "one wait for all of them"
        line_to(other)
        assert line_from(other) == "released"
    assert numbers_in(writer) == []
    assert writer.submit(inserting(1)).result() == 1


@contextmanager
def held_up_outside(writer: Writer) -> Iterator[None]:
    """As `held_up`, without a transaction."""
    go_on = threading.Event()
    writer._executor.submit(go_on.wait)
    try:
        yield
    finally:
        go_on.set()


def test_two_processes_that_count_one_profile_up_lose_nothing(tmp_path: Path) -> None:
    path = tmp_path / "x.db"
    with ExitStack() as stack:
        processes = [stack.enter_context(other_process("count_up", path, name, 500)) for name in ("a", "b")]
        for process in processes:
            line_to(process)
        assert [line_from(process) for process in processes] == ["done", "done"]
    assert counted_in(path) == (1000, 1000, 1000)


@pytest.mark.trust(tries=KILLS)
def test_what_was_acknowledged_survives_a_kill(tmp_path: Path) -> None:
    path, journal = tmp_path / "x.db", tmp_path / "journal"
    chance = random.Random(KILLS)
    for _ in range(KILLS):
        with other_process("keep_a_journal", path, journal) as other:
            line_to(other)
            for _ in range(chance.randrange(1, 60)):
                assert line_from(other)
            other.kill()
    acknowledged = journal.read_text().split()
    assert len(acknowledged) >= KILLS
    assert missing_from(path, acknowledged) == []
    events, count, total = counted_in(path)
    assert events == count == total, "the projection is as far as the log"
    assert events >= len(acknowledged)


@pytest.mark.trust
@pytest.mark.planted
def test_that_test_would_notice_an_acknowledgement_before_the_commit(tmp_path: Path) -> None:
    path, journal = tmp_path / "x.db", tmp_path / "journal"
    with other_process("keep_a_journal", path, journal, AHEAD) as other:
        line_to(other)
        for _ in range(AHEAD + 1):
            assert line_from(other)
        other.kill()
    assert missing_from(path, journal.read_text().split()) != []


def counted_in(path: Path) -> tuple[int, int, int]:
    """How many events the log has, and how many and how much the one profile counts."""

    async def scene() -> tuple[int, int, int]:
        async with opened(SqliteStore(path)) as store:
            profile = await store.profile("v:ann")
            assert profile is not None
            bought = profile.totals["purchase"]
            return len(await all_of(store.log())), bought.count, int(bought.sum)

    return asyncio.run(scene())


def missing_from(path: Path, event_ids: list[str]) -> list[str]:
    """Which of these events the log has not, in a file that must be sound."""
    connection = sqlite3.connect(path)
    assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    kept = {event_id for (event_id,) in connection.execute("SELECT event_id FROM events")}
    connection.close()
    return [event_id for event_id in event_ids if event_id not in kept]
