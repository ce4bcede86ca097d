"""The tables of a database: made once whoever comes first, and keyed so that many machines can share them out."""

import asyncio
import re
from collections.abc import Awaitable, Callable
from contextlib import ExitStack
from typing import Any

import asyncpg
import pytest

from personalize.errors import StoreUnavailable
from personalize.stores.postgres import PostgresStore
from personalize.stores.postgres_address import address_of
from personalize.stores.postgres_schema import CHANGES
from tests.stores.contract import opened
from tests.stores.other_process import line_from, line_to, other_process
from tests.stores.samples import event, projectors, purchase

NewUrl = Callable[[], str]

#: Small tables that every node of a cluster has a copy of, and what is said of the transaction itself.
_SHARED_BY_ALL = re.compile(r"(BEGIN|COMMIT|ROLLBACK|SELECT .* FROM (generations|lives|erased)\b)", re.DOTALL)
#: How a statement says which visitors it is about.
_KEYED = {
    "events": r"\bprofile_id = |INSERT INTO events .*profile_id",
    "projections": r"\bkey = |INSERT INTO projections \(projection, generation, key, row\)",
}


async def asked(url: str, statement: str, *parameters: object) -> list[Any]:
    """What a statement finds in the schema of a store."""
    address = address_of(url)
    connection = await asyncpg.connect(address.dsn, server_settings={"search_path": address.schema})
    try:
        found: list[Any] = await connection.fetch(statement, *parameters)
        return found
    finally:
        await connection.close()


def test_of_many_who_come_first_at_once_one_makes_the_tables(postgres_url: NewUrl) -> None:
    url = postgres_url()
    with ExitStack() as stack:
        processes = [stack.enter_context(other_process("open_the_store", url)) for _ in range(3)]
        for process in processes:
            line_to(process)
        assert [line_from(process) for process in processes] == ["done"] * 3
    assert len(asyncio.run(asked(url, "SELECT name FROM changes"))) > 3


def test_two_schemas_of_one_database_are_two_stores(postgres_url: NewUrl) -> None:
    async def run() -> None:
        async with opened(store_at(postgres_url())) as one, opened(store_at(postgres_url())) as other:
            await one.apply([purchase()], projectors())
            assert await one.profile("v:ann") is not None
            assert await other.profile("v:ann") is None

    asyncio.run(run())


def test_a_store_that_a_newer_version_has_changed_is_left_alone(postgres_url: NewUrl) -> None:
    async def run() -> None:
        url = postgres_url()
        async with opened(store_at(url)):
            pass
        await asked(url, "INSERT INTO changes (name) VALUES ('what comes next year')")
        with pytest.raises(StoreUnavailable, match='it has "what comes next year"'):
            await store_at(url).open()

    asyncio.run(run())


def test_a_change_that_breaks_off_leaves_nothing_half_done(
    postgres_url: NewUrl, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def run() -> None:
        url = postgres_url()
        with monkeypatch.context() as patch:
            patch.setitem(CHANGES, "the workers", "CREATE TABLE workers (worker); SELECT 1/0")
            with pytest.raises(StoreUnavailable):
                await store_at(url).open()
        assert await asked(url, "SELECT to_regclass('changes') AS made") == [(None,)]
        async with opened(store_at(url)) as store:
            assert (await store.apply([purchase()], projectors())).new == 1

    asyncio.run(run())


def test_every_unique_key_of_what_is_kept_of_visitors_begins_with_the_visitor(postgres_url: NewUrl) -> None:
    async def run() -> None:
        url = postgres_url()
        async with opened(store_at(url)):
            pass
        keys = await asked(
            url,
            """
            SELECT relation.relname, attribute.attname
            FROM pg_index JOIN pg_class relation ON relation.oid = indrelid
            JOIN pg_attribute attribute ON attribute.attrelid = indrelid AND attribute.attnum = indkey[0]
            WHERE indisunique AND relation.relname = any($1)
            AND relation.relnamespace = current_schema()::regnamespace
            """,
            list(_KEYED),
        )
        assert sorted(map(tuple, keys)) == [("events", "profile_id"), ("events", "profile_id"), ("projections", "key")]

    asyncio.run(run())


def watch(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """A list to which every statement is added that a store sends."""
    sent: list[str] = []
    connect = asyncpg.connect

    async def connected(*given: Any, **more: Any) -> Any:
        connection = await connect(*given, **more)
        connection.add_query_logger(note)
        return connection

    async def note(record: Any) -> None:
        sent.append(record.query)

    monkeypatch.setattr(asyncpg, "connect", connected)
    return sent


def played(url: str, *steps: Callable[[PostgresStore], Awaitable[object]]) -> None:
    """Do some steps with a store that has seen some visitors already."""

    async def run() -> None:
        async with opened(store_at(url)) as store:
            assert isinstance(store, PostgresStore)
            await store.apply([purchase("v:ann"), purchase("u:1")], projectors())
            await asyncio.sleep(0.01)
            for step in steps:
                await step(store)
            await asyncio.sleep(0.01)

    asyncio.run(run())


def test_a_page_asks_the_database_once(postgres_url: NewUrl, monkeypatch: pytest.MonkeyPatch) -> None:
    sent = watch(monkeypatch)

    async def read(store: PostgresStore) -> None:
        sent.clear()
        assert await store.profile("v:ann") is not None

    played(postgres_url(), read)
    assert len(sent) == 1


def test_every_statement_of_pages_and_events_says_whose_rows_it_wants(
    postgres_url: NewUrl, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent = watch(monkeypatch)
    batch = [purchase("v:ann"), event("join", "u:1", {"from": "v:ann"}), purchase("v:new"), purchase("u:1")]

    async def forget_what_was_sent(store: PostgresStore) -> None:
        sent.clear()

    played(
        postgres_url(),
        forget_what_was_sent,
        lambda store: store.apply(batch, projectors()),
        lambda store: store.profile("u:1"),
    )
    assert sum("INSERT INTO events" in statement for statement in sent) == 1
    assert sum("DO UPDATE SET row" in statement for statement in sent) == 1
    assert [statement for statement in sent if not says_whose(statement)] == []


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT max(seq) FROM events",
        "SELECT * FROM events WHERE sender = $1 AND event_id = $2",
        "UPDATE projections SET row = $1 WHERE generation = 1",
        "SELECT * FROM heads WHERE seq = 1",
    ],
)
def test_that_test_would_notice_a_statement_about_everybody(statement: str) -> None:
    assert not says_whose(statement)


def says_whose(statement: str) -> bool:
    """Whether a statement can be answered where the visitors that it names are kept."""
    tables = [name for name in _KEYED if re.search(rf"(FROM|JOIN|INTO|UPDATE) {name}\b", statement)]
    if not tables:
        return _SHARED_BY_ALL.match(" ".join(statement.split())) is not None
    return all(re.search(_KEYED[name], " ".join(statement.split())) for name in tables)


def store_at(url: str) -> PostgresStore:
    """The store at an address."""
    return PostgresStore(address_of(url))
