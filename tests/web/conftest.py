"""What the tests of the site's side share."""

from collections.abc import Iterator

import pytest

from tests.web.house import House, open_house


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """A published desk, the same for all tests of a module."""
    with open_house(tmp_path_factory.mktemp("desk")) as opened:
        yield opened
