"""What happened on a page view becomes events when it is written, and not before."""

import asyncio
from datetime import UTC, datetime

from personalize.decisions.context import RequestFacts
from personalize.decisions.decision import Decision, Reason
from personalize.events.event import IMPRESSION, JOIN, PAGE_VIEW
from personalize.runtime.page_events import Happening, PageEvents, filling_of, page_facts
from tests.runtime.test_ingest import LONG, Place
from tests.stores.samples import purchase

AT = datetime(2026, 11, 21, 12, tzinfo=UTC)
FACTS = RequestFacts(path="/shop", query={"secret": ("x",)}, device="mobile", language="nb")
SHOWN = filling_of(Decision("home-hero", ("articles/storm",), "lapsed", Reason.RULE, personal=True, version="abc"))


def page(*told: str) -> PageEvents:
    return PageEvents("v:ann", AT, "abc", page_facts(FACTS), [SHOWN], [Happening(one, {}) for one in told])


def test_a_page_view_and_all_that_stood_on_it_make_two_events() -> None:
    viewed, impression = page().events(bytes(10))
    assert (viewed.type, viewed.properties) == (PAGE_VIEW, {"path": "/shop", "device": "mobile", "language": "nb"})
    slots = [{"slot": "home-hero", "items": ["articles/storm"], "rule": "lapsed"}]
    assert (impression.type, impression.properties) == (IMPRESSION, {"slots": slots})
    for event in (viewed, impression):
        assert (event.profile_id, event.occurred_at, event.received_at, event.version) == ("v:ann", AT, AT, "abc")


def test_events_of_one_page_view_have_ids_of_their_own_in_their_order() -> None:
    events = page(*["look"] * 300).events(b"0123456789")
    ids = [event.event_id for event in events]
    assert ids[:256] == sorted(ids[:256]) and len(set(ids)) == len(ids)
    assert [event_id[-2:] for event_id in ids[:18]] == [f"{number:02x}" for number in range(18)]


def test_what_counts_once_for_ever_keeps_its_id() -> None:
    join = PageEvents("u:ann", AT, None, told=[Happening(JOIN, {"from": "v:ann"}, "join:v:ann")])
    assert [event.event_id for event in join.events(bytes(10))] == ["join:v:ann"]


def test_it_knows_how_many_events_it_makes() -> None:
    for happened in (page(), page("look"), PageEvents("v:ann", AT, None), PageEvents("v:ann", AT, None, shown=[SHOWN])):
        assert len(happened) == len(happened.events(bytes(10)))


def test_page_views_and_events_are_written_in_their_order_and_in_batches_of_their_size() -> None:
    async def scene() -> list[list[str]]:
        place = Place()
        ingest = place.ingest(batch_size=3, flush_seconds=LONG)
        ingest.put(purchase(event_id="first"))
        ingest.put(page())
        ingest.put(PageEvents("v:ann", AT, None))
        ingest.put(PageEvents("v:ann", AT, None, told=[Happening("look", {}, f"look {n}") for n in range(4)]))
        ingest.put(purchase(event_id="last"))
        assert ingest.waiting == 8
        ingest.start()
        await ingest.stop()
        assert (ingest.written, ingest.waiting) == (8, 0)
        return place.batches

    first, *others = asyncio.run(scene())
    assert first[0] == "first"
    assert [len(first), *map(len, others)] == [3, 3, 1, 1]
    assert [one for batch in others for one in batch] == ["look 0", "look 1", "look 2", "look 3", "last"]


def test_a_page_view_that_does_not_fit_in_the_queue_is_dropped_whole_and_counted() -> None:
    ingest = Place().ingest(queue_size=5)
    assert [ingest.put(page("look")) for _ in range(2)] == [True, False]
    assert (ingest.waiting, ingest.dropped) == (3, 3)
