"""Organizations: what visitors belong to, such as a company, and what all of its members add up to."""

from collections.abc import Mapping
from dataclasses import field, replace
from types import MappingProxyType

from personalize.events.schema import OrganizationType, Schema, ValueType
from personalize.light_values import light_dataclass
from personalize.profiles.profile import AttributeValue, Membership, Profile, SharedTotals
from personalize.profiles.totals import plus

#: What the ids of organizations begin with, where those of visitors stand.
ORGANIZATION_PREFIX = "o:"
#: Longer names are none: whoever has one belongs to no organization.
LONGEST_NAME = 200


@light_dataclass(frozen=True, slots=True)
class Organization:
    """All that is stored of one organization.

    `attributes` are its own. `members` counts the profiles that belong to it and agreed to that; `totals` are of the
    event types that the schema shares, over the members who agreed to these.
    """

    organization_id: str
    attributes: Mapping[str, AttributeValue] = field(default_factory=lambda: MappingProxyType({}))
    members: int = 0
    totals: Mapping[str, SharedTotals] = field(default_factory=lambda: MappingProxyType({}))

    @property
    def is_empty(self) -> bool:
        """Whether nothing is known of it."""
        return not (self.members or self.attributes)


class Belonging:
    """Who belongs to which organization on one site, and what members share, by its schema; `attribute` names it."""

    def __init__(self, schema: Schema, declared: OrganizationType) -> None:
        attribute = schema.attributes[declared.by]
        self.attribute = declared.by
        self._purpose = attribute.purpose
        self._folds = attribute.shape.fold
        self._shares = tuple((name, schema.events[name].purpose) for name in declared.shares)

    def organization_id(self, profile: Profile | None) -> str | None:
        """The id of the organization that a profile belongs to, or None."""
        stored = profile.attributes.get(self.attribute) if profile is not None else None
        return None if stored is None else organization_id(stored.value, folds=self._folds)

    def membership(self, profile: Profile | None) -> Membership | None:
        """What a profile brings into its organization: nothing without the consent of whom it is about."""
        found = self.organization_id(profile)
        if found is None or profile is None or not profile.consent.allows(self._purpose):
            return None
        totals = profile.totals
        shared = {
            name: SharedTotals(totals[name].count, totals[name].sum)
            for name, purpose in self._shares
            if name in totals and profile.consent.allows(purpose)
        }
        return Membership(found, shared)

    def with_membership(self, profile: Profile) -> Profile:
        """The profile, which says what it brings in by now."""
        return replace(profile, membership=self.membership(profile))


def belonging_of(schema: Schema) -> Belonging | None:
    """What members share, or None where the site knows no organizations."""
    return None if schema.organization is None else Belonging(schema, schema.organization)


def is_organization(profile_id: str) -> bool:
    """Whether an id names an organization, and no visitor."""
    return profile_id.startswith(ORGANIZATION_PREFIX)


def organization_id(name: object, *, folds: bool = False) -> str | None:
    """The id of the organization of this name, as the attribute that names it holds it; None for no name at all."""
    if not isinstance(name, str) or not 0 < len(name) <= LONGEST_NAME:
        return None
    return f"{ORGANIZATION_PREFIX}{name.casefold() if folds else name}"


def folds_names(schema: Schema) -> bool:
    """Whether large and small letters in the names of organizations are the same."""
    declared = schema.organization
    return declared is not None and schema.attributes[declared.by].shape.fold


#: The types of an attribute that may name an organization.
NAMING_TYPES = (ValueType.TEXT, ValueType.CHOICE)


def with_member(organization: Organization, member: Membership) -> Organization:
    """The organization with one member more."""
    return _after(organization, member, 1)


def without_member(organization: Organization, member: Membership) -> Organization:
    """The organization without a member, and without all that this one brought in."""
    return _after(organization, member, -1)


def together(one: Organization, other: Organization) -> Organization:
    """One organization of two parts of it, of which each counts other members."""
    totals = dict(one.totals)
    for name, total in other.totals.items():
        present = totals.get(name, SharedTotals(0, 0))
        totals[name] = SharedTotals(present.count + total.count, plus(present.sum, total.sum))
    attributes = {**one.attributes, **other.attributes}
    return replace(one, attributes=attributes, members=one.members + other.members, totals=totals)


def _after(organization: Organization, member: Membership, sign: int) -> Organization:
    totals = dict(organization.totals)
    for name, one in member.totals.items():
        present = totals.pop(name, SharedTotals(0, 0))
        after = SharedTotals(present.count + sign * one.count, plus(present.sum, sign * one.sum))
        if after.count:
            totals[name] = after
    return replace(organization, members=organization.members + sign, totals=totals)
