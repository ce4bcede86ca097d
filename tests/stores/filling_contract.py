"""What every store promises of filling: what profiles are said to hold they hold, at every moment."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from personalize.errors import StaleVersion
from personalize.events.event import Event
from personalize.events.schema import EventType, Schema, Shape, ValueType
from personalize.profiles.counters import Counter
from personalize.profiles.holding import NOTHING_HELD, Holding
from personalize.profiles.profile import Profile
from personalize.profiles.project import ProfileProjector
from personalize.stores.memory.store import MemoryStore
from personalize.stores.protocols import Lease, Live, Store
from tests.stores import samples
from tests.stores.samples import Refuses, all_of, at, purchase
from tests.trust.trials import trials

Make = Callable[[], Store]

#: Counters by key: of all purchases, and of dear ones.
_MATCHES: Mapping[str, Callable[[Mapping[str, Any]], bool]] = {
    "all": lambda properties: True,
    "dear": lambda properties: properties["amount"] > 500_000,
}

drawn = settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[
        *(HealthCheck.function_scoped_fixture, HealthCheck.differing_executors, HealthCheck.too_slow),
    ],
)


@dataclass(frozen=True)
class Counts:
    """What a rule set counts: times by the key of a counter, and whether purchases are added up."""

    times: tuple[tuple[str, int], ...] = ()
    adds_up: bool = True

    @property
    def projectors(self) -> list[ProfileProjector]:
        amount = {"amount": Shape(ValueType.MONEY)}
        purchases = EventType("purchase", amount, value="amount" if self.adds_up else None)
        counters = [Counter(key, "purchase", limit, _MATCHES[key]) for key, limit in self.times]
        return [ProfileProjector(Schema(events={"purchase": purchases}), counters)]

    @property
    def needed(self) -> Holding:
        return self.projectors[0].holding


SOME = Counts((("all", 2),))
MORE = Counts((("all", 5), ("dear", 1)))
BUYS = [purchase(minutes=number, amount=number * 100_000) for number in range(10)]


def play(make: Make, scene: Callable[[Store], Awaitable[None]]) -> None:
    """Play a scene with an open store in which the versions v0 to v9 are kept."""

    async def whole() -> None:
        store = make()
        await store.open()
        try:
            for number in range(10):
                await store.save_rule_set(f"v{number}", {}, at(0))
            await scene(store)
        finally:
            await store.close()

    asyncio.run(whole())


async def fill(store: Store, counts: Counts, *, version: str = "v1", events: int = 3, slices: int = 1000) -> None:
    """Fill slice by slice until nothing is under way or lacking, or for so many slices."""
    for _ in range(slices):
        filled = await store.fill(counts.projectors, version=version, at=at(0), events=events)
        if filled.rests and filled.holding.covers(counts.needed):
            return


async def profiles_after(events: Sequence[Event], counts: Counts) -> Mapping[str, Profile]:
    """What these events make, projected one after the other."""
    store = MemoryStore()
    await store.apply(events, counts.projectors)
    return {each.profile_id: each for each in await all_of(store.profiles())}


async def what_is_held_is_right(store: Store, counts: Counts) -> None:
    """Every profile is there, and has what the store says that it holds as the log would make it."""
    held = (await store.filled()).holding
    expected = await profiles_after(await all_of(store.log()), counts)
    found = {each.profile_id: each for each in await all_of(store.profiles())}
    assert found.keys() == expected.keys()
    for profile_id, profile in found.items():
        right = expected[profile_id]
        assert (profile.events, profile.visit, profile.consent) == (right.events, right.visit, right.consent)
        assert dict(profile.attributes) == dict(right.attributes)
        for key, limit in held.counters.items():
            assert profile.recent.get(key, ())[-limit:] == right.recent.get(key, ())[-limit:]
        if held.values:
            assert dict(profile.totals) == dict(right.totals)


class FillingContract:
    """The laws. Stores are made by `make`, each call a new and empty one."""

    @pytest.fixture
    def make(self) -> Make:
        raise NotImplementedError("override this fixture")

    def test_a_new_store_holds_nothing_and_fills_nothing(self, make: Make) -> None:
        async def scene(store: Store) -> None:
            filled = await store.filled()
            assert (filled.holding, filled.filling, filled.events, filled.rests) == (NOTHING_HELD, None, 0, True)

        play(make, scene)

    def test_rows_hold_what_was_counted_from_the_first_event_on(self, make: Make) -> None:
        async def scene(store: Store) -> None:
            await store.apply(BUYS[:2], ())
            assert (await store.filled()).holding == NOTHING_HELD
            await store.apply(BUYS[2:5], MORE.projectors)
            assert (await store.filled()).holding == MORE.needed
            await store.apply(BUYS[5:], SOME.projectors)
            assert (await store.filled()).holding == SOME.needed
            await store.apply([], MORE.projectors)
            assert (await store.filled()).holding == SOME.needed
            await store.rebuild(MORE.projectors)
            assert (await store.filled()).holding == MORE.needed
            past = await store.as_of(at(3), SOME.projectors)
            assert (await past.filled()).holding == SOME.needed

        play(make, scene)

    def test_a_short_log_is_projected_with_the_move_of_the_live_row(self, make: Make) -> None:
        async def scene(store: Store) -> None:
            await store.apply(BUYS, Counts().projectors)
            await store.set_live(Live("v1", at(20), "ann"), SOME.projectors, at_once=len(BUYS))
            filled = await store.filled()
            assert (filled.holding, filled.rests, filled.events) == (SOME.needed, True, 10)
            profile = await store.profile("v:ann")
            assert profile is not None and len(profile.recent["all"]) == 2

        play(make, scene)

    def test_a_long_log_is_filled_slice_by_slice_while_events_go_on(self, make: Make) -> None:
        async def scene(store: Store) -> None:
            await store.apply(BUYS, SOME.projectors)
            await store.set_live(Live("v1", at(20), "ann"), MORE.projectors, at_once=9)
            filled = await store.filled()
            assert filled.holding == SOME.needed and filled.filling is not None
            assert (filled.filling.holding, filled.filling.projected) == (MORE.needed, 0)
            assert filled.filling.since == at(20)
            for number in range(4):
                late = purchase(minutes=-number, amount=900_000)
                await store.apply([late, purchase("v:bob", minutes=number)], MORE.projectors, version="v1")
                filled = await store.fill(MORE.projectors, version="v1", at=at(30), events=3)
                assert filled.filling is not None and filled.filling.projected == 3 * number + 3
                await what_is_held_is_right(store, MORE)
            await fill(store, MORE)
            filled = await store.filled()
            assert (filled.holding, filled.rests, filled.events) == (MORE.needed, True, 18)
            live = await all_of(store.profiles())
            await store.rebuild(MORE.projectors)
            assert await all_of(store.profiles()) == live

        play(make, scene)

    def test_a_slice_that_a_projector_refuses_changes_nothing(self, make: Make) -> None:
        async def scene(store: Store) -> None:
            await store.apply(BUYS, Counts().projectors)
            await store.set_live(Live("v1", at(20), "ann"), SOME.projectors)
            await fill(store, SOME, slices=1)
            before = await store.filled()
            counters = [Counter("all", "purchase", 2, _MATCHES["all"])]
            refuses = Refuses(BUYS[4].event_id, ProfileProjector(samples.SCHEMA, counters))
            with pytest.raises(ZeroDivisionError):
                await store.fill([refuses], version="v1", at=at(21), events=3)
            assert await store.filled() == before
            await fill(store, SOME)
            await what_is_held_is_right(store, SOME)

        play(make, scene)

    def test_only_who_knows_the_live_version_fills(self, make: Make) -> None:
        async def scene(store: Store) -> None:
            await store.apply(BUYS, Counts().projectors)
            await store.set_live(Live("v1", at(20), "ann"), SOME.projectors)
            with pytest.raises(StaleVersion):
                await store.fill(MORE.projectors, version="v2", at=at(21), events=3)
            filled = await store.filled()
            assert filled.filling is not None and filled.filling.projected == 0

        play(make, scene)

    def test_going_back_while_it_is_filled_leaves_nothing_pending(self, make: Make) -> None:
        async def scene(store: Store) -> None:
            await store.set_live(Live("v0", at(19), "ann"), SOME.projectors, at_once=0)
            await store.apply(BUYS, SOME.projectors)
            await store.set_live(Live("v1", at(20), "ann"), MORE.projectors)
            await fill(store, MORE, slices=2)
            await store.set_live(Live("v0", at(21), "ann"), SOME.projectors)
            filled = await store.filled()
            assert filled.holding.covers(SOME.needed) and filled.filling is None
            await fill(store, SOME, version="v0")
            assert (await store.filled()).rests
            await what_is_held_is_right(store, SOME)

        play(make, scene)

    def test_what_is_counted_no_more_is_filled_anew_when_it_is_wanted_again(self, make: Make) -> None:
        async def scene(store: Store) -> None:
            await store.set_live(Live("v0", at(0), "ann"), MORE.projectors, at_once=0)
            await store.apply(BUYS[:5], MORE.projectors)
            await store.set_live(Live("v1", at(1), "ann"), SOME.projectors, at_once=0)
            assert (await store.filled()).holding == SOME.needed
            await store.apply(BUYS[5:], SOME.projectors)
            await store.set_live(Live("v0", at(2), "ann"), MORE.projectors, at_once=0)
            assert (await store.filled()).holding == SOME.needed
            await fill(store, MORE, version="v0")
            assert (await store.filled()).holding == MORE.needed
            await what_is_held_is_right(store, MORE)

        play(make, scene)

    def test_who_publishes_again_and_again_does_not_throw_a_filling_back(self, make: Make) -> None:
        async def scene(store: Store) -> None:
            await store.apply(BUYS, Counts().projectors)
            await store.set_live(Live("v1", at(20), "ann"), SOME.projectors)
            await fill(store, SOME, slices=3)
            await store.set_live(Live("v2", at(21), "ann"), MORE.projectors)
            filled = await store.fill(MORE.projectors, version="v2", at=at(22), events=3)
            assert filled.holding == SOME.needed
            await fill(store, MORE, version="v2")
            assert (await store.filled()).holding == MORE.needed
            await what_is_held_is_right(store, MORE)

        play(make, scene)

    def test_events_that_wait_in_the_log_are_filled_with_the_others(self, make: Make) -> None:
        async def scene(store: Store) -> None:
            await store.apply(BUYS, Counts().projectors)
            await store.set_live(Live("v1", at(20), "ann"), SOME.projectors)
            await store.apply([purchase(minutes=30)], ())
            await fill(store, SOME)
            await store.apply([], SOME.projectors, version="v1")
            await what_is_held_is_right(store, SOME)

        play(make, scene)

    @pytest.mark.trust
    @settings(drawn, max_examples=trials(12, 300))
    @given(steps=st.lists(st.deferred(lambda: _STEPS), max_size=14))
    def test_whatever_is_published_filled_and_recorded_what_is_held_is_right(
        self, make: Make, steps: list[object]
    ) -> None:
        async def scene(store: Store) -> None:
            counts, version, lives = Counts(), "v0", 0
            await store.set_live(Live("v0", at(0), "ann"), counts.projectors, at_once=5)
            for step in steps:
                match step:
                    case Counts():
                        counts, lives = step, lives + 1
                        version = f"v{lives % 10}"
                        await store.set_live(Live(version, at(lives), "ann"), counts.projectors, at_once=5)
                    case int():
                        await fill(store, counts, version=version, events=step, slices=2)
                    case list() as batch:
                        await store.apply(batch, counts.projectors, version=version)
                await what_is_held_is_right(store, counts)
            await fill(store, counts, version=version)
            filled = await store.filled()
            assert filled.holding == counts.needed and filled.rests
            await what_is_held_is_right(store, counts)

        play(make, scene)

    def test_a_lease_of_a_clock_that_has_gone_back_since_is_nobodys(self, make: Make) -> None:
        async def scene(store: Store) -> None:
            assert await store.lease(Lease("fill", "a:1", at(70)), at=at(60))
            assert not await store.lease(Lease("fill", "b:2", at(60)), at=at(50)), "clocks may go apart by as much"
            assert await store.lease(Lease("fill", "b:2", at(10)), at=at(0))
            assert not await store.lease(Lease("fill", "a:1", at(11)), at=at(1))

        play(make, scene)

    def test_one_at_a_time_holds_a_lease_and_another_one_takes_over_when_it_ends(self, make: Make) -> None:
        async def scene(store: Store) -> None:
            assert await store.lease(Lease("fill", "a:1", at(10)), at=at(0))
            assert not await store.lease(Lease("fill", "b:2", at(11)), at=at(1))
            assert await store.lease(Lease("sweep", "b:2", at(11)), at=at(1))
            assert await store.lease(Lease("fill", "a:1", at(12)), at=at(2))
            assert not await store.lease(Lease("fill", "b:2", at(21)), at=at(11.99))
            assert await store.lease(Lease("fill", "b:2", at(22)), at=at(12))
            await store.release("fill", "a:1")
            assert not await store.lease(Lease("fill", "a:1", at(23)), at=at(13))
            await store.release("fill", "b:2")
            assert await store.lease(Lease("fill", "a:1", at(23)), at=at(13))

        play(make, scene)


_TIMES = st.dictionaries(st.sampled_from(sorted(_MATCHES)), st.integers(1, 3)).map(lambda d: tuple(sorted(d.items())))
_STEPS = st.one_of(
    st.builds(Counts, _TIMES, st.booleans()),
    st.integers(1, 6),
    st.lists(samples.events, min_size=1, max_size=6),
)
