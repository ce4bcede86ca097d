"""What every store promises of trimming a history: what goes is nowhere any more, and rebuilt equals live."""

from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from personalize.errors import ReadOnlyStore, StaleVersion
from personalize.events.event import JOIN, UNDO, Event
from personalize.profiles.profile import Profile
from personalize.stores.protocols import Live, Store, Trimming
from tests.stores import samples
from tests.stores.erasure_contract import join
from tests.stores.filling_contract import MORE, SOME, Make, drawn, play
from tests.stores.samples import all_of, at, event, projectors, purchase
from tests.trust.trials import trials


def without(*types: str) -> Trimming:
    """Events of these types go."""
    return lambda event: None if event.type in types else event


def before(minutes: float) -> Trimming:
    """What occurred earlier goes."""
    return lambda event: event if event.occurred_at >= at(minutes) else None


async def known(store: Store, profile_id: str) -> Profile:
    profile = await store.profile(profile_id)
    assert profile is not None
    return profile


class TrimContract:
    """The laws of trimming; `make` comes from the whole suite."""

    def test_events_go_from_the_log_and_from_what_was_made_of_them(self, make: Make) -> None:
        async def scene(store: Store) -> None:
            mine = [purchase("u:1", 100, minutes) for minutes in range(5)]
            await store.apply([mine[0], purchase("u:2"), *mine[1:]], projectors())
            assert await store.trim("u:1", before(3), projectors()) == 3
            assert await all_of(store.history("u:1")) == mine[:2:-1]
            assert len(await all_of(store.log())) == 3
            totals = (await known(store, "u:1")).totals["purchase"]
            assert (totals.count, totals.first_at) == (2, at(3))
            assert (await known(store, "u:2")).totals["purchase"].count == 1
            assert await store.trim("u:1", before(3), projectors()) == 0
            assert (await store.apply([purchase("u:1")], projectors())).new == 1

        play(make, scene)

    def test_properties_go_alone(self, make: Make) -> None:
        async def scene(store: Store) -> None:
            told = event("set", "u:1", {"country": "NO", "letters": True})
            await store.apply([told, event("set", "u:1", {"country": "SE"}, -5)], projectors())
            left = {"letters": True}
            assert await store.trim("u:1", lambda each: replace(each, properties=left), projectors()) == 2
            assert set((await known(store, "u:1")).attributes) == {"letters"}
            assert [dict(each.properties) for each in await all_of(store.log())] == [left, left]

        play(make, scene)

    def test_a_profile_of_which_nothing_is_left_is_no_more(self, make: Make) -> None:
        async def scene(store: Store) -> None:
            await store.apply([purchase("v:ann"), purchase("v:bob")], projectors())
            assert await store.trim("v:ann", lambda each: None, projectors()) == 1
            assert await store.profile("v:ann") is None
            assert [each.profile_id for each in await all_of(store.profiles())] == ["v:bob"]
            assert await store.erased_at("v:ann") is None

        play(make, scene)

    def test_what_a_browser_brought_into_a_login_goes_there_too(self, make: Make) -> None:
        async def scene(store: Store) -> None:
            await store.apply(
                [purchase("v:ann"), purchase("v:ann", minutes=1), join("u:1", "v:ann", 2), purchase("u:1")],
                projectors(),
            )
            assert (await known(store, "u:1")).totals["purchase"].count == 3
            assert await store.trim("v:ann", before(1), projectors()) == 1
            assert (await known(store, "u:1")).totals["purchase"].count == 2
            assert await store.trim("u:1", without("join", "purchase"), projectors()) == 1
            assert (await known(store, "u:1")).joined_from == ("v:ann",)

        play(make, scene)

    def test_nothing_is_trimmed_under_rules_that_are_not_live(self, make: Make) -> None:
        async def scene(store: Store) -> None:
            await store.apply([purchase("u:1")], projectors())
            await store.set_live(Live("v1", at(0), "ann"), projectors())
            with pytest.raises(StaleVersion):
                await store.trim("u:1", without("purchase"), projectors(), version="v2")
            assert len(await all_of(store.log())) == 1
            assert await store.trim("u:1", without("purchase"), projectors(), version="v1") == 1
            past = await store.as_of(at(5), projectors())
            with pytest.raises(ReadOnlyStore):
                await past.trim("u:1", without("purchase"), projectors())
            await past.close()

        play(make, scene)

    def test_where_a_trimming_breaks_off_nothing_has_changed(self, make: Make) -> None:
        async def scene(store: Store) -> None:
            await store.apply([purchase("u:1", minutes=1), purchase("u:1", minutes=2)], projectors())
            before = (await all_of(store.log()), await all_of(store.profiles()))

            def breaks(event: Event) -> Event | None:
                if event.occurred_at == at(1):
                    raise ZeroDivisionError("a bug of ours")
                return None

            with pytest.raises(ZeroDivisionError):
                await store.trim("u:1", breaks, projectors())
            assert (await all_of(store.log()), await all_of(store.profiles())) == before

        play(make, scene)

    def test_whatever_is_being_filled_is_trimmed_where_it_has_come(self, make: Make) -> None:
        async def scene(store: Store) -> None:
            log = [purchase(who, 600_000, minutes) for minutes in range(9) for who in ("u:1", "u:2")]
            await store.apply(log, SOME.projectors)
            await store.set_live(Live("v1", at(0), "ann"), MORE.projectors)
            await store.fill(MORE.projectors, version="v1", at=at(0), events=7)
            assert await store.trim("u:1", before(2), MORE.projectors, version="v1") == 2
            while not (await store.fill(MORE.projectors, version="v1", at=at(0), events=4)).rests:
                pass
            profile = await known(store, "u:1")
            assert (profile.totals["purchase"].count, len(profile.recent["all"])) == (7, 5)
            live = await all_of(store.profiles())
            await store.rebuild(MORE.projectors)
            assert await all_of(store.profiles()) == live

        play(make, scene)

    @pytest.mark.trust
    @settings(drawn, max_examples=trials(8, 300))
    @given(
        batches=samples.batches,
        trims=st.lists(st.tuples(st.sampled_from(samples.PROFILES), st.integers(0, 600)), max_size=3),
        data=st.data(),
    )
    def test_after_any_trimming_rebuilt_equals_live(
        self, make: Make, batches: Sequence[Sequence[Event]], trims: Sequence[tuple[str, int]], data: st.DataObject
    ) -> None:
        turns = data.draw(st.permutations([*batches, *trims]))

        async def scene(store: Store) -> None:
            for turn in turns:
                if isinstance(turn, tuple):
                    profile_id, minutes = turn
                    await store.trim(profile_id, before(minutes), projectors())
                    left = [each for each in await all_of(store.history(profile_id)) if each.type not in (JOIN, UNDO)]
                    assert all(each.occurred_at >= at(minutes) for each in left)
                else:
                    await store.apply(turn, projectors())
            live, log = await all_of(store.profiles()), await all_of(store.log())
            assert await store.rebuild(projectors()) == len(log)
            assert await all_of(store.profiles()) == live
            histories = [one for each in samples.PROFILES for one in (await all_of(store.history(each)))[::-1]]
            assert sorted(histories, key=repr) == sorted(log, key=repr)

        play(make, scene)
