"""Erasing again: whom another copy of a store has erased, such as the one that a backup takes the place of.

That copy gives receipts and seals, never an id. So who is meant is found by going through the ids that are here.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime

from personalize.events.event import Event
from personalize.profiles.in_force import ANONYMOUS_PREFIX
from personalize.stores.seals import Seals

IDS_AT_ONCE = 1_000


def erased_since(
    sealed: Sequence[tuple[str, datetime]], known: Sequence[tuple[str, datetime]]
) -> Mapping[bytes, datetime]:
    """The seals, with their moments, that a store with the `known` ones lacks, or has of an earlier moment."""
    before = dict(known)
    return {bytes.fromhex(seal): at for seal, at in sealed if seal not in before or before[seal] < at}


def named_by(since: Mapping[bytes, datetime], ids: Iterable[str], seals: Seals) -> Iterator[tuple[str, datetime]]:
    """Those of the ids that these seals stand for, and when each was erased last."""
    for profile_id in ids:
        moments = [since[seal] for seal in seals.all_of(profile_id) if seal in since]
        if moments:
            yield profile_id, max(moments)


def told_since(profile_id: str, history: Sequence[Event], at: datetime) -> Sequence[Event]:
    """What of a history an erasure at this moment leaves: all that a login did later. A browser never comes back."""
    return [] if profile_id.startswith(ANONYMOUS_PREFIX) else [event for event in history if event.occurred_at > at]
