"""What a simulation tells of all visitors: estimates with their interval, and rules too small to learn from."""

from collections.abc import Iterator
from dataclasses import dataclass

from personalize.reports.statistics import smallest_visible_rate, wilson_interval
from personalize.runtime.bulk.simulate import Simulation

#: Fewer visitors than these are not counted: a number so small is nearly a name.
FLOOR = 20
#: A rule that is shown to fewer visitors in the time looked at, or at most this share, teaches nobody anything.
TOO_FEW = 50
TOO_SMALL_SHARE = 0.001
#: Of how many visitors a page usually gets what it is after; what effects are measured from where nothing is known.
USUAL_RATE = 0.05


@dataclass(frozen=True, slots=True)
class Estimate:
    """How many visitors something is true of.

    `share` is of those that were asked, `low` and `high` the ends of its 95 % interval, all three the same where
    everybody was asked. `visitors` is the number that it makes of all: None where it is below the floor.
    """

    share: float
    low: float
    high: float
    visitors: int | None

    @property
    def is_none(self) -> bool:
        """Whether nobody was found at all."""
        return self.share == 0


@dataclass(frozen=True, slots=True)
class SmallRule:
    """A rule that shows something to too few visitors to ever learn whether it works.

    `visible_rate` is the lowest rate that could be told from `USUAL_RATE` if half of them were compared with the
    other half; None where no rate could, or the number of visitors would be told by it.
    """

    slot_id: str
    rule_id: str
    shown: Estimate
    visible_rate: float | None


def estimate(found: int, simulation: Simulation) -> Estimate:
    """What `found` among the visitors who were asked tells of all of them."""
    asked = simulation.asked
    share = found / asked if asked else 0.0
    low, high = wilson_interval(found, asked) if simulation.is_sample else (share, share)
    visitors = round(share * simulation.visitors)
    return Estimate(share, low, high, None if found and visitors < FLOOR else visitors)


def too_small(simulation: Simulation) -> Iterator[SmallRule]:
    """The rules that show something to fewer than `TOO_FEW` visitors, or surely less than `TOO_SMALL_SHARE` of them.

    Among no visitors at all no rule is too small.
    """
    for slot in simulation.slots.values() if simulation.asked else ():
        for rule in slot.rules:
            shown = estimate(rule.shows, simulation)
            number = shown.share * simulation.visitors
            if number < TOO_FEW or shown.high < TOO_SMALL_SHARE:
                rate = smallest_visible_rate(USUAL_RATE, int(number) // 2) if shown.visitors else None
                yield SmallRule(slot.slot_id, rule.rule_id, shown, rate)
