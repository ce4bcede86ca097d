"""The store in a database of many machines keeps every law, and what only such a one can promise."""

import asyncio
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlsplit
from uuid import uuid4

import pytest

from personalize.stores.postgres.address import address_of
from personalize.stores.postgres.store import PostgresStore
from tests.postgres_server import run_program
from tests.stores.contract import Make, StoreContract, contents, opened
from tests.stores.erasure_contract import KEYS
from tests.stores.postgres.emptied import emptied_stores
from tests.stores.samples import all_of, at, event, projectors, purchase


@pytest.fixture(scope="module")
def emptied(postgres_server: str) -> Iterator[Make]:
    """Makes stores, each as if it were new."""
    with emptied_stores(postgres_server) as make:
        yield make


class TestPostgresStore(StoreContract):
    @pytest.fixture
    def make(self, emptied: Make) -> Make:
        return emptied


def test_a_dump_that_is_taken_while_others_write_is_restored_as_a_whole_store(
    postgres_server: str, postgres_url: Callable[[], str], tmp_path: Path
) -> None:
    url, other = postgres_url(), f"restored_{uuid4().hex}"
    elsewhere = urlsplit(url)._replace(path=f"/{other}").geturl()

    async def run() -> None:
        async with opened(PostgresStore(address_of(url))) as store:
            await store.apply([purchase(f"v:{number % 9}") for number in range(300)], projectors())
            before = await all_of(store.log())

            async def go_on() -> None:
                while True:
                    await store.apply([purchase("v:1"), purchase("v:busy")], projectors())

            writing = asyncio.create_task(go_on())
            address = address_of(url)
            await run_program("pg_dump", "--format=custom", f"--schema={address.schema}", f"--file={dump}", address.dsn)
            writing.cancel()
            await run_program("createdb", f"--maintenance-db={postgres_server}", other)
            await run_program("pg_restore", f"--dbname={address_of(elsewhere).dsn}", str(dump))
            async with opened(PostgresStore(address_of(elsewhere))) as restored:
                assert (await all_of(restored.log()))[: len(before)] == before
                live = await contents(restored)
                await restored.rebuild(projectors())
                assert await contents(restored) == live
                assert (await restored.apply([before[0], purchase("v:2")], projectors())).new == 1
            await run_program("dropdb", f"--maintenance-db={postgres_server}", other)

    dump = tmp_path / "store.dump"
    asyncio.run(run())


def test_no_row_of_any_table_tells_of_the_erased(postgres_url: Callable[[], str], tmp_path: Path) -> None:
    address, dump = address_of(postgres_url()), tmp_path / "store.sql"

    async def tells_of_them() -> bool:
        await run_program("pg_dump", f"--schema={address.schema}", f"--file={dump}", address.dsn)
        told = dump.read_bytes()
        return any(form in told for form in (b"canary", b"canary".hex().encode()))

    async def run() -> None:
        async with opened(PostgresStore(address, keys=KEYS)) as store:
            named = {"amount": 1, "by": "canary"}
            theirs = [
                event("purchase", "v:canary-1", named, event_id="canary-2", sender="canary-3"),
                event("join", "u:canary-4", {"from": "v:canary-1"}, event_id="canary-5"),
                event("purchase", "u:canary-4", named, event_id="canary-6", minutes=1),
            ]
            await store.apply([*theirs, purchase("v:ann")], projectors())
            assert await tells_of_them()
            await store.erase("u:canary-4", at=at(9), by="Ingrid")
            assert not await tells_of_them()
            assert await store.profile("v:ann") is not None

    asyncio.run(run())
