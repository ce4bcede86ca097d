"""The store in a file keeps every law, and what only a file can promise."""

from itertools import count
from pathlib import Path

import pytest

from personalize.stores.sqlite import SqliteStore
from tests.stores.contract import Make, StoreContract


class TestSqliteStore(StoreContract):
    @pytest.fixture
    def make(self, tmp_path: Path) -> Make:
        numbers = count()
        return lambda: SqliteStore(tmp_path / f"{next(numbers)}.db")
