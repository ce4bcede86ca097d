"""A person is a profile, the browsers that joined it, and what was told of any of them."""

import asyncio

import pytest

from personalize.errors import TakenOver
from personalize.runtime.person import Person, person_in
from personalize.stores.memory.store import MemoryStore
from tests.stores.samples import event, projectors, purchase

HERS = [purchase("v:ann", minutes=3), purchase("u:1", minutes=4), purchase("v:bob", minutes=1)]
JOINS = [event("join", "u:1", {"from": "v:ann"}, 5), event("join", "u:1", {"from": "v:bob"}, 6)]
OTHERS = [purchase("u:2"), purchase("v:eve"), event("join", "u:2", {"from": "v:eve"}, 7)]


def person_of_log(profile_id: str) -> Person:
    async def scene() -> Person:
        store = MemoryStore()
        claims = event("join", "u:1", {"from": "v:eve"}, 8)
        await store.apply([*HERS, *OTHERS, *JOINS, claims], projectors())
        return await person_in(store, profile_id)

    return asyncio.run(scene())


def test_a_login_has_its_browsers_and_all_that_was_told_in_the_order_in_which_it_occurred() -> None:
    person = person_of_log("u:1")
    assert person.browsers == ("v:ann", "v:bob")
    assert person.profile is not None and person.profile.totals["purchase"].count == 3
    assert person.events[:5] == [HERS[2], HERS[0], HERS[1], *JOINS]
    assert {each.profile_id for each in person.events} == {"u:1", "v:ann", "v:bob"}


def test_a_browser_of_a_login_is_no_person_of_its_own() -> None:
    with pytest.raises(TakenOver, match='"v:ann" is a browser that "u:1" has logged in with'):
        person_of_log("v:ann")


def test_of_somebody_unknown_there_is_nothing() -> None:
    assert person_of_log("u:9") == Person("u:9", None, (), [])
