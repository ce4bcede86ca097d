"""A site in a folder of its own, and the commands run in it as somebody at a terminal would."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from personalize.stores.postgres import link as postgres_link
from tests.cli.terminal import Terminal
from tests.conftest import REPOSITORY

CDNOW = REPOSITORY / "tests/cases/cdnow"
IMPORTS = REPOSITORY / "tests/cases/import"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty working directory, and nothing in the environment that a command reads."""
    folder = tmp_path / "site"
    folder.mkdir()
    monkeypatch.chdir(folder)
    monkeypatch.setenv("USER", "ola")
    for name in ("NO_COLOR", "PERSONALIZE_SETTINGS", "PERSONALIZE_AT"):
        monkeypatch.delenv(name, raising=False)
    return folder


@pytest.fixture
def empty(folder: Path) -> Terminal:
    """A terminal in an empty folder."""
    return Terminal(folder)


@pytest.fixture
def shop(folder: Path, request: pytest.FixtureRequest) -> Terminal:
    """A terminal in the record shop of tests/cases/cdnow, with nothing published and nobody known. Tests that are
    `IN_POSTGRES_TOO` have it once with a store of that kind."""
    shutil.copytree(CDNOW, folder, dirs_exist_ok=True)
    if getattr(request, "param", "sqlite") == "postgres":
        request.getfixturevalue("monkeypatch").setattr(postgres_link, "AT_FIRST", 0)
        settings, url = folder / "personalize.toml", request.getfixturevalue("postgres_url")()
        settings.write_text(f'store = "{url}"\n' + settings.read_text(encoding="utf-8"), encoding="utf-8")
    return Terminal(folder)


@pytest.fixture
def sold(shop: Terminal) -> Terminal:
    """The same with its rules live, and the purchases of tests/cases/import in its log."""
    shop.well("publish")
    shop.well("import", str(IMPORTS / "purchases.csv"), "--map", str(IMPORTS / "purchases.yaml"))
    return shop


@pytest.fixture
def write(folder: Path) -> Callable[[str, str], Path]:
    """Writes a file of the site."""

    def put(name: str, text: str) -> Path:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        return path

    return put
