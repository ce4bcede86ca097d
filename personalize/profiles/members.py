"""Projection of organizations: as the profiles of members change, what they add up to changes with them."""

from collections.abc import Mapping
from dataclasses import replace
from typing import TypeAlias

from personalize.events.event import CLICK, IMPRESSION, PAGE_VIEW, SET, Event, to_micros
from personalize.profiles.encoding import (
    decode_organization,
    decode_profile,
    encode_organization,
    encode_profile,
    holds_organization,
)
from personalize.profiles.join import newer
from personalize.profiles.organization import (
    Belonging,
    Organization,
    is_organization,
    with_member,
    without_member,
)
from personalize.profiles.profile import AttributeValue, Profile
from personalize.profiles.project import ProfileProjector

Row: TypeAlias = Profile | Organization
#: What changes neither who belongs where, nor what is shared.
_IDLE = frozenset({PAGE_VIEW, IMPRESSION, CLICK})


class MembersProjector:
    """Keeps the profiles as `profiles` does, and beside them one `Organization` for each that has members.

    An organization's row is the sum of what the profiles of its members bring in now. It is kept by differences: each
    profile that an event changes is taken out of its organization as it was, and put in as it is. So whatever changes
    a profile, late events, joins, withdrawn consent, counts, and who leaves takes along what they brought.
    """

    name = "profiles"

    def __init__(self, profiles: ProfileProjector, belonging: Belonging) -> None:
        self._profiles = profiles
        self._belonging = belonging
        self.holding = profiles.holding

    def reads(self, event: Event, rows: Mapping[str, Row | None]) -> tuple[str, ...]:
        """The profiles that the event may touch, and the organizations that these belong to before and after."""
        if is_organization(event.profile_id):
            return (event.profile_id,)
        known = _profiles_in(rows)
        keys = self._profiles.reads(event, known)
        if event.type in _IDLE or not known.keys() >= set(keys):
            return keys
        after = self._profiles.project(event, known)
        touched = (self._belonging.membership(one) for key in after for one in (known.get(key), after[key]))
        return (*keys, *(one.organization_id for one in touched if one is not None))

    def project(self, event: Event, rows: Mapping[str, Row | None]) -> Mapping[str, Row | None]:
        """The profiles and organizations that this event changes, as they are after it."""
        if is_organization(event.profile_id):
            return _told(event, _organization_in(rows, event.profile_id))
        known = _profiles_in(rows)
        after = self._profiles.project(event, known)
        return after if event.type in _IDLE else {**after, **self._organizations_after(known, after, rows)}

    def _organizations_after(
        self, before: Mapping[str, Profile | None], after: Mapping[str, Profile], rows: Mapping[str, Row | None]
    ) -> Mapping[str, Organization | None]:
        changed: dict[str, Organization] = {}
        for key, profile in after.items():
            was, becomes = self._belonging.membership(before.get(key)), self._belonging.membership(profile)
            if was == becomes:
                continue
            for member, step in ((was, without_member), (becomes, with_member)):
                if member is not None:
                    one = member.organization_id
                    changed[one] = step(changed.get(one) or _organization_in(rows, one), member)
        return {one: None if organization.is_empty else organization for one, organization in changed.items()}

    def encode(self, row: Row) -> bytes:
        """The profile or organization as bytes."""
        return encode_organization(row) if isinstance(row, Organization) else encode_profile(row)

    def decode(self, data: bytes) -> Row:
        """The row that `encode` wrote."""
        return decode_organization(data) if holds_organization(data) else decode_profile(data)


def _profiles_in(rows: Mapping[str, Row | None]) -> Mapping[str, Profile | None]:
    return {key: row for key, row in rows.items() if not isinstance(row, Organization) and not is_organization(key)}


def _organization_in(rows: Mapping[str, Row | None], key: str) -> Organization:
    """The row of an organization; what stood there before the site knew organizations counts for nothing."""
    row = rows.get(key)
    return row if isinstance(row, Organization) else Organization(key)


def _told(event: Event, organization: Organization) -> Mapping[str, Organization | None]:
    """What an event about an organization itself changes: attributes, and nothing else."""
    if event.type != SET:
        return {}
    attributes, at = dict(organization.attributes), to_micros(event.occurred_at)
    for name, value in event.properties.items():
        attributes[name] = newer(attributes.get(name), AttributeValue(value, at))
    return {organization.organization_id: replace(organization, attributes=attributes)}
