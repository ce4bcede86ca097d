"""Whom each rule reaches: decisions of many visitors, counted. Each is decided as a page would decide it."""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import NamedTuple, TypeAlias, TypeVar

from personalize.decisions.context import Context
from personalize.decisions.decide import Notes, decide
from personalize.decisions.decision import Decision, Reason
from personalize.rules.pages import Page, RuleKey
from personalize.rules.ruleset import RuleSet

T = TypeVar("T")
#: Names one number of a count, so that counts of several parts add up.
Key: TypeAlias = tuple[str, ...]
#: What every slot of a rule set shows to one visitor, by slot id.
Decisions = Mapping[str, Decision]


class Outcome(NamedTuple):
    """What decided a slot: a rule, by its id, or the reason why none did."""

    reason: Reason
    rule_id: str | None = None


@dataclass(frozen=True, slots=True)
class RuleReach:
    """What became of one rule, as numbers of the visitors who were asked.

    It `matches` those whom its people and its time fit. Of these it `shows` something to some; it had nothing to
    show to others (`empty`: its items are not valid now, or stand on the page already); and it lost the rest to
    earlier rules that filled the slot: `lost_to`, by the rule that won. It `wins` where it gave the first item,
    which in a slot that holds one is wherever it shows something.
    """

    rule_id: str
    matches: int
    wins: int
    shows: int
    empty: int
    lost_to: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class SlotReach:
    """What became of a slot: the wins of its rules, `otherwise` and `default` (the site's own markup) together are
    all the visitors who were asked."""

    slot_id: str
    rules: tuple[RuleReach, ...]
    otherwise: int
    default: int


@dataclass(frozen=True, slots=True)
class SlotChange:
    """How many visitors see something else in a slot than before, and what decided it before and decides it now."""

    slot_id: str
    changed: int
    moves: Mapping[tuple[Outcome, Outcome], int]


@dataclass(frozen=True, slots=True)
class Changes:
    """How many visitors see something else in any slot, and slot by slot."""

    changed: int
    slots: Mapping[str, SlotChange]


class ReachCount:
    """Asks one rule set about visitors, one after the other, and counts what becomes of each rule."""

    def __init__(self, rule_set: RuleSet) -> None:
        self._rule_set = rule_set
        self._pages: tuple[Page, ...] = tuple({page.name: page for page in rule_set.pages.values()}.values())
        self._rules = {key: _RuleCount() for keys in rule_set.rule_keys.values() for key in keys}
        self._reasons = {slot_id: Counter[Reason]() for slot_id in rule_set.slots}

    def ask(self, context: Context) -> Decisions:
        """Count one visitor, and what all slots show to them."""
        found: dict[str, Decision] = {}
        for page in self._pages:
            notes: Notes = {}
            decisions = decide(page, context, self._rule_set, notes=notes)
            answers = context.answers(self._rule_set.index, page.reach)
            for slot_id, decision in decisions.items():
                self._reasons[slot_id][decision.reason] += 1
                for key in answers.matching(self._rule_set.rows[slot_id]):
                    self._rules[key].add(key, notes.get(key), decision)
            found.update(decisions)
        return found

    def counted(self) -> Iterator[tuple[Key, int]]:
        """All that was counted, each number with its name."""
        for slot_id, reasons in self._reasons.items():
            yield from (((slot_id, reason.value), number) for reason, number in reasons.items())
        for key, rule in self._rules.items():
            yield from (((*key, *name), number) for name, number in rule.counted())

    def add(self, key: Key, number: int) -> None:
        """Add a number that another count has under this name."""
        slot_id, *rest = key
        if len(rest) == 1:
            self._reasons[slot_id][Reason(rest[0])] += number
        else:
            rule_id, *name = rest
            self._rules[slot_id, rule_id].plus(tuple(name), number)

    def slots(self) -> Mapping[str, SlotReach]:
        """What became of every slot, in the rule set's order."""
        return MappingProxyType({slot_id: self._slot(slot_id, keys) for slot_id, keys in self._keys.items()})

    @property
    def _keys(self) -> Mapping[str, tuple[RuleKey, ...]]:
        return self._rule_set.rule_keys

    def _slot(self, slot_id: str, keys: tuple[RuleKey, ...]) -> SlotReach:
        return SlotReach(
            slot_id=slot_id,
            rules=tuple(self._rules[key].reach(key[1]) for key in keys),
            otherwise=self._reasons[slot_id][Reason.OTHERWISE],
            default=self._reasons[slot_id][Reason.DEFAULT],
        )


