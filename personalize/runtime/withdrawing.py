"""Withdrawn consent takes along what was kept under it, in the same request."""

from collections.abc import Sequence
from functools import partial

from personalize.events.schema import Schema
from personalize.profiles.in_force import ANONYMOUS_PREFIX
from personalize.profiles.purpose import left_without
from personalize.runtime.person import person_in
from personalize.stores.protocols import Projector, Store

#: Who erases, in the receipt of an erasure that follows from a refusal.
WITHDRAWN = "the visitor, by refusing"


async def withdraw(
    store: Store,
    profile_id: str,
    schema: Schema,
    purposes: Sequence[str],
    projectors: Sequence[Projector],
    *,
    version: str | None,
) -> int:
    """Remove what is kept of somebody for `purposes` that the site asks for and they do not grant; how many events.

    What they granted last counts, of their browsers the strictest; to let us measure and nothing else covers nothing
    that is kept of anybody. Of a browser that refuses all nothing is left, and its id is sealed: the cookie goes, so
    the refusal needs no profile. Of a login the decisions are left, and of a browser that a login has laid claim to,
    since the login's refusal may have come by it. Safe to do again. Raises `StoreError`, and `StaleVersion` where other
    rules are live than these.
    """
    profile = await store.profile(profile_id)
    if profile is None or profile.joined is not None or profile.consent.granted is None:
        return 0
    granted = frozenset[str]() if profile.consent.forbids_identifier else profile.consent.granted
    refused = frozenset(purposes) - granted
    if not refused:
        return 0
    is_nobodys = profile_id.startswith(ANONYMOUS_PREFIX) and not profile.ties.claimed_by
    if not granted and is_nobodys and profile.consent_at is not None:
        erasure = await store.erase(
            profile_id, at=profile.consent_at, by=WITHDRAWN, projectors=projectors, version=version
        )
        return erasure.events
    person = await person_in(store, profile_id)
    left = partial(left_without, refused=refused, schema=schema)
    if all(left(event) == event for event in person.events):
        return 0
    ids = (profile_id, *person.browsers)
    return sum([await store.trim(each, left, projectors, version=version) for each in ids])
