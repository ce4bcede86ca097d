"""The disk that the tests of trust run on, and where their sites come from."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.trust.disk import Disk, compiled
from tests.trust.lived_site import Breeder


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A disk that does as it is told, as a library."""
    return compiled(tmp_path_factory.mktemp("disk"))


@pytest.fixture
def disk(library: Path, tmp_path: Path) -> Disk:
    """An empty disk."""
    return Disk(library, tmp_path)


@pytest.fixture(scope="session")
def breeder() -> Iterator[Breeder]:
    """Starts sites in a moment."""
    made = Breeder()
    yield made
    made.stop()
