"""Counting over an export gives what counting over the store gives, by one process or several."""

from dataclasses import replace
from pathlib import Path

import pytest

from personalize.errors import ExportRefused
from personalize.exports import profile_files
from personalize.exports.manifest import read_manifest
from personalize.profiles.holding import NOTHING_HELD
from personalize.rules.ruleset import RuleSet
from personalize.runtime.bulk.counting import count_source
from personalize.runtime.bulk.counting_batches import refuse_lacking
from personalize.runtime.bulk.counting_sources import ExportedProfiles, Task
from personalize.runtime.clock import FixedClock
from personalize.runtime.copies.exporting import export_store
from personalize.runtime.offline import count_segments
from personalize.stores.memory.store import MemoryStore
from personalize.stores.protocols import Store
from tests.runtime.crowd import with_store
from tests.stores.samples import at


async def exported(store: Store, rule_set: RuleSet, folder: Path) -> Path:
    """The profiles of a store in several files, of several groups of rows."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(profile_files, "ROWS_OF_A_GROUP", 6)
        patch.setattr(profile_files, "_ROWS_OF_A_PART", 18)
        await export_store(
            store,
            folder,
            format_="parquet",
            what="profiles",
            by="Ingrid",
            clock=FixedClock(at(0)),
            rule_set=rule_set,
        )
    return folder


@pytest.mark.parametrize("processes", [1, 2])
def test_an_export_counts_as_the_store_does(tmp_path: Path, processes: int) -> None:
    async def scene(store: Store, rule_set: RuleSet, task: Task) -> None:
        folder = await exported(store, rule_set, tmp_path / "out")
        over = Task(task.files, task.settings, task.now, folder)
        source = ExportedProfiles(folder, read_manifest(folder), rule_set, over)
        parts = await source.parts()
        assert len({path for path, _ in parts}) > 1 and len(parts) > 4
        told: list[int] = []
        found = await count_source(source, rule_set, over, processes=processes, progress=told.append)
        assert found == await count_segments(store, rule_set, task.settings, now=task.now)
        members, visitors = found
        assert sum(told) == visitors
        assert 0 < members["colleagues"] < visitors

    with_store(tmp_path / "site", scene)


def test_profiles_that_do_not_hold_what_rules_count_are_refused(tmp_path: Path) -> None:
    async def scene(store: Store, rule_set: RuleSet, task: Task) -> None:
        folder = await exported(store, rule_set, tmp_path / "out")
        whole = read_manifest(folder)
        refuse_lacking(whole, rule_set)
        with pytest.raises(ExportRefused, match="do not hold all that these rules count"):
            refuse_lacking(replace(whole, holding=NOTHING_HELD), rule_set)
        await export_store(store, tmp_path / "log", format_="jsonl", what="log", by="Ingrid", clock=FixedClock(at(0)))
        with pytest.raises(ExportRefused, match="holds no profiles"):
            refuse_lacking(read_manifest(tmp_path / "log"), rule_set)

    with_store(tmp_path / "site", scene)


def test_a_file_that_is_no_parquet_is_refused_by_its_name(tmp_path: Path) -> None:
    async def scene(store: Store, rule_set: RuleSet, task: Task) -> None:
        folder = await exported(store, rule_set, tmp_path / "out")
        (folder / "profiles" / "part-0002.parquet").write_bytes(b"PAR1")
        source = ExportedProfiles(folder, read_manifest(folder), rule_set, task)
        with pytest.raises(ExportRefused, match=r"part-0002\.parquet cannot be read"):
            await source.parts()

    with_store(tmp_path / "site", scene)


def test_nothing_at_all_is_counted_as_nothing(tmp_path: Path) -> None:
    async def scene(store: Store, rule_set: RuleSet, task: Task) -> None:
        folder = await exported(MemoryStore(), rule_set, tmp_path / "out")
        source = ExportedProfiles(folder, read_manifest(folder), rule_set, task)
        members, visitors = await count_source(source, rule_set, task)
        assert (set(members.values()), visitors) == ({0}, 0)

    with_store(tmp_path / "site", scene)
