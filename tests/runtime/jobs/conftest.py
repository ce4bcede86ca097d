"""Jobs do their work in every kind of store."""

from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest

from personalize.stores.memory.store import MemoryStore
from personalize.stores.sqlite.store import SqliteStore
from tests.stores.erasure_contract import KEYS
from tests.stores.filling_contract import Make
from tests.stores.postgres.emptied import emptied_stores


@pytest.fixture(scope="module")
def emptied(postgres_server: str) -> Iterator[Make]:
    """Makes stores in PostgreSQL, each as if it were new."""
    with emptied_stores(postgres_server) as make:
        yield make


@pytest.fixture(params=["memory", "sqlite", "postgres"])
def make(request: pytest.FixtureRequest, tmp_path: Path) -> Make:
    """Makes stores of each kind, with the keys of a site."""
    if request.param == "postgres":
        found: Make = request.getfixturevalue("emptied")
        return found
    if request.param == "memory":
        return lambda: MemoryStore(KEYS)
    number = count()
    return lambda: SqliteStore(tmp_path / f"store-{next(number)}.db", keys=KEYS)
