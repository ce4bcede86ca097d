"""Making profiles again of exported events, into a folder of their own: by processes of this machine, or by Spark."""

import asyncio
import secrets
import tempfile
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from personalize.errors import ExportRefused
from personalize.events.event import JOIN, UNDO
from personalize.exports.manifest import Manifest, exported_file, write_manifest
from personalize.exports.parquet import ParquetPart, batches_of, require_parquet
from personalize.exports.parquet_events import event_schema, numbered_events
from personalize.exports.profile_files import FOLDER, profile_schema
from personalize.rules.ruleset import RuleSet
from personalize.runtime.bulk.counting import processors
from personalize.runtime.bulk.counting_sources import loaded
from personalize.runtime.bulk.rebuilding_batches import (
    Groups,
    organizations_in,
    persons_in,
    rebuild_batches,
    with_organizations,
)
from personalize.runtime.clock import Clock
from personalize.runtime.copies.exporting import folder_for, place_of
from personalize.runtime.publish import projectors_of
from personalize.settings import Settings
from personalize.stores.projecting import holding_of
from personalize.stores.protocols import Export, Store

if TYPE_CHECKING:
    import pyarrow as pa

#: Of so many events profiles are made at a time: what has to fit into the memory of one process.
EVENTS_OF_A_GROUP = 200_000


@dataclass(frozen=True, slots=True)
class Rebuilding:
    """What a process has to know before it can make profiles: it makes the rule set from its files by itself. `as_of`
    is the moment before which something has to have occurred to count; None for all that is in the log."""

    files: Mapping[str, str]
    settings: Settings
    as_of: datetime | None = None


class Runner(Protocol):
    """Makes the profiles of the events in these files; gives the files of profiles that it wrote into the folder, by
    their paths in it, with how many there are in each."""

    async def __call__(
        self, paths: Sequence[Path], groups: Groups, rule_set: RuleSet, work: Rebuilding, folder: Path
    ) -> Sequence[tuple[str, int]]:
        """Make them."""


