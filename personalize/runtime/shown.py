"""What slots show that are decided: worked out once for all visitors for whom they are decided alike."""

from collections.abc import Callable, Mapping, Sequence
from typing import Final, NamedTuple

from personalize.content.library import Library
from personalize.decisions.decision import Decision, PageDecisions
from personalize.events.event import JSONValue
from personalize.runtime.health import FILLED
from personalize.runtime.page_events import filling_of

#: Of how many different groups of slots, asked for together, it is kept what they show.
_MOST_GROUPS: Final = 32


class Shown(NamedTuple):
    """What slots that are asked for together show to everybody for whom they are decided so: the markup of each, None
    where the site's own stays; what became of them, as it is counted; what an event tells of those that are filled."""

    markups: Sequence[str | None]
    outcomes: tuple[tuple[str, str], ...]
    filled: tuple[JSONValue, ...]
    is_personal: bool


def shown_alike(decisions: PageDecisions, slot_ids: Sequence[str], library: Library) -> Shown | None:
    """What these slots show, where nothing of it is written for one visitor alone and none stands on another page;
    else None. Once worked out, it is kept."""
    group = tuple(slot_ids)
    shown: Shown | None
    try:
        shown = decisions.room[group]
    except KeyError:
        if len(decisions.room) >= _MOST_GROUPS:
            decisions.room.clear()
        shown = decisions.room[group] = _shown(decisions, group, library)
    return shown


def _shown(decisions: PageDecisions, group: tuple[str, ...], library: Library) -> Shown | None:
    if not decisions.keys() >= set(group):
        return None
    found = [decisions[slot_id] for slot_id in group]
    if any(library.items[item_id].rendering.is_personal for one in found for item_id in one.item_ids):
        return None
    markups = [markup_of(one, library, dict) for one in found]
    filled = tuple(filling_of(one) for one in found if one.item_ids)
    return Shown(markups, tuple(map(outcome_of, found)), filled, any(one.personal for one in found))


def markup_of(decision: Decision, library: Library, attributes: Callable[[], Mapping[str, object]]) -> str | None:
    """The markup of what was decided; None where the site's own stays. The visitor's `attributes` are asked for where
    something of them is written."""
    if not decision.item_ids:
        return None
    renderings = [library.items[item_id].rendering for item_id in decision.item_ids]
    return "".join([one.markup(attributes() if one.is_personal else {}) for one in renderings])


def outcome_of(decision: Decision) -> tuple[str, str]:
    """What became of a slot, as it is counted."""
    return decision.slot_id, FILLED if decision.item_ids else decision.reason.value
