"""A setting names a store; what names none is said kindly, without giving passwords away."""

import asyncio
import subprocess
import sys
from pathlib import Path

import pytest

from personalize.errors import SettingsError
from personalize.stores.memory.store import MemoryStore
from personalize.stores.opening import open_store
from personalize.stores.postgres.address import address_of
from personalize.stores.postgres.store import PostgresStore
from personalize.stores.sqlite.store import SqliteStore
from tests.stores.contract import opened


@pytest.mark.parametrize("url", ["sqlite:var/shop.db", "sqlite:{root}/var/shop.db"])
def test_a_path_is_taken_from_the_root(tmp_path: Path, url: str) -> None:
    store = open_store(url.format(root=tmp_path), tmp_path)
    assert isinstance(store, SqliteStore)

    async def scene() -> None:
        async with opened(store):
            pass

    asyncio.run(scene())
    assert (tmp_path / "var" / "shop.db").is_file()


def test_memory_is_a_store_too(tmp_path: Path) -> None:
    assert isinstance(open_store("memory:", tmp_path), MemoryStore)


@pytest.mark.parametrize("scheme", ["postgresql", "postgres"])
def test_a_database_has_a_schema_for_us_and_is_named_without_its_password(tmp_path: Path, scheme: str) -> None:
    store = open_store(f"{scheme}://ann:s%2Fecret@db1:5433,db2/shop?sslmode=require&schema=pz", tmp_path)
    assert isinstance(store, PostgresStore)
    address = address_of("postgresql://ann:s%2Fecret@db1:5433,db2/shop?sslmode=require&schema=pz")
    assert (address.schema, str(address)) == ("pz", "postgresql://db1:5433,db2/shop")
    assert address.dsn == "postgresql://ann:s%2Fecret@db1:5433,db2/shop?sslmode=require"
    assert "ecret" not in repr(address)
    assert address_of("postgresql:///shop?host=/run/postgresql").schema == "personalize"


@pytest.mark.parametrize(
    ("url", "message", "hint"),
    [
        ("sqlit:var/shop.db", '"sqlit" is no kind of store', "did you mean `sqlite`?"),
        ("mysql://ann:secret@db/shop", '"mysql" is no kind of store', "write `sqlite:` and a path"),
        ("postgresql://ann:secret/top@db/shop", "can't be read", "as %2F"),
        ("postgresql://ann:secret?top@db/shop", "can't be read", "as %2F"),
        ("postgresql://ann:secret#top@db/shop", "can't be read", "as %2F"),
        ("postgresql://ann@db:secret/shop", "can't be read", "a port is a number"),
        ("postgresql://ann@db/shop#secret", "can't be read", "a #"),
        ("postgresql://ann:secret@db/shop?schema=", "can't be read", "1 to 63 bytes"),
        ("var/shop.db", '"var/shop.db" is no kind of store', "write `sqlite:` and a path"),
        ("", '"" is no kind of store', "write `sqlite:` and a path"),
        ("memory", '"memory" is no kind of store', "or `memory:`"),
        ("sqlite:", "needs the path of a file", "write `sqlite:var/personalize.db`"),
        ("sqlite::memory:", "needs the path of a file", "`memory:` keeps everything in memory"),
        ("memory:shop.db", "takes nothing behind the colon", "a file is named by `sqlite:`"),
    ],
)
def test_what_names_no_store_is_a_problem_of_the_settings(tmp_path: Path, url: str, message: str, hint: str) -> None:
    with pytest.raises(SettingsError) as caught:
        open_store(url, tmp_path)
    (problem,) = caught.value.problems
    assert problem.code == "E053"
    assert message in problem.message
    assert hint in (problem.hint or "")
    assert "secret" not in str(problem)


def test_the_driver_is_loaded_when_it_is_asked_for() -> None:
    asked = "import sys, personalize.stores.opening; print('sqlite3' in sys.modules, 'sqlite_utils' in sys.modules)"
    answer = subprocess.run([sys.executable, "-c", asked], capture_output=True, text=True, check=True)
    assert answer.stdout.split() == ["False", "False"]
