"""A simulation in words, for a terminal, and as JSON, for programs."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

from personalize.cli.rules_asked import which
from personalize.cli.site import Site
from personalize.cli.tables import counted, paragraph, table
from personalize.decisions.decision import Reason
from personalize.decisions.reach import Changes, Outcome, RuleReach, SlotChange, SlotReach
from personalize.problems import quoted
from personalize.reports.reach import FLOOR, TOO_FEW, USUAL_RATE, Estimate, SmallRule, estimate, too_small
from personalize.rules.ruleset import RuleSet
from personalize.runtime.bulk.simulate import Simulation

_FEW = "few"
_MOST_MOVES = 3
_SITES_OWN = "the site's own"


def as_text(
    simulation: Simulation, rule_set: RuleSet, slot_ids: Collection[str], site: Site, *, live: bool, width: int
) -> Iterator[str]:
    """The lines of a simulation: who was asked, each slot with its rules, what changes, which rules are too small.

    `slot_ids` are the slots to tell of; none means all.
    """
    words = _Words(simulation, rule_set)
    for text in words.who_was_asked(site, live=live):
        yield paragraph(text, width=width)
    if not simulation.asked:
        return
    for slot in simulation.slots.values():
        if not slot_ids or slot.slot_id in slot_ids:
            yield ""
            yield paragraph(words.heading(slot), width=width)
            yield from (f"  {line}" for line in words.table(slot, width - 2))
            yield from (paragraph(text, first="  ", rest="    ", width=width) for text in words.about(slot))
    yield ""
    yield from (paragraph(text, width=width) for text in words.end())


class _Words:
    """Puts the numbers of one simulation into words."""

    def __init__(self, simulation: Simulation, rule_set: RuleSet) -> None:
        self._simulation = simulation
        self._rule_set = rule_set
        self._uses_few = False

    def who_was_asked(self, site: Site, *, live: bool) -> Iterator[str]:
        """Sentences on who was asked about which rules, and what was not known of them."""
        simulation = self._simulation
        since, moment = site.written(simulation.since), site.written(simulation.moment)
        rules = which(self._rule_set, live=live)
        if not simulation.visitors:
            yield f"No visitor with a profile was seen since {since}."
            return
        seen = f"{counted(simulation.visitors, 'visitor')} with a profile"
        if simulation.is_sample:
            yield f"Of {seen}, seen since {since}, {simulation.asked:,} drawn at random were asked."
        else:
            yield f"{seen}, seen since {since}, {'was' if simulation.visitors == 1 else 'were'} asked."
        is_live = simulation.against == simulation.version
        compared = "which are what is live" if is_live else f"compared with what is live ({simulation.against})"
        against = f", {compared}" if simulation.against is not None else ""
        yield f"Each as if their latest visit went on at {moment}, by {rules}{against}."
        if simulation.is_sample:
            yield "Numbers are estimates for all of them, with the 95% interval of each share."
        without = simulation.asked - simulation.with_page if simulation.with_page is not None else 0
        if without:
            whose = "No page view of theirs" if without == simulation.asked else f"Of {without:,} of them no page view"
            yield f"{whose} is stored, so page, device and language are missing."
        for name, found in simulation.raised.items():
            yield f"{name} raised an error for {self.number(found)} of them: rules that read it match none of those."
        if simulation.unknown:
            yield f"Not kept by the log, and so missing for everybody: {', '.join(simulation.unknown)}."

    def heading(self, slot: SlotReach) -> str:
        """The slot's name and title."""
        title = self._rule_set.slots[slot.slot_id].title
        return f'{slot.slot_id} ("{title}")' if title not in ("", slot.slot_id) else slot.slot_id

    def table(self, slot: SlotReach, width: int) -> Iterator[str]:
        """Each rule with its numbers, then what is shown where none wins."""
        shows_more = any(rule.shows != rule.wins for rule in slot.rules)
        rows = [self._rule(rule, shows_more=shows_more) for rule in slot.rules]
        blanks = ("", "", "") if shows_more else ("", "")
        if self._rule_set.slots[slot.slot_id].otherwise is not None:
            rows.append(("otherwise", *blanks, *self._part(slot.otherwise)))
        rows.append((_SITES_OWN, *blanks, *self._part(slot.default)))
        header = ("rule", "matches", *(("shows",) if shows_more else ()), "loses", "wins", "share")
        yield from table(header, rows, wraps=0, numbers=frozenset(range(1, len(header))), width=width)

    def _rule(self, rule: RuleReach, *, shows_more: bool) -> tuple[str, ...]:
        shows = (self.number(rule.shows),) if shows_more else ()
        loses = self.number(rule.matches - rule.shows)
        return (rule.rule_id, self.number(rule.matches), *shows, loses, *self._part(rule.wins))

    def _part(self, found: int) -> tuple[str, str]:
        """How many, and what share of all with its interval; neither for so few that they are not counted."""
        known = estimate(found, self._simulation)
        if known.visitors is None:
            return self.number(found), ""
        interval = f" ({_ends(known)})" if self._simulation.is_sample else ""
        return self.number(found), f"{_percent(known.share)}{interval}"

    def number(self, found: int) -> str:
        """How many visitors that makes, or `few`."""
        visitors = estimate(found, self._simulation).visitors
        self._uses_few = self._uses_few or visitors is None
        return _FEW if visitors is None else f"{visitors:,}"

    def about(self, slot: SlotReach) -> Iterator[str]:
        """Sentences on a slot: to whom its rules lose, which are too small, and what changes."""
        for rule in slot.rules:
            lost = [f"{self.number(found)} to {winner}" for winner, found in rule.lost_to.items()]
            if rule.empty:
                lost.append(f"{self.number(rule.empty)} for want of an item (not valid now, or shown already)")
            if lost:
                yield f"{rule.rule_id} loses {', '.join(lost)}."
        if self._simulation.visitors >= TOO_FEW:
            small = [rule for rule in too_small(self._simulation) if rule.slot_id == slot.slot_id]
            yield from self._small([rule for rule in small if rule.shown.is_none], slot)
            yield from (self._few(rule) for rule in small if not rule.shown.is_none)
        if self._simulation.changes is not None:
            yield self._change(self._simulation.changes.slots[slot.slot_id])

    def _small(self, rules: Sequence[SmallRule], slot: SlotReach) -> Iterator[str]:
        """Rules that nobody sees, those with the same reason together."""
        reasons: dict[str, list[str]] = {}
        matching = {rule.rule_id: rule for rule in slot.rules if rule.matches}
        timed = {rule.rule_id for rule in self._rule_set.slots[slot.slot_id].rules if rule.when is not None}
        for rule in rules:
            if rule.rule_id in matching:
                taken = bool(matching[rule.rule_id].lost_to)
                reason = "rules above take all whom it matches" if taken else "it has nothing to show to them"
            elif rule.rule_id in timed:
                reason = "nobody matches. It has a time of its own: ask about a moment within, with --at"
            else:
                reason = "nobody matches"
            reasons.setdefault(reason, []).append(rule.rule_id)
        nobody = "Nobody of the sample" if self._simulation.is_sample else "Nobody"
        for reason, names in reasons.items():
            yield f"{nobody} for {', '.join(names)}: {reason}."

    def _few(self, rule: SmallRule) -> str:
        """Why nothing can be learned from a rule that few see, and what could be."""
        reaches = f"{rule.rule_id} reaches too few to learn from"
        if rule.visible_rate is None:
            return f"{reaches}: no effect could be told from chance. Widen it, or leave it out."
        visible = f"a rise from {USUAL_RATE:.0%} to {rule.visible_rate:.0%} or more"
        return f"{reaches}: split in two halves, only {visible} could be told from chance."

    def _change(self, change: SlotChange) -> str:
        """Who sees something else in this slot, and what instead of what."""
        if not change.changed:
            return "Nobody sees anything else here than now."
        moves = [f"{self.number(found)} {_instead(*move)}" for move, found in change.moves.items()]
        if len(moves) == 1:
            return f"{self.number(change.changed)} would see {_instead(*next(iter(change.moves)))}."
        more = "; and others" if len(moves) > _MOST_MOVES else ""
        told = "; ".join(moves[:_MOST_MOVES])
        return f"{self.number(change.changed)} would see something else than now: {told}{more}."

    def end(self) -> Iterator[str]:
        """The sum of it, in a sentence, and what `few` means where it was said."""
        changes = self._simulation.changes
        if changes is None:
            yield "Nothing was compared: no other rule set is live."
        elif not changes.changed:
            yield "Nobody would see anything else than now."
        else:
            known = estimate(changes.changed, self._simulation)
            ends = f", between {_ends(known, ' and ')}" if self._simulation.is_sample else ""
            share = "" if known.visitors is None else f" ({_percent(known.share)}{ends})"
            whole = f"{self.number(changes.changed)} of {counted(self._simulation.visitors, 'visitor')}{share}"
            yield f"{whole} would see something else than now, in one slot or several."
        if self._simulation.visitors < TOO_FEW:
            yield f"So few visitors teach nothing about any rule yet; {TOO_FEW} in this time would be a beginning."
        if self._uses_few:
            yield f"{_FEW}: fewer than {FLOOR} visitors, who are not counted."


