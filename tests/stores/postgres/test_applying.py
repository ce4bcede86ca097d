"""Many who write at the same time: nothing is lost, nothing counts twice, nobody waits for ever."""

import asyncio
from collections.abc import Callable
from contextlib import ExitStack

import asyncpg
import pytest

from personalize.errors import StoreBusy
from personalize.events.event import Event
from personalize.profiles.counters import Counter
from personalize.stores.postgres import link as postgres_link
from personalize.stores.postgres.address import address_of
from personalize.stores.postgres.store import PostgresStore
from personalize.stores.protocols import Live, Store
from tests.stores.contract import contents, opened, save
from tests.stores.other_process import COUNTERS, line_from, line_to, other_process
from tests.stores.samples import all_of, at, event, projectors, purchase

NewUrl = Callable[[], str]


def store_at(url: str) -> PostgresStore:
    """The store at an address, with connections of its own, as another machine has it."""
    return PostgresStore(address_of(url))


async def count_of(store: Store, profile_id: str = "v:ann") -> tuple[int, int]:
    """How many purchases a profile has, and their sum."""
    profile = await store.profile(profile_id)
    assert profile is not None
    total = profile.totals["purchase"]
    return total.count, int(total.sum)


async def is_as_rebuilt(store: Store, *counters: Counter) -> None:
    """The profiles are those that the log makes, one event after the other."""
    live = await contents(store)
    await store.rebuild(projectors(counters))
    assert await contents(store) == live


def test_two_processes_that_count_one_profile_up_lose_nothing(postgres_url: NewUrl) -> None:
    url = postgres_url()

    async def run() -> None:
        async with opened(store_at(url)) as store:
            assert await count_of(store) == (600, 600)
            assert len(await all_of(store.log())) == 600

    with ExitStack() as stack:
        processes = [stack.enter_context(other_process("count_up", url, name, 300)) for name in ("a", "b")]
        for process in processes:
            line_to(process)
        assert [line_from(process) for process in processes] == ["done", "done"]
    asyncio.run(run())


def test_machines_that_get_the_same_events_in_another_order_count_each_once(postgres_url: NewUrl) -> None:
    url = postgres_url()
    sent = [purchase(f"v:{number % 7}", 1, event_id=f"e{number}") for number in range(140)]

    async def send(store: Store, events: list[Event], size: int) -> int:
        parts = [events[first : first + size] for first in range(0, len(events), size)]
        return sum([(await store.apply(part, projectors())).new for part in parts])

    async def run() -> None:
        async with opened(store_at(url)) as one, opened(store_at(url)) as other, opened(store_at(url)) as third:
            new = await asyncio.gather(send(one, sent, 35), send(other, sent[::-1], 20), send(third, sent, 7))
            assert sum(new) == len(sent)
            for number in range(7):
                assert await count_of(one, f"v:{number}") == (20, 20)
            await is_as_rebuilt(one)

    asyncio.run(run())


def test_two_machines_that_see_somebody_for_the_first_time_at_once_both_count(postgres_url: NewUrl) -> None:
    url = postgres_url()

    async def run() -> None:
        async with opened(store_at(url)) as one, opened(store_at(url)) as other:
            await one.apply([purchase()], projectors())
            for number in range(25):
                sent = [purchase(f"v:{number}", 1) for _ in range(4)]
                stores = (one, other, one, other)
                await asyncio.gather(*(s.apply([e], projectors()) for s, e in zip(stores, sent, strict=True)))
                assert await count_of(one, f"v:{number}") == (4, 4)

    asyncio.run(run())


def test_browsers_that_many_machines_join_and_part_at_once_come_out_as_rebuilt(postgres_url: NewUrl) -> None:
    url = postgres_url()
    browsers, logins = [f"v:{number}" for number in range(4)], ["u:1", "u:2"]

    def told(number: int) -> list[Event]:
        browser, login = browsers[number % 4], logins[number % 2]
        return [
            purchase(browser, 1, minutes=number),
            event("join", login, {"from": browser}, minutes=number + 0.5),
            purchase(login, 1, minutes=number + 1),
            purchase(browsers[(number + 1) % 4], 1, minutes=number),
        ]

    async def run() -> None:
        async with opened(store_at(url)) as one, opened(store_at(url)) as other:
            stores = (one, other)
            await asyncio.gather(*(stores[number % 2].apply(told(number), projectors()) for number in range(24)))
            assert len(await all_of(one.log())) == 96
            profiles = await all_of(one.profiles())
            assert sum(each.totals["purchase"].count for each in profiles if "purchase" in each.totals) == 72
            await is_as_rebuilt(one)

    asyncio.run(run())


def test_what_is_filled_while_others_write_misses_nobody(postgres_url: NewUrl) -> None:
    url = postgres_url()

    async def write(store: Store, name: str) -> None:
        for number in range(20):
            await store.apply([purchase(f"v:{name}{number % 3}", 100)], projectors(COUNTERS), version="v1")

    async def fill(store: Store) -> None:
        while not (await store.fill(projectors(COUNTERS), version="v1", at=at(1), events=9)).rests:
            await asyncio.sleep(0)

    async def run() -> None:
        async with opened(store_at(url)) as one, opened(store_at(url)) as other:
            await save(one, "v1")
            await one.apply([purchase(f"v:a{number % 3}", 100) for number in range(50)], projectors())
            await one.set_live(Live("v1", at(0), "ann"), projectors(COUNTERS))
            await asyncio.gather(write(one, "a"), write(other, "b"), fill(other))
            await is_as_rebuilt(one, *COUNTERS)
            assert (await one.filled()).holding == projectors(COUNTERS)[0].holding

    asyncio.run(run())


def test_a_reading_of_the_log_waits_for_those_who_have_a_smaller_number_and_still_write(postgres_url: NewUrl) -> None:
    url = postgres_url()
    address = address_of(url)

    async def run() -> None:
        async with opened(store_at(url)) as store:
            await store.apply([purchase(event_id="first")], projectors())
            slow = await asyncpg.connect(address.dsn, server_settings={"search_path": address.schema})
            await slow.execute(store._link._begin[False, False])
            await slow.execute("SELECT nextval('events_seq')")
            reading = asyncio.create_task(all_of(store.log()))
            await asyncio.sleep(0.1)
            assert not reading.done()
            await slow.execute("COMMIT")
            assert [each.event_id for each in await reading] == ["first"]
            await slow.close()

    asyncio.run(run())


def test_nobody_waits_long_for_a_lock(postgres_url: NewUrl, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(postgres_link, "LOCK_SECONDS", 0.1)
    url = postgres_url()
    address = address_of(url)

    async def run() -> None:
        async with opened(store_at(url)) as store:
            await store.apply([purchase()], projectors())
            holder = await asyncpg.connect(address.dsn, server_settings={"search_path": address.schema})
            await holder.execute("BEGIN; SELECT * FROM projections FOR UPDATE")
            with pytest.raises(StoreBusy, match="others hold what is asked for"):
                await store.apply([purchase()], projectors())
            assert await store.profile("v:ann") is not None, "who reads waits for nobody"
            await holder.execute("ROLLBACK")
            await holder.close()
            assert (await store.apply([purchase()], projectors())).new == 1
            assert (await count_of(store))[0] == 2

    asyncio.run(run())
