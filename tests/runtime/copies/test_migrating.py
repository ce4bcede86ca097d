"""Moving a store: everything arrives, in its order, and what is not the same is said."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from personalize.errors import MigrationRefused
from personalize.runtime.copies.migrating import EVENTS_AT_ONCE, Migrated, migrate
from personalize.runtime.publish import projectors_of
from personalize.settings import Settings
from personalize.stores.floors import Floors
from personalize.stores.memory.store import MemoryStore
from personalize.stores.opening import open_store
from personalize.stores.protocols import AccessToken, Export, Live, Store, Switch
from tests.desk import KEY, desk_settings
from tests.stores.contract import contents, opened
from tests.stores.samples import all_of, at, event, purchase

EVENTS = 2 * EVENTS_AT_ONCE + 300
NewUrl = Callable[[], str]


def some_events(first: int, last: int) -> list[object]:
    """Purchases of a few people, with a login and a correction now and then."""
    return [an_event(number) for number in range(first, last)]


def an_event(number: int) -> object:
    browser = f"v:{number % 50}"
    if number % 97 == 5:
        return event("join", f"u:{number % 50}", {"from": browser}, minutes=number)
    if number % 101 == 7:
        return event("retract", browser, {"event_id": f"e{number - 50}", "sender": "till"}, minutes=number)
    return purchase(browser, number, minutes=number, event_id=f"e{number}")


async def filled(store: Store, settings: Settings) -> None:
    """A store in which much has happened."""
    projectors = projectors_of(None, settings)
    await store.apply(some_events(0, EVENTS), projectors)
    await store.apply([purchase("u:gone"), purchase("v:gone")], projectors)
    await store.erase("u:gone", at=at(EVENTS), by="ann")
    await store.note_export(Export("e1", at(1), "ann", "log", "/backups/1", at(2)))
    await store.keep_token(AccessToken("d1", "till", frozenset({"events"}), at(1)))
    await store.set_switch(Switch(off=True, at=at(3), by="ann"))
    await store.raise_floors(Floors(at(-1), {"purchase": at(-0.5)}))


def with_two(tmp_path: Path, url: str, work: Callable[[Store, Store, Settings], Awaitable[None]]) -> None:
    """Run `work` with a filled SQLite store and the one at an address."""

    async def run() -> None:
        settings = desk_settings(tmp_path)
        source, target = open_store("sqlite:from.db", tmp_path, [KEY]), open_store(url, tmp_path, [KEY])
        async with opened(source), opened(target):
            await filled(source, settings)
            await work(source, target, settings)

    asyncio.run(run())


async def is_the_same(source: Store, target: Store) -> None:
    """All that one store keeps is kept by the other."""
    assert await contents(target) == await contents(source)
    for look in ("versions", "exports", "tokens", "erasures", "sealed", "switch", "floors", "live"):
        assert await getattr(target, look)() == await getattr(source, look)(), look
    assert await target.erased_at("u:gone") == at(EVENTS)


@pytest.mark.parametrize("kind", ["postgres", "sqlite"])
def test_everything_arrives_in_its_order(tmp_path: Path, postgres_url: NewUrl, kind: str) -> None:
    async def work(source: Store, target: Store, settings: Settings) -> None:
        told: list[str] = []
        migrated = await migrate(source, target, settings, progress=lambda step, done, total: told.append(step))
        assert (migrated.events, migrated.before) == (EVENTS + 1, 0)
        assert migrated.profiles_sha256 is not None and len(migrated.log_sha256) == 64
        assert migrated.profiles == len(await all_of(source.profiles()))
        assert set(told) == {"events copied", "events compared"}
        await is_the_same(source, target)

    with_two(tmp_path, postgres_url() if kind == "postgres" else "sqlite:to.db", work)


def test_what_broke_off_goes_on_and_what_came_meanwhile_is_added(
    tmp_path: Path, postgres_url: NewUrl, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def work(source: Store, target: Store, settings: Settings) -> None:
        apply, calls = target.apply, 0

        async def break_off(*given: object, **more: object) -> object:
            nonlocal calls
            calls += 1
            if calls == 2:
                raise ConnectionError("the plug was pulled")
            return await apply(*given, **more)  # type: ignore[arg-type]

        with monkeypatch.context() as patch:
            patch.setattr(target, "apply", break_off)
            with pytest.raises(ConnectionError):
                await migrate(source, target, settings)
        migrated = await migrate(source, target, settings)
        assert (migrated.events, migrated.before) == (EVENTS + 1, EVENTS_AT_ONCE)
        await source.apply(some_events(EVENTS, EVENTS + 10), projectors_of(None, settings))
        again = await migrate(source, target, settings)
        assert (again.events, again.before) == (EVENTS + 11, EVENTS + 1)
        assert await migrate(source, target, settings) == Migrated(
            again.events, again.events, again.profiles, again.log_sha256, again.profiles_sha256
        )
        await is_the_same(source, target)

    with_two(tmp_path, postgres_url(), work)


def test_a_store_that_holds_something_else_is_left_as_it_is(tmp_path: Path) -> None:
    async def work(source: Store, target: Store, settings: Settings) -> None:
        await target.apply(
            [purchase("v:0", 0, event_id="e0", minutes=0), purchase("v:1")], projectors_of(None, settings)
        )
        before = await contents(target)
        with pytest.raises(MigrationRefused, match="entry 2 of its log is another one"):
            await migrate(source, target, settings)
        assert await contents(target) == before
        with pytest.raises(MigrationRefused, match="has more events than the 0"):
            await migrate(MemoryStore(), target, settings)

    with_two(tmp_path, "sqlite:to.db", work)


def test_a_store_that_does_not_keep_what_it_is_given_is_found_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def work(source: Store, target: Store, settings: Settings) -> None:
        await migrate(source, target, settings)
        spoilt = await all_of(target.profiles())

        async def others(*_: object) -> object:
            for profile in spoilt[1:]:
                yield profile

        monkeypatch.setattr(target, "profiles", others)
        with pytest.raises(MigrationRefused, match="profile 1 of the store to move to is not as in the other"):
            await migrate(source, target, settings)

    with_two(tmp_path, "memory:", work)


def test_what_the_other_store_does_not_take_is_said(tmp_path: Path) -> None:
    async def run() -> None:
        settings = desk_settings(tmp_path)
        source, target = MemoryStore(), MemoryStore()
        await source.apply([purchase("v:1"), purchase("v:1", minutes=9)], projectors_of(None, settings))
        await target.raise_floors(Floors(of_all=at(5)))
        with pytest.raises(MigrationRefused, match="1 of the events behind the 0th are not taken"):
            await migrate(source, target, settings)

    asyncio.run(run())


def test_what_was_live_arrives_with_when_and_by_whom(tmp_path: Path) -> None:
    async def run() -> None:
        settings = desk_settings(tmp_path)
        source, target = MemoryStore(), MemoryStore()
        for version in ("v1", "v2"):
            await source.save_rule_set(version, {}, at(0))
            await source.set_live(Live(version, at(len(version)), "ann"))
        await migrate(source, target, settings)
        assert await target.versions() == await source.versions()
        assert await target.rule_set("v1") == {}
        await target.set_live(Live("v1", at(9), "bob"))
        with pytest.raises(MigrationRefused, match="another history of what was live"):
            await migrate(source, target, settings)

    asyncio.run(run())
