"""Two versions of personalize at one store: what an older one has left is taken over whole, and what an older one still
does beside a newer one spoils nothing and loses nothing.

`tests/cases/stores` has stores as an older version left them. A newer one shows itself by a change of the schema that
this version does not know; once that is taken back, this version plays the newer one.
"""

import asyncio
import json
import sqlite3
from collections.abc import Awaitable, Callable, Mapping
from contextlib import closing
from dataclasses import fields, replace
from pathlib import Path
from typing import Protocol

import asyncpg
import pytest

from personalize.errors import NewerStore
from personalize.profiles.counters import Counter
from personalize.profiles.encoding import decode_organization, decode_profile, encode_organization, encode_profile
from personalize.profiles.profile import Profile
from personalize.stores.opening import open_store
from personalize.stores.postgres import schema as postgres_schema
from personalize.stores.postgres.address import address_of
from personalize.stores.protocols import Lease, Live, Store
from personalize.stores.sqlite import schema as sqlite_schema
from tests.conftest import REPOSITORY
from tests.stores.contract import opened
from tests.stores.samples import all_of, at, projectors, purchase

NewUrl = Callable[[], str]
OLDER = REPOSITORY / "tests" / "cases" / "stores"
NEWER, NEWER_LOG = "what comes next year", "the log has another form"
BOUGHT = (Counter("bought", "purchase", 3, matches=lambda properties: True),)


class Place(Protocol):
    """Where a store is kept, under an `address`; `older` is what an older version left there, and `begins` and `ends` a
    newer one."""

    address: str
    older: str
    begins: str
    ends: str

    async def do(self, script: str) -> None:
        """Run a script there."""


class File:
    """A SQLite file."""

    older = "of_an_older_version.sqlite.sql"
    begins = "INSERT INTO _sqlite_migrations (migration_set, name) VALUES ('personalize', replace('{}', ' ', '_'))"
    ends = "DELETE FROM _sqlite_migrations WHERE applied_at IS NULL"

    def __init__(self, folder: Path) -> None:
        self.address = "sqlite:store.db"
        self._path = folder / "store.db"

    async def do(self, script: str) -> None:
        """Run a script on it."""
        with closing(sqlite3.connect(self._path)) as connection:
            connection.executescript(script)


class Database:
    """A schema of a PostgreSQL database."""

    older = "of_an_older_version.postgres.sql"
    begins = "INSERT INTO changes (name) VALUES ('{}')"
    ends = f"DELETE FROM changes WHERE name IN ('{NEWER}', '{NEWER_LOG}')"

    def __init__(self, address: str) -> None:
        self.address = address

    async def do(self, script: str) -> None:
        """Run a script in it; the schema is made where it is missing."""
        place = address_of(self.address)
        connection = await asyncpg.connect(place.dsn, server_settings={"search_path": place.schema})
        try:
            await connection.execute(f"CREATE SCHEMA IF NOT EXISTS {place.schema}; {script}")
        finally:
            await connection.close()


