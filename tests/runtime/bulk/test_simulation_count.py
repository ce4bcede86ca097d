"""Simulating over an export gives what simulating over the store gives, by one process or several."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from personalize.events.event import PAGE_VIEW
from personalize.exports.manifest import read_manifest
from personalize.rules.ruleset import RuleSet
from personalize.runtime.bulk.counting import count_source
from personalize.runtime.bulk.counting_sources import ExportedProfiles, Simulated, Task, loaded
from personalize.runtime.bulk.simulate import USUAL_DAYS, Simulation, simulate, simulation_of
from personalize.runtime.bulk.simulation_count import SimulationCount
from personalize.runtime.publish import projectors_of
from personalize.stores.protocols import Store
from tests.runtime.bulk.test_counting_sources import exported
from tests.runtime.crowd import with_store
from tests.stores.samples import event

#: Rules about the page, the organization, and what somebody bought come first.
_BEFORE = "- {id: tents, to: {segment: tent-people}, show: things/tent}\n"
_FIRST = """\
- {id: phones, to: {page.device: mobile}, show: things/letter}
      - {id: colleagues, to: {segment: colleagues}, show: things/gold}
      - {id: again, to: {segment: three}, show: things/tent}
"""


@dataclass(frozen=True)
class Asked:
    """A draft that is simulated over an export, against what was live; `there` is what the store itself says."""

    folder: Path
    draft: RuleSet
    live: RuleSet
    task: Task
    there: Simulation

    def simulation(self, counted: tuple[Mapping[str, int], int]) -> Simulation:
        """The simulation of which this was counted."""
        assert self.task.simulated is not None
        since = self.task.simulated.since
        count = SimulationCount(self.draft, self.live, self.task.settings, moment=self.task.now, since=since)
        count.plus(*counted)
        return simulation_of(count, moment=self.task.now, since=since)


def with_export(folder: Path, scene: Callable[[Asked], Awaitable[None]]) -> None:
    """Play a scene with the export of a store with forty visitors, of whom some looked at pages."""

    async def play(store: Store, live: RuleSet, task: Task) -> None:
        seen = [
            event(PAGE_VIEW, f"v:{number:02}", {"path": f"/tents/{number}", "device": device}, 50 + number)
            for number, device in zip(range(30), ("mobile", "desktop", "mobile", "tablet", None) * 6, strict=True)
        ]
        await store.apply(seen, projectors_of(live, task.settings))
        out = await exported(store, live, folder / "out")
        files = {path: text.replace(_BEFORE, _FIRST + "      " + _BEFORE) for path, text in task.files.items()}
        draft = loaded(files, task.settings)
        assert draft.version != live.version
        since = task.now - timedelta(days=USUAL_DAYS)
        over = Task(files, task.settings, task.now, out, Simulated(since, task.files))
        there = await simulate(store, draft, task.settings, now=task.now, against=live, sample=None)
        await scene(Asked(out, draft, live, over, there))

    with_store(folder / "site", play)


def test_an_export_is_asked_as_the_store_is(tmp_path: Path) -> None:
    async def scene(asked: Asked) -> None:
        source = ExportedProfiles(asked.folder, read_manifest(asked.folder), asked.draft, asked.task)
        for processes in (1, 2):
            counted = await count_source(source, asked.draft, asked.task, processes=processes)
            assert asked.simulation(counted) == asked.there
        has_something_to_say(asked.there)

    with_export(tmp_path, scene)


def has_something_to_say(there: Simulation) -> None:
    """That there is a number of each kind to compare."""
    assert there.with_page is not None and there.changes is not None
    assert 0 < there.with_page < there.asked
    assert 0 < there.changes.changed < there.asked
    phones, colleagues, again, tents, *_ = there.slots["hero"].rules
    assert min(phones.wins, colleagues.wins, again.matches, len(again.lost_to)) > 0
    assert tents.matches == 0
