"""What is proved of the rules of a site and worth telling its editors: who never sees what was meant for them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

from personalize.problems import Problems, quoted
from personalize.rules.conditions import EVERYONE, All, Any, Condition, InSegment, Leaf, questions
from personalize.rules.definitions import Rule, Segment, Slot
from personalize.rules.describe import Describer, listed
from personalize.rules.facts import NOW_INSTANT, Facts
from personalize.rules.now_facts import NOW
from personalize.rules.proof.coverage import Fillers, Reach, able_to_cover, needed, reach_of
from personalize.rules.proof.covering import is_covered
from personalize.rules.proof.endings import ENDED, tell_ended
from personalize.rules.proof.overlaps import OVERLAP, tell_overlaps
from personalize.rules.proof.proof import Cases, Proof
from personalize.rules.ruleset import RuleSet
from personalize.yaml_tree import Place

#: The codes of all that is told here.
PROVED = frozenset({"W260", "W261", "W262", "W263", "W264", OVERLAP}) | ENDED


def proof_of(rule_set: RuleSet) -> Proof:
    """What proves things of the conditions of a rule set."""
    segments = {segment_id: segment.who for segment_id, segment in rule_set.segments.items()}
    return Proof(segments, Facts(rule_set.schema), rule_set.counters, rule_set.conventions.zone)


def check_by_proof(
    rule_set: RuleSet, problems: Problems, *, now: datetime | None = None, overlaps: bool = False
) -> None:
    """Collect conditions that nobody meets or everybody does, rules that never win, and segments that are one.

    What is over `now` is told where a moment is given. Rules that overlap, which most do, are told where they are asked
    for.
    """
    proof = proof_of(rule_set)
    _Findings(rule_set, proof, problems).run()
    if now is not None:
        tell_ended(rule_set, proof, problems, now=now)
    if overlaps:
        tell_overlaps(rule_set, proof, problems)


Part = TypeVar("Part")


@dataclass(frozen=True, slots=True)
class Standing:
    """A rule that stands in a slot, with its condition and what that reaches."""

    rule: Rule
    condition: Condition
    reach: Reach


class _Findings:
    """Looks at every segment and rule of a site once."""

    def __init__(self, rule_set: RuleSet, proof: Proof, problems: Problems) -> None:
        self._rule_set = rule_set
        self._problems = problems
        self._proof = proof
        titles = {segment_id: segment.title for segment_id, segment in rule_set.segments.items()}
        self._describer = Describer(rule_set.conventions, titles)
        self._empty_segments: set[str] = set()
        self._fillers = Fillers(rule_set)

    def run(self) -> None:
        """Collect what is found."""
        for segment in self._rule_set.segments.values():
            self._check_segment(segment)
        self._check_equal_segments()
        for slot in self._rule_set.slots.values():
            earlier: list[Standing] = []
            for rule in slot.rules:
                condition = rule.condition
                standing = Standing(rule, condition, reach_of(condition, self._proof.segments))
                if self._check_rule(rule, condition):
                    self._check_earlier(slot, earlier, standing)
                    if self._fillers.fills(slot, rule):
                        earlier.append(standing)

    # One condition -------------------------------------------------------------------------------------

    def _check_segment(self, segment: Segment) -> None:
        what = f"the segment {quoted(segment.segment_id)}"
        if self._proof.is_open(segment.who):
            return
        cases = self._proof.among(segment.who)
        if self._check_never(cases, segment.who, f"{what} can't hold anybody", segment.place):
            self._empty_segments.add(segment.segment_id)
            return
        self._check_always(cases, segment.who, f"{what} holds everybody", segment.place)
        self._check_parts(cases, segment.who, (), what)

    def _check_rule(self, rule: Rule, condition: Condition) -> bool:
        """Whether anybody may meet the rule's condition."""
        what = f"the rule {quoted(rule.rule_id)}"
        if self._proof.is_open(condition):
            return True
        cases = self._proof.among(condition)
        if self._check_never(cases, condition, f"{what} can never match", rule.place):
            return False
        self._check_always(cases, rule.to, f"{what} is for everybody", rule.place)
        self._check_parts(cases, rule.to, () if rule.when is None else (rule.when,), what)
        return True

    def _check_never(self, cases: Cases, condition: Condition, message: str, place: Place) -> bool:
        """Tell of a condition that nobody meets, with the parts that exclude one another; whether it is one."""
        if not cases.is_never(condition):
            return False
        core = _smallest(list(needed(condition)), lambda parts: cases.is_never(*parts))
        if not (len(core) == 1 and isinstance(core[0], InSegment) and core[0].segment_id in self._empty_segments):
            said = self._exclusive(core)
            self._problems.warning("W260", f"{message}: {said}", _place(core, place), _way_out(core))
        return True

    def _exclusive(self, core: Sequence[Condition]) -> str:
        said = [f"`{self._describer.condition(one)}`" for one in core]
        if len(said) == 1:
            return f"{said[0]} holds for nobody"
        return f"{listed(said)} {'exclude one another' if len(said) == 2 else 'are never true together'}"

    def _check_always(self, cases: Cases, condition: Condition, message: str, place: Place) -> None:
        asks_all = any(isinstance(part, Leaf) and part.fact.root != NOW for part in needed(condition))
        if condition != EVERYONE and not asks_all and cases.is_never(failing=(condition,)):
            hint = "if all of it has to hold, write `all:` for `any:`; if everybody is meant, leave it out"
            said = self._describer.condition(condition)
            self._problems.warning("W262", f"{message}: whoever it is, {said}", _place([condition], place), hint)

    def _check_parts(self, cases: Cases, condition: Condition, beside: tuple[Condition, ...], what: str) -> None:
        """Tell of parts of an `any` that never hold where they stand, `beside` the conditions around them."""
        if isinstance(condition, All):
            for part in condition.parts:
                self._check_parts(cases, part, (*beside, *(one for one in condition.parts if one is not part)), what)
        if not isinstance(condition, Any):
            return
        for part in condition.parts:
            if not cases.is_never(part, *beside):
                self._check_parts(cases, part, beside, what)
                continue
            atoms = [*needed(part), *(one for around in beside for one in needed(around))]
            core = _smallest(atoms, lambda parts: cases.is_never(*parts))
            if not (len(core) == 1 and isinstance(core[0], InSegment) and core[0].segment_id in self._empty_segments):
                said = f"in {what} one way to match leads nowhere: {self._exclusive(core)}"
                self._problems.warning("W261", said, _place([part], None), "take this part of `any` out, or mend it")

    # Several conditions --------------------------------------------------------------------------------

    def _check_earlier(self, slot: Slot, earlier: Sequence[Standing], standing: Standing) -> None:
        """Tell of a rule whose visitors are all shown something by earlier ones, which always have something."""
        able = able_to_cover(standing.reach, [(one, one.reach) for one in earlier])
        if not able:
            return
        covering = is_covered(standing.condition, [one.condition for one in able], self._proof)
        if covering is None:
            return
        enough = [able[place] for place in sorted(covering)]
        cases = self._proof.among(standing.condition, *(one.condition for one in enough))
        core = _smallest(
            enough, lambda some: cases.is_never(standing.condition, failing=[one.condition for one in some])
        )
        what = f"the rule {quoted(standing.rule.rule_id)}"
        names = listed([f"{quoted(one.rule.rule_id)} (line {one.rule.place.line})" for one in core])
        wins = "wins" if len(core) == 1 else "win"
        if all(self._fillers.fills_alone(slot, one.rule) for one in core):
            said = f"{what} can never win: {names} before it {wins} all its visitors"
        else:
            said = f"{what} wins only where the page already shows what {names} before it would, for all its visitors"
        self._problems.warning("W263", said, standing.rule.place, f"move it above {quoted(core[0].rule.rule_id)}")

    def _check_equal_segments(self) -> None:
        """Tell of segments that hold the same people, whatever their conditions look like."""
        before: list[tuple[Segment, Reach]] = []
        for segment in self._rule_set.segments.values():
            if segment.segment_id in self._empty_segments:
                continue
            reach = reach_of(segment.who, self._proof.segments)
            twin = next((one for one, known in before if self._are_equal(one, known, segment, reach)), None)
            before.append((segment, reach))
            if twin is not None:
                self._problems.warning(
                    "W264",
                    f"the segment {quoted(segment.segment_id)} holds the same people as {quoted(twin.segment_id)}",
                    segment.place,
                    f"name {quoted(twin.segment_id)} instead, and take this one out",
                )

    def _are_equal(self, one: Segment, known: Reach, other: Segment, reach: Reach) -> bool:
        if not (able_to_cover(known, [(one, reach)]) and able_to_cover(reach, [(one, known)])):
            return False
        cases = self._proof.among(one.who, other.who)
        return all(cases.is_never(left.who, failing=[right.who]) for left, right in ((one, other), (other, one)))


def _smallest(parts: list[Part], is_enough: Callable[[Sequence[Part]], bool]) -> list[Part]:
    """As few of the parts as are still enough, those written first left out first."""
    kept = list(parts)
    for part in parts:
        fewer = [one for one in kept if one is not part]
        if is_enough(fewer):
            kept = fewer
    return kept


def _place(parts: Sequence[Condition], default: Place | None) -> Place | None:
    """Where the last of some parts is written."""
    places = [question.place for part in parts for question in questions(part) if question.place is not None]
    return places[-1] if places else default


def _way_out(core: Sequence[Condition]) -> str:
    if len(core) == 1:
        return "take it out, or ask for what can be"
    if any(isinstance(part, Leaf) and part.fact == NOW_INSTANT for part in core):
        return "change `when`, or what `to` says of the time"
    return "if one of them will do, put them under `any:`; else take one out"
