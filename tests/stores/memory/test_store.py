"""The store in memory keeps every law."""

import pytest

from personalize.stores.memory.store import MemoryStore
from tests.stores.contract import Make, StoreContract
from tests.stores.erasure_contract import KEYS


class TestMemoryStore(StoreContract):
    @pytest.fixture
    def make(self) -> Make:
        return lambda: MemoryStore(KEYS)
