"""Which rules leave later ones of their slot nothing: by whom they are for, and by what they show."""

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TypeVar

from personalize.rules.conditions import All, Any, Condition, InSegment, Leaf, Not
from personalize.rules.definitions import Rule, Slot
from personalize.rules.equality import Listed
from personalize.rules.facts import FactType
from personalize.rules.now_facts import NOW
from personalize.rules.proof.read_once import is_done, occurrences, things_of
from personalize.rules.proof.samples import SOME_MOMENT
from personalize.rules.ruleset import RuleSet

#: What is told by what visitors did, of somebody known who was here before and of no event at all; the rest of it is
#: missing then. Visits and whether they are new aren't told by an event.
_NEVER_DONE: Mapping[str, object] = {"count": 0, "total": 0, "visits": 2, "new": False}

#: The types of facts of which two values that are not equal are never both the one that a visitor has.
_PLAIN = frozenset({FactType.TEXT, FactType.CHOICE, FactType.NUMBER, FactType.MONEY, FactType.BOOL, FactType.DATE})

Wide = TypeVar("Wide")


@dataclass(frozen=True, slots=True)
class Reach:
    """What of a condition tells at a glance whom it leaves out.

    `asks` are the names of the things that it asks about, `denies` of those that it may hold without, `needs` of those
    without which it does not, and `turns` of those of which some value alone makes it fail. A thing is a fact, or all
    that is told of one event, as none of that changes alone. `values` are the few that it needs some facts to have.
    """

    asks: frozenset[str]
    denies: frozenset[str]
    needs: frozenset[str]
    turns: frozenset[str]
    values: Mapping[str, frozenset[object]]

    def meets(self, other: "Reach") -> bool:
        """Whether two conditions may have visitors in common: not where both need other values of a fact."""
        return not any(values.isdisjoint(other.values.get(name, values)) for name, values in self.values.items())


def able_to_cover(narrow: Reach, wide: Iterable[tuple[Wide, Reach]]) -> list[Wide]:
    """Those of some conditions that are worth asking for a proof that one of them always holds with a narrow one.

    A fact that nobody else asks about may be missing, or have the one value that makes a condition fail; so may one
    that the others need to be known, and an event that they need may never have happened. What is left out so gives
    the rest more room.
    """
    able = [(one, reach) for one, reach in wide if reach.meets(narrow)]
    while True:
        asked = Counter(name for _, reach in able for name in reach.asks)
        denied = Counter(name for _, reach in able for name in reach.denies)
        kept = [(one, reach) for one, reach in able if not _escapes(reach, narrow, asked, denied)]
        if len(kept) == len(able):
            return [one for one, _ in kept]
        able = kept


def _escapes(reach: Reach, narrow: Reach, asked: Mapping[str, int], denied: Mapping[str, int]) -> bool:
    """Whether visitors of the narrow condition can be made to fail this one without touching any other."""
    if any(name not in narrow.asks and denied[name] == (name in reach.denies) for name in reach.needs):
        return True
    return any(name not in narrow.asks and asked[name] == 1 for name in reach.turns)


def reach_of(condition: Condition, segments: Mapping[str, Condition]) -> Reach:
    """What a condition reaches, through segments too."""
    told = [(name, leaf, wanted) for leaf, wanted in occurrences(condition, segments) for name in things_of(leaf.fact)]
    times = Counter(name for name, _, _ in told)
    needs, turns = set[str](), set[str]()
    values: dict[str, frozenset[object]] = {}
    for leaf, wanted in _literals(condition, segments):
        fact = leaf.fact
        for name in things_of(fact):
            if wanted and name != NOW and fact.name != "visitor.known" and not _holds_without(leaf):
                needs.add(name)
            if times[name] == 1 and (fact.root != NOW or leaf.word == "when") and not fact.stored:
                turns.add(name)
        if wanted and leaf.word in ("is", "one_of") and fact.type in _PLAIN and not (fact.many or leaf.cast):
            values[fact.name] = frozenset(leaf.argument if isinstance(leaf.argument, Listed) else [leaf.argument])
    denies = frozenset(name for name, leaf, wanted in told if not wanted or _holds_without(leaf))
    return Reach(frozenset(times), denies, frozenset(needs), frozenset(turns), values)


def _holds_without(leaf: Leaf) -> bool:
    """Whether the answer is yes of somebody known of whom nothing is told of what the question is about."""
    if not is_done(leaf.fact):
        return False
    nothing: object = () if leaf.fact.root == "did" else _NEVER_DONE.get(leaf.fact.key)
    return nothing is not None and leaf.holds(nothing, SOME_MOMENT)


def _literals(condition: Condition, segments: Mapping[str, Condition]) -> Iterator[tuple[Leaf, bool]]:
    """The questions that have to be answered so, those of segments too."""
    for part in needed(condition):
        match part:
            case Leaf():
                yield part, True
            case Not(Leaf() as leaf):
                yield leaf, False
            case InSegment(segment_id):
                yield from _literals(segments[segment_id], segments)


def needed(condition: Condition) -> Iterator[Condition]:
    """The parts of a condition that all have to be so, as far as they can be told one by one."""
    match condition:
        case All(parts):
            for part in parts:
                yield from needed(part)
        case Not(Any(parts)):
            for part in parts:
                yield from needed(Not(part))
        case Not(Not(part)):
            yield from needed(part)
        case _:
            yield condition


class Fillers:
    """Which rules always have something to show, so that no later rule of their slot gets a turn."""

    def __init__(self, rule_set: RuleSet) -> None:
        self._rule_set = rule_set
        shown = {(slot_id, item_id) for slot_id, slot in rule_set.slots.items() for item_id in shown_by(slot, rule_set)}
        slots = Counter(item_id for _, item_id in shown)
        self._shared = {item_id for item_id, number in slots.items() if number > 1}

    def fills(self, slot: Slot, rule: Rule) -> bool:
        """Whether a rule, wherever it matches, has enough items that are valid at any time to fill the slot."""
        return self._enough(slot, rule, frozenset())

    def fills_alone(self, slot: Slot, rule: Rule) -> bool:
        """The same with items that no other slot shows: an item that a page shows already is not shown again."""
        return self._enough(slot, rule, self._shared)

    def _enough(self, slot: Slot, rule: Rule, without: Collection[str]) -> bool:
        candidates = self._rule_set.candidates[slot.slot_id, rule.rule_id]
        items = [self._rule_set.library.items[item_id] for item_id in candidates.item_ids if item_id not in without]
        lasting = sum(item.from_at is None and item.until_at is None for item in items)
        return min(lasting, candidates.limit) >= slot.holds


def shown_by(slot: Slot, rule_set: RuleSet) -> Iterator[str]:
    """The ids of all items that a slot can show."""
    for rule in slot.rules:
        yield from rule_set.candidates[slot.slot_id, rule.rule_id].item_ids
    if slot.otherwise is not None:
        yield slot.otherwise.text
