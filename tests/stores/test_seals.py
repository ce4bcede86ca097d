"""A seal tells an erased id when it comes again, under every key that the site still has."""

import asyncio
from pathlib import Path

import pytest

from personalize.errors import StoreError
from personalize.stores.seals import Seals
from personalize.stores.sqlite.store import SqliteStore
from tests.stores.contract import opened
from tests.stores.erasure_contract import KEYS
from tests.stores.samples import at, projectors, purchase


def test_the_newest_key_seals_and_all_recognise() -> None:
    both, newest = Seals(KEYS), Seals(KEYS[1:])
    assert both.seal("u:1") == newest.seal("u:1") != Seals(KEYS[:1]).seal("u:1")
    assert set(both.all_of("u:1")) == {newest.seal("u:1"), Seals(KEYS[:1]).seal("u:1")}
    assert both.seal("u:1") != both.seal("u:2")


def test_a_seal_says_nothing_without_the_key_and_takes_any_id() -> None:
    assert Seals(["other"]).seal("u:1") != Seals(KEYS).seal("u:1")
    assert len({Seals(KEYS).seal(each) for each in ("", "u:å", "u:\ud83d", "u:" + "x" * 10_000)}) == 4


@pytest.mark.parametrize(("keys", "is_refused"), [(KEYS[:1], True), (KEYS, True), (KEYS[1:], False)])
def test_an_erasure_outlives_a_change_of_keys_for_as_long_as_the_old_one_is_kept(
    tmp_path: Path, keys: tuple[str, ...], is_refused: bool
) -> None:
    async def scene() -> None:
        async with opened(SqliteStore(tmp_path / "x.db", keys=KEYS[:1])) as store:
            await store.erase("v:ann", at=at(0), by="ann")
        async with opened(SqliteStore(tmp_path / "x.db", keys=keys)) as store:
            assert (await store.erased_at("v:ann") is not None) is is_refused
            assert bool((await store.apply([purchase("v:ann")], projectors())).refused) is is_refused

    asyncio.run(scene())


def test_a_store_without_keys_says_what_it_lacks_and_erases_nobody(tmp_path: Path) -> None:
    async def scene() -> None:
        async with opened(SqliteStore(tmp_path / "x.db")) as store:
            await store.apply([purchase("v:ann")], projectors())
            with pytest.raises(StoreError, match="takes the keys of the site"):
                await store.erase("v:ann", at=at(0), by="ann")
            assert await store.profile("v:ann") is not None

    asyncio.run(scene())


def test_where_somebody_was_erased_nobody_writes_without_keys(tmp_path: Path) -> None:
    async def scene() -> None:
        async with opened(SqliteStore(tmp_path / "x.db", keys=KEYS)) as store:
            await store.erase("v:ann", at=at(0), by="ann")
        async with opened(SqliteStore(tmp_path / "x.db")) as store:
            with pytest.raises(StoreError, match="takes the keys of the site"):
                await store.apply([purchase("v:ann")], projectors())
            assert await store.profile("v:ann") is None

    asyncio.run(scene())
