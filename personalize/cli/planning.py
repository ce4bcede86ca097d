"""A plan in words, for a terminal, and as JSON, for programs."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from operator import attrgetter
from pathlib import Path
from typing import Any

import click

from personalize.cli.site import Site
from personalize.cli.tables import counted, paragraph
from personalize.decisions.reach import RuleReach, SlotReach
from personalize.decisions.revision import Edit, Kind
from personalize.reports.reach import FLOOR, estimate
from personalize.runtime.bulk.simulate import Simulation
from personalize.runtime.saved_plan import SavedPlan
from personalize.stores.protocols import Live

_MARKS: Mapping[Kind, tuple[str, str]] = {
    Kind.ADDED: ("+", "green"),
    Kind.CHANGED: ("~", "yellow"),
    Kind.MOVED: (">", "yellow"),
    Kind.REMOVED: ("-", "red"),
}
_NUMBERS = (attrgetter("matches"), attrgetter("wins"))
#: A rule that is as it was, and reaches others than before.
_SAME = "="


@dataclass(frozen=True, slots=True)
class Planned:
    """What publishing would do: `edits` over what is `live`. `simulation` is None where there are none."""

    saved: SavedPlan
    live: Live | None
    edits: Sequence[Edit]
    simulation: Simulation | None
    warnings: int


def as_text(planned: Planned, site: Site, *, out: Path | None, width: int) -> Iterator[str]:
    """The lines of a plan: each thing that is different, whom rules reach before and after, a summary."""
    live = planned.live
    if not planned.edits:
        same = "Nothing to publish: the files say the same as what is live"
        yield paragraph(f"{same} ({live.version})." if live is not None else f"{same}, which is nothing.", width=width)
        return
    over = "Nothing is live so far." if live is None else _over(live, site)
    yield paragraph(f"The files on disk ({planned.saved.version}). {over}", width=width)
    yield ""
    reach = _Reach(planned.simulation)
    for edit in planned.edits:
        yield from _edit(edit, reach, width)
    others = list(reach.others({edit.name for edit in planned.edits if edit.thing == "rule"}))
    if others:
        yield ""
        yield "Rules that stay as they are, and reach others than before:"
        yield ""
        yield from (paragraph(f"{_SAME} rule {text}", first="  ", rest=" " * 6, width=width) for text in others)
    yield ""
    yield from (paragraph(line, width=width) for line in _summary(planned, reach, out))


def _over(live: Live, site: Site) -> str:
    return f"Live is {live.version}, since {site.written(live.at)} (by {live.by})."


def _edit(edit: Edit, reach: "_Reach", width: int) -> Iterator[str]:
    mark, colour = _MARKS[edit.kind]
    share = reach.of(edit.name) if edit.thing == "rule" and edit.kind is not Kind.MOVED else ""
    head = paragraph(
        f"{mark} {edit.thing} {edit.name}{f' ({share})' if share else ''}", first="  ", rest=" " * 6, width=width
    )
    yield head.replace(mark, click.style(mark, fg=colour, bold=True), 1)
    says = edit.before is not None and edit.after is not None
    for word, text in (("was: ", edit.before), ("is:  ", edit.after)):
        if text is not None:
            yield paragraph(text, first=" " * 6 + (word if says else ""), rest=" " * (11 if says else 6), width=width)
    for detail in edit.details:
        yield paragraph(detail, first=" " * 6, rest=" " * 8, width=width)


def _summary(planned: Planned, reach: "_Reach", out: Path | None) -> Iterator[str]:
    counts = count_edits(planned.edits)
    words = {"added": "to add", "changed": "to change", "moved": "to move", "removed": "to remove"}
    yield f"Plan: {', '.join(f'{number} {words[kind]}' for kind, number in counts.items())}."
    yield from reach.end()
    if planned.warnings:
        yield f"{counted(planned.warnings, 'warning')}, as above."
    if out is not None:
        yield f'Kept in {out}: "personalize publish --plan {out}" publishes exactly this.'


def count_edits(edits: Sequence[Edit]) -> Mapping[str, int]:
    """How many things become what, by the kind of edit."""
    return {str(kind): sum(edit.kind is kind for edit in edits) for kind in Kind}


class _Reach:
    """Whom rules reach, before and after, in words."""

    def __init__(self, simulation: Simulation | None) -> None:
        self._simulation = simulation
        self._before = _by_name(simulation.before) if simulation is not None else {}
        self._after = _by_name(simulation.slots) if simulation is not None else {}

    def of(self, name: str) -> str:
        """What a rule matches and wins; nothing where nobody was asked."""
        if self._simulation is None or not self._simulation.asked:
            return ""
        old, new = self._before.get(name), self._after.get(name)
        matches, wins = (
            self._arrow(*(None if one is None else number(one) for one in (old, new))) for number in _NUMBERS
        )
        return f"matches {matches}, wins {wins}"

    def others(self, told: set[str]) -> Iterator[str]:
        """The rules not told of yet whose numbers are different."""
        for name, new in self._after.items():
            old = self._before.get(name)
            if name not in told and old is not None and (old.matches, old.wins) != (new.matches, new.wins):
                text = self.of(name)
                if " -> " in text:
                    yield f"{name} ({text})"

    def end(self) -> Iterator[str]:
        """How many would see something else, out of how many."""
        simulation = self._simulation
        if simulation is None or not simulation.asked:
            yield "No stored visitor was there to be asked whom it reaches."
            return
        days = (simulation.moment - simulation.since).days
        of = f"{counted(simulation.visitors, 'visitor')} seen in the last {days} days"
        if simulation.changes is not None:
            changed = estimate(simulation.changes.changed, simulation)
            number = f"fewer than {FLOOR}" if changed.visitors is None else f"{changed.visitors:,}"
            interval = f", {_percent(changed.low)} to {_percent(changed.high)}" if simulation.is_sample else ""
            yield f"{number} of {of} would see something else ({_percent(changed.share)}{interval})."
        if simulation.is_sample:
            yield f"Shares are estimates: {simulation.asked:,} of {of}, drawn at random, were asked."

    def _arrow(self, old: int | None, new: int | None) -> str:
        texts = ["none" if found is None else self._share(found) for found in (old, new)]
        if old is None or new is None:
            return texts[1] if old is None else texts[0]
        return texts[0] if texts[0] == texts[1] else " -> ".join(texts)

    def _share(self, found: int) -> str:
        assert self._simulation is not None
        known = estimate(found, self._simulation)
        return f"fewer than {FLOOR}" if known.visitors is None else _percent(known.share)


def _by_name(slots: Mapping[str, SlotReach] | None) -> Mapping[str, RuleReach]:
    return {f"{slot.slot_id}/{rule.rule_id}": rule for slot in (slots or {}).values() for rule in slot.rules}


def _percent(share: float) -> str:
    return f"{100 * share:.1f}%"


def as_json(planned: Planned) -> dict[str, Any]:
    """The same for programs."""
    simulation = planned.simulation
    found: dict[str, Any] = {
        "base": planned.saved.base,
        "version": planned.saved.version,
        "summary": dict(count_edits(planned.edits)),
        "edits": [asdict(edit) for edit in planned.edits],
        "warnings": planned.warnings,
        "reach": None,
    }
    if simulation is not None and simulation.asked:
        before, after = _by_name(simulation.before), _by_name(simulation.slots)
        found["reach"] = {
            "visitors": simulation.visitors,
            "asked": simulation.asked,
            "changed": None if simulation.changes is None else asdict(estimate(simulation.changes.changed, simulation)),
            "rules": [
                {"rule": name, "before": _numbers(before.get(name), simulation), "after": _numbers(one, simulation)}
                for name, one in after.items()
            ],
        }
    return found


def _numbers(rule: RuleReach | None, simulation: Simulation) -> dict[str, Any] | None:
    """What a rule reaches, each with its share and interval; a number below the floor is null."""
    if rule is None:
        return None
    return {name: asdict(estimate(getattr(rule, name), simulation)) for name in ("matches", "wins")}