def _percent(share: float) -> str:
    """A share as people write it: small ones to two digits."""
    return f"{100 * share:.{_digits(share)}f}%"


def _ends(known: Estimate, between: str = "-") -> str:
    digits = _digits(known.high)
    return f"{100 * known.low:.{digits}f}{between}{100 * known.high:.{digits}f}"


def _digits(share: float) -> int:
    return 2 if 0 < share < 0.01 else 1


def _instead(before: Outcome, after: Outcome) -> str:
    if before == after:
        return f"something else by {_by(after)}"
    return f"{_by(after)} instead of {_by(before)}"


def _by(outcome: Outcome) -> str:
    if outcome.rule_id is not None:
        return quoted(outcome.rule_id)
    return "`otherwise`" if outcome.reason is Reason.OTHERWISE else _SITES_OWN


# For programs ------------------------------------------------------------------------------------------


def as_json(simulation: Simulation, rule_set: RuleSet, slot_ids: Collection[str]) -> dict[str, Any]:
    """The same for programs; a count of so few visitors that they are not counted is null."""
    return {
        "version": simulation.version,
        "against": simulation.against,
        "at": simulation.moment.isoformat(),
        "since": simulation.since.isoformat(),
        "unit": "visitors with a profile",
        "visitors": simulation.visitors,
        "asked": simulation.asked,
        "with_page": simulation.with_page,
        "facts_not_kept": list(simulation.unknown),
        "facts_that_raised": {name: _estimate(found, simulation) for name, found in simulation.raised.items()},
        "slots": [
            _slot(slot, simulation, rule_set.slots[slot.slot_id].title)
            for slot in simulation.slots.values()
            if not slot_ids or slot.slot_id in slot_ids
        ],
        "changed": None if simulation.changes is None else _estimate(simulation.changes.changed, simulation),
        "too_small": [
            {"slot": rule.slot_id, "rule": rule.rule_id, "from_rate": USUAL_RATE, "visible_rate": rule.visible_rate}
            for rule in too_small(simulation)
            if not slot_ids or rule.slot_id in slot_ids
        ],
    }


