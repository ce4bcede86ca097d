"""Between page views and the log nothing waits, and nothing is lost without being counted."""

import asyncio
import threading
from collections.abc import Callable, Coroutine, Iterator, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from personalize.errors import StoreBusy, StoreError, StoreUnavailable
from personalize.events.event import Event
from personalize.runtime import ingest as module
from personalize.runtime.ingest import Ingest
from personalize.stores.memory.store import MemoryStore
from personalize.stores.protocols import Applied
from tests.stores.samples import all_of, projectors, purchase

LONG = 3600.0


@pytest.fixture(scope="module", autouse=True)
def _retry_soon() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "FIRST_RETRY_SECONDS", 0.0)
        yield


class Place:
    """A store in memory behind a `write` that fails as it is told to."""

    def __init__(self, *failures: StoreError | None, bad: Sequence[str] = ()) -> None:
        self.store = MemoryStore()
        self.batches: list[list[str]] = []
        self.reported: list[tuple[type[Exception], int]] = []
        self.written = asyncio.Event()
        self._failures = list(failures)
        self._bad = frozenset(bad)

    def ingest(self, *, queue_size: int = 1000, batch_size: int = 100, flush_seconds: float = 0.001) -> Ingest:
        return Ingest(
            self.write,
            queue_size=queue_size,
            batch_size=batch_size,
            flush_seconds=flush_seconds,
            on_failure=self._report,
        )

    async def write(self, events: Sequence[Event]) -> Applied:
        await asyncio.sleep(0)
        failure = self._failures.pop(0) if self._failures else None
        if failure is not None:
            raise failure
        if self._bad & {event.event_id for event in events}:
            raise ZeroDivisionError("a bug of ours")
        applied = await self.store.apply(events, projectors())
        self.batches.append([event.event_id for event in events])
        self.written.set()
        return applied

    async def log(self) -> list[str]:
        return [event.event_id for event in await all_of(self.store.log())]

    def _report(self, error: Exception, lost: int) -> None:
        self.reported.append((type(error), lost))


def play(scene: Callable[[], Coroutine[None, None, None]]) -> None:
    asyncio.run(scene())


def purchases(count: int, first: int = 0) -> list[Event]:
    return [purchase(event_id=f"{number:04d}") for number in range(first, first + count)]


def ids(count: int, first: int = 0) -> list[str]:
    return [f"{number:04d}" for number in range(first, first + count)]


def put_all(ingest: Ingest, events: Sequence[Event]) -> int:
    return sum(ingest.put(event) for event in events)


def test_what_was_put_is_in_the_log_in_its_order_when_it_has_stopped() -> None:
    async def scene() -> None:
        place = Place()
        ingest = place.ingest(batch_size=10, flush_seconds=LONG)
        ingest.start()
        assert put_all(ingest, purchases(25)) == 25
        await ingest.stop()
        assert await place.log() == ids(25)
        assert [len(batch) for batch in place.batches] == [10, 10, 5]
        assert (ingest.written, ingest.dropped, ingest.failed_batches, ingest.waiting) == (25, 0, 0, 0)
        assert place.reported == []

    play(scene)


def test_a_site_may_be_started_again_on_another_loop_as_each_test_of_it_does() -> None:
    place = Place()
    ingest = place.ingest()

    async def life(number: int) -> None:
        place.written = asyncio.Event()
        ingest.start()
        ingest.put(*purchases(1, first=number))
        await place.written.wait()
        await asyncio.sleep(0.01)  # long enough to wait for the next one
        await ingest.stop()

    for number in range(3):
        asyncio.run(asyncio.wait_for(life(number), 10))
    assert [event_id for batch in place.batches for event_id in batch] == ids(3)


def test_an_event_waits_no_longer_for_others_than_it_is_told_to() -> None:
    async def scene() -> None:
        place = Place()
        ingest = place.ingest()
        ingest.start()
        ingest.put(purchase())
        await place.written.wait()
        await ingest.stop()

    play(scene)


def test_a_full_batch_does_not_wait_for_the_time_to_come() -> None:
    async def scene() -> None:
        place = Place()
        ingest = place.ingest(batch_size=3, flush_seconds=LONG)
        ingest.start()
        await asyncio.sleep(0)
        put_all(ingest, purchases(3))
        await place.written.wait()
        assert await place.log() == ids(3)
        await ingest.stop()

    play(scene)


def test_what_was_put_before_the_start_is_kept() -> None:
    async def scene() -> None:
        place = Place()
        ingest = place.ingest()
        ingest.put(purchase(event_id="early"))
        ingest.start()
        ingest.start()
        await ingest.stop()
        assert await place.log() == ["early"]

    play(scene)


def test_a_full_queue_drops_and_counts() -> None:
    async def scene() -> None:
        place = Place()
        ingest = place.ingest(queue_size=5, flush_seconds=LONG)
        assert [ingest.put(event) for event in purchases(8)] == [True] * 5 + [False] * 3
        assert (ingest.waiting, ingest.dropped) == (5, 3)
        ingest.start()
        await ingest.stop()
        assert await place.log() == ids(5)

    play(scene)


def test_no_page_view_makes_a_task() -> None:
    async def scene() -> None:
        ingest = Place().ingest(batch_size=2)
        ingest.start()
        before = asyncio.all_tasks()
        put_all(ingest, purchases(50))
        assert asyncio.all_tasks() == before
        await ingest.stop()
        assert len(asyncio.all_tasks()) == len(before) - 1

    play(scene)


