"""Many who record at once share transactions; what one of them did wrong, nobody else hears of."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence

import pytest

from personalize.errors import StaleVersion, StoreBusy, StoreError, StoreUnavailable
from personalize.events.event import Event
from personalize.stores.protocols import Applied, Outcome, Projector
from personalize.stores.refusing import Refusal, Refused
from personalize.stores.shared_commits import MOST_EVENTS_OF_A_COMMIT, SharedCommits
from tests.stores.contract import opened
from tests.stores.postgres.test_applying import NewUrl, count_of, store_at
from tests.stores.postgres.test_schema import watch
from tests.stores.samples import all_of, projectors, purchase

PROJECTORS = projectors()


class Log:
    """Takes what it is given after a moment, but for what is called "bad"; notes what was given together."""

    def __init__(self, error: Exception | None = None) -> None:
        self.written: list[list[str]] = []
        self._error = error

    async def apply(self, events: Sequence[Event], projectors: Sequence[Projector], version: str | None) -> Applied:
        ids = [event.event_id for event in events]
        self.written.append(ids)
        await asyncio.sleep(0.001)
        if "bad" in ids:
            raise self._error or ValueError("no row can hold this")
        others = {place: Outcome.REFUSED for place, each in enumerate(ids) if each == "old"}
        refused = tuple(Refused(events[place], Refusal.TOO_OLD) for place in others)
        return Applied(len(events) - len(others), 0, refused, others=others)


def writing(log: Log, *batches: Sequence[str], version: Callable[[int], str] = lambda _: "v1") -> list[object]:
    """What became of batches that come at once, each of events with these ids; they are written one after the other."""

    async def run() -> list[object]:
        writer = SharedCommits(log.apply)
        sent = [[purchase(event_id=each) for each in batch] for batch in batches]
        calls = [writer.write(batch, PROJECTORS, version(number)) for number, batch in enumerate(sent)]
        return await asyncio.wait_for(asyncio.gather(*calls, return_exceptions=True), 5)

    return asyncio.run(run())


def test_what_comes_at_once_is_written_together_and_each_hears_of_their_own() -> None:
    log = Log()
    applied = writing(log, ["a", "b"], ["old", "c"], [], ["d"])
    assert log.written == [["a", "b", "old", "c", "d"]]
    assert [(each.new, len(each.refused), each.others) for each in applied] == [  # type: ignore[attr-defined]
        (2, 0, {}),
        (1, 1, {0: Outcome.REFUSED}),
        (0, 0, {}),
        (1, 0, {}),
    ]


def test_an_event_at_fault_takes_nobody_down() -> None:
    log = Log()
    good, bad, other = writing(log, ["a"], ["b", "bad"], ["c"])
    assert isinstance(bad, ValueError)
    assert good == other == Applied(1, 0)
    assert log.written == [["a", "b", "bad", "c"], ["a"], ["b", "bad"], ["c"]]


def test_who_waits_for_a_lock_of_others_holds_up_nobody_else() -> None:
    good, bad = writing(Log(StoreBusy("others hold what is asked for")), ["a"], ["bad"])
    assert good == Applied(1, 0)
    assert isinstance(bad, StoreBusy)


@pytest.mark.parametrize("error", [StoreUnavailable("it is gone"), StaleVersion("v2")], ids=type)
def test_what_is_nobodys_fault_is_not_tried_for_each(error: Exception) -> None:
    log = Log(error)
    assert writing(log, ["a"], ["bad"], ["c"]) == [error] * 3
    assert len(log.written) == 1


def test_a_store_says_what_else_is_nobodys_fault() -> None:
    """A locked file is so for all: who tried for each of them would wait as often as there are calls."""
    log = Log(StoreBusy("the file is locked"))

    async def run() -> list[object]:
        commits = SharedCommits(log.apply, of_all=(StoreError,))
        calls = [commits.write([purchase(event_id=one)], PROJECTORS, None) for one in ("a", "bad")]
        return await asyncio.gather(*calls, return_exceptions=True)

    assert [type(one) for one in asyncio.run(run())] == [StoreBusy] * 2
    assert log.written == [["a", "bad"]]


def test_what_is_for_other_rules_is_written_apart_and_a_transaction_does_not_grow_for_ever() -> None:
    log = Log()
    writing(log, ["a"], ["b"], ["c"], version=lambda number: f"v{number // 2}")
    assert log.written == [["a", "b"], ["c"]]
    log = Log()
    writing(log, ["x"] * (MOST_EVENTS_OF_A_COMMIT - 1), ["y"], ["z"], ["x"] * (2 * MOST_EVENTS_OF_A_COMMIT))
    assert [len(each) for each in log.written] == [MOST_EVENTS_OF_A_COMMIT, 1, 2 * MOST_EVENTS_OF_A_COMMIT]


def played(scene: Callable[[SharedCommits, Log], Awaitable[None]], *, at_once: int = 1) -> None:
    """Play a scene with a writer of a log."""

    async def run() -> None:
        log = Log()
        await asyncio.wait_for(scene(SharedCommits(log.apply, at_once=at_once), log), 5)

    asyncio.run(run())


def test_whoever_comes_in_the_moment_that_the_last_was_answered_is_written_too() -> None:
    async def scene(writer: SharedCommits, log: Log) -> None:
        for number in range(3):
            await writer.write([purchase(event_id=f"e{number}")], PROJECTORS, None)
        assert log.written == [["e0"], ["e1"], ["e2"]]

    played(scene)


def test_who_does_not_wait_any_more_is_not_written_unless_it_is_under_way() -> None:
    async def scene(writer: SharedCommits, log: Log) -> None:
        calls = []
        for name in ("under way", "given up", "patient"):
            calls.append(asyncio.ensure_future(writer.write([purchase(event_id=name)], PROJECTORS, None)))
            await asyncio.sleep(0)
            await asyncio.sleep(0)
        calls[0].cancel()
        calls[1].cancel()
        assert await calls[2] == Applied(1, 0)
        assert log.written == [["under way"], ["patient"]]

    played(scene)


def test_finishing_waits_for_all_that_was_given() -> None:
    async def scene(writer: SharedCommits, log: Log) -> None:
        calls = [asyncio.ensure_future(writer.write([purchase()], PROJECTORS, None)) for _ in range(3)]
        await asyncio.sleep(0)
        await writer.finish()
        assert sum(map(len, log.written)) == 3
        assert await asyncio.gather(*calls) == [Applied(1, 0)] * 3

    played(scene, at_once=2)


def test_tills_that_each_wait_for_their_event_share_transactions_and_each_event_is_there_when_it_is_answered(
    postgres_url: NewUrl, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent = watch(monkeypatch)

    async def run() -> None:
        url = postgres_url()
        async with opened(store_at(url)) as store, opened(store_at(url)) as other:
            await store.apply([purchase("v:till0")], PROJECTORS)
            sent.clear()

            async def till(number: int) -> None:
                for _ in range(5):
                    applied = await store.apply([purchase(f"v:till{number % 7}")], PROJECTORS)
                    assert applied.new == 1
                assert (await count_of(other, f"v:till{number % 7}"))[0] >= 5, "another machine sees it"

            await asyncio.gather(*map(till, range(20)))
            assert len(await all_of(store.log())) == 101
            assert sum(statement == "COMMIT" for statement in sent) < 50

    asyncio.run(run())
