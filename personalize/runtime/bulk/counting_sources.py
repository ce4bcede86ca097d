"""Where the profiles are that are counted, in parts that can be counted apart: in a store, or in an export."""

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Protocol, TypeAlias

from personalize.errors import InvalidFiles
from personalize.exports.manifest import Manifest, read_manifest
from personalize.exports.parquet import ROWS_OF_A_GROUP, groups_of, rows_of_group
from personalize.problems import Problems
from personalize.rules.ruleset import RuleSet
from personalize.runtime.bulk.counting_batches import Count, ExportedSegments, added_up, count_batches
from personalize.runtime.bulk.drawing import DrawCount, Place
from personalize.runtime.bulk.simulation_count import SimulationCount
from personalize.runtime.draft import load_files
from personalize.runtime.offline import count_segments
from personalize.settings import Settings
from personalize.stores.opening import open_store
from personalize.stores.protocols import Store
from personalize.stores.stretches import Stretch

#: How many stored profiles a process is given at a time: a sixth of a second of work.
STRETCH = 5_000

#: A part of the profiles, as JSON can tell it to another process.
Part: TypeAlias = Sequence[str | int | None]


@dataclass(frozen=True, slots=True)
class Simulated:
    """What a simulation has to know besides: since when visitors were seen, the files of the rules to compare with,
    where there are any, and the last place in the draw that is asked; None for everybody."""

    since: datetime
    against: Mapping[str, str] | None
    last: Place | None = None


@dataclass(frozen=True, slots=True)
class Drawn:
    """What a drawing has to know besides: since when visitors were seen, and which share of them comes first."""

    since: datetime
    first: float


@dataclass(frozen=True, slots=True)
class Task:
    """What a process has to know before it can count: it makes the rule set from its files by itself, and counts the
    store of the settings, or the export in the folder `over`; segments, or what is `simulated` or `drawn`."""

    files: Mapping[str, str]
    settings: Settings
    now: datetime
    over: Path | None = None
    simulated: Simulated | None = None
    drawn: Drawn | None = None

    def counting(self, rule_set: RuleSet) -> Callable[[], Count]:
        """What makes an empty count, as often as there are parts. `rule_set` is that of the files."""
        simulated = self.simulated
        if self.drawn is not None:
            return partial(DrawCount, self.drawn.since, self.drawn.first)
        if simulated is None:
            return partial(ExportedSegments, rule_set, self.settings, self.now)
        against = None if simulated.against is None else loaded(simulated.against, self.settings)
        asking = partial(SimulationCount, rule_set, against, self.settings, moment=self.now)
        return partial(asking, since=simulated.since, last=simulated.last)

    def nothing_counted(self, rule_set: RuleSet) -> Mapping[str, int]:
        """What is counted where there is nobody."""
        counts_segments = self.simulated is None and self.drawn is None
        return dict.fromkeys(rule_set.segments, 0) if counts_segments else {}


def loaded(files: Mapping[str, str], settings: Settings) -> RuleSet:
    """The rule set of some files. Raises `InvalidFiles`."""
    problems = Problems()
    rule_set = load_files(files, settings, problems)
    if rule_set is None:
        raise InvalidFiles(problems.list)
    return rule_set


class Source(Protocol):
    """Profiles in parts. `size` is how many profiles are in a part, at most. Other processes can open a source that
    `is_shared`."""

    @property
    def size(self) -> int:
        """How many profiles are in a part, at most."""

    @property
    def is_shared(self) -> bool:
        """Whether other processes find the same profiles."""

    async def parts(self) -> Sequence[Part]:
        """The parts, in order."""

    async def count(self, part: Part) -> tuple[Mapping[str, int], int]:
        """What is counted in a part, and how many visitors there are."""


class StoredProfiles:
    """The profiles of a store; a part is a stretch of ids."""

    def __init__(self, store: Store, rule_set: RuleSet, task: Task) -> None:
        self.size = STRETCH
        self.is_shared = store.is_shared
        self._store = store
        self._rule_set = rule_set
        self._task = task

    async def parts(self) -> Sequence[Part]:
        """The ends of each stretch."""
        return [(stretch.after, stretch.until) for stretch in await self._store.stretches(self.size)]

    async def count(self, part: Part) -> tuple[Mapping[str, int], int]:
        """Count a stretch."""
        within = Stretch(*part)  # type: ignore[arg-type]
        return await count_segments(self._store, self._rule_set, self._task.settings, now=self._task.now, within=within)


class ExportedProfiles:
    """The profiles of an export; a part is a group of rows of a file."""

    size = ROWS_OF_A_GROUP
    #: Any process that sees the folder reads its files.
    is_shared = True

    def __init__(self, folder: Path, manifest: Manifest, rule_set: RuleSet, task: Task) -> None:
        self._folder = folder
        self._files = manifest.of("profiles")
        self._counting = task.counting(rule_set)

    async def parts(self) -> Sequence[Part]:
        """Each file with the number of each of its groups."""
        return [(file.path, group) for file in self._files for group in range(groups_of(self._folder / file.path))]

    async def count(self, part: Part) -> tuple[Mapping[str, int], int]:
        """Count a group."""
        path, group = part
        batches = rows_of_group(self._folder / str(path), int(group or 0))
        return added_up(count_batches(batches, self._counting()))


@asynccontextmanager
async def source_of(task: Task, rule_set: RuleSet) -> AsyncIterator[Source]:
    """What a task is to count, open for as long as the block runs."""
    if task.over is not None:
        yield ExportedProfiles(task.over, read_manifest(task.over), rule_set, task)
        return
    store = open_store(task.settings.store, task.settings.root)
    try:
        await store.open()
        yield StoredProfiles(store, rule_set, task)
    finally:
        await store.close()
