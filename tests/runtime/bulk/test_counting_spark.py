"""Apache Spark, on this machine, counts what the processes of this machine count.

Spark weighs as much as everything else together, so these tests are a target of their own: `make spark`.
"""

import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from personalize.errors import ExportRefused
from personalize.exports.manifest import read_manifest
from personalize.rules.ruleset import RuleSet
from personalize.runtime.bulk.counting import count_source
from personalize.runtime.bulk.counting_sources import Drawn, ExportedProfiles, Task
from personalize.runtime.bulk.counting_spark import count_on_spark, spark_session
from personalize.runtime.offline import count_segments
from personalize.stores.memory.store import MemoryStore
from personalize.stores.protocols import Store
from tests.runtime.bulk.test_counting_sources import exported
from tests.runtime.bulk.test_simulation_count import Asked, with_export
from tests.runtime.crowd import with_store

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

of_spark = pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::DeprecationWarning", "ignore::FutureWarning")


@pytest.fixture(scope="module")
def session() -> "Iterator[SparkSession]":
    with spark_session("local[2]") as session:
        session.conf.set("spark.sql.execution.arrow.maxRecordsPerBatch", 5)
        session.conf.set("spark.sql.files.maxPartitionBytes", 2_000)
        yield session


@pytest.mark.spark
@of_spark
def test_spark_counts_what_is_counted_over_the_store(tmp_path: Path, session: "SparkSession") -> None:
    async def scene(store: Store, rule_set: RuleSet, task: Task) -> None:
        folder = await exported(store, rule_set, tmp_path / "out")
        manifest = read_manifest(folder)
        paths = [str(folder / file.path) for file in manifest.of("profiles")]
        assert session.read.parquet(*paths).rdd.getNumPartitions() > 1
        found = count_on_spark(session, folder, manifest, rule_set, task)
        assert found == await count_segments(store, rule_set, task.settings, now=task.now)
        members, visitors = found
        assert 0 < members["colleagues"] < visitors

    with_store(tmp_path / "site", scene)


@pytest.mark.spark
@of_spark
def test_an_export_of_nobody_is_counted_as_nothing(tmp_path: Path, session: "SparkSession") -> None:
    async def scene(store: Store, rule_set: RuleSet, task: Task) -> None:
        folder = await exported(MemoryStore(), rule_set, tmp_path / "out")
        members, visitors = count_on_spark(session, folder, read_manifest(folder), rule_set, task)
        assert (set(members.values()), visitors) == ({0}, 0)

    with_store(tmp_path / "site", scene)


@pytest.mark.spark
@of_spark
def test_spark_asks_what_is_asked_over_the_store(tmp_path: Path, session: "SparkSession") -> None:
    async def scene(asked: Asked) -> None:
        counted = count_on_spark(session, asked.folder, read_manifest(asked.folder), asked.draft, asked.task)
        assert asked.simulation(counted) == asked.there

    with_export(tmp_path, scene)


@pytest.mark.spark
@of_spark
def test_spark_draws_whom_the_processes_draw(tmp_path: Path, session: "SparkSession") -> None:
    async def scene(asked: Asked) -> None:
        manifest = read_manifest(asked.folder)
        assert asked.task.simulated is not None
        draw = replace(asked.task, simulated=None, drawn=Drawn(asked.task.simulated.since, 0.5))
        there = await count_source(ExportedProfiles(asked.folder, manifest, asked.draft, draw), asked.draft, draw)
        assert count_on_spark(session, asked.folder, manifest, asked.draft, draw) == there
        assert 0 < len(there[0]) < there[1] == asked.there.visitors

    with_export(tmp_path, scene)


def test_without_spark_it_is_said_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(ExportRefused, match=r'pip install "personalize\[spark\]"'), spark_session("local"):
        pass


def test_without_java_it_is_said_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: sys)
    monkeypatch.delenv("JAVA_HOME", raising=False)
    monkeypatch.setattr("shutil.which", lambda name: None)
    with pytest.raises(ExportRefused, match="Apache Spark needs Java 17"), spark_session("local"):
        pass
