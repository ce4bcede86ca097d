"""Laws of retention: whatever was told in whatever order, a round removes what is too old, and nothing else changes."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from unittest import mock

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from personalize.events.event import KEPT_TOTALS, PAGE_VIEW, Event
from personalize.events.schema import Schema
from personalize.privacy_settings import PrivacySettings, PurposeAge
from personalize.profiles.profile import Profile
from personalize.profiles.project import ProfileProjector
from personalize.runtime.jobs import ageing
from personalize.runtime.jobs.removing import Removed
from personalize.runtime.jobs.retention import remove_old
from personalize.stores.memory.store import MemoryStore
from tests.stores import samples
from tests.stores.erasure_contract import KEYS
from tests.stores.samples import SCHEMA, all_of, at
from tests.trust.trials import trials

pytestmark = pytest.mark.trust
PROJECTORS = [ProfileProjector(SCHEMA)]
ages = st.sampled_from([None, 10, 50, 200])
some_rounds = st.lists(st.integers(0, 700), min_size=1, max_size=3)


def minutes(number: int) -> timedelta:
    return timedelta(minutes=number)


@st.composite
def rules(draw: st.DrawFn) -> tuple[Schema, PrivacySettings]:
    """How long a site keeps what."""
    keep, of_all = draw(ages), draw(ages)
    purchase = replace(
        SCHEMA.events["purchase"], keep=None if keep is None else minutes(keep), keeps_totals=draw(st.booleans())
    )
    purposes = {name: draw(ages) for name in ("measure", "personalize")}
    privacy = PrivacySettings(
        forget_after=minutes(draw(st.sampled_from([100, 10_000]))),
        keep_events=None if of_all is None else minutes(of_all),
        keep=tuple(PurposeAge(name, minutes(age)) for name, age in purposes.items() if age is not None),
        purposes=draw(st.sampled_from([(), ("measure", "personalize")])),
    )
    return Schema(events={"purchase": purchase}), privacy


def oldest(type_: str, schema: Schema, privacy: PrivacySettings, now: datetime) -> datetime:
    """From when on such an event may be there: an own, plain reading of the rules."""
    declared = schema.events.get(type_)
    of_purpose = [each.age for each in privacy.keep if each.purpose == "personalize"]
    found = [*of_purpose, privacy.keep_events, None if declared is None else declared.keep]
    return now - min((age for age in found if age is not None), default=timedelta(days=365))


async def sweep(store: MemoryStore, minute: int, schema: Schema, privacy: PrivacySettings) -> Removed:
    removed = await remove_old(store, privacy, schema, PROJECTORS, version=None, now=at(minute))
    assert removed is not None
    return removed


def totals(profiles: Sequence[Profile]) -> Mapping[str, tuple[int, object, datetime, datetime]]:
    """What purchases add up to, of everybody who has bought something."""
    bought = {each.profile_id: each.totals["purchase"] for each in profiles if "purchase" in each.totals}
    return {key: (one.count, one.sum, one.first_at, one.last_at) for key, one in bought.items()}


@settings(max_examples=trials(12, 2_000), deadline=None)
@given(
    batches=samples.batches, rounds=st.lists(st.integers(0, 700), min_size=1, max_size=3), rules=rules(), data=st.data()
)
def test_after_any_round_rebuilt_equals_live_and_nothing_is_too_old(
    batches: Sequence[Sequence[Event]],
    rounds: Sequence[int],
    rules: tuple[Schema, PrivacySettings],
    data: st.DataObject,
) -> None:
    turns = [*data.draw(st.permutations([*batches, *rounds])), max(rounds)]
    schema, privacy = rules

    async def scene() -> None:
        store, now = MemoryStore(KEYS), 0
        for turn in turns:
            if not isinstance(turn, int):
                await store.apply(turn, PROJECTORS)
                continue
            now = max(now, turn)
            await sweep(store, now, schema, privacy)
            for each in await all_of(store.log()):
                if each.type in (PAGE_VIEW, "purchase"):
                    assert each.occurred_at >= oldest(each.type, schema, privacy, at(now))
            live = await all_of(store.profiles())
            await store.rebuild(PROJECTORS)
            assert await all_of(store.profiles()) == live
            assert await sweep(store, now, schema, privacy) == Removed(0, 0)

    with mock.patch.object(ageing, "STRETCH", 4):
        asyncio.run(scene())


@settings(max_examples=trials(12, 2_000), deadline=None)
@given(batches=samples.batches, rounds=some_rounds, data=st.data())
def test_kept_totals_are_what_the_events_added_up_to(
    batches: Sequence[Sequence[Event]], rounds: Sequence[int], data: st.DataObject
) -> None:
    schema = Schema(events={"purchase": replace(SCHEMA.events["purchase"], keep=minutes(10), keeps_totals=True)})
    privacy = PrivacySettings(forget_after=minutes(10_000), purposes=())
    turns = [*data.draw(st.permutations([*batches, *rounds])), 700]

    async def scene() -> None:
        store, now = MemoryStore(KEYS), 0
        for turn in turns:
            if not isinstance(turn, int):
                await store.apply(turn, PROJECTORS)
                continue
            now = max(now, turn)
            before = totals(await all_of(store.profiles()))
            await sweep(store, now, schema, privacy)
            assert totals(await all_of(store.profiles())) == before
        log = await all_of(store.log())
        assert not any(each.type == "purchase" for each in log)
        assert len([each for each in log if each.type == KEPT_TOTALS]) <= 2 * len(samples.PROFILES)

    with mock.patch.object(ageing, "STRETCH", 4):
        asyncio.run(scene())
