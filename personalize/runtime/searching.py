"""Finding visitors by what is known of them: by an attribute that is declared `searchable`."""

from collections.abc import AsyncIterator, Sequence

from personalize.profiles.profile import Profile
from personalize.profiles.searched import as_searched, term_of, visitor_in
from personalize.stores.protocols import Store

#: So many are found, at most.
MOST_FOUND = 50
#: To so many the index may lead, among whom are those who had the value once.
_MOST_LED_TO = 500


async def visitors_with(store: Store, attribute: str, value: str) -> Sequence[Profile]:
    """The visitors of whom exactly this is stored now, but for large and small letters and the number of blanks; at
    most `MOST_FOUND`, in order of their ids. Raises `StoreError`."""
    term, searched = term_of(attribute, value), as_searched(value)
    if term is None:
        return ()
    found: dict[str, Profile] = {}
    async for profile in _led_to(store, term):
        stored = profile.attributes.get(attribute)
        if stored is not None and as_searched(stored.value) == searched:
            found[profile.profile_id] = profile
    return [found[each] for each in sorted(found)[:MOST_FOUND]]


async def _led_to(store: Store, term: bytes) -> AsyncIterator[Profile]:
    """Whoever may have the value: those whose events told it, and the logins that took them over."""
    for profile_id in dict.fromkeys(map(visitor_in, await store.found(term, rows=_MOST_LED_TO))):
        profile = await store.profile(profile_id)
        if profile is None:
            continue
        yield profile
        if profile.joined is not None and (into := await store.profile(profile.joined.into)) is not None:
            yield into
