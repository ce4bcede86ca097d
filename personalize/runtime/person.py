"""One person, as a store knows them: a profile, the browsers that joined it, and what was told of any of them."""

from collections.abc import Sequence
from contextlib import aclosing
from dataclasses import dataclass

from personalize.errors import TakenOver
from personalize.events.event import Event
from personalize.profiles.profile import Profile
from personalize.stores.erasing import joining
from personalize.stores.protocols import Store


@dataclass(frozen=True, slots=True)
class Person:
    """All that is kept of one person. `browsers` are the anonymous ids that went into the profile, `events` what was
    sent with any of their ids, by when it occurred."""

    profile_id: str
    profile: Profile | None
    browsers: tuple[str, ...]
    events: Sequence[Event]


async def person_in(store: Store, profile_id: str) -> Person:
    """The person behind an id. Raises `TakenOver` for a browser that belongs to a login by now."""
    profile = await store.profile(profile_id)
    if profile is not None and profile.joined is not None:
        raise TakenOver(profile_id, profile.joined.into)
    events = await _events_of(store, profile_id)
    browsers = [each for each in joining(events) if await _went_into(store, profile_id, each)]
    for each in browsers:
        events += await _events_of(store, each)
    return Person(profile_id, profile, tuple(browsers), sorted(events, key=lambda event: event.occurred_at))


async def _went_into(store: Store, profile_id: str, anonymous_id: str) -> bool:
    row = await store.profile(anonymous_id)
    return row is None or row.joined is None or row.joined.into == profile_id


async def _events_of(store: Store, profile_id: str) -> list[Event]:
    """In the order in which they came."""
    async with aclosing(store.history(profile_id)) as history:  # type: ignore[type-var]  # all are generators
        return [event async for event in history][::-1]
