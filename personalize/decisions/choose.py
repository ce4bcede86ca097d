"""Which items a rule has to show at this moment."""

from collections.abc import Collection, Iterator
from datetime import datetime

from personalize.content.library import Library
from personalize.rules.definitions import Show


def choose(show: Show, library: Library, now: datetime, *, room: int, taken: Collection[str]) -> tuple[str, ...]:
    """The ids of at most `room` items that may be shown now and are not taken yet, in the rule's order."""
    found: list[str] = []
    for item_id in _candidates(show, library):
        if len(found) >= min(room, show.limit):
            break
        item = library.item(item_id)
        if item is not None and item.is_current(now) and item_id not in taken and item_id not in found:
            found.append(item_id)
    return tuple(found)


def _candidates(show: Show, library: Library) -> Iterator[str]:
    if show.collection is not None:
        yield from library.tagged(show.collection.text, show.tagged)
    else:
        yield from (named.text for named in show.items)