@dataclass(slots=True)
class _RuleCount:
    wins: int = 0
    shows: int = 0
    empty: int = 0
    lost_to: Counter[str] = field(default_factory=Counter)

    def add(self, key: RuleKey, items: tuple[str, ...] | None, decision: Decision) -> None:
        """Count a visitor whom the rule matches. `items` is what it gave, None where the slot was full before it."""
        if items is None:
            assert decision.rule_id is not None, "only rules fill a slot before its last rule"
            self.lost_to[decision.rule_id] += 1
        elif items:
            self.shows += 1
            self.wins += decision.rule_id == key[1]
        else:
            self.empty += 1

    def counted(self) -> Iterator[tuple[Key, int]]:
        """The numbers by their names."""
        yield from ((("wins",), self.wins), (("shows",), self.shows), (("empty",), self.empty))
        yield from ((("lost to", rule_id), number) for rule_id, number in self.lost_to.items())

    def plus(self, name: Key, number: int) -> None:
        """Add to the number of this name."""
        match name:
            case ("wins",):
                self.wins += number
            case ("shows",):
                self.shows += number
            case ("empty",):
                self.empty += number
            case (_, rule_id):
                self.lost_to[rule_id] += number

    def reach(self, rule_id: str) -> RuleReach:
        matches = self.shows + self.empty + self.lost_to.total()
        lost_to = MappingProxyType(dict(_largest_first(self.lost_to)))
        return RuleReach(rule_id, matches, self.wins, self.shows, self.empty, lost_to)


class ChangeCount:
    """Counts whose pages change between two rule sets; a slot that one of them lacks keeps the site's own markup."""

    def __init__(self, before: RuleSet, after: RuleSet) -> None:
        self._slot_ids = tuple(dict.fromkeys((*after.slots, *before.slots)))
        self._changed = 0
        self._changed_in: Counter[str] = Counter()
        self._moves: dict[str, Counter[tuple[Outcome, Outcome]]] = {one: Counter() for one in self._slot_ids}

    def compare(self, before: Decisions, after: Decisions) -> None:
        """Count one visitor, by what both rule sets show to them."""
        is_changed = False
        for slot_id in self._slot_ids:
            old, new = before.get(slot_id) or Decision(slot_id), after.get(slot_id) or Decision(slot_id)
            if old.item_ids != new.item_ids:
                is_changed = True
                self._changed_in[slot_id] += 1
                self._moves[slot_id][_outcome(old), _outcome(new)] += 1
        self._changed += is_changed

    def counted(self) -> Iterator[tuple[Key, int]]:
        """All that was counted, each number with its name."""
        yield (), self._changed
        for slot_id in self._slot_ids:
            yield (slot_id,), self._changed_in[slot_id]
            for (old, new), number in self._moves[slot_id].items():
                yield (slot_id, *_named(old), *_named(new)), number

    def add(self, key: Key, number: int) -> None:
        """Add a number that another count has under this name."""
        match key:
            case ():
                self._changed += number
            case (slot_id,):
                self._changed_in[slot_id] += number
            case (slot_id, *names):
                before, after = _outcome_named(*names[:2]), _outcome_named(*names[2:])
                self._moves[slot_id][before, after] += number

    def changes(self) -> Changes:
        """What was counted; the most frequent moves come first."""
        slots = {
            slot_id: SlotChange(slot_id, self._changed_in[slot_id], MappingProxyType(dict(_largest_first(moves))))
            for slot_id, moves in self._moves.items()
        }
        return Changes(self._changed, MappingProxyType(slots))


def _outcome(decision: Decision) -> Outcome:
    return Outcome(decision.reason, decision.rule_id)


def _named(outcome: Outcome) -> tuple[str, str]:
    # No rule has an empty id.
    return outcome.reason.value, outcome.rule_id or ""


def _outcome_named(reason: str, rule_id: str) -> Outcome:
    return Outcome(Reason(reason), rule_id or None)


def _largest_first(counts: Counter[T]) -> list[tuple[T, int]]:
    """The counts in an order that does not tell how many parts they were added up from."""
    return sorted(counts.items(), key=lambda item: (-item[1], repr(item[0])))
