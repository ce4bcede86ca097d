"""Which stores give a profile to whoever calls, without being waited for."""

from collections.abc import Callable

from personalize.profiles.profile import Profile
from personalize.stores.protocols import Store


def profile_at_once_of(store: Store) -> Callable[[str], Profile | None] | None:
    """What reads a profile of this store at once; None where reading it may take its time.

    A site may inherit from one of our stores to read profiles its own way: where it has put another `profile` into the
    place of ours, and no other `profile_at_once`, that one is to be asked, and may wait.
    """
    for kind in type(store).__mro__:
        if "profile_at_once" in vars(kind):
            return store.profile_at_once
        if "profile" in vars(kind):
            return None
    return None
