"""Bulk work over an export: whom a sample asks does not hang on who does the work."""

from dataclasses import replace
from pathlib import Path

import pytest

from personalize.cli.over import draw_export
from personalize.cli.tally import Tally
from personalize.exports.manifest import read_manifest
from personalize.runtime.bulk import drawing
from personalize.runtime.bulk.counting import count_source
from personalize.runtime.bulk.counting_sources import ExportedProfiles
from tests.runtime.bulk.test_simulation_count import Asked, with_export


@pytest.mark.parametrize("ample", [2.0, 0.1], ids=["ample at once", "drawn again"])
def test_a_sample_is_the_same_however_the_work_is_shared_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, ample: float
) -> None:
    monkeypatch.setattr(drawing, "_AMPLE", ample)

    async def scene(asked: Asked) -> None:
        everybody = asked.there.visitors
        for sample in (1, 9, everybody, everybody + 1):
            for processes in (1, 2):
                found = await draw_export(asked.folder, None, asked.draft, asked.task, sample, processes, Tally("", ""))
                assert found[1] == everybody
                assert (found[0] is None) is (sample > everybody)
                simulated = replace(asked.task.simulated, last=found[0])  # type: ignore[type-var]
                task = replace(asked.task, simulated=simulated)
                source = ExportedProfiles(asked.folder, read_manifest(asked.folder), asked.draft, task)
                _, visitors = await count_source(source, asked.draft, task, processes=processes)
                assert visitors == min(sample, everybody)

    with_export(tmp_path, scene)