@pytest.fixture(params=["sqlite", "postgres"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Place:
    """A place for a store."""
    return File(tmp_path) if request.param == "sqlite" else Database(request.getfixturevalue("postgres_url")())


async def count_of(store: Store, profile_id: str) -> tuple[int, int]:
    """How often this visitor has bought something, and for how much."""
    profile = await store.profile(profile_id)
    totals = None if profile is None else profile.totals.get("purchase")
    return (0, 0) if totals is None else (totals.count, int(totals.sum))


def test_a_store_of_an_older_version_is_taken_over_whole(place: Place, tmp_path: Path) -> None:
    async def scene() -> None:
        await place.do((OLDER / place.older).read_text(encoding="utf-8"))
        async with opened(open_store(place.address, tmp_path)) as store:
            told = await all_of(store.log())
            assert [each.event_id for each in told if each.type == "purchase"] == [
                *("tent", "boat", "oar", "lamp", "mistake")
            ]
            assert (await count_of(store, "v:ann"), await count_of(store, "u:1")) == ((2, 250), (2, 77))
            live = await store.live()
            assert live is not None and set(await store.rule_set(live.version)) == {"rules/home.yaml"}
            again = await store.apply(told, projectors(BOUGHT), version=live.version)
            assert (again.new, again.repeated) == (0, len(told))
            others = [replace(each, profile_id="v:eve") for each in told]
            assert (await store.apply(others, projectors(BOUGHT))).conflicting == len(told)
            await store.apply([purchase("v:ann", 1)], projectors(BOUGHT))
            assert await count_of(store, "v:ann") == (3, 251)
            before = [await store.profile(each) for each in ("v:ann", "u:1", "v:bob")]
            await store.rebuild(projectors(BOUGHT))
            assert [await store.profile(each) for each in ("v:ann", "u:1", "v:bob")] == before

    asyncio.run(scene())


def all_but_adding(store: Store) -> Mapping[str, Callable[[], Awaitable[object]]]:
    """What a process does to a store, but for adding to its log."""
    return {
        "project": lambda: store.apply([purchase()], projectors()),
        "rebuild": lambda: store.rebuild(projectors()),
        "erase": lambda: store.erase("v:ann", at=at(1), by="Ingrid"),
        "trim": lambda: store.trim("v:ann", lambda event: None, projectors()),
        "publish": lambda: store.set_live(Live("b", at(2), "Ingrid"), projectors()),
        "fill": lambda: store.fill(projectors(BOUGHT), version="b", at=at(3), events=10),
        "exchange": lambda: store.exchange("watch", []),
        "lease": lambda: store.lease(Lease("sweep", "a worker", at(4)), at=at(3)),
    }


async def beside_a_newer_version(place: Place, folder: Path) -> tuple[bool, tuple[int, int], tuple[int, int]]:
    """Whether a worker that a newer version has overtaken does only what it may, and what Ann has bought by then, as
    everybody reads it, and when the newer version has come to it."""
    async with opened(open_store(place.address, folder, ["k" * 32])) as older:
        await older.save_rule_set("b", {}, at(0))
        await older.apply([purchase("v:ann", 100)], projectors())
        await place.do(place.begins.format(NEWER))
        kept = []
        for _ in range(2):  # also on the connection that it makes after it was refused
            for name, attempt in all_but_adding(older).items():
                try:
                    await attempt()
                except NewerStore as error:
                    assert NEWER in str(error)
                else:
                    kept.append(name)
            await older.apply([purchase("v:ann", 10)], ())
        meanwhile = await count_of(older, "v:ann")
        await place.do(place.ends)
        await older.apply([], projectors())
        return not kept, meanwhile, await count_of(older, "v:ann")


def test_who_is_overtaken_by_a_newer_version_only_adds_to_the_log(place: Place, tmp_path: Path) -> None:
    assert asyncio.run(beside_a_newer_version(place, tmp_path)) == (True, (1, 100), (3, 120))


def test_a_store_without_a_fence_is_found_out(place: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("personalize.stores.postgres.link.fence", lambda *, adds_only: "SELECT 1")
    monkeypatch.setattr("personalize.stores.sqlite.store.refuse_newer_file", lambda *_, **__: None)
    assert asyncio.run(beside_a_newer_version(place, tmp_path)) != (True, (1, 100), (3, 120))


def test_behind_a_log_of_another_form_nothing_is_written(place: Place, tmp_path: Path) -> None:
    async def scene() -> None:
        async with opened(open_store(place.address, tmp_path)) as older:
            await older.apply([purchase("v:ann", 100)], projectors())
            await place.do(place.begins.format(NEWER_LOG))
            for with_rules in (projectors(), ()):
                with pytest.raises(NewerStore, match=NEWER_LOG):
                    await older.apply([purchase("v:ann", 10)], with_rules)
            assert await count_of(older, "v:ann") == (1, 100)
            await place.do(place.ends)
            assert len(await all_of(older.log())) == 1

    asyncio.run(scene())


def test_an_older_version_that_starts_says_why_it_will_not_and_reads_and_adds_all_the_same(
    place: Place, tmp_path: Path
) -> None:
    async def scene() -> None:
        async with opened(open_store(place.address, tmp_path)) as newer:
            await newer.apply([purchase("v:ann", 100)], projectors())
            await place.do(place.begins.format(NEWER))
            older = open_store(place.address, tmp_path)
            with pytest.raises(NewerStore, match="start again with that one"):
                await older.open()
            assert await count_of(older, "v:ann") == (1, 100)
            assert (await older.apply([purchase("v:ann", 10)], ())).new == 1
            await older.close()
            await place.do(place.ends)
            await newer.apply([], projectors())
            assert await count_of(newer, "v:ann") == (2, 110)

    asyncio.run(scene())


def test_what_rows_hold_changes_with_the_schema_alone() -> None:
    """Else a worker of an older version would not know that it must not write them any more. After a change of what
    rows hold, add a change to both schemas; then keep in the file what rows hold, and how many changes there are."""
    kept = json.loads((OLDER / "rows.json").read_text(encoding="utf-8"))
    profile = decode_profile(kept["profile"].encode())
    assert encode_profile(profile).decode() == kept["profile"]
    nobody = Profile("v:nobody")
    alike = [each.name for each in fields(Profile) if getattr(profile, each.name) == getattr(nobody, each.name)]
    assert alike == [], "the kept row has to have all parts that there are"
    organization = decode_organization(kept["organization"].encode())
    assert encode_organization(organization).decode() == kept["organization"]
    assert (len(sqlite_schema.CHANGES), len(postgres_schema.CHANGES)) == (kept["sqlite"], kept["postgres"])