def _slot(slot: SlotReach, simulation: Simulation, title: str) -> dict[str, Any]:
    return {
        "slot": slot.slot_id,
        "title": title,
        "rules": [_rule(rule, simulation) for rule in slot.rules],
        "otherwise": _estimate(slot.otherwise, simulation),
        "default": _estimate(slot.default, simulation),
        "changed": _change(simulation.changes, slot.slot_id, simulation),
    }


def _rule(rule: RuleReach, simulation: Simulation) -> dict[str, Any]:
    return {
        "rule": rule.rule_id,
        "matches": _estimate(rule.matches, simulation),
        "wins": _estimate(rule.wins, simulation),
        "shows": _estimate(rule.shows, simulation),
        "nothing_to_show": _estimate(rule.empty, simulation),
        "lost_to": {winner: _estimate(found, simulation) for winner, found in rule.lost_to.items()},
    }


def _change(changes: Changes | None, slot_id: str, simulation: Simulation) -> dict[str, Any] | None:
    if changes is None:
        return None
    change = changes.slots[slot_id]
    moves = [
        {"before": _outcome(before), "after": _outcome(after), **_estimate(found, simulation)}
        for (before, after), found in change.moves.items()
    ]
    return {**_estimate(change.changed, simulation), "moves": moves}


def _outcome(outcome: Outcome) -> Mapping[str, str | None]:
    return {"reason": str(outcome.reason), "rule": outcome.rule_id}


def _estimate(found: int, simulation: Simulation) -> dict[str, Any]:
    known = estimate(found, simulation)
    if known.visitors is None:
        return {"visitors": None, "share": None, "interval": None}
    return {"visitors": known.visitors, "share": known.share, "interval": [known.low, known.high]}
