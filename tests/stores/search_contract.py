"""What every store promises of finding visitors: the index leads to whoever was ever told to have a value, until what
told it is gone."""

from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from personalize.events.event import SET, Event
from personalize.profiles.project import ProfileProjector
from personalize.profiles.searched import SEARCH, SearchProjector, term_of, visitor_in
from personalize.stores.protocols import Projector, Store
from tests.stores.filling_contract import Make, drawn, play
from tests.stores.samples import SCHEMA, all_of, at, event
from tests.trust.trials import trials

INDEX = SearchProjector(["email", "number"])


def searching() -> list[Projector]:
    """The projectors of a site whose visitors are found by two attributes."""
    return [ProfileProjector(SCHEMA), INDEX]


def told(profile_id: str, email: str | None, minutes: float = 0) -> Event:
    """Somebody's address was told."""
    return event(SET, profile_id, {"email": email, "country": email}, minutes)


async def led_to(store: Store, email: str, attribute: str = "email") -> list[str]:
    """Whom a value leads to."""
    term = term_of(attribute, email)
    assert term is not None
    return [visitor_in(key) for key in await store.found(term, rows=100)]


class SearchContract:
    """The laws of the index; `make` is the fixture of the store contract."""

    def test_a_value_leads_to_all_who_were_told_to_have_it(self, make: Make) -> None:
        async def scene(store: Store) -> None:
            assert await led_to(store, "a@x") == []
            await store.apply([told("u:2", "a@x"), told("v:ann", " A@X "), told("u:1", None)], searching())
            await store.apply([told("v:ann", "b@x", 1), told("o:acme", "a@x")], searching())
            assert await led_to(store, "a@x") == ["u:2", "v:ann"]
            assert await led_to(store, "b@x") == ["v:ann"]
            assert await led_to(store, "a@x", "number") == await led_to(store, "a@x", "country") == []
            term = term_of("email", "a@x") or b""
            assert len(await store.found(term, rows=1)) == 1
            await store.rebuild(searching())
            assert await led_to(store, "a@x") == ["u:2", "v:ann"]

        play(make, scene)

    def test_nothing_leads_to_the_erased_and_to_others_it_still_does(self, make: Make) -> None:
        async def scene(store: Store) -> None:
            odd = "u:1\nx"  # the id of another, which begins as hers
            await store.apply([told(each, "a@x") for each in ("u:1", "u:2", odd)], searching())
            await store.apply([told("u:1", "b@x", 1)], searching())
            await store.erase("u:1", at=at(5), by="a test")
            assert await led_to(store, "a@x") == [odd, "u:2"]
            assert await led_to(store, "b@x") == []
            left = await store.kept(SEARCH, ["u:1", odd])
            assert set(left) == {odd}

        play(make, scene)

    @pytest.mark.trust
    @settings(drawn, max_examples=trials(10, 300))
    @given(
        addresses=st.lists(st.sampled_from([None, "a@x", "b@x", "c@x"]), max_size=6),
        kept=st.sets(st.integers(0, 5)),
    )
    def test_what_is_trimmed_leads_nowhere_and_rebuilt_equals_live(
        self, make: Make, addresses: Sequence[str | None], kept: set[int]
    ) -> None:
        mine = [told("u:1", address, minutes) for minutes, address in enumerate(addresses)]
        left = {event.event_id for number, event in enumerate(mine) if number in kept}

        async def scene(store: Store) -> None:
            await store.apply([*mine, told("u:2", "a@x")], searching())
            bare = {"country": "NO"}
            await store.trim(
                "u:1", lambda each: each if each.event_id in left else replace(each, properties=bare), searching()
            )
            live = {address: await led_to(store, address) for address in ("a@x", "b@x", "c@x")}
            assert {address for address, found in live.items() if "u:1" in found} == {
                address for number, address in enumerate(addresses) if number in kept and address is not None
            }
            assert "u:2" in live["a@x"]
            await store.rebuild(searching())
            assert {address: await led_to(store, address) for address in live} == live
            assert len(await all_of(store.log())) == len(mine) + 1

        play(make, scene)
