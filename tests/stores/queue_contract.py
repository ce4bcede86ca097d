"""What every store promises of rows that wait for a moment: who is due is found, and nobody is passed over."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace

from personalize.events.event import IMPRESSION, JOIN, SEGMENT_ENTERED, SEGMENT_LEFT, WEBHOOK, to_micros
from personalize.profiles.outbox import DELIVERED, GIVEN_UP, OUTBOX, OutboxProjector, outcome_of
from personalize.profiles.project import ProfileProjector
from personalize.profiles.queue import RowChange
from personalize.profiles.watched import WATCH, Watched, WatchProjector, change_of
from personalize.stores.protocols import Projector, Store
from tests.stores.samples import SCHEMA, all_of, at, event, purchase

Make = Callable[[], Store]
WATCHING = WatchProjector()
TELLING = OutboxProjector({"buyers": ("crm",)})


def watching() -> list[Projector]:
    """The projectors of a site with a webhook for buyers."""
    return [ProfileProjector(SCHEMA), WATCHING, TELLING]


async def due(store: Store, minutes: float = 10_000, rows: int = 100, queue: str = WATCH) -> list[str]:
    """Who is due at a moment, by their ids."""
    return [key for key, _ in await store.due(queue, at=at(minutes), rows=rows)]


async def settle(store: Store, profile_id: str, minutes: float | None) -> int:
    """Look at somebody, and say when to look again."""
    seen = (await store.kept(WATCH, [profile_id]))[profile_id]
    row = WATCHING.decode(seen)
    again = replace(row, due_at_micros=None if minutes is None else to_micros(at(minutes)))
    return await store.exchange(WATCH, [RowChange(profile_id, seen, WATCHING.encode(again))])


class QueueContract:
    """The laws of queues; `make` is the fixture of the store contract."""

    def test_whatever_happens_to_a_visitor_makes_them_due_until_they_were_looked_at(self, make: Make) -> None:
        async def scene(store: Store) -> None:
            assert await due(store) == []
            told = [purchase("u:2", minutes=2), purchase("u:1", minutes=1), event(IMPRESSION, "u:3", {})]
            await store.apply(told, watching())
            assert await due(store) == ["u:1", "u:2"]
            assert await due(store, minutes=1.5) == await due(store, rows=1) == ["u:1"]
            assert await settle(store, "u:1", None) == await settle(store, "u:2", 600) == 1
            assert await due(store, minutes=599) == []
            assert await due(store, minutes=600) == ["u:2"]
            await store.apply([purchase("u:1", minutes=3)], watching())
            assert await due(store, minutes=599) == ["u:1"]
            await store.apply([event(JOIN, "u:4", {"from": "v:ann"}, 4)], watching())
            assert await due(store, minutes=599) == ["u:1", "u:4", "v:ann"]

        _play(make, scene)

    def test_what_happens_while_somebody_looks_is_not_missed(self, make: Make) -> None:
        async def scene(store: Store) -> None:
            await store.apply([purchase("u:1", minutes=1)], watching())
            seen = (await store.kept(WATCH, ["u:1", "u:9"]))["u:1"]
            await store.apply([purchase("u:1", minutes=1)], watching())
            looked = RowChange("u:1", seen, WATCHING.encode(Watched(None, 1)))
            assert await store.exchange(WATCH, [looked]) == 0
            assert await due(store) == ["u:1"]
            assert await store.exchange(WATCH, [RowChange("u:9", None, WATCHING.encode(Watched()))]) == 1
            assert await store.exchange(WATCH, [RowChange("u:9", None, WATCHING.encode(Watched()))]) == 0
            gone = (await store.kept(WATCH, ["u:9"]))["u:9"]
            assert await store.exchange(WATCH, [RowChange("u:9", gone, None)]) == 1
            assert await store.kept(WATCH, ["u:9"]) == {}

        _play(make, scene)

    def test_changes_of_a_segment_take_turns_and_count_once(self, make: Make) -> None:
        async def scene(store: Store) -> None:
            enters, leaves = (
                event(type_, "u:1", change_of("buyers", number), number)
                for number, type_ in ((1, SEGMENT_ENTERED), (2, SEGMENT_LEFT))
            )
            again = event(SEGMENT_ENTERED, "u:1", change_of("buyers", 1), 3)
            await store.apply([enters, enters, again], watching())
            row = WATCHING.decode((await store.kept(WATCH, ["u:1"]))["u:1"])
            assert (row.segments, row.due_at_micros) == ({"buyers"}, None)
            await store.apply([leaves], watching())
            assert WATCHING.decode((await store.kept(WATCH, ["u:1"]))["u:1"]).segments == frozenset()

        _play(make, scene)

    def test_a_message_waits_until_it_is_told_what_became_of_it(self, make: Make) -> None:
        async def scene(store: Store) -> None:
            enters = event(SEGMENT_ENTERED, "u:1", change_of("buyers", 1), 1, "first")
            other = event(SEGMENT_ENTERED, "u:1", change_of("others", 1), 1)
            leaves = event(SEGMENT_LEFT, "u:1", change_of("buyers", 2), 2, "second")
            await store.apply([enters, other, leaves], watching())
            waiting = TELLING.decode((await store.kept(OUTBOX, ["u:1"]))["u:1"]).messages
            assert {one.event_id for one in waiting.values()} == {"first", "second"}
            first, second = waiting["crm", "first"], waiting["crm", "second"]
            await store.apply([event(WEBHOOK, "u:1", outcome_of(first, DELIVERED), 3)], watching())
            assert await due(store, queue=OUTBOX) == ["u:1"]
            await store.apply([event(WEBHOOK, "u:1", outcome_of(second, GIVEN_UP), 3)], watching())
            assert await due(store, queue=OUTBOX) == []
            left = TELLING.decode((await store.kept(OUTBOX, ["u:1"]))["u:1"]).messages
            assert [one.due_at_micros for one in left.values()] == [None]
            before = await all_of(store.profiles())
            await store.rebuild(watching())
            assert TELLING.decode((await store.kept(OUTBOX, ["u:1"]))["u:1"]).messages == left
            assert await all_of(store.profiles()) == before

        _play(make, scene)

    def test_who_is_erased_waits_for_nothing(self, make: Make) -> None:
        async def scene(store: Store) -> None:
            await store.apply([purchase("u:1"), event(SEGMENT_ENTERED, "u:1", change_of("buyers", 1), 1)], watching())
            await store.erase("u:1", at=at(1_000), by="ann")
            assert await due(store) == await due(store, queue=OUTBOX) == []
            assert await store.kept(WATCH, ["u:1"]) == await store.kept(OUTBOX, ["u:1"]) == {}

        _play(make, scene)


def _play(make: Make, scene: Callable[[Store], Awaitable[None]]) -> None:
    async def whole() -> None:
        store = make()
        await store.open()
        try:
            await scene(store)
        finally:
            await store.close()

    asyncio.run(whole())
