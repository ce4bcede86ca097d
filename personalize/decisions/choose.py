"""Which items a rule has to show at this moment."""

from collections.abc import Collection
from datetime import datetime

from personalize.content.library import Library
from personalize.rules.pages import Candidates


def choose(
    candidates: Candidates, library: Library, now: datetime, *, room: int, taken: Collection[str]
) -> tuple[str, ...]:
    """The ids of at most `room` items that may be shown now and are not taken yet, in the rule's order."""
    items, room = library.items, min(room, candidates.limit)
    if len(candidates.item_ids) == 1:
        (item_id,) = candidates.item_ids
        return candidates.item_ids if item_id not in taken and items[item_id].is_current(now) else ()
    found: list[str] = []
    for item_id in candidates.item_ids:
        if item_id not in taken and item_id not in found and items[item_id].is_current(now):
            found.append(item_id)
            if len(found) == room:
                break
    return tuple(found)
