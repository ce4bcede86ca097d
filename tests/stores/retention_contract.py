"""What every store promises of retention: what is too old goes from the log and from what was made of it, together."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from types import MappingProxyType
from unittest import mock

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from personalize.events.event import KEPT_TOTALS, Event
from personalize.events.schema import Attribute, EventType, Schema, Shape, ValueType
from personalize.privacy_settings import PrivacySettings, PurposeAge
from personalize.profiles.outbox import OutboxProjector
from personalize.profiles.profile import Profile, Totals
from personalize.profiles.project import ProfileProjector
from personalize.profiles.watched import WATCH, Standing, WatchProjector, change_of
from personalize.runtime.jobs import ageing
from personalize.runtime.jobs.removing import Removed
from personalize.runtime.jobs.retention import remove_old
from personalize.stores.floors import Floors
from personalize.stores.protocols import Outcome, Store
from tests.stores import samples
from tests.stores.erasure_contract import join
from tests.stores.filling_contract import Make, drawn, play
from tests.stores.samples import all_of, at, event, purchase
from tests.trust.trials import trials

_AMOUNT: Mapping[str, Shape] = MappingProxyType({"amount": Shape(ValueType.MONEY)})
#: Purchases go at 30 minutes and leave their totals, loans at 30 and leave nothing; letters serve a purpose of theirs.
SCHEMA = Schema(
    attributes={"size": Attribute("size", Shape(ValueType.TEXT), purpose="mail")},
    events={
        "purchase": EventType("purchase", _AMOUNT, value="amount", keep=timedelta(minutes=30), keeps_totals=True),
        "loan": EventType("loan", _AMOUNT, value="amount", keep=timedelta(minutes=30)),
        "letter": EventType("letter", purpose="mail"),
    },
)
PRIVACY = PrivacySettings(forget_after=timedelta(days=1))
PROJECTORS = (ProfileProjector(SCHEMA),)


async def swept(store: Store, minutes: float, privacy: PrivacySettings = PRIVACY, schema: Schema = SCHEMA) -> Removed:
    """A round at this moment."""
    removed = await remove_old(store, privacy, schema, PROJECTORS, version=None, now=at(minutes))
    assert removed is not None
    return removed


async def known(store: Store, profile_id: str) -> Profile:
    profile = await store.profile(profile_id)
    assert profile is not None
    return profile


async def is_as_rebuilt(store: Store) -> None:
    """What is served is what the log makes."""
    live, log = await all_of(store.profiles()), await all_of(store.log())
    assert await store.rebuild(PROJECTORS) == len(log)
    assert await all_of(store.profiles()) == live


async def types_of(store: Store, profile_id: str) -> list[str]:
    return [each.type for each in await all_of(store.history(profile_id))][::-1]


class RetentionContract:
    """The laws of retention; `make` comes from the whole suite."""

    def test_totals_stay_when_the_events_go_and_go_on_with_those_that_come(self, make: Make) -> None:
        async def scene(store: Store) -> None:
            await store.apply([purchase("u:1", 100, 1), purchase("u:1", 300, 0), purchase("u:2", 7, 35)], PROJECTORS)
            before = await known(store, "u:1")
            assert (await swept(store, 32)).events == 2
            (kept,) = await all_of(store.history("u:1"))
            assert (kept.type, kept.occurred_at, kept.received_at) == (KEPT_TOTALS, at(1), at(32))
            after = await known(store, "u:1")
            assert after.totals == before.totals == {"purchase": Totals(2, 400, at(0), at(1), 300, 100)}
            assert (after.first_seen_at, after.last_seen_at) == (at(0), at(1))
            await store.apply([purchase("u:1", 50, 40)], PROJECTORS)
            assert (await known(store, "u:1")).totals["purchase"] == Totals(3, 450, at(0), at(40), 300, 50)
            await swept(store, 80)
            assert await types_of(store, "u:1") == [KEPT_TOTALS]
            assert (await known(store, "u:1")).totals["purchase"] == Totals(3, 450, at(0), at(40), 300, 50)
            assert (await known(store, "u:2")).totals["purchase"].count == 1
            assert await swept(store, 80) == Removed()
            await is_as_rebuilt(store)

        play(make, scene)

    def test_each_type_goes_at_its_own_age_and_is_not_taken_again(self, make: Make) -> None:
        async def scene(store: Store) -> None:
            loan, letter = event("loan", "u:1", {"amount": 5}, 1), event("letter", "u:1", {}, 1)
            bought = purchase("u:1", 100, 1)
            await store.apply([loan, letter, bought, event("page_view", "u:1", {"path": "/"}, 1)], PROJECTORS)
            assert (await swept(store, 32)).events == 2
            assert await types_of(store, "u:1") == ["letter", "page_view", KEPT_TOTALS]
            assert set((await known(store, "u:1")).totals) == {"letter", "purchase"}
            assert await store.floors() == Floors(None, {"purchase": at(2), "loan": at(2)})
            applied = await store.apply([bought, loan, letter], PROJECTORS)
            assert [applied.outcome(place) for place in range(3)] == [
                *(Outcome.REFUSED, Outcome.REFUSED, Outcome.REPEATED)
            ]
            await is_as_rebuilt(store)

        play(make, scene)

    def test_what_serves_a_purpose_goes_at_the_age_of_that_and_the_shorter_age_holds(self, make: Make) -> None:
        async def scene(store: Store) -> None:
            said = [event("set", "u:1", {"size": "M", "name": "Ann"}, 1), event("set", "u:1", {"name": "Bo"}, 2)]
            await store.apply([*said, event("letter", "u:1", {}, 1), purchase("u:1", 1, 1)], PROJECTORS)
            ages = (PurposeAge("mail", timedelta(minutes=10)), PurposeAge("personalize", timedelta(minutes=90)))
            privacy = replace(PRIVACY, keep=ages, keep_events=timedelta(minutes=60))
            assert (await swept(store, 12, privacy)).events == 2
            assert [dict(each.properties) for each in await all_of(store.history("u:1"))][::-1] == [
                *({"name": "Ann"}, {"name": "Bo"}, {"amount": 1})
            ]
            assert (await swept(store, 92, privacy)).events == 2
            assert await types_of(store, "u:1") == ["set", KEPT_TOTALS]
            assert (await known(store, "u:1")).attributes["name"].value == "Bo"
            await is_as_rebuilt(store)

        play(make, scene)

    def test_what_a_join_took_along_stays_where_it_is_and_comes_back_when_that_is_undone(self, make: Make) -> None:
        async def scene(store: Store) -> None:
            mine = [purchase("v:ann", 1, 0), purchase("v:ann", 2, 1), join("u:1", "v:ann", 2), purchase("v:ann", 4, 3)]
            await store.apply([*mine, purchase("u:1", 8, 1.5)], PROJECTORS)
            before = [(await known(store, each)).totals for each in ("v:ann", "u:1")]
            await swept(store, 40)
            assert [(await known(store, each)).totals for each in ("v:ann", "u:1")] == before
            await is_as_rebuilt(store)
            await store.apply([event("undo", "u:1", {"from": "v:ann"}, 50)], PROJECTORS)
            assert (await known(store, "v:ann")).totals["purchase"] == Totals(3, 7, at(0), at(3), 1, 4)
            assert (await known(store, "u:1")).totals["purchase"].sum == 8
            await swept(store, 60)
            await is_as_rebuilt(store)

        play(make, scene)

    def test_what_was_taken_back_is_in_no_total(self, make: Make) -> None:
        async def scene(store: Store) -> None:
            bought = [purchase("u:1", 1, 0, "a"), purchase("u:1", 2, 1, "b")]
            await store.apply([*bought, event("retract", "u:1", {"event_id": "a"}, 2)], PROJECTORS)
            await swept(store, 40)
            assert (await known(store, "u:1")).totals["purchase"] == Totals(1, 2, at(1), at(1), 2, 2)
            await is_as_rebuilt(store)

        play(make, scene)

    def test_amounts_of_another_property_are_no_part_of_the_sum(self, make: Make) -> None:
        async def scene(store: Store) -> None:
            await store.apply([purchase("u:1", 100, 0)], PROJECTORS)
            await swept(store, 40)
            other = replace(SCHEMA.events["purchase"], value="weight")
            anew = (ProfileProjector(Schema(events={"purchase": other})),)
            await store.rebuild(anew)
            assert (await known(store, "u:1")).totals["purchase"] == Totals(1, 0, at(0), at(0), None, None)

        play(make, scene)

    def test_totals_go_too_once_they_are_not_to_be_kept_any_more(self, make: Make) -> None:
        async def scene(store: Store) -> None:
            await store.apply([purchase("u:1", 100, 0), event("letter", "u:1", {}, 1)], PROJECTORS)
            await swept(store, 40)
            bare = replace(SCHEMA.events["purchase"], keeps_totals=False)
            schema = replace(SCHEMA, events={**SCHEMA.events, "purchase": bare})
            assert (await swept(store, 41, schema=schema)).events == 1
            assert await types_of(store, "u:1") == ["letter"]
            assert set((await known(store, "u:1")).totals) == {"letter"}

        play(make, scene)

    def test_where_somebody_stands_with_a_watched_segment_stays_known(self, make: Make) -> None:
        async def scene(store: Store) -> None:
            watching = (*PROJECTORS, WatchProjector(), OutboxProjector({"buyers": ("crm",)}))
            changes = [
                event("segment_entered", "u:1", change_of("buyers", 1), 1),
                event("segment_left", "u:1", change_of("buyers", 2), 2),
                event("segment_entered", "u:1", change_of("buyers", 3), 3),
            ]
            await store.apply([event("loan", "u:1", {"amount": 1}, 1), *changes], watching)
            privacy = replace(PRIVACY, keep_events=timedelta(minutes=30))
            removed = await remove_old(store, privacy, SCHEMA, watching, version=None, now=at(50))
            assert removed == Removed(0, 3)
            assert await all_of(store.history("u:1")) == changes[2:]
            row = WatchProjector().decode((await store.kept(WATCH, ["u:1"]))["u:1"])
            assert row.standings == {"buyers": Standing(3, is_in=True)}
            await store.apply([event("segment_left", "u:1", change_of("buyers", 4), 51)], watching)
            row = WatchProjector().decode((await store.kept(WATCH, ["u:1"]))["u:1"])
            assert row.segments == frozenset()

        play(make, scene)

    def test_only_stretches_of_the_log_in_which_something_is_too_old_are_read_again(
        self, make: Make, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(ageing, "STRETCH", 3)

        async def scene(store: Store) -> None:
            log = [event("loan", f"u:{number % 4}", {"amount": 1}, number) for number in range(12)]
            await store.apply(log[:11], PROJECTORS)
            await swept(store, 5)
            read: list[tuple[int, int]] = []
            entries = store.entries

            async def counted(after: int, until: int) -> list[Event]:
                read.append((after, until))
                return list(await entries(after, until))

            monkeypatch.setattr(store, "entries", counted)
            assert await swept(store, 6) == Removed()
            assert read == [(9, 11)]
            await store.apply(log[11:], PROJECTORS)
            read.clear()
            assert (await swept(store, 33.5)).events == 4
            assert set(read) == {(0, 3), (3, 6), (9, 12), (12, 12)}
            assert [each.occurred_at for each in await all_of(store.log())] == [at(minutes) for minutes in range(4, 12)]
            read.clear()
            assert await swept(store, 33.9) == Removed()
            assert read == [(12, 12)]
            # By other rules everything is looked at once.
            await swept(store, 34, replace(PRIVACY, keep_events=timedelta(minutes=25)))
            assert {(0, 3), (3, 6), (6, 9), (9, 12)} <= set(read)
            assert (await all_of(store.log()))[0].occurred_at == at(9)

        play(make, scene)

    def test_a_stretch_keeps_its_place_when_others_shrink(self, make: Make) -> None:
        async def scene(store: Store) -> None:
            log = [purchase("u:1", number, number) for number in range(5)]
            await store.apply(log, ())
            assert await store.last_entry() == 5
            assert list(await store.entries(1, 3)) == log[1:3]
            await store.apply([], PROJECTORS)
            await store.trim("u:1", lambda each: None if each in log[:2] or each == log[4] else each, PROJECTORS)
            assert list(await store.entries(0, 3)) == [log[2]]
            assert list(await store.entries(3, 5)) == [log[3]]
            assert await store.last_entry() == 5
            await store.apply([purchase("u:2")], PROJECTORS)
            assert [each.profile_id for each in await store.entries(5, 9)] == ["u:2"]
            assert await store.last_entry() == 6

        play(make, scene)

    @pytest.mark.trust
    @settings(drawn, max_examples=trials(4, 200))
    @given(batches=samples.batches, rounds=st.lists(st.integers(0, 700), min_size=1, max_size=2), data=st.data())
    def test_after_any_round_rebuilt_equals_live_and_nothing_is_left_to_do(
        self, make: Make, batches: Sequence[Sequence[Event]], rounds: Sequence[int], data: st.DataObject
    ) -> None:
        turns = [*data.draw(st.permutations([*batches, *rounds])), max(rounds)]
        privacy = replace(PRIVACY, keep_events=timedelta(minutes=100), forget_after=timedelta(minutes=200))

        async def scene(store: Store) -> None:
            now = 0
            for turn in turns:
                if isinstance(turn, int):
                    now = max(now, turn)
                    await swept(store, now, privacy)
                    assert await swept(store, now, privacy) == Removed()
                else:
                    await store.apply(turn, PROJECTORS)
            left = [each for each in await all_of(store.log()) if each.type == "purchase"]
            assert all(each.occurred_at >= at(now - 30) for each in left)
            await is_as_rebuilt(store)

        with mock.patch.object(ageing, "STRETCH", 4):
            play(make, scene)
