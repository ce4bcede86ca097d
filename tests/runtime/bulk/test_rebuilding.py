"""Profiles that are made again of exported events are those of the store, in however many groups and processes."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from personalize.errors import ExportRefused
from personalize.events.event import CONSENT, PAGE_VIEW, SET, UNDO
from personalize.exports import profile_files
from personalize.exports.manifest import read_manifest
from personalize.exports.parquet import batches_of
from personalize.exports.profile_files import ExportedProfile, profiles_of
from personalize.rules.ruleset import RuleSet
from personalize.runtime.bulk import rebuilding
from personalize.runtime.bulk.counting_batches import refuse_lacking
from personalize.runtime.bulk.counting_sources import Task
from personalize.runtime.bulk.rebuilding import Processes, Rebuilding, Runner, rebuild_export
from personalize.runtime.clock import FixedClock
from personalize.runtime.copies.exporting import export_store
from personalize.runtime.offline import organizations_of
from personalize.runtime.publish import projectors_of
from personalize.stores.protocols import Erasure, Store
from tests.runtime.crowd import with_store
from tests.stores.samples import all_of, at, event, purchase

GROUPS = 5


def exported_profiles(folder: Path) -> Mapping[str, ExportedProfile]:
    """The rows of an export, by the ids of the profiles."""
    paths = [folder / file.path for file in read_manifest(folder).of("profiles")]
    rows = [row for path in paths for batch in batches_of(path) for row in profiles_of(batch)]
    found = {row.profile.profile_id: row for row in rows}
    assert len(found) == len(rows) == read_manifest(folder).rows("profiles")
    return found


@dataclass(frozen=True)
class Exported:
    """A store, and all of it as an export in Parquet."""

    store: Store
    rule_set: RuleSet
    work: Rebuilding
    folder: Path

    async def rebuilt(self, run: Runner, name: str = "again") -> Path:
        """The folder of the profiles that were made again of the events."""
        target = self.folder.parent / name
        how = {"run": run, "store": self.store, "by": "Ingrid", "clock": FixedClock(at(0))}
        await rebuild_export(self.folder, read_manifest(self.folder), target, self.rule_set, self.work, **how)  # type: ignore[arg-type]
        return target


def with_log(folder: Path, scene: Callable[[Exported], Awaitable[None]]) -> None:
    """Play a scene with the export of forty visitors, of whom some are joined, parted, and members of companies."""

    async def play(store: Store, rule_set: RuleSet, task: Task) -> None:
        more = [
            *(event(PAGE_VIEW, f"v:{number:02}", {"path": "/", "device": "mobile"}, number) for number in range(9)),
            *(event(CONSENT, f"u:{number}", {"granted": ["personalize"]}, 60) for number in range(7)),
            *(event(SET, f"u:{number}", {"company": "Acme" if number % 2 else "Bolt"}, 61) for number in range(7)),
            event(UNDO, "u:0", {"from": "v:35"}, 62),
            *(purchase(f"v:{number:02}", 7, minutes=63) for number in range(0, 40, 5)),
            event(SET, "o:Acme", {"plan": "gold"}, 64),
        ]
        await store.apply(more, projectors_of(rule_set, task.settings))
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(profile_files, "ROWS_OF_A_GROUP", 6)
            how = {"by": "Ingrid", "clock": FixedClock(at(0)), "rule_set": rule_set}
            await export_store(store, folder / "out", format_="parquet", what="all", **how)  # type: ignore[arg-type]
        events = read_manifest(folder / "out").rows("events")
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(rebuilding, "EVENTS_OF_A_GROUP", events // GROUPS)
            await scene(Exported(store, rule_set, Rebuilding(task.files, task.settings), folder / "out"))

    with_store(folder / "site", play)


def test_those_of_a_moment_are_those_that_the_store_has_as_of_it(tmp_path: Path) -> None:
    async def scene(exported: Exported) -> None:
        then = at(61)
        work = replace(exported.work, as_of=then)
        again = await replace(exported, work=work).rebuilt(Processes(1))
        past = await exported.store.as_of(then, projectors_of(exported.rule_set, work.settings))
        found = exported_profiles(again)
        assert [row.profile for _, row in sorted(found.items())] == await all_of(past.profiles())
        for row in found.values():
            there = await organizations_of([row.profile], past, exported.rule_set)
            assert [row.organization] == list(there)
        assert read_manifest(again).as_of == then
        assert found != exported_profiles(exported.folder)
        await past.close()

    with_log(tmp_path, scene)


def test_they_are_those_of_the_store_and_can_be_counted(tmp_path: Path) -> None:
    async def scene(exported: Exported) -> None:
        told: list[int] = []
        again = await exported.rebuilt(Processes(2, told.append))
        manifest = read_manifest(again)
        assert len(manifest.of("profiles")) == GROUPS + 1
        there = exported_profiles(exported.folder)
        assert exported_profiles(again) == there
        assert sum(told) >= len(there)
        refuse_lacking(manifest, exported.rule_set)
        companies = [row.organization for row in there.values() if row.organization is not None]
        assert {(one.organization_id, one.members, len(one.attributes)) for one in companies} == {
            ("o:Acme", 7, 1),
            ("o:Bolt", 4, 0),
        }
        assert {path.name for path in again.iterdir()} == {"manifest.json", "profiles"}
        assert {each.where for each in await exported.store.exports()} == {str(exported.folder), str(again)}
        with pytest.raises(ExportRefused, match="is there already"):
            await exported.rebuilt(Processes(1))
        profiles = Exported(exported.store, exported.rule_set, exported.work, again)
        with pytest.raises(ExportRefused, match="holds no events in Parquet"):
            await profiles.rebuilt(Processes(1), "no")
        await exported.store.take_over([Erasure("00", at(1), "Ingrid", 1, 1)], [])
        with pytest.raises(ExportRefused, match="somebody was erased since"):
            await exported.rebuilt(Processes(1), "no")

    with_log(tmp_path, scene)
