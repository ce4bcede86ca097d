"""The tables of a database: made once whoever comes first, and keyed so that many machines can share them out."""

import asyncio
import re
from collections.abc import Awaitable, Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules
from typing import Any

import asyncpg
import pytest

from personalize.errors import NewerStore, StoreUnavailable
from personalize.stores import postgres
from personalize.stores.postgres.address import address_of
from personalize.stores.postgres.log import event_as_row
from personalize.stores.postgres.schema import CHANGES
from personalize.stores.postgres.store import PostgresStore
from tests.stores.contract import opened
from tests.stores.other_process import line_from, line_to, other_process
from tests.stores.samples import all_of, event, projectors, purchase

NewUrl = Callable[[], str]

#: Small tables that every node of a cluster has a copy of, and what is said of the transaction itself.
_SHARED_BY_ALL = re.compile(r"(BEGIN|COMMIT|ROLLBACK|SELECT .* FROM (generations|lives|erased)\b)", re.DOTALL)
#: How a statement says which visitors it is about, or which ids.
_KEYED = {
    "events": r"\bprofile_id = |INSERT INTO events .*profile_id",
    "event_ids": r"\bevent_id = |INSERT INTO event_ids \(event_id, sender, profile_id, seq\)",
    "projections": r"\bkey = |INSERT INTO projections \(projection, generation, key, row\b",
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
        store = store_at(url)
        with pytest.raises(NewerStore, match='it has "what comes next year"'):
            await store.open()
        await store.close()

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


def test_of_ids_that_an_older_version_kept_for_several_profiles_the_first_counts(
    postgres_url: NewUrl, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def run() -> None:
        url = postgres_url()
        first = purchase("v:ann", event_id="same")
        with monkeypatch.context() as patch:
            for name in ("an id counts once", "where the organization is"):
                patch.delitem(CHANGES, name)
            async with opened(store_at(url)):
                pass
        for each in (first, replace(first, profile_id="v:bob"), purchase("v:bob", event_id="other")):
            row = event_as_row(each)
            names = "profile_id, sender, event_id, type, occurred_at, received_at, channel, version, properties"
            values = ", ".join(f"${number}" for number in range(1, 10))
            await asked(url, f"INSERT INTO events (seq, {names}) VALUES (nextval('events_seq'), {values})", *row[:9])
        async with opened(store_at(url)) as store:
            await store.rebuild(projectors())
            told = [first, replace(first, profile_id="v:bob"), purchase("v:bob", event_id="other")]
            applied = await store.apply(told, projectors())
            assert [applied.outcome(place) for place in range(3)] == ["repeated", "conflicting", "repeated"]
            await store.trim("v:bob", lambda event: None, projectors())
            applied = await store.apply(told, projectors())
            assert [applied.outcome(place) for place in range(3)] == ["repeated", "conflicting", "new"]

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
        assert sorted(map(tuple, keys)) == [
            ("event_ids", "event_id"),
            ("events", "profile_id"),
            ("projections", "key"),
        ]

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
    told = purchase("v:ann")
    batch = [told, event("join", "u:1", {"from": "v:ann"}), purchase("v:new"), purchase("u:1")]

    async def forget_what_was_sent(store: PostgresStore) -> None:
        sent.clear()

    played(
        postgres_url(),
        forget_what_was_sent,
        lambda store: store.apply(batch, projectors()),
        lambda store: store.apply([told, replace(told, channel="app"), purchase("v:new")], projectors()),
        lambda store: store.profile("u:1"),
        lambda store: all_of(store.history("u:1")),
        lambda store: store.kept("profiles", ["u:1"]),
    )
    assert sum("INSERT INTO events" in statement for statement in sent) == 2
    assert sum("DO UPDATE SET row" in statement for statement in sent) == 2
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


#: What reads or writes for everybody: jobs, and whoever asks for everybody, but no page and no event.
_FOR_ALL = {
    "erasing": {"COMPACT", "_MARKS"},
    "erasing_again": {"IDS"},
    "log": {"LOG"},
    "projections": {"DUE", "FOUND", "NEXT_KEYS", "PROFILE_KEYS", "PROFILE_ROWS"},
}


def test_all_other_statements_about_everybody_are_those_of_jobs() -> None:
    found: dict[str, set[str]] = {}
    for module, name, statement in statements_of_the_store():
        if names_of(statement) and not says_whose(statement):
            found.setdefault(module, set()).add(name)
    assert found == _FOR_ALL


def statements_of_the_store() -> Iterator[tuple[str, str, str]]:
    """Every statement that a module of a PostgreSQL store keeps: the module, what it calls it, and the statement."""
    for module in (one.name for one in iter_modules(postgres.__path__)):
        source = import_module(f"{postgres.__name__}.{module}")
        assert source.__file__ is not None
        made = re.findall(r"^(\w+) = ", Path(source.__file__).read_text(encoding="utf-8"), re.MULTILINE)
        for name in made:
            kept = getattr(source, name)
            for each in kept.values() if isinstance(kept, dict) else kept if isinstance(kept, tuple) else (kept,):
                if isinstance(each, str) and re.match(r"\s*(SELECT|INSERT|UPDATE|DELETE|WITH|VACUUM)\b", each):
                    yield module, name, each


def names_of(statement: str) -> list[str]:
    """The tables of visitors that a statement reads or writes."""
    return [name for name in _KEYED if re.search(rf"(FROM|JOIN|INTO|UPDATE|USING|FULL) {name}\b", statement)]


def says_whose(statement: str) -> bool:
    """Whether a statement can be answered where the visitors that it names are kept."""
    tables = names_of(statement)
    if not tables:
        return _SHARED_BY_ALL.match(" ".join(statement.split())) is not None
    return all(re.search(_KEYED[name], " ".join(statement.split())) for name in tables)


def store_at(url: str) -> PostgresStore:
    """The store at an address."""
    return PostgresStore(address_of(url))
