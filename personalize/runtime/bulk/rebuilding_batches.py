"""Profiles made again of exported events, group by group of visitors: the one function that all runners map.

Visitors whom joins hold together are in one group, since what each of them did may count for the others. What the
members of an organization add up to is added up over the groups at the end. Processes of this machine give the function
the events of a group out of a file, Apache Spark out of its shuffle.
"""

import asyncio
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from itertools import chain
from typing import TYPE_CHECKING, NamedTuple
from zlib import crc32

from personalize.events.event import Event
from personalize.exports.parquet_events import numbered_events
from personalize.exports.profile_files import (
    ORGANIZATION,
    PROFILE,
    PROFILE_ID,
    ExportedProfile,
    profile_row,
    profile_schema,
)
from personalize.profiles.encoding import decode_organization, decode_profile, encode_organization
from personalize.profiles.organization import Organization, is_organization, together
from personalize.rules.ruleset import RuleSet
from personalize.runtime.latest_visit import latest_pages
from personalize.runtime.publish import projectors_of
from personalize.settings import Settings
from personalize.stores.erasing import joined_by
from personalize.stores.memory.store import MemoryStore
from personalize.stores.projecting import PROFILES

if TYPE_CHECKING:
    import pyarrow as pa


class Groups(NamedTuple):
    """So many groups of visitors. `persons` has, for everybody whom a join names, one id that all whom joins hold
    together have in common."""

    persons: Mapping[str, str]
    number: int

    def group_of(self, profile_id: str) -> int:
        """The group that a visitor is in, counted from 0; the same on every machine."""
        return crc32(self.persons.get(profile_id, profile_id).encode("utf-8", "surrogatepass")) % self.number


def persons_in(events: Iterable[Event]) -> Mapping[str, str]:
    """Who is held together by joins, also by those that were undone later: what they tell may still count."""
    leads: dict[str, str] = {}

    def first_of(profile_id: str) -> str:
        while (lead := leads.setdefault(profile_id, profile_id)) != profile_id:
            leads[profile_id] = leads[lead]
            profile_id = lead
        return profile_id

    for event in events:
        joined_id = joined_by(event)
        if joined_id is not None:
            one, other = sorted((first_of(event.profile_id), first_of(joined_id)))
            leads[other] = one
    return {profile_id: first_of(profile_id) for profile_id in list(leads)}


def rebuild_batches(
    batches: "Iterable[pa.RecordBatch]", rule_set: RuleSet, settings: Settings, as_of: datetime | None = None
) -> "pa.Table":
    """The profiles that the events of one group make, by id, and behind them the organizations, each with what the
    members in this group bring in; `as_of` a moment of what had occurred before it, as `Store.as_of` makes them."""
    import pyarrow as pa  # noqa: PLC0415 - an extra

    numbered = sorted(chain.from_iterable(map(numbered_events, batches)), key=lambda found: found[0])
    events = [event for _, event in numbered if as_of is None or event.occurred_at < as_of]
    rows = asyncio.run(_projected(events, rule_set, settings))
    columns = zip(*rows, strict=True) if rows else [()] * len(profile_schema())
    return pa.table(dict(zip(profile_schema().names, map(list, columns), strict=True)), schema=profile_schema())


async def _projected(events: list[Event], rule_set: RuleSet, settings: Settings) -> list[tuple[object, ...]]:
    store = MemoryStore()
    await store.apply(events, [one for one in projectors_of(rule_set, settings) if one.name == PROFILES])
    profiles = [profile async for profile in store.profiles()]
    pages = await latest_pages(store, profiles)
    rows = [profile_row(ExportedProfile(one, None, page)) for one, page in zip(profiles, pages, strict=True)]
    named = {one.membership.organization_id for one in profiles if one.membership is not None}
    named |= {event.profile_id for event in events if is_organization(event.profile_id)}
    found = [await store.organization(each) for each in sorted(named)]
    return [*rows, *((one.organization_id, encode_organization(one), None, None) for one in found if one is not None)]


def organizations_in(batches: "Iterable[pa.RecordBatch]") -> Mapping[str, Organization]:
    """The organizations in what `rebuild_batches` made of all groups, each with what all its members bring in."""
    found: dict[str, Organization] = {}
    for batch in batches:
        for key, row in zip(*(batch.column(name).to_pylist() for name in (PROFILE_ID, PROFILE)), strict=True):
            if is_organization(key):
                one = decode_organization(row)
                found[key] = together(found[key], one) if key in found else one
    return found


def with_organizations(
    batches: "Iterable[pa.RecordBatch]", rule_set: RuleSet, organizations: Mapping[str, Organization]
) -> "Iterator[pa.Table]":
    """The profiles alone, each with the organization that it belongs to."""
    import pyarrow as pa  # noqa: PLC0415 - an extra

    for batch in batches:
        profiles = batch.filter(pa.array([not is_organization(each) for each in batch.column(PROFILE_ID).to_pylist()]))
        column = [_organization_of(row, rule_set, organizations) for row in profiles.column(PROFILE).to_pylist()]
        at = profile_schema().get_field_index(ORGANIZATION)
        columns = [*profiles.columns[:at], pa.array(column, pa.binary()), *profiles.columns[at + 1 :]]
        yield pa.Table.from_arrays(columns, schema=profile_schema())


def _organization_of(row: bytes, rule_set: RuleSet, organizations: Mapping[str, Organization]) -> bytes | None:
    named = None if rule_set.belonging is None else rule_set.belonging.organization_id(decode_profile(row))
    return None if named is None else encode_organization(organizations.get(named) or Organization(named))
