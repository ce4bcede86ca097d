"""The disk that the tests of trust run on."""

from pathlib import Path

import pytest

from tests.trust.disk import Disk, compiled


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A disk that does as it is told, as a library."""
    return compiled(tmp_path_factory.mktemp("disk"))


@pytest.fixture
def disk(library: Path, tmp_path: Path) -> Disk:
    """An empty disk."""
    return Disk(library, tmp_path)
