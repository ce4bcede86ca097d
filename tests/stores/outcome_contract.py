"""What every store says of each event it is given: new, repeated, conflicting, or refused as older than the log."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from personalize.events.event import Event
from personalize.stores.floors import NO_FLOORS, Floors
from personalize.stores.protocols import Applied, Outcome, Store
from personalize.stores.refusing import Refusal, Refused
from tests.stores.filling_contract import Make, play
from tests.stores.samples import all_of, at, event, projectors, purchase

NEW, REPEATED, CONFLICTING, REFUSED = Outcome


def outcomes(applied: Applied, events: int) -> list[Outcome]:
    """What became of each event of a batch of so many."""
    return [applied.outcome(place) for place in range(events)]


class OutcomeContract:
    """The laws of repeating; `make` comes from the whole suite."""

    def test_each_event_of_a_batch_has_an_outcome_and_the_first_that_was_told_is_kept(self, make: Make) -> None:
        async def scene(store: Store) -> None:
            first, second = purchase(event_id="a", amount=100), purchase(event_id="b", amount=20)
            other = replace(first, properties={"amount": 999})
            applied = await store.apply([first, other, second, first], projectors())
            assert applied == Applied(new=2, repeated=1, conflicting=1)
            assert outcomes(applied, 4) == [NEW, CONFLICTING, NEW, REPEATED]
            again = await store.apply([purchase(event_id="c"), other, second], projectors())
            assert outcomes(again, 3) == [NEW, CONFLICTING, REPEATED]
            assert [each.properties["amount"] for each in await all_of(store.log())] == [100, 20, 100]
            profile = await store.profile("v:ann")
            assert profile is not None and profile.totals["purchase"].sum == 220

        play(make, scene)

    def test_who_says_that_it_occurred_at_the_very_moment_it_came_in_may_say_so_again(self, make: Make) -> None:
        async def scene(store: Store) -> None:
            first = replace(purchase(event_id="a"), received_at=at(0))
            await store.apply([first], projectors())
            again = replace(first, received_at=at(60))
            assert outcomes(await store.apply([again], projectors()), 1) == [REPEATED]

        play(make, scene)

    @pytest.mark.parametrize(
        "changed",
        [
            {"type": "refund"},
            {"profile_id": "v:bob"},
            {"channel": "till"},
            {"occurred_at": at(1)},
            {"properties": {"amount": 100, "items": [{"tag": "tents"}]}},
            {"properties": {}},
        ],
        ids=" and ".join,
    )
    def test_whoever_says_anything_else_under_the_same_id_contradicts_it(self, make: Make, changed: dict) -> None:  # type: ignore[type-arg]
        async def scene(store: Store) -> None:
            first = purchase(event_id="a")
            await store.apply([first], projectors())
            assert outcomes(await store.apply([replace(first, **changed)], projectors()), 1) == [CONFLICTING]
            assert await all_of(store.log()) == [first]

        play(make, scene)

    def test_what_we_add_to_an_event_is_nothing_that_its_sender_said(self, make: Make) -> None:
        async def scene(store: Store) -> None:
            told = {"amount": Decimal("1.50"), "items": [{"tag": "tents", "left": None}]}
            first = event("noted", properties=told, event_id="a")
            later = {"received_at": first.received_at + timedelta(hours=1), "version": "v2"}
            swapped = {"items": [{"left": None, "tag": "tents"}], "amount": Decimal("1.5")}
            await store.apply([first], projectors())
            retries = [replace(first, **later), replace(first, properties=swapped)]
            assert outcomes(await store.apply(retries, projectors()), 2) == [REPEATED, REPEATED]

        play(make, scene)

    def test_who_did_not_say_when_repeats_it_by_saying_the_same_again(self, make: Make) -> None:
        def untimed(minutes: float) -> Event:
            return replace(purchase(minutes=minutes, event_id="a"), received_at=at(minutes))

        async def scene(store: Store) -> None:
            applied = await store.apply([untimed(0), untimed(5)], projectors())
            assert outcomes(applied, 2) == [NEW, REPEATED]
            timed = purchase(minutes=5, event_id="a")
            assert outcomes(await store.apply([timed], projectors()), 1) == [CONFLICTING]

        play(make, scene)

    def test_what_is_older_than_the_log_is_refused_and_says_so(self, make: Make) -> None:
        async def scene(store: Store) -> None:
            before, first, late = purchase(event_id="a"), purchase(minutes=10), purchase(minutes=9.9)
            assert await store.floors() == NO_FLOORS
            await store.apply([before], projectors())
            await store.raise_floors(Floors(at(10)))
            await store.raise_floors(Floors(at(3)))
            assert await store.floors() == Floors(at(10))
            applied = await store.apply([late, first, before, first], projectors())
            assert outcomes(applied, 4) == [REFUSED, NEW, REFUSED, REPEATED]
            assert applied.refused == (Refused(late, Refusal.TOO_OLD), Refused(before, Refusal.TOO_OLD))
            past = await store.as_of(at(60), projectors())
            assert await past.floors() == Floors(at(10))
            assert await all_of(past.log()) == [before, first]

        play(make, scene)
