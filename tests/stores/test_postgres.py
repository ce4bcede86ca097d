"""The store in a database of many machines keeps every law, and what only such a one can promise."""

from collections.abc import Callable, Iterator
from itertools import cycle

import asyncpg
import pytest

from personalize.profiles.holding import NOTHING_HELD
from personalize.stores.holding_text import holding_as_text
from personalize.stores.postgres import PostgresStore
from personalize.stores.postgres_address import address_of
from tests.postgres_server import schemas_of
from tests.stores.contract import Make, StoreContract
from tests.stores.erasure_contract import KEYS

_AS_NEW = f"""
    INSERT INTO generations (state, holding) VALUES ('served', '{holding_as_text(NOTHING_HELD)}');
    ALTER SEQUENCE events_seq RESTART
"""


async def empty(url: str) -> None:
    """Make a store that was used as it was when it was new: making its tables takes ten times as long."""
    address = address_of(url)
    connection = await asyncpg.connect(address.dsn, server_settings={"search_path": address.schema})
    try:
        tables = await connection.fetch(
            "SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace = $1::regnamespace", address.schema
        )
        clear = [f"DELETE FROM {name}" for (name,) in tables if name != "changes"]
        await connection.execute(";".join([*clear, _AS_NEW]))
    finally:
        await connection.close()


@pytest.fixture(scope="module")
def urls(postgres_server: str) -> Iterator[Callable[[], str]]:
    """Addresses of stores; they come again after a while."""
    with schemas_of(postgres_server) as new_url:
        yield cycle([new_url(), new_url()]).__next__


class TestPostgresStore(StoreContract):
    @pytest.fixture
    def make(self, urls: Callable[[], str]) -> Make:
        return lambda: EmptiedStore(urls())


class EmptiedStore(PostgresStore):
    """A store that is empty when it is opened for the first time."""

    def __init__(self, url: str) -> None:
        super().__init__(address_of(url), keys=KEYS)
        self._url, self._is_new = url, True

    async def open(self) -> None:
        await super().open()
        if self._is_new:
            self._is_new = False
            await empty(self._url)
