"""What every store promises. A store runs all of it by overriding one fixture, `make`."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from personalize.errors import ReadOnlyStore, StaleVersion, UnknownVersion
from personalize.events.event import Event, JSONValue
from personalize.profiles.counters import Counter
from personalize.profiles.profile import Profile
from personalize.stores.floors import Floors
from personalize.stores.memory.store import MemoryStore
from personalize.stores.protocols import (
    NOTHING_LIVE,
    REPORTS_LAST,
    AccessToken,
    Applied,
    Export,
    Lease,
    Live,
    Store,
    Switch,
    WorkerReport,
)
from personalize.stores.stretches import Stretch
from tests.stores import samples
from tests.stores.erasing_again_contract import ErasingAgainContract
from tests.stores.erasure_contract import ErasureContract
from tests.stores.filling_contract import FillingContract, drawn
from tests.stores.organization_contract import OrganizationContract, company_projectors
from tests.stores.outcome_contract import OutcomeContract
from tests.stores.queue_contract import QueueContract
from tests.stores.retention_contract import RetentionContract
from tests.stores.samples import Refuses, all_of, at, event, projectors, purchase
from tests.stores.search_contract import SearchContract
from tests.stores.trim_contract import TrimContract
from tests.trust.trials import trials

Make = Callable[[], Store]

PURCHASES = Counter("bought", "purchase", 3, matches=lambda properties: properties.get("amount", 0) != 7)


def run_with(make: Make, scene: Callable[[Store], Awaitable[None]]) -> None:
    """Plays a scene with an open store that is closed afterwards."""

    async def whole() -> None:
        async with opened(make()) as store:
            await scene(store)

    asyncio.run(whole())


@asynccontextmanager
async def opened(store: Store) -> AsyncIterator[Store]:
    """The store, open inside and closed afterwards."""
    await store.open()
    try:
        yield store
    finally:
        await store.close()


async def contents(store: Store) -> tuple[list[Event], list[Profile]]:
    """The log and the profiles."""
    return await all_of(store.log()), await all_of(store.profiles())


def spoil(value: object) -> None:
    """Change whatever lets itself be changed."""
    for inner in list(value.values()) if isinstance(value, dict) else value if isinstance(value, list) else ():
        spoil(inner)
    if isinstance(value, list):
        value.append("spoilt")
    elif isinstance(value, dict):
        value["spoilt"] = True


async def is_as_rebuilt(store: Store) -> None:
    """The profiles are those that the log makes."""
    live = await all_of(store.profiles())
    await store.rebuild(projectors((PURCHASES,)))
    assert await all_of(store.profiles()) == live


class StoreContract(
    OutcomeContract,
    FillingContract,
    ErasureContract,
    ErasingAgainContract,
    TrimContract,
    OrganizationContract,
    QueueContract,
    RetentionContract,
    SearchContract,
):
    """The laws. Stores are made by `make`, each call a new and empty one."""

    @pytest.fixture
    def make(self) -> Make:
        raise NotImplementedError("override this fixture")

    # What is given away -------------------------------------------------------------------------------

    def test_nothing_that_it_gives_away_can_change_what_it_keeps(self, make: Make) -> None:
        """Not what readers of a profile do to it, and not what becomes of the event that was written."""
        told: dict[str, JSONValue] = {
            "tags": ["a"],
            "likes": ["a", ["b"]],
            "home": {"rooms": ["c"]},
            "sizes": [Decimal("0.5"), "d"],
        }
        events = [event("set", properties=told), event("interest", properties={"tag": "x", "likes": True}), purchase()]

        async def scene(store: Store) -> None:
            await store.apply(events, projectors((PURCHASES,)))
            kept = (await contents(store))[1]
            for value in told.values():
                spoil(value)
            for _ in range(2):
                (given,) = [await store.profile("v:ann")]
                assert given is not None and [given] == kept
                for name in told:
                    spoil(given.attributes[name].value)
                for part in (given.attributes, given.totals, given.recent, given.stated, given.interests):
                    with pytest.raises(TypeError):
                        part["new"] = "spoilt"  # type: ignore[index]
                    with pytest.raises((TypeError, AttributeError)):
                        part.clear()  # type: ignore[attr-defined]
            assert (await contents(store))[1] == kept

        run_with(make, scene)

    # Events -------------------------------------------------------------------------------------------

    def test_a_new_store_holds_nothing(self, make: Make) -> None:
        async def scene(store: Store) -> None:
            assert await contents(store) == ([], [])
            assert await store.profile("v:ann") is None
            assert await all_of(store.history("v:ann")) == []
            assert await store.live() is None
            assert list(await store.versions()) == []
            assert list(await store.workers()) == []
            assert await store.apply([], projectors()) == Applied(new=0, repeated=0)
            assert await store.rebuild(projectors()) == 0

        run_with(make, scene)

    def test_a_profile_is_read_at_once_as_it_is_awaited_where_that_can_be(self, make: Make) -> None:
        async def scene(store: Store) -> None:
            await store.apply([purchase(event_id="a")], projectors())
            if (at_once := store.profile_at_once) is not None:
                read = [at_once(one) for one in ("v:ann", "v:nobody")]
                assert read == [await store.profile("v:ann"), None] and read[0] is not None
            past = await store.as_of(at(60), projectors())
            assert past.profile_at_once is None

        run_with(make, scene)

    def test_an_event_counts_once_in_a_batch_and_ever_after(self, make: Make) -> None:
        async def scene(store: Store) -> None:
            first = purchase(event_id="a", amount=100)
            assert await store.apply([first, first], projectors()) == Applied(new=1, repeated=1)
            assert await store.apply([first, purchase(event_id="b", amount=20)], projectors()) == Applied(1, 1)
            assert await store.apply([first], projectors()) == Applied(new=0, repeated=1)
            profile = await store.profile("v:ann")
            assert profile is not None
            assert (profile.totals["purchase"].count, profile.totals["purchase"].sum) == (2, 120)
            assert [each.event_id for each in await all_of(store.log())] == ["a", "b"]

        run_with(make, scene)

    def test_the_same_id_of_two_senders_is_two_events(self, make: Make) -> None:
        async def scene(store: Store) -> None:
            event = purchase(event_id="a")
            applied = await store.apply([event, replace(event, sender="import")], projectors())
            assert applied == Applied(new=2, repeated=0)
            profile = await store.profile("v:ann")
            assert profile is not None
            assert profile.totals["purchase"].count == 2

        run_with(make, scene)

    def test_nothing_is_kept_of_a_batch_that_a_projector_refuses(self, make: Make) -> None:
        async def scene(store: Store) -> None:
            await store.apply([purchase(event_id="kept")], projectors())
            before = await contents(store)
            batch = [purchase(event_id="good"), purchase("v:bob"), purchase(event_id="bad")]
            with pytest.raises(ZeroDivisionError, match="a bug of ours"):
                await store.apply(batch, [*projectors(), Refuses("bad")])
            assert await contents(store) == before
            assert await store.apply(batch, projectors()) == Applied(new=3, repeated=0)

        run_with(make, scene)

    def test_of_writes_at_once_each_gets_its_own_answer(self, make: Make) -> None:
        async def scene(store: Store) -> None:
            writes = [store.apply([purchase(event_id=f"e{number % 30}")], projectors()) for number in range(60)]
            bad = store.apply([purchase(event_id="bad"), purchase(event_id="good")], [Refuses("bad")])
            answers = await asyncio.gather(*writes[:30], bad, *writes[30:], return_exceptions=True)
            assert isinstance(answers[30], ZeroDivisionError)
            # Which of two that came at once was the first one is nobody's business.
            for pair in zip(answers[:30], answers[31:], strict=True):
                assert sorted(pair, key=repr) == [Applied(new=0, repeated=1), Applied(new=1, repeated=0)]
            assert len(await all_of(store.log())) == 30
            assert [each.totals["purchase"].count for each in await all_of(store.profiles())] == [30]

        run_with(make, scene)

    def test_history_begins_with_what_came_last_and_has_nobody_elses(self, make: Make) -> None:
        async def scene(store: Store) -> None:
            mine = [purchase("v:ann", minutes=-number) for number in range(450)]
            others = [purchase("v:bob", minutes=number) for number in range(450)]
            for number in range(0, 450, 150):
                mixed = [each for pair in zip(mine, others, strict=True) for each in pair]
                await store.apply(mixed[2 * number : 2 * number + 300], projectors())
            assert await all_of(store.history("v:ann")) == mine[::-1]
            assert await all_of(store.history("v:bob")) == others[::-1]
            assert await all_of(store.history("v:nobody")) == []

        run_with(make, scene)

    def test_a_join_leaves_the_history_of_both_as_it_was_sent(self, make: Make) -> None:
        async def scene(store: Store) -> None:
            before, after = purchase("v:ann", minutes=1), purchase("u:1", minutes=3)
            join = event("join", "u:1", {"from": "v:ann"}, minutes=2)
            await store.apply([before, join, after], projectors())
            assert await all_of(store.history("v:ann")) == [before]
            assert await all_of(store.history("u:1")) == [after, join]
            known = await store.profile("u:1")
            assert known is not None
            assert (known.totals["purchase"].count, known.joined_from) == (2, ("v:ann",))
            late = purchase("v:ann", minutes=1.5)
            await store.apply([late], projectors())
            known = await store.profile("u:1")
            assert known is not None
            assert known.totals["purchase"].count == 3

        run_with(make, scene)

    def test_profiles_come_in_the_order_of_their_ids(self, make: Make) -> None:
        async def scene(store: Store) -> None:
            ids = [f"v:{number:03d}" for number in range(450)] + ["u:Z", "u:a", "u:å", "u:\U0001f43b", "u:\uffee"]
            await store.apply([purchase(each) for each in reversed(ids)], projectors())
            assert [each.profile_id for each in await all_of(store.profiles())] == sorted(ids)

        run_with(make, scene)

    @pytest.mark.parametrize("profiles", [1, 3, 225, 449, 450, 1000])
    def test_stretches_hold_every_profile_once(self, make: Make, profiles: int) -> None:
        async def scene(store: Store) -> None:
            ids = sorted([f"v:{number:03d}" for number in range(446)] + ["u:a", "u:å", "u:\U0001f43b", "v:\U0010ffff!"])
            await store.apply([purchase(each) for each in ids], projectors())
            stretches = await store.stretches(profiles)
            parts = [[each.profile_id for each in await all_of(store.profiles(one))] for one in stretches]
            assert [len(part) for part in parts[:-1]] == [profiles] * (len(parts) - 1)
            assert 0 < len(parts[-1]) <= profiles
            assert [one for part in parts for one in part] == ids

        run_with(make, scene)

    def test_whoever_comes_later_is_in_one_of_the_stretches(self, make: Make) -> None:
        async def scene(store: Store) -> None:
            assert await store.stretches(5) == [Stretch()]
            await store.apply([purchase(f"v:{number}") for number in range(1, 9)], projectors())
            stretches = await store.stretches(3)
            assert stretches == [Stretch("", "v:3"), Stretch("v:3", "v:6"), Stretch("v:6", None)]
            await store.apply([purchase(each) for each in ("u:1", "v:35", "w:1")], projectors())
            parts = [[each.profile_id for each in await all_of(store.profiles(one))] for one in stretches]
            assert parts == [["u:1", "v:1", "v:2", "v:3"], ["v:35", "v:4", "v:5", "v:6"], ["v:7", "v:8", "w:1"]]

        run_with(make, scene)

    def test_ids_of_profiles_are_read_behind_one_another(self, make: Make) -> None:
        async def scene(store: Store) -> None:
            assert list(await store.profile_ids("", rows=9)) == []
            told = event("set", "o:acme", {"plan": "gold"})
            ids = ["u:1", "u:2\0", "v:ann", "v:bob"]
            await store.apply([told, *map(purchase, ids[::-1])], company_projectors())
            assert list(await store.profile_ids("", rows=3)) == ids[:3]
            assert list(await store.profile_ids("u:2\0", rows=3)) == ids[2:]

        run_with(make, scene)

    def test_the_latest_event_of_a_type_is_told_of_many_at_once(self, make: Make) -> None:
        async def scene(store: Store) -> None:
            late, early = purchase("u:1", 1, 5), purchase("u:1", 2, 3)
            twice = [purchase("v:ann\0", each, 7) for each in (1, 2)]
            beyond = [purchase("u:2", 1, 9), *(event("page_view", "u:2", {"path": "/"}, minutes) for minutes in (1, 2))]
            await store.apply([late, *twice, *beyond, early, event("page_view", "u:1", {"path": "/"}, 8)], projectors())
            ids = ["u:1", "v:ann\0", "u:2", "u:nobody"]
            assert await store.latest("purchase", ids, entries=2) == {"u:1": early, "v:ann\0": twice[1]}
            found = {"u:1": late, "v:ann\0": twice[1], "u:2": beyond[0]}
            assert await store.latest("purchase", ids, entries=3) == found
            assert await store.latest("purchase", [], entries=3) == {}
            past = await store.as_of(at(6), projectors())
            assert await past.latest("purchase", ids, entries=9) == {"u:1": late}
            assert list(await past.profile_ids("", rows=9)) == ["u:1", "u:2"]
            await past.close()

        run_with(make, scene)

    def test_a_reading_of_the_log_ends_where_the_log_ended_when_it_began(self, make: Make) -> None:
        async def scene(store: Store) -> None:
            await store.apply([purchase() for _ in range(300)], projectors())
            seen = 0
            async for _ in store.log():
                seen += 1
                if seen % 50 == 0:
                    await store.apply([purchase() for _ in range(100)], projectors())
            assert seen == 300

        run_with(make, scene)

    # Nothing is lost or bent ----------------------------------------------------------------------------

    @pytest.mark.trust
    @settings(drawn, max_examples=trials(12, 300))
    @given(properties=samples.any_properties, name=st.text(min_size=1, max_size=12))
    def test_whatever_an_event_holds_comes_back_as_it_was(
        self, make: Make, properties: dict[str, Any], name: str
    ) -> None:
        async def scene(store: Store) -> None:
            sent = Event(
                event_id=f"id {name}",
                sender=name,
                type="noted",
                profile_id=f"u:{name}",
                occurred_at=at(0.123456),
                received_at=at(10**6),
                properties=properties,
                channel=name,
                version=None if len(name) % 2 else name,
            )
            await store.apply([sent], projectors())
            # By their text, since an int and a Decimal of one value are equal, and 1.0 and 1.00 too.
            assert repr(await all_of(store.history(f"u:{name}"))) == repr([sent])
            assert repr(await all_of(store.log())) == repr([sent])
            assert await store.apply([sent], projectors()) == Applied(new=0, repeated=1)

        run_with(make, scene)

    def test_half_a_surrogate_pair_in_the_properties_is_kept(self, make: Make) -> None:
        async def scene(store: Store) -> None:
            sent = event("noted", properties={"text": "\ud83d", "number": 2**64, "share": Decimal("1.10")})
            await store.apply([sent], projectors())
            assert repr(await all_of(store.log())) == repr([sent])

        run_with(make, scene)

    @pytest.mark.parametrize("value", [at(0), Decimal("NaN"), Decimal("Infinity"), {1, 2}, b"bytes"], ids=repr)
    def test_a_value_that_is_no_json_is_refused_and_nothing_kept(self, make: Make, value: Any) -> None:
        async def scene(store: Store) -> None:
            with pytest.raises((TypeError, ValueError)):
                await store.apply([purchase(), event("noted", properties={"value": value})], projectors())
            assert await contents(store) == ([], [])

        run_with(make, scene)

    def test_what_was_read_cannot_change_what_is_kept(self, make: Make) -> None:
        async def scene(store: Store) -> None:
            properties: dict[str, Any] = {"items": ["tent"]}
            await store.apply([event("noted", properties=properties)], projectors())
            properties["items"].append("stove")
            assert [dict(each.properties) for each in await all_of(store.log())] == [{"items": ["tent"]}]

        run_with(make, scene)

    # Projections ---------------------------------------------------------------------------------------

    @pytest.mark.trust
    @settings(drawn, max_examples=trials(12, 300))
    @given(batches=samples.batches)
    def test_rebuilt_from_the_log_equals_live(self, make: Make, batches: list[list[Event]]) -> None:
        async def scene(store: Store) -> None:
            for batch in batches:
                await store.apply(batch, projectors((PURCHASES,)))
            live = await contents(store)
            assert await store.rebuild(projectors((PURCHASES,))) == len(live[0])
            assert await contents(store) == live

        run_with(make, scene)

    @pytest.mark.trust
    @settings(drawn, max_examples=trials(12, 300))
    @given(batches=samples.batches)
    def test_how_events_fall_into_batches_makes_no_difference(self, make: Make, batches: list[list[Event]]) -> None:
        async def scene(store: Store) -> None:
            for batch in batches:
                await store.apply(batch, projectors((PURCHASES,)))
            async with opened(MemoryStore()) as one_by_one:
                for each in [each for batch in batches for each in batch]:
                    await one_by_one.apply([each], projectors((PURCHASES,)))
                assert await contents(one_by_one) == await contents(store)

        run_with(make, scene)

    @pytest.mark.trust
    @settings(drawn, max_examples=trials(12, 300))
    @given(batches=samples.batches, minutes=st.integers(0, 600))
    def test_the_past_equals_a_fresh_projection_of_what_had_occurred(
        self, make: Make, batches: list[list[Event]], minutes: int
    ) -> None:
        async def scene(store: Store) -> None:
            for batch in batches:
                await store.apply(batch, projectors((PURCHASES,)))
            earlier = [each for each in await all_of(store.log()) if each.occurred_at < at(minutes)]
            async with opened(MemoryStore()) as fresh:
                await fresh.apply(earlier, projectors((PURCHASES,)))
                past = await store.as_of(at(minutes), projectors((PURCHASES,)))
                assert await contents(past) == await contents(fresh)
                for profile_id in samples.PROFILES:
                    assert await past.profile(profile_id) == await fresh.profile(profile_id)
                    assert await all_of(past.history(profile_id)) == await all_of(fresh.history(profile_id))

        run_with(make, scene)

    def test_a_rebuild_that_a_projector_refuses_changes_nothing(self, make: Make) -> None:
        async def scene(store: Store) -> None:
            await store.apply([purchase(), purchase(event_id="bad")], projectors())
            before = await contents(store)
            with pytest.raises(ZeroDivisionError):
                await store.rebuild([Refuses("bad")])
            assert await contents(store) == before

        run_with(make, scene)

    # Rule sets -----------------------------------------------------------------------------------------

    def test_a_rule_set_is_kept_under_its_version(self, make: Make) -> None:
        async def scene(store: Store) -> None:
            files = {"rules/home.yaml": "slots: {}\n# é \U0001f43b\n", "rules/a.yaml": ""}
            await store.save_rule_set("v1", files, at(0))
            await store.save_rule_set("v1", files, at(1))
            assert await store.rule_set("v1") == files
            with pytest.raises(UnknownVersion) as caught:
                await store.rule_set("v2")
            assert caught.value.version == "v2"
            assert await store.live() is None

        run_with(make, scene)

    def test_one_version_is_live_and_those_before_it_are_remembered(self, make: Make) -> None:
        async def scene(store: Store) -> None:
            lives = [Live("v1", at(0.000001), "ann"), Live("v2", at(1), "bob"), Live("v1", at(2), "rollback")]
            await save(store, "v1", "v2")
            for live in lives:
                await store.set_live(live)
                assert await store.live() == live
            assert list(await store.versions()) == lives
            with pytest.raises(UnknownVersion):
                await store.set_live(Live("v3", at(3), "ann"))
            assert await store.live() == lives[-1]

        run_with(make, scene)

    def test_events_projected_for_another_version_than_the_live_one_are_not_written(self, make: Make) -> None:
        async def scene(store: Store) -> None:
            await save(store, "v1", "v2")
            assert await store.apply([purchase()], projectors(), version="v1") == Applied(new=1, repeated=0)
            await store.set_live(Live("v2", at(0), "ann"))
            before = await contents(store)
            with pytest.raises(StaleVersion) as caught:
                await store.apply([purchase()], projectors(), version="v1")
            assert caught.value.live == "v2"
            assert await contents(store) == before
            assert await store.apply([purchase()], projectors(), version="v2") == Applied(new=1, repeated=0)
            assert await store.apply([purchase()], projectors()) == Applied(new=1, repeated=0)

        run_with(make, scene)

    def test_events_written_while_nothing_is_live_are_refused_as_soon_as_something_is(self, make: Make) -> None:
        async def scene(store: Store) -> None:
            await save(store, "v1")
            assert await store.apply([purchase()], projectors(), version=NOTHING_LIVE) == Applied(new=1, repeated=0)
            await store.set_live(Live("v1", at(0), "ann"))
            with pytest.raises(StaleVersion):
                await store.apply([purchase()], projectors(), version=NOTHING_LIVE)

        run_with(make, scene)

    def test_of_two_who_saw_the_same_version_live_one_moves_it(self, make: Make) -> None:
        async def scene(store: Store) -> None:
            await save(store, "v1", "v2", "v3")
            await store.set_live(Live("v1", at(0), "ann"), expected=NOTHING_LIVE)
            with pytest.raises(StaleVersion):
                await store.set_live(Live("v2", at(1), "bob"), expected=NOTHING_LIVE)
            await store.apply([purchase()], projectors((PURCHASES,)))
            await store.set_live(Live("v2", at(1), "ann"), expected="v1")
            before = await contents(store)
            with pytest.raises(StaleVersion) as caught:
                await store.set_live(Live("v3", at(2), "bob"), projectors(), expected="v1")
            assert caught.value.live == "v2"
            assert [live.version for live in await store.versions()] == ["v1", "v2"]
            assert await contents(store) == before

        run_with(make, scene)

    def test_events_without_projectors_wait_in_the_log_and_are_projected_in_its_order(self, make: Make) -> None:
        async def scene(store: Store) -> None:
            await save(store, "v1")
            await store.apply([purchase(minutes=1)], projectors((PURCHASES,)))
            waiting = [purchase(minutes=3, event_id="waits"), purchase("v:bob", minutes=2)]
            assert await store.apply(waiting, ()) == Applied(new=2, repeated=0)
            assert await store.apply([waiting[0], purchase(minutes=4)], ()) == Applied(new=1, repeated=1)
            assert await store.apply([waiting[0]], ()) == Applied(new=0, repeated=1)
            assert len(await all_of(store.log())) == 4
            profile = await store.profile("v:ann")
            assert profile is not None and profile.totals["purchase"].count == 1
            assert await store.profile("v:bob") is None
            assert await store.apply([purchase(minutes=5)], projectors((PURCHASES,))) == Applied(new=1, repeated=0)
            await is_as_rebuilt(store)
            await store.apply([purchase(minutes=6)], ())
            assert await store.apply([], projectors((PURCHASES,))) == Applied(new=0, repeated=0)
            await is_as_rebuilt(store)
            await store.apply([purchase(minutes=7)], ())
            await store.set_live(Live("v1", at(8), "ann"))
            await store.apply([], projectors((PURCHASES,)), version="v1")
            await is_as_rebuilt(store)

        run_with(make, scene)

    def test_events_that_waited_count_once_after_a_rebuild_and_still_wait_after_one_that_failed(
        self, make: Make
    ) -> None:
        async def scene(store: Store) -> None:
            await store.apply([purchase(event_id="bad")], ())
            with pytest.raises(ZeroDivisionError):
                await store.apply([purchase(event_id="good")], [Refuses("bad")])
            assert [each.event_id for each in await all_of(store.log())] == ["bad"]
            await store.rebuild(projectors((PURCHASES,)))
            await store.apply([], projectors((PURCHASES,)))
            profile = await store.profile("v:ann")
            assert profile is not None and profile.totals["purchase"].count == 1

        run_with(make, scene)

    def test_the_report_of_a_worker_that_is_gone_is_dropped(self, make: Make) -> None:
        async def scene(store: Store) -> None:
            await store.report(WorkerReport("gone:1", "v1", at(0)))
            await store.report(WorkerReport("here:1", "v1", at(1)))
            await store.report(WorkerReport("here:2", None, at(1) + REPORTS_LAST))
            assert [each.worker for each in await store.workers()] == ["here:1", "here:2"]

        run_with(make, scene)

    def test_each_worker_has_one_report_its_last(self, make: Make) -> None:
        async def scene(store: Store) -> None:
            await store.report(WorkerReport("b:2", None, at(0)))
            await store.report(WorkerReport("a:1", "v1", at(1)))
            await store.report(WorkerReport("b:2", "v2", at(2)))
            assert list(await store.workers()) == [
                WorkerReport("a:1", "v1", at(1)),
                WorkerReport("b:2", "v2", at(2)),
            ]

        run_with(make, scene)

    def test_copies_are_remembered_and_what_came_later_is_not_in_them(self, make: Make) -> None:
        async def scene(store: Store) -> None:
            assert list(await store.exports()) == []
            second = Export("b", at(2), "bob", "log", "/mnt/b", at(3))
            first = Export("a", at(1), "ann", "backup", "/mnt/a.db")
            await store.note_export(second)
            await store.note_export(first)
            assert list(await store.exports()) == [first, second]
            assert first.may_hold(at(1000))
            done = replace(first, ended_at=at(5))
            await store.note_export(done)
            assert list(await store.exports()) == [done, second]
            assert [one.may_hold(at(4)) for one in await store.exports()] == [True, False]
            past = await store.as_of(at(0), projectors())
            assert list(await past.exports()) == [done, second]

        run_with(make, scene)

    def test_what_switched_personalizing_off_or_on_last_holds(self, make: Make) -> None:
        async def scene(store: Store) -> None:
            assert await store.switch() is None
            await store.set_switch(Switch(off=True, at=at(0), by="ann"))
            await store.set_switch(Switch(off=False, at=at(1), by="bob"))
            await store.set_switch(Switch(off=True, at=at(2), by="ann"))
            assert await store.switch() == Switch(off=True, at=at(2), by="ann")
            past = await store.as_of(at(0), projectors())
            assert await past.switch() == await store.switch()

        run_with(make, scene)

    def test_a_token_is_kept_and_a_late_use_does_not_bring_a_revoked_one_back(self, make: Make) -> None:
        async def scene(store: Store) -> None:
            assert list(await store.tokens()) == []
            till = AccessToken("aa", "till", frozenset({"decide", "events:write"}), at(1), expires_at=at(90))
            mail = AccessToken("bb", "mail", frozenset({"decide"}), at(0))
            for token in (till, mail, till):
                await store.keep_token(token)
            assert list(await store.tokens()) == [mail, till]
            await store.keep_token(replace(till, used_at=at(5)))
            await store.keep_token(replace(till, revoked_at=at(7)))
            await store.keep_token(replace(till, used_at=at(4), scopes=frozenset({"privacy"})))
            await store.keep_token(replace(till, revoked_at=at(9), used_at=at(8)))
            assert list(await store.tokens()) == [mail, replace(till, used_at=at(8), revoked_at=at(7))]
            assert list(await (await store.as_of(at(0), projectors())).tokens()) == list(await store.tokens())

        run_with(make, scene)

    # The past -----------------------------------------------------------------------------------------

    def test_nothing_can_be_written_to_the_past(self, make: Make) -> None:
        async def scene(store: Store) -> None:
            await save(store, "v1")
            past = await store.as_of(at(0), projectors())
            writes: Sequence[Callable[[], Awaitable[object]]] = (
                lambda: past.apply([purchase()], projectors()),
                lambda: past.apply([], projectors()),
                lambda: past.rebuild(projectors()),
                lambda: past.save_rule_set("v2", {}, at(0)),
                lambda: past.set_live(Live("v1", at(0), "ann")),
                lambda: past.report(WorkerReport("a:1", "v1", at(0))),
                lambda: past.fill(projectors(), version="v1", at=at(0), events=1),
                lambda: past.lease(Lease("fill", "a:1", at(1)), at=at(0)),
                lambda: past.release("fill", "a:1"),
                lambda: past.raise_floors(Floors(at(0))),
                lambda: past.note_export(Export("a", at(0), "ann", "log", "/mnt/a")),
                lambda: past.set_switch(Switch(off=True, at=at(0), by="ann")),
                lambda: past.keep_token(AccessToken("aa", "till", frozenset(), at(0))),
            )
            for write in writes:
                with pytest.raises(ReadOnlyStore):
                    await write()
            assert await contents(store) == ([], [])

        run_with(make, scene)

    def test_the_rules_of_the_past_are_those_of_now(self, make: Make) -> None:
        async def scene(store: Store) -> None:
            past = await store.as_of(at(0), projectors())
            await save(store, "v1")
            await store.set_live(Live("v1", at(5), "ann"))
            assert await past.live() == Live("v1", at(5), "ann")
            assert list(await past.versions()) == [Live("v1", at(5), "ann")]
            assert await past.rule_set("v1") == {"rules/v1.yaml": "v1"}

        run_with(make, scene)

    def test_the_past_stays_as_it_was_while_the_present_goes_on(self, make: Make) -> None:
        async def scene(store: Store) -> None:
            await store.apply([purchase(minutes=1), purchase(minutes=5)], projectors())
            past = await store.as_of(at(5), projectors())
            await store.apply([purchase(minutes=2)], projectors())
            profile = await past.profile("v:ann")
            assert profile is not None
            assert profile.totals["purchase"].count == 1
            assert await contents(await past.as_of(at(1), projectors())) == ([], [])
            await past.close()
            assert len(await all_of(store.log())) == 3

        run_with(make, scene)


async def save(store: Store, *versions: str) -> None:
    """Keep a small rule set under each version."""
    for version in versions:
        await store.save_rule_set(version, {f"rules/{version}.yaml": version}, at(0))
