"""A profile with the organization that it is a member of, for stores that have both at hand."""

from personalize.profiles.organization import Organization
from personalize.profiles.profile import Profile
from personalize.stores.protocols import Store


async def both_of(store: Store, profile_id: str) -> tuple[Profile | None, Organization | None]:
    """What `Store.profile_with_organization` reads, one after the other."""
    profile = await store.profile(profile_id)
    member = None if profile is None else profile.membership
    return profile, None if member is None else await store.organization(member.organization_id)
