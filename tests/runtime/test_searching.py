"""Finding visitors: who has the value now, in whatever way they came by it."""

import asyncio
from collections.abc import Awaitable, Callable

from personalize.events.event import JOIN, RETRACT, SET, UNDO
from personalize.profiles.project import ProfileProjector
from personalize.profiles.searched import SearchProjector
from personalize.runtime.searching import visitors_with
from personalize.stores.memory.store import MemoryStore
from tests.stores.samples import SCHEMA, event

PROJECTORS = [ProfileProjector(SCHEMA), SearchProjector(["email"])]
Tell = Callable[..., Awaitable[list[str]]]


def play(scene: Callable[[Tell], Awaitable[None]]) -> None:
    """Let a scene tell events, each of which is answered by whom `a@x` finds then."""
    store = MemoryStore()

    async def tell(type_: str, who: str, said: dict[str, str], minutes: float, event_id: str = "") -> list[str]:
        await store.apply([event(type_, who, said, minutes, event_id)], PROJECTORS)
        return [profile.profile_id for profile in await visitors_with(store, "email", "A@x ")]

    asyncio.run(scene(tell))  # type: ignore[arg-type]


def test_a_join_takes_the_value_along_and_its_undoing_gives_it_back() -> None:
    async def scene(tell: Tell) -> None:
        assert await tell(SET, "v:ann", {"email": "a@x"}, 0) == ["v:ann"]
        assert await tell(JOIN, "u:1", {"from": "v:ann"}, 1) == ["u:1"]
        assert await tell(UNDO, "u:1", {"from": "v:ann"}, 2) == ["v:ann"]

    play(scene)


def test_who_has_another_value_by_now_is_not_found_and_what_was_taken_back_never_was() -> None:
    async def scene(tell: Tell) -> None:
        assert await tell(SET, "u:1", {"email": "a@x"}, 0) == ["u:1"]
        assert await tell(SET, "u:1", {"email": "b@x"}, 5, "wrong") == []
        assert await tell(SET, "u:2", {"email": "a@x"}, 1) == ["u:2"]
        assert await tell(RETRACT, "u:1", {"event_id": "wrong"}, 6) == ["u:1", "u:2"]
        assert await tell(SET, "u:1", {"email": "c@x"}, -5) == ["u:1", "u:2"]  # late news of what was before

    play(scene)


def test_nobody_is_found_by_an_empty_value() -> None:
    async def scene(tell: Tell) -> None:
        await tell(SET, "u:1", {"email": " "}, 0)
        assert list(await visitors_with(MemoryStore(), "email", " ")) == []

    play(scene)
