"""What every store promises of organizations: each is, at every moment, what the profiles of its members make it."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from personalize.events.event import CONSENT, JOIN, PAGE_VIEW, SET, Event
from personalize.events.schema import Attribute, OrganizationType, Shape, ValueType
from personalize.profiles.members import MembersProjector
from personalize.profiles.organization import Belonging, Organization, with_member
from personalize.profiles.project import ProfileProjector
from personalize.stores.memory.store import MemoryStore
from personalize.stores.protocols import Store
from tests.stores.filling_contract import Make, drawn
from tests.stores.samples import PROFILES, SCHEMA, all_of, at, event, purchase
from tests.trust.trials import trials

COMPANIES = ("acme", "Łódź & Søn")
_COMPANY = OrganizationType(
    "company", "Company", ("purchase",), {"plan": Attribute("plan", Shape(ValueType.TEXT), "Plan")}
)
COMPANY_SCHEMA = replace(
    SCHEMA,
    attributes={"company": Attribute("company", Shape(ValueType.TEXT), purpose="measure")},
    organization=_COMPANY,
)
BELONGING = Belonging(COMPANY_SCHEMA, _COMPANY)
#: Belonging somewhere needs `measure`, sharing what was bought `personalize`.
AGREED = {"granted": ["measure", "personalize"]}


def company_projectors() -> list[MembersProjector]:
    """The projectors of a shop whose visitors belong to companies."""
    return [MembersProjector(ProfileProjector(COMPANY_SCHEMA), BELONGING)]


def works_for(profile_id: str, company: str | None, minutes: float = 0) -> Event:
    """Somebody is told to belong to a company, or to none any more."""
    return event(SET, profile_id, {"company": company}, minutes)


def agrees(profile_id: str, *purposes: str, minutes: float = 0) -> Event:
    """Somebody's decision."""
    return event(CONSENT, profile_id, {"granted": list(purposes)}, minutes)


_happens = {
    PAGE_VIEW: st.just({"path": "/"}),
    "purchase": st.fixed_dictionaries({"amount": st.integers(-(10**6), 10**6)}),
    SET: st.fixed_dictionaries({"company": st.sampled_from([*COMPANIES, None, "", 7])}),
    CONSENT: st.fixed_dictionaries({"granted": st.sampled_from([[], ["measure"], ["measure", "personalize"]])}),
    JOIN: st.fixed_dictionaries({"from": st.sampled_from(["v:ann", "v:bob"])}),
}
_events = st.sampled_from(sorted(_happens)).flatmap(
    lambda type_: st.builds(
        event,
        st.just(type_),
        st.sampled_from(("u:1", "u:2") if type_ == JOIN else PROFILES),
        _happens[type_],
        st.integers(0, 600),
    )
)
_plans = st.builds(
    event, st.just(SET), st.just("o:acme"), st.fixed_dictionaries({"plan": st.sampled_from(["basic", "gold"])})
)
companies_batches = st.lists(st.lists(_events | _plans, max_size=10), max_size=5)


async def added_up(store: Store) -> dict[str, Organization]:
    """What organizations have to be: all that the profiles of their members bring in, added up anew."""
    found: dict[str, Organization] = {}
    async for profile in store.profiles():
        member = BELONGING.membership(profile)
        if member is not None:
            one = member.organization_id
            found[one] = with_member(found.get(one, Organization(one)), member)
    return found


async def stored(store: Store) -> dict[str, Organization]:
    """The organizations of the store that have members, without their own attributes."""
    rows = [await store.organization(f"o:{name}") for name in COMPANIES]
    return {row.organization_id: replace(row, attributes={}) for row in rows if row is not None and row.members}


