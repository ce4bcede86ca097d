"""Pages: the slots that are decided together, what they can depend on, and what each rule can show."""

from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import reduce
from operator import or_
from typing import Any, TypeAlias

from personalize.content.library import Library
from personalize.rules.definitions import Show, Slot
from personalize.rules.facts import ORGANIZATION_ROOT, Fact, with_parts
from personalize.rules.index.index import Index, Reach

#: The id of a rule's condition: its slot and its own id.
RuleKey: TypeAlias = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Candidates:
    """The items that a rule may show, in its order, and how many of them at most."""

    item_ids: tuple[str, ...]
    limit: int


@dataclass(frozen=True, slots=True)
class Page:
    """Slots that are decided together, in their order, and what they can depend on.

    `personal` slots may show something else to somebody else; a page that shows one belongs in no shared cache.
    `stored` slots depend on the profile, so they can't be decided where it can't be read. `mask` are the bits of all
    its conditions in the index; where they alone decide (no item begins or ends, no condition needs its tree), what
    was decided for a pattern of them is kept in `decided`. Where even the first rule that holds decides its slot
    (whatever it shows fills the slot, and is shown in no other), there are `masks` of the bits of each slot, and it is
    kept by the highest of each. Only where it `asks_organization` does a slot depend on what the visitor belongs to.
    """

    name: str
    slots: tuple[Slot, ...]
    reach: Reach
    personal: frozenset[str]
    stored: frozenset[str]
    mask: int
    asks_organization: bool
    masks: tuple[int, ...] | None = field(compare=False, repr=False)
    decided: dict[Hashable, Any] | None = field(compare=False, repr=False)


def rule_keys(slot: Slot) -> tuple[RuleKey, ...]:
    """The ids of the slot's conditions, in the order of its rules."""
    return tuple((slot.slot_id, rule.rule_id) for rule in slot.rules)


def candidates_of(show: Show, library: Library) -> Candidates:
    """The items of a checked `show`."""
    if show.collection is not None:
        return Candidates(library.tagged(show.collection.text, show.tagged), show.limit)
    return Candidates(tuple(named.text for named in show.items), show.limit)


def pages_of(slots: Mapping[str, Slot], index: Index, facts: Mapping[str, Fact], library: Library) -> dict[str, Page]:
    """The page of each slot, by slot id; a slot that names none is a page of one."""
    together: dict[str, list[Slot]] = {}
    for slot in slots.values():
        together.setdefault(f"page {slot.page}" if slot.page else f"slot {slot.slot_id}", []).append(slot)
    pages: dict[str, Page] = {}
    for name, members in together.items():
        page = _page(name, members, index, facts, library)
        pages.update(dict.fromkeys((slot.slot_id for slot in members), page))
    return pages


def _page(name: str, members: list[Slot], index: Index, facts: Mapping[str, Fact], library: Library) -> Page:
    named = {slot.slot_id for slot in members if _shows_visitor(slot, library)}
    read = {slot.slot_id: index.reach(rule_keys(slot)).fact_names for slot in members}
    stored = named | {slot_id for slot_id, names in read.items() if any(facts[name].stored for name in names)}
    personal = named | {slot_id for slot_id, names in read.items() if any(facts[name].personal for name in names)}
    keys = [key for slot in members for key in rule_keys(slot)]
    reach = index.reach(keys)
    bits = [index.bits[key] for key in keys]
    is_settled = all(one.tree is None for one in bits) and all(_is_timeless(slot, library) for slot in members)
    return Page(
        name=name,
        slots=tuple(members),
        reach=reach,
        personal=_and_after(members, personal),
        stored=_and_after(members, stored),
        asks_organization=asks_organization(reach),
        mask=reduce(or_, (one.mask << one.first for one in bits), 0),
        masks=tuple(index.row(rule_keys(slot)).mask for slot in members) if _firsts_decide(members, library) else None,
        decided={} if is_settled else None,
    )


def asks_organization(reach: Reach) -> bool:
    """Whether anything in reach depends on the organization that a visitor belongs to."""
    return any(part.root == ORGANIZATION_ROOT for fact in reach.facts for part in with_parts(fact))


def _firsts_decide(members: Iterable[Slot], library: Library) -> bool:
    """Whether there is nothing to choose once it is known which rule of each slot is the first that holds."""
    met: set[str] = set()
    for slot in members:
        shown = set(shown_by(slot, library))
        if not met.isdisjoint(shown):
            return False
        met |= shown
        for rule in slot.rules:
            candidates = candidates_of(rule.show, library)
            if min(candidates.limit, len(set(candidates.item_ids))) < slot.holds:
                return False
    return True


def _is_timeless(slot: Slot, library: Library) -> bool:
    """Whether every item that the slot can show may be shown at any moment."""
    items = [library.items[item_id] for item_id in shown_by(slot, library)]
    return all(item.from_at is None and item.until_at is None for item in items)


def _shows_visitor(slot: Slot, library: Library) -> bool:
    return any(library.items[item_id].rendering.is_personal for item_id in shown_by(slot, library))


def shown_by(slot: Slot, library: Library) -> list[str]:
    """The ids of all items that the slot can show."""
    shown = [item_id for rule in slot.rules for item_id in candidates_of(rule.show, library).item_ids]
    return shown if slot.otherwise is None else [*shown, slot.otherwise.text]


def _and_after(members: list[Slot], found: set[str]) -> frozenset[str]:
    """The slots found and those behind them: no item stands twice on a page, so what the first of them shows
    decides what is left for the others."""
    ids = [slot.slot_id for slot in members]
    firsts = [number for number, slot_id in enumerate(ids) if slot_id in found]
    return frozenset(ids[firsts[0] :]) if firsts else frozenset()