async def rebuild_export(
    source: Path,
    manifest: Manifest,
    target: Path,
    rule_set: RuleSet,
    work: Rebuilding,
    *,
    run: Runner,
    store: Store,
    by: str,
    clock: Clock,
) -> Manifest:
    """Make all profiles of the events in an export, as the rules want them, into the new folder `target`.

    `rule_set` is that of the files of the work. The folder is one that `--over` takes, and is noted in the `store` as a
    copy of what people did. Raises `ExportRefused` where the events are not there in Parquet, where somebody was erased
    since they were exported, and where the folder is there.
    """
    require_parquet()
    if manifest.format != "parquet" or not manifest.of("events"):
        raise ExportRefused('the export holds no events in Parquet: "personalize export --format parquet" writes them')
    if any(erasure.at >= manifest.begun_at for erasure in await store.erasures()):
        raise ExportRefused(f"somebody was erased since {source} was exported, and is still in it: export anew")
    paths = [source / file.path for file in manifest.of("events")]
    with folder_for(target) as folder:
        export = Export(secrets.token_hex(8), clock.now(), by, "profiles", str(place_of(folder)))
        await store.note_export(export)
        number = -(-manifest.rows("events") // EVENTS_OF_A_GROUP)
        persons = await asyncio.to_thread(_persons_in, paths)
        written = await run(paths, Groups(persons, number), rule_set, work, folder)
        files = tuple(exported_file(folder, path, "profiles", rows) for path, rows in written)
        holding = holding_of(projectors_of(rule_set, work.settings))
        made = Manifest("parquet", export.begun_at, by, files, holding, work.as_of)
        write_manifest(folder, made)
        await store.note_export(replace(export, ended_at=clock.now()))
    return made


class Processes:
    """Runs so many processes of this machine, by default one for each processor. `progress` is told how many events
    more were read, and then how many profiles more were made."""

    def __init__(self, number: int | None, progress: Callable[[int], None] = lambda done: None) -> None:
        self._number = number
        self._progress = progress

    async def __call__(
        self, paths: Sequence[Path], groups: Groups, rule_set: RuleSet, work: Rebuilding, folder: Path
    ) -> Sequence[tuple[str, int]]:
        """Sort the events into a file for each group, and make the profiles of each."""
        loop = asyncio.get_running_loop()
        workers = min(self._number or processors(), groups.number)
        with tempfile.TemporaryDirectory(dir=folder) as sorted_events:
            parts = await asyncio.to_thread(self._sorted, paths, groups, Path(sorted_events))
            with ProcessPoolExecutor(workers, get_context("spawn")) as pool:
                made = [loop.run_in_executor(pool, partial(_rebuild_part, part, work)) for part in parts]
                for each in asyncio.as_completed(made):
                    self._progress(await each)
            return await asyncio.to_thread(_finished, parts, rule_set, folder)

    def _sorted(self, paths: Sequence[Path], groups: Groups, folder: Path) -> Sequence[Path]:
        into = _Sorted(groups, folder)
        for path in paths:
            for batch in batches_of(path):
                into.add(batch)
                self._progress(batch.num_rows)
        return into.close()


class _Sorted:
    """Events that are sorted out into a file for each group; rows wait in memory until there are enough of them."""

    def __init__(self, groups: Groups, folder: Path) -> None:
        self._groups = groups
        self._folder = folder
        self._parts: dict[int, ParquetPart] = {}
        self._waiting: dict[int, list[pa.RecordBatch]] = {}
        self._rows = 0

    def add(self, batch: "pa.RecordBatch") -> None:
        """Add some events."""
        places: dict[int, list[int]] = {}
        for place, profile_id in enumerate(batch.column("profile_id").to_pylist()):
            places.setdefault(self._groups.group_of(profile_id), []).append(place)
        for number, rows in places.items():
            self._waiting.setdefault(number, []).append(batch.take(rows))
        self._rows += batch.num_rows
        if self._rows >= EVENTS_OF_A_GROUP:
            self._write()

    def close(self) -> Sequence[Path]:
        """Finish; the files, in the order of the groups."""
        self._write()
        for part in self._parts.values():
            part.close()
        return [self._folder / part.path for _, part in sorted(self._parts.items())]

    def _write(self) -> None:
        import pyarrow as pa  # noqa: PLC0415 - an extra

        for number, batches in self._waiting.items():
            if number not in self._parts:
                self._parts[number] = ParquetPart(self._folder, f"{number:06}.parquet", event_schema())
            self._parts[number].write_table(pa.Table.from_batches(batches, event_schema()))
        self._waiting.clear()
        self._rows = 0


def _persons_in(paths: Sequence[Path]) -> Mapping[str, str]:
    import pyarrow as pa  # noqa: PLC0415 - an extra
    from pyarrow import compute  # noqa: PLC0415 - an extra

    joins = pa.array([JOIN, UNDO])
    batches = (batch for path in paths for batch in batches_of(path))
    found = (batch.filter(compute.is_in(batch.column("type"), joins)) for batch in batches)
    return persons_in(event for batch in found for _, event in numbered_events(batch))


def _rebuild_part(path: Path, work: Rebuilding) -> int:
    """What a process does with the events of one group: their profiles lie in the same place afterwards."""
    rule_set = loaded(work.files, work.settings)
    made = rebuild_batches(batches_of(path), rule_set, work.settings, work.as_of)
    part = ParquetPart(path.parent, path.name, profile_schema())
    part.write_table(made)
    part.close()
    return int(made.num_rows)


def _finished(parts: Sequence[Path], rule_set: RuleSet, folder: Path) -> Sequence[tuple[str, int]]:
    """The files of profiles, each with its organization, for which those of all parts have to be known."""
    organizations = organizations_in(batch for part in parts for batch in batches_of(part))
    done = []
    for number, path in enumerate(parts, 1):
        part = ParquetPart(folder, f"{FOLDER}/part-{number:04}.parquet", profile_schema())
        for batch in with_organizations(batches_of(path), rule_set, organizations):
            part.write_table(batch)
        done.append(part.close())
    return done
