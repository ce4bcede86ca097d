"""What every store promises of a backup that was restored: whom its other copy has erased since does not come back."""

from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from personalize.errors import TakenOver
from personalize.events.event import CONSENT, Event
from personalize.stores.memory.store import MemoryStore
from personalize.stores.protocols import Store
from tests.stores import samples
from tests.stores.erasure_contract import KEYS, erase, join, names
from tests.stores.filling_contract import Make, drawn, play
from tests.stores.samples import Refuses, all_of, event, projectors, purchase
from tests.trust.trials import trials


async def erase_again(store: Store, lost: Store) -> int:
    """What an operator does with a restored store, and what is left of the one that it takes the place of."""
    return await store.take_over(await lost.erasures(), await lost.sealed(), projectors())


async def is_as_rebuilt(store: Store) -> None:
    """The profiles are those that the log makes."""
    live = await all_of(store.profiles())
    await store.rebuild(projectors())
    assert await all_of(store.profiles()) == live


class ErasingAgainContract:
    """The laws of erasing again; `make` comes from the whole suite."""

    def test_who_was_erased_since_is_erased_with_the_browsers_and_who_stays_is_projected_anew(self, make: Make) -> None:
        async def scene(store: Store) -> None:
            backed_up = [
                *(purchase("v:ann"), purchase("v:bob"), purchase("v:eve"), purchase("u:1"), purchase("u:2")),
                *(join("u:1", "v:ann", 2), join("u:1", "v:bob", 3), event(CONSENT, "v:ann", {"granted": []}, 1)),
            ]
            lost = MemoryStore(KEYS)
            for each in (store, lost):
                await each.apply(backed_up, projectors())
            # One browser was parted again, another one came to it: neither does the restored store know.
            await lost.apply([event("undo", "u:1", {"from": "v:bob"}, 5), join("u:1", "v:eve", 6)], projectors())
            receipt = await erase(lost, "u:1")
            assert await erase_again(store, lost) == 3
            assert await names(store) == {"v:bob", "u:2"}
            assert await all_of(store.profiles()) == await all_of(lost.profiles())
            assert list(await store.erasures()) == [receipt]
            assert await store.compaction_due_since() == receipt.at
            assert (await store.apply([purchase("v:eve")], projectors())).refused
            await is_as_rebuilt(store)
            assert await erase_again(store, lost) == 0

        play(make, scene)

    def test_what_a_login_did_since_stays(self, make: Make) -> None:
        async def scene(store: Store) -> None:
            lost = MemoryStore(KEYS)
            await erase(lost, "u:1", minutes=10)
            await erase(lost, "u:2", minutes=10)
            # The site was served again before anybody thought of the erased.
            later = [purchase("v:new", minutes=11), join("u:1", "v:new", 12), purchase("u:1", minutes=13)]
            back = [purchase("u:2", minutes=11)]
            await store.apply([purchase("u:1"), purchase("u:1", minutes=10), *later, *back], projectors())
            assert await erase_again(store, lost) == 1
            assert sorted(await all_of(store.log()), key=repr) == sorted([*later, *back], key=repr)
            profile = await store.profile("u:1")
            assert profile is not None and profile.totals["purchase"].count == 2
            assert profile.joined_from == ("v:new",)
            await is_as_rebuilt(store)

        play(make, scene)

    @pytest.mark.parametrize("who", ["u:1", "v:ann"])
    def test_who_waits_to_be_projected_is_found_too(self, make: Make, who: str) -> None:
        async def scene(store: Store) -> None:
            lost = MemoryStore(KEYS)
            await erase(lost, who)
            await store.apply([purchase("u:2")], projectors())
            await store.apply([purchase("u:2"), join("u:1", "v:ann", 1)], ())
            assert await erase_again(store, lost) == 1
            await store.apply([], projectors())
            assert who not in await names(store)
            await is_as_rebuilt(store)

        play(make, scene)

    def test_who_broke_off_goes_on(self, make: Make) -> None:
        async def scene(store: Store) -> None:
            lost = MemoryStore(KEYS)
            for each in ("u:1", "u:2", "v:ann"):
                await erase(lost, each, minutes=10)
            later = purchase("u:2", minutes=11)
            await store.apply([purchase("u:1"), purchase("u:2"), later, purchase("v:ann")], projectors())
            with pytest.raises(ZeroDivisionError):
                await store.take_over(await lost.erasures(), await lost.sealed(), [Refuses(later.event_id)])
            assert await names(store) == {"u:2", "v:ann"}
            await is_as_rebuilt(store)
            assert await erase_again(store, lost) == 2
            assert await all_of(store.log()) == [later]
            assert len(await store.erasures()) == 3

        play(make, scene)

    @pytest.mark.trust
    @settings(drawn, max_examples=trials(6, 300))
    @given(
        before=samples.batches,
        after=samples.batches,
        erased=st.lists(st.tuples(st.sampled_from(samples.PROFILES), st.integers(0, 600)), min_size=1, max_size=3),
        data=st.data(),
    )
    def test_nothing_that_was_erased_since_is_in_a_restored_store(
        self,
        make: Make,
        before: Sequence[Sequence[Event]],
        after: Sequence[Sequence[Event]],
        erased: Sequence[tuple[str, int]],
        data: st.DataObject,
    ) -> None:
        turns = data.draw(st.permutations([*after, *erased]))

        async def scene(store: Store) -> None:
            lost = MemoryStore(KEYS)
            for batch in before:
                await store.apply(batch, projectors())
                await lost.apply(batch, projectors())
            for turn in turns:
                if isinstance(turn, tuple):
                    try:
                        await erase(lost, *turn)
                    except TakenOver:
                        continue
                else:
                    await lost.apply(turn, projectors())
            await erase_again(store, lost)
            told = await names(store)
            for each in samples.PROFILES:
                since = await lost.erased_at(each)
                assert await store.erased_at(each) == since
                if since is not None and each.startswith("v:"):
                    assert each not in told
                elif since is not None:
                    history = await all_of(store.history(each))
                    assert all(one.occurred_at > since or one.sender == "erasure" for one in history)
            assert await erase_again(store, lost) == 0
            await is_as_rebuilt(store)

        play(make, scene)