def test_events_may_come_from_other_threads() -> None:
    async def scene() -> None:
        place = Place()
        ingest = place.ingest(batch_size=7, flush_seconds=LONG)
        ingest.start()
        threads = [threading.Thread(target=put_all, args=(ingest, purchases(100, 100 * n))) for n in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            await asyncio.to_thread(thread.join)
        await ingest.stop()
        assert sorted(await place.log()) == ids(400)

    play(scene)


def test_a_store_that_cannot_write_is_tried_until_it_can() -> None:
    async def scene() -> None:
        place = Place(StoreBusy(), StoreUnavailable("the disk is full"), StoreBusy())
        ingest = place.ingest(flush_seconds=LONG)
        ingest.start()
        put_all(ingest, purchases(3))
        await ingest.stop()
        assert await place.log() == ids(3)
        assert place.reported == [(StoreBusy, 0), (StoreUnavailable, 0), (StoreBusy, 0)]
        assert (ingest.written, ingest.dropped, ingest.failed_batches) == (3, 0, 3)
        assert isinstance(ingest.last_error, StoreBusy)

    play(scene)


def test_while_the_store_is_down_the_queue_stays_bounded() -> None:
    async def scene() -> None:
        place = Place(*[StoreBusy()] * 1000)
        ingest = place.ingest(queue_size=10, batch_size=4)
        ingest.start()
        accepted = 0
        for event in purchases(30):
            accepted += ingest.put(event)
            await asyncio.sleep(0)
        assert (accepted, ingest.waiting, ingest.dropped) == (10, 10, 20)
        await ingest.stop(within_seconds=0)

    play(scene)


def test_an_event_that_cannot_be_projected_is_dropped_alone() -> None:
    async def scene() -> None:
        bad = ["0000", "0005", "0006"]
        place = Place(bad=bad)
        ingest = place.ingest(batch_size=8, flush_seconds=LONG)
        ingest.start()
        put_all(ingest, purchases(20))
        await ingest.stop()
        assert await place.log() == [each for each in ids(20) if each not in bad]
        assert [lost for _, lost in place.reported if lost] == [1, 1, 1]
        assert (ingest.written, ingest.dropped) == (17, 3)
        assert isinstance(ingest.last_error, ZeroDivisionError)

    play(scene)


def test_stopping_takes_no_longer_than_it_may_and_what_is_left_is_counted() -> None:
    async def scene() -> None:
        place = Place(*[StoreUnavailable("the disk is full")] * 10**5)
        ingest = place.ingest(batch_size=4)
        ingest.start()
        put_all(ingest, purchases(10))
        await ingest.stop(within_seconds=0.01)
        assert (ingest.written, ingest.dropped, ingest.waiting) == (0, 10, 0)
        assert place.reported[-1] == (StoreUnavailable, 10)
        assert await place.log() == []
        assert len(asyncio.all_tasks()) == 1

    play(scene)


def test_a_write_that_hangs_is_given_up_when_stopping() -> None:
    async def scene() -> None:
        lost: list[tuple[Exception, int]] = []
        begun = asyncio.Event()

        async def hang(events: Sequence[Event]) -> Applied:
            begun.set()
            await asyncio.Event().wait()
            return Applied(0, 0)

        ingest = Ingest(hang, flush_seconds=0.001, on_failure=lambda error, count: lost.append((error, count)))
        ingest.start()
        ingest.put(purchase())
        await begun.wait()
        ingest.put(purchase())
        await ingest.stop(within_seconds=0.01)
        ((error, count),) = lost
        assert count == ingest.dropped == 2
        assert isinstance(error, TimeoutError)

    play(scene)


def test_after_the_stop_nothing_is_taken_in_silence() -> None:
    async def scene() -> None:
        place = Place()
        ingest = place.ingest()
        ingest.start()
        await ingest.stop()
        assert ingest.put(purchase()) is False
        assert ingest.dropped == 1
        ingest.start()
        assert ingest.put(purchase(event_id="again")) is True
        await ingest.stop()
        assert await place.log() == ["again"]

    play(scene)


def test_what_is_recorded_is_durable_and_passes_the_queue() -> None:
    async def scene() -> None:
        place = Place()
        ingest = place.ingest(flush_seconds=LONG)
        ingest.start()
        ingest.put(purchase(event_id="queued"))
        event = purchase(event_id="recorded")
        assert await ingest.record([event]) == Applied(new=1, repeated=0)
        assert await place.log() == ["recorded"]
        assert await ingest.record([event]) == Applied(new=0, repeated=1)
        await ingest.stop()
        assert await place.log() == ["recorded", "queued"]
        assert ingest.written == 3

    play(scene)


def test_who_records_hears_of_a_failure() -> None:
    async def scene() -> None:
        place = Place(StoreBusy())
        ingest = place.ingest()
        with pytest.raises(StoreBusy):
            await ingest.record([purchase()])
        assert (ingest.written, ingest.dropped, ingest.waiting) == (0, 0, 0)

    play(scene)


@given(
    count=st.integers(0, 40),
    bad=st.sets(st.integers(0, 39), max_size=6),
    failures=st.lists(st.sampled_from([None, StoreBusy()]), max_size=6),
    batch_size=st.integers(1, 9),
    queue_size=st.integers(1, 50),
)
def test_every_event_is_written_once_or_counted_as_dropped(
    count: int, bad: set[int], failures: list[StoreError | None], batch_size: int, queue_size: int
) -> None:
    async def scene() -> None:
        place = Place(*failures, bad=[f"{number:04d}" for number in bad])
        ingest = place.ingest(batch_size=batch_size, queue_size=queue_size, flush_seconds=LONG)
        ingest.start()
        accepted = [event.event_id for event in purchases(count) if ingest.put(event)]
        await ingest.stop()
        assert await place.log() == [each for each in accepted if int(each) not in bad]
        assert ingest.written == len(await place.log())
        assert ingest.written + ingest.dropped == count
        assert sum(lost for _, lost in place.reported) == ingest.dropped - (count - len(accepted))

    play(scene)
