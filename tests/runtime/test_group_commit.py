"""What several record at once shares a write, and nobody hears of what befell others."""

import asyncio
from collections.abc import Callable, Coroutine, Sequence

import pytest

from personalize.errors import StoreBusy
from personalize.events.event import Event
from personalize.runtime.group_commit import GroupCommit
from personalize.stores.memory import MemoryStore
from personalize.stores.protocols import Applied, Outcome
from tests.stores.samples import all_of, projectors, purchase


class Place:
    """A store in memory behind a write that takes a while, and fails as it is told to."""

    def __init__(self, *, bad: str = "", busy: int = 0, most_events: int = 100) -> None:
        self.store = MemoryStore()
        self.batches: list[list[str]] = []
        self.commit = GroupCommit(self.write, most_events)
        self._bad = bad
        self._busy = busy

    async def write(self, events: Sequence[Event]) -> Applied:
        self.batches.append([event.event_id for event in events])
        await asyncio.sleep(0)
        self._busy -= 1
        if self._busy >= 0:
            raise StoreBusy("the store")
        if self._bad in self.batches[-1]:
            raise ZeroDivisionError("a bug of ours")
        return await self.store.apply(events, projectors())

    async def all(self, *calls: str) -> list[Applied | BaseException]:
        """What calls hear that come together, each with the events of these letters."""
        writes = (self.commit.write([purchase(event_id=one) for one in call]) for call in calls)
        return await asyncio.gather(*writes, return_exceptions=True)


def play(scene: Callable[[], Coroutine[None, None, None]]) -> None:
    asyncio.run(scene())


def test_calls_that_come_while_one_is_written_share_the_next_write() -> None:
    async def scene() -> None:
        place = Place()
        first = asyncio.create_task(place.all("a"))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        heard = await place.all("b", "c", "d")
        assert place.batches == [["a"], ["b", "c", "d"]]
        assert heard == [Applied(1, 0)] * 3 == await first * 3
        assert [event.event_id for event in await all_of(place.store.log())] == ["a", "b", "c", "d"]
        assert await place.all("e") == [Applied(1, 0)]

    play(scene)


def test_each_call_hears_what_became_of_its_own_events() -> None:
    async def scene() -> None:
        place = Place()
        await place.all("b")
        one, two, three = await place.all("ab", "b", "c")
        assert place.batches[-1] == ["a", "b", "b", "c"]
        assert (one, two, three) == (Applied(1, 1), Applied(0, 1), Applied(1, 0))
        assert isinstance(one, Applied) and [one.outcome(place) for place in (0, 1)] == [Outcome.NEW, Outcome.REPEATED]
        assert isinstance(two, Applied) and two.outcome(0) == Outcome.REPEATED

    play(scene)


def test_a_refusal_reaches_the_call_that_brought_the_event() -> None:
    async def scene() -> None:
        place = Place()
        event = purchase(event_id="c")
        await place.store.raise_floor(event.occurred_at.replace(year=event.occurred_at.year + 1))
        first, other = await place.all("c", "d")
        assert isinstance(first, Applied) and [one.event.event_id for one in first.refused] == ["c"]
        assert isinstance(other, Applied) and [one.event.event_id for one in other.refused] == ["d"]

    play(scene)


def test_an_event_that_can_not_be_projected_fails_its_own_call_alone() -> None:
    async def scene() -> None:
        place = Place(bad="b")
        one, two, three = await place.all("a", "b", "c")
        assert (one, three) == (Applied(1, 0), Applied(1, 0))
        assert isinstance(two, ZeroDivisionError)

    play(scene)


def test_where_the_store_can_not_write_all_calls_hear_so_and_the_next_one_is_tried() -> None:
    async def scene() -> None:
        place = Place(busy=1)
        assert [type(one) for one in await place.all("a", "b")] == [StoreBusy, StoreBusy]
        assert place.batches == [["a", "b"]]
        assert await place.all("a") == [Applied(1, 0)]

    play(scene)


def test_events_of_one_call_stay_together_and_a_write_takes_no_more_than_it_may() -> None:
    async def scene() -> None:
        place = Place(most_events=3)
        await place.all("a", "bc", "de", "fghij", "k")
        assert place.batches == [["a", "b", "c"], ["d", "e"], ["f", "g", "h", "i", "j"], ["k"]]

    play(scene)


def test_a_call_that_is_broken_off_takes_no_other_with_it() -> None:
    async def scene() -> None:
        place = Place()
        calls = [asyncio.create_task(place.commit.write([purchase(event_id=one)])) for one in "abc"]
        await asyncio.sleep(0)
        calls[1].cancel()
        with pytest.raises(asyncio.CancelledError):
            await calls[1]
        assert [await calls[0], await calls[2]] == [Applied(1, 0)] * 2

    play(scene)
