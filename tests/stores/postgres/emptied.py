"""Stores in a PostgreSQL database that come again after a while, each as if it were new."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import cycle

import pytest

from personalize.profiles.holding import NOTHING_HELD
from personalize.stores.holding_text import holding_as_text
from personalize.stores.postgres import link as postgres_link
from personalize.stores.postgres.address import address_of
from personalize.stores.postgres.store import PostgresStore
from personalize.stores.protocols import Store
from tests.postgres_server import schemas_of
from tests.stores.erasure_contract import KEYS

_AS_NEW = f"""
    INSERT INTO generations (state, holding) VALUES ('served', '{holding_as_text(NOTHING_HELD)}');
    ALTER SEQUENCE events_seq RESTART
"""


_TABLES = """
    SELECT relname FROM pg_class
    WHERE relkind = 'r' AND relname <> 'changes' AND relnamespace = current_schema()::regnamespace
"""


@contextmanager
def emptied_stores(server: str) -> Iterator[Callable[[], Store]]:
    """Makes stores at this server; at most two are in use at the same time."""
    with schemas_of(server) as new_url, pytest.MonkeyPatch.context() as patch:
        # Most of these stores live for a few statements.
        patch.setattr(postgres_link, "AT_FIRST", 0)
        urls = cycle([new_url(), new_url()])
        yield lambda: EmptiedStore(next(urls))


class EmptiedStore(PostgresStore):
    """A store that is made as it was when it was new, when it is opened for the first time: making its tables takes
    ten times as long."""

    def __init__(self, url: str) -> None:
        super().__init__(address_of(url), keys=KEYS)
        self._is_new = True

    async def open(self) -> None:
        await super().open()
        if self._is_new:
            self._is_new = False
            clear = [f"DELETE FROM {name}" for (name,) in await self._link.fetch(_TABLES)]
            await self._link.execute(";".join([*clear, _AS_NEW]))
