"""What is over at a moment: rules and segments whose dates are past, and items that are valid no more where a rule
still shows them."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta, tzinfo

from personalize.problems import Problems, quoted
from personalize.rules.conditions import Condition, InSegment, Leaf
from personalize.rules.definitions import Named, Rule, Slot
from personalize.rules.describe import Describer
from personalize.rules.facts import NOW_INSTANT, Facts
from personalize.rules.now_facts import NOW
from personalize.rules.operators import IN_WINDOW
from personalize.rules.proof.coverage import needed
from personalize.rules.proof.proof import Proof
from personalize.rules.proof.space import all_leaves
from personalize.rules.ruleset import RuleSet
from personalize.rules.window import Window

#: The codes of all that is told here.
ENDED = frozenset({"W270", "W271"})
#: No clock is further behind, or ahead of, that of Greenwich.
_MOST_BEHIND, _MOST_AHEAD = timedelta(hours=12), timedelta(hours=14)
_NEW_DATES = "give it new dates, or take it out"


def tell_ended(rule_set: RuleSet, proof: Proof, problems: Problems, *, now: datetime) -> None:
    """Tell of what matched or was shown once, and from this moment on never is."""
    _Endings(rule_set, proof, problems, now).run()


class _Endings:
    """Looks at every segment and rule of a site once, as of one moment."""

    def __init__(self, rule_set: RuleSet, proof: Proof, problems: Problems, now: datetime) -> None:
        self._rule_set = rule_set
        self._proof = proof
        self._problems = problems
        self._now = now
        self._describer = Describer(rule_set.conventions, rule_set.titles)
        self._from_now_on = _from_now_on(now, Facts(rule_set.schema), rule_set.conventions.zone)
        self._over: set[str] = set()

    def run(self) -> None:
        """Collect what is over."""
        for segment in self._rule_set.segments.values():
            core = self._over_by(segment.who)
            if core is not None:
                self._over.add(segment.segment_id)
                self._tell(f"the segment {quoted(segment.segment_id)}", "nobody is in it any more", core)
        for slot in self._rule_set.slots.values():
            for rule in slot.rules:
                core = self._over_by(rule.condition)
                if core is None:
                    self._check_items(slot, rule)
                else:
                    self._tell(f"the rule {quoted(rule.rule_id)}", "it never matches any more", core)
            if slot.otherwise is not None and self._ended_at(slot.otherwise.text):
                self._tell_item(slot.otherwise, f"the slot {quoted(slot.slot_id)}")

    # Conditions ----------------------------------------------------------------------------------------

    def _over_by(self, condition: Condition) -> Sequence[Condition] | None:
        """The parts of a condition by which nobody meets it any more who once did; None where somebody may."""
        asked = list(all_leaves(condition, self._proof.segments))
        if not any(map(self._is_past, asked)):
            return None
        clocks = {leaf.fact.personal for leaf in asked if leaf.fact.root == NOW}
        later = [leaf for leaf in self._from_now_on if leaf.fact.personal in clocks]
        cases = self._proof.among(condition, *later)
        if not cases.is_never(condition, *later) or cases.is_never(condition):
            return None
        return [part for part in needed(condition) if cases.is_never(part, *later)]

    def _is_past(self, leaf: Leaf) -> bool:
        """Whether a question may name a day or a moment before now, behind which it is true no more."""
        window = leaf.argument
        if not isinstance(window, Window):
            return (leaf.fact.root, leaf.fact.key) == (NOW, "date")
        ends = window.until_at
        if ends is None or window.on:
            return bool(window.on)
        return (ends if ends.tzinfo is not None else ends.replace(tzinfo=UTC) - _MOST_AHEAD) <= self._now

    def _tell(self, what: str, then: str, core: Sequence[Condition]) -> None:
        if any(isinstance(part, InSegment) and part.segment_id in self._over for part in core):
            return  # this is said of the segment
        said = " and ".join(self._describer.condition(part) for part in core) or then
        place = next((part.place for part in core if isinstance(part, Leaf)), None)
        self._problems.warning("W270", f"{what} is over: {said}", place, _NEW_DATES)

    # Items ---------------------------------------------------------------------------------------------

    def _check_items(self, slot: Slot, rule: Rule) -> None:
        window = None if rule.when is None else rule.when.argument
        begins_at = window.from_at if isinstance(window, Window) and window.zone is not None else None
        for named in rule.show.items:
            ended_at = self._ended_at(named.text)
            if ended_at is not None and (begins_at is None or ended_at > begins_at):
                self._tell_item(named, f"the rule {quoted(rule.rule_id)}")
        collection = rule.show.collection
        candidates = self._rule_set.candidates[slot.slot_id, rule.rule_id].item_ids
        if collection is not None and candidates and all(map(self._ended_at, candidates)):
            message = f"the rule {quoted(rule.rule_id)} shows nothing any more: all its items have ended"
            self._problems.warning("W271", message, collection.place, "write new ones, or give these new dates")

    def _ended_at(self, item_id: str) -> datetime | None:
        """When the validity of an item ended; None where it has not."""
        until_at = self._rule_set.library.items[item_id].until_at
        return until_at if until_at is not None and until_at <= self._now else None

    def _tell_item(self, named: Named, what: str) -> None:
        item = self._rule_set.library.items[named.text]
        valid = Window.between(item.from_at, item.until_at, self._rule_set.conventions.zone)
        message = f"{what} no longer shows {quoted(named.text)}: it was valid {valid}"
        hint = f"give it new dates in {item.file}, or take it out here"
        self._problems.warning("W271", message, named.place, hint)


def _from_now_on(now: datetime, facts: Facts, zone: tzinfo) -> list[Leaf]:
    """What is true at every later moment: by the site's clock, and by whatever clock a visitor may have."""
    found = [Leaf(NOW_INSTANT, IN_WINDOW, IN_WINDOW.word, Window(zone, from_at=now))]
    if facts.local_now is not None:
        earliest = now.astimezone(UTC).replace(tzinfo=None) - _MOST_BEHIND
        found.append(Leaf(facts.local_now, IN_WINDOW, IN_WINDOW.word, Window(None, from_at=earliest)))
    return found
