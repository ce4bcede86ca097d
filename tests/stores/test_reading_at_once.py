"""A page calls a store for a profile where that answers at once, and waits for it where it may not."""

from personalize.profiles.profile import Profile
from personalize.stores.memory.store import MemoryStore
from personalize.stores.reading_at_once import profile_at_once_of

ANN = Profile("v:ann")


def test_our_own_stores_in_memory_and_in_files_are_called() -> None:
    store = MemoryStore()
    assert profile_at_once_of(store) == store.profile_at_once


def test_who_inherits_and_reads_profiles_another_way_is_asked_that_way() -> None:
    class Remote(MemoryStore):
        async def profile(self, profile_id: str) -> Profile | None:
            return ANN

    class Quieter(Remote):
        """Reads as that one does."""

    assert profile_at_once_of(Remote()) is None
    assert profile_at_once_of(Quieter()) is None


def test_who_says_how_to_read_at_once_is_called_so() -> None:
    class Kept(MemoryStore):
        def profile_at_once(self, profile_id: str) -> Profile | None:
            return ANN

    class Counting(Kept):
        async def organization(self, organization_id: str) -> None:
            return None

    for store in (Kept(), Counting()):
        read = profile_at_once_of(store)
        assert read is not None
        assert read("v:ann") is ANN