class OrganizationContract:
    """The laws of organizations; `make` is the fixture of the store contract."""

    @pytest.mark.trust
    @settings(drawn, max_examples=trials(10, 300))
    @given(batches=companies_batches)
    def test_an_organization_is_what_its_members_bring_in(self, make: Make, batches: Sequence[Sequence[Event]]) -> None:
        async def scene(store: Store) -> None:
            for batch in batches:
                await store.apply(batch, company_projectors())
                assert await stored(store) == await added_up(store)
            live = [await store.organization(f"o:{name}") for name in COMPANIES]
            profiles = await all_of(store.profiles())
            await store.rebuild(company_projectors())
            assert [await store.organization(f"o:{name}") for name in COMPANIES] == live
            assert await all_of(store.profiles()) == profiles

        _play(make, scene)

    def test_a_profile_and_its_organization_are_read_at_once(self, make: Make) -> None:
        async def scene(store: Store) -> None:
            company = "Łódź\0 & \\Søn"
            member, other = agrees("v:ann", *AGREED["granted"]), agrees("v:bob", *AGREED["granted"])
            await store.apply([member, works_for("v:ann", company, 1), other], company_projectors())
            profile, organization = await store.profile_with_organization("v:ann")
            assert profile == await store.profile("v:ann")
            assert organization is not None
            assert organization == await store.organization(f"o:{company}")
            assert await store.profile_with_organization("v:bob") == (await store.profile("v:bob"), None)
            assert await store.profile_with_organization("v:nobody") == (None, None)
            await store.apply([works_for("v:bob", company, 2), works_for("v:ann", "acme", 2)], company_projectors())
            _, organization = await store.profile_with_organization("v:ann")
            assert organization is not None
            assert organization == await store.organization("o:acme")
            await store.apply([works_for("v:ann", None, 3)], company_projectors())
            assert await store.profile_with_organization("v:ann") == (await store.profile("v:ann"), None)

        _play(make, scene)

    def test_an_organization_is_no_visitor(self, make: Make) -> None:
        async def scene(store: Store) -> None:
            told = event(SET, "o:acme", {"plan": "gold"})
            await store.apply([agrees("u:1", "measure"), works_for("u:1", "acme"), told], company_projectors())
            assert [profile.profile_id async for profile in store.profiles()] == ["u:1"]
            assert len(await store.stretches(1)) == 1
            found = await store.organization("o:acme")
            assert found is not None and found.attributes["plan"].value == "gold"
            assert await store.organization("o:other") is None
            assert await store.organization("u:1") is None

        _play(make, scene)

    def test_members_who_write_at_once_all_count(self, make: Make) -> None:
        async def scene(store: Store) -> None:
            people = [f"u:{number}" for number in range(20)]
            each = [[agrees(one, "measure", "personalize"), works_for(one, "acme"), purchase(one)] for one in people]
            await asyncio.gather(*(store.apply(events, company_projectors()) for events in each))
            found = await store.organization("o:acme")
            assert found is not None and (found.members, found.totals["purchase"].sum) == (20, 2000)

        _play(make, scene)

    def test_who_is_erased_is_no_member_any_more(self, make: Make) -> None:
        async def scene(store: Store) -> None:
            for one in ("u:1", "u:2"):
                told = [agrees(one, "measure", "personalize"), works_for(one, "acme"), purchase(one, minutes=3)]
                await store.apply(told, company_projectors())
            await store.erase("u:1", at=at(1_000), by="ann")
            assert await stored(store) == await added_up(store) != {}
            live = await store.organization("o:acme")
            await store.rebuild(company_projectors())
            assert await store.organization("o:acme") == live
            await store.erase("u:2", at=at(1_000), by="ann")
            assert await store.organization("o:acme") is None

        _play(make, scene)

    def test_the_past_knows_who_belonged_where(self, make: Make) -> None:
        async def scene(store: Store) -> None:
            first = [agrees("u:1", "measure"), works_for("u:1", "acme", minutes=1)]
            leaves = works_for("u:1", None, minutes=60)
            await store.apply([*first, leaves], company_projectors())
            then = await store.as_of(leaves.occurred_at, company_projectors())
            was, now = await then.organization("o:acme"), await store.organization("o:acme")
            assert was is not None and was.members == 1
            assert now is None

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


def projected(*events: Event) -> Organization | None:
    """The company "acme" after these events, in a store of this process."""

    async def play() -> Organization | None:
        store = MemoryStore()
        await store.apply(events, company_projectors())
        return await store.organization("o:acme")

    return asyncio.run(play())
