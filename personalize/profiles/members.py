"""Projection of organizations: as the profiles of members change, what they add up to changes with them."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import TypeAlias, cast

from personalize.events.event import CLICK, DERIVED_TYPES, IMPRESSION, PAGE_VIEW, SEEN, SET, Event, to_micros
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
from personalize.profiles.replay import Anew, ProfileReplay

Row: TypeAlias = Profile | Organization
#: What is to be taken out of an organization, and what put into one instead.
Move: TypeAlias = tuple[Membership | None, Membership | None]
#: What changes neither who belongs where, nor what is shared.
_IDLE = frozenset({PAGE_VIEW, IMPRESSION, SEEN, CLICK}) | DERIVED_TYPES


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

    def project(self, event: Event, rows: Mapping[str, Row | None]) -> Mapping[str, Row | Anew | None]:
        """The profiles and organizations that this event changes, as they are after it."""
        if is_organization(event.profile_id):
            return _told(event, _organization_in(rows, event.profile_id))
        before = {key: _profile_in(rows, key) for key in rows if not is_organization(key)}
        after = self._profiles.project(event, before)
        if event.type in _IDLE:
            return after
        changed: dict[str, Row | Anew | None] = {
            key: profile if isinstance(profile, Anew) else self._belonging.with_membership(profile)
            for key, profile in after.items()
        }
        return {**changed, **_moved(self._moves(before, after), rows)}

    def replay(self, key: str) -> "MembersReplay":
        """Projecting a profile anew, with all that joins hold together with it, and what they bring in."""
        return MembersReplay(self._profiles.replay(key), self._belonging)

    def _moves(self, before: Mapping[str, Profile | None], after: Mapping[str, Profile | Anew]) -> Sequence[Move]:
        """What is to be taken out of organizations, and put in instead. What is projected anew moves after that."""
        known = {key: profile for key, profile in after.items() if not isinstance(profile, Anew)}
        return _moves_between(before, known, self._belonging)

    def encode(self, row: Row) -> bytes:
        """The profile or organization as bytes."""
        return encode_organization(row) if isinstance(row, Organization) else encode_profile(row)

    def decode(self, data: bytes) -> Row:
        """The row that `encode` wrote."""
        return decode_organization(data) if holds_organization(data) else decode_profile(data)


class MembersReplay:
    """Profiles projected anew, and the organizations with what these bring in then."""

    types = ProfileReplay.types

    def __init__(self, profiles: ProfileReplay, belonging: Belonging) -> None:
        self._profiles = profiles
        self._belonging = belonging
        self._before: dict[str, Profile | None] = {}
        self._after: dict[str, Profile | None] = {}

    @property
    def keys(self) -> tuple[str, ...]:
        """All profiles found so far."""
        return self._profiles.keys

    @property
    def missing(self) -> tuple[str, ...]:
        """Those that were not looked at yet."""
        return self._profiles.missing

    def look(self, rows: Mapping[str, Row | None], deciding: Iterable[Event]) -> None:
        """Take the rows of those that were missing, and the events that decide what others mean."""
        found = {key: _profile_in(rows, key) for key in rows}
        self._before |= found
        self._profiles.look(found, deciding)

    def project(self, event: Event) -> None:
        """Project the next event."""
        self._profiles.project(event)

    @property
    def touched(self) -> tuple[str, ...]:
        """The organizations that somebody leaves, or comes to."""
        rows = self._profiles.rows({})
        self._after = {key: row and self._belonging.with_membership(row) for key, row in rows.items()}
        moved = {one.organization_id for move in self._moves() for one in move if one is not None}
        return tuple(sorted(moved))

    def rows(self, touched: Mapping[str, Row | None]) -> Mapping[str, Row | None]:
        """The profiles and organizations after the last event."""
        return {**self._after, **_moved(self._moves(), touched)}

    def _moves(self) -> Sequence[Move]:
        return _moves_between(self._before, self._after, self._belonging)


def parting(profile: Profile, organization: Organization | None) -> Organization | None:
    """What is left of an organization once the profile is gone from it; None where nothing is."""
    member = profile.membership
    if member is None or organization is None:
        return organization
    left = without_member(organization, member)
    return None if left.is_empty else left


def _moves_between(
    before: Mapping[str, Profile | None], after: Mapping[str, Profile | None], belonging: Belonging
) -> Sequence[Move]:
    moves = []
    for key, profile in after.items():
        was = before.get(key)
        move = (None if was is None else was.membership, belonging.membership(profile))
        if move[0] != move[1]:
            moves.append(move)
    return moves


def _moved(moves: Iterable[Move], rows: Mapping[str, Row | None]) -> Mapping[str, Organization | None]:
    """The organizations after these moves."""
    changed: dict[str, Organization] = {}
    for was, becomes in moves:
        for member, step in ((was, without_member), (becomes, with_member)):
            if member is not None:
                one = member.organization_id
                changed[one] = step(changed[one] if one in changed else _organization_in(rows, one), member)
    return {key: None if row.is_empty else row for key, row in changed.items()}


def _only_profiles(rows: Mapping[str, Row | None]) -> Mapping[str, Profile | None]:
    """The rows as they are: the projector of profiles asks for none but profiles."""
    return cast("Mapping[str, Profile | None]", rows)


def _profile_in(rows: Mapping[str, Row | None], key: str) -> Profile | None:
    row = rows.get(key)
    return row if isinstance(row, Profile) else None


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
