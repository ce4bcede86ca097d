"""Projection of organizations: as the profiles of members change, what they add up to changes with them."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import TypeAlias, cast

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
from personalize.profiles.profile import AttributeValue, Membership, Profile
from personalize.profiles.project import ProfileProjector

Row: TypeAlias = Profile | Organization
#: What changes neither who belongs where, nor what is shared.
_IDLE = frozenset({PAGE_VIEW, IMPRESSION, CLICK})


class MembersProjector:
    """Keeps the profiles as `profiles` does, and beside them one `Organization` for each that has members.

    An organization's row is the sum of what the profiles of its members bring in now. It is kept by differences: each
    profile says what is counted of it by now, which is taken out, and what it brings in after an event is put in. So
    whatever changes a profile, late events, joins, withdrawn consent, counts, and who leaves takes along what they
    brought.
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
        keys = self._profiles.reads(event, _only_profiles(rows))
        if event.type in _IDLE or not all(key in rows for key in keys):
            return keys
        before = {key: _profile_in(rows, key) for key in keys}
        moves = self._moves(before, self._profiles.project(event, before))
        return (*keys, *(one.organization_id for move in moves for one in move if one is not None))

    def project(self, event: Event, rows: Mapping[str, Row | None]) -> Mapping[str, Row | None]:
        """The profiles and organizations that this event changes, as they are after it."""
        if is_organization(event.profile_id):
            return _told(event, _organization_in(rows, event.profile_id))
        before = {key: _profile_in(rows, key) for key in rows if not is_organization(key)}
        after = self._profiles.project(event, before)
        if event.type in _IDLE:
            return after
        changed: dict[str, Row | None] = {
            key: replace(profile, membership=self._belonging.membership(profile)) for key, profile in after.items()
        }
        for was, becomes in self._moves(before, after):
            for member, step in ((was, without_member), (becomes, with_member)):
                if member is not None:
                    one = member.organization_id
                    changed[one] = step(_organization_in(changed if one in changed else rows, one), member)
        return {key: None if _is_empty(row) else row for key, row in changed.items()}

    def _moves(
        self, before: Mapping[str, Profile | None], after: Mapping[str, Profile]
    ) -> Iterator[tuple[Membership | None, Membership | None]]:
        """What is to be taken out of organizations, and put in instead."""
        for key, profile in after.items():
            was = before.get(key)
            move = (None if was is None else was.membership, self._belonging.membership(profile))
            if move[0] != move[1]:
                yield move

    def encode(self, row: Row) -> bytes:
        """The profile or organization as bytes."""
        return encode_organization(row) if isinstance(row, Organization) else encode_profile(row)

    def decode(self, data: bytes) -> Row:
        """The row that `encode` wrote."""
        return decode_organization(data) if holds_organization(data) else decode_profile(data)


def parting(profile: Profile, organization: Organization | None) -> Organization | None:
    """What is left of an organization once the profile is gone from it; None where nothing is."""
    member = profile.membership
    if member is None or organization is None:
        return organization
    left = without_member(organization, member)
    return None if left.is_empty else left


def _only_profiles(rows: Mapping[str, Row | None]) -> Mapping[str, Profile | None]:
    """The rows as they are: the projector of profiles asks for none but profiles."""
    return cast("Mapping[str, Profile | None]", rows)


def _profile_in(rows: Mapping[str, Row | None], key: str) -> Profile | None:
    row = rows.get(key)
    return row if isinstance(row, Profile) else None


def _is_empty(row: Row | None) -> bool:
    return isinstance(row, Organization) and row.is_empty


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
