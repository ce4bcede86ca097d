"""Counting over exported profiles by Apache Spark, on one machine or many: `personalize[spark]`, Java 17.

Spark reads the files and maps `count_batches` over the Arrow batches of each partition (`DataFrame.mapInArrow`); what
comes back is one small batch a partition. Every machine needs the same version of personalize, and sees the export
under the same path.
"""

import importlib.util
import os
import shutil
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from personalize.errors import ExportRefused
from personalize.exports.manifest import Manifest
from personalize.rules.ruleset import RuleSet
from personalize.runtime.bulk.counting_batches import VISITORS, WHAT, added_up, count_batches
from personalize.runtime.bulk.counting_sources import Task, loaded

if TYPE_CHECKING:
    import pyarrow as pa
    from pyspark.sql import SparkSession

_COLUMNS = f"{WHAT} string, {VISITORS} long"


@contextmanager
def spark_session(master: str) -> "Iterator[SparkSession]":
    """A session with the cluster that `master` names: `local[4]`, `spark://host:7077`, `yarn`, `k8s://…`.

    Its workers run this Python, where `PYSPARK_PYTHON` names no other. Raises `ExportRefused` where Spark or its Java
    is missing.
    """
    if importlib.util.find_spec("pyspark") is None:
        raise ExportRefused('Apache Spark is missing: pip install "personalize[spark]"')
    if not os.environ.get("JAVA_HOME") and shutil.which("java") is None:
        raise ExportRefused("Apache Spark needs Java 17 or newer: install it, or name its folder in JAVA_HOME")
    from pyspark.sql import SparkSession  # noqa: PLC0415 - an extra

    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    settings = {"spark.ui.enabled": "false", "spark.ui.showConsoleProgress": "false", "spark.log.level": "ERROR"}
    session = SparkSession.builder.master(master).appName("personalize").config(map=settings).getOrCreate()
    try:
        yield session
    finally:
        session.stop()


def count_on_spark(
    session: "SparkSession", folder: Path, manifest: Manifest, rule_set: RuleSet, task: Task
) -> tuple[Mapping[str, int], int]:
    """What the task counts over exported visitors, and how many there are. `rule_set` is that of the files of the task.
    What Spark raises is not caught."""
    paths = [str((folder / file.path).absolute()) for file in manifest.of("profiles")]
    if not paths:
        return task.nothing_counted(rule_set), 0
    counted = session.read.parquet(*paths).mapInArrow(_counting(task), _COLUMNS)
    counts, visitors = added_up(counted.toArrow().to_batches())
    return {**task.nothing_counted(rule_set), **counts}, visitors


def _counting(task: Task) -> "Callable[[Iterator[pa.RecordBatch]], Iterator[pa.RecordBatch]]":
    return partial(_count_partition, task)


def _count_partition(task: Task, batches: "Iterator[pa.RecordBatch]") -> "Iterator[pa.RecordBatch]":
    """What a worker of Spark does with one partition: it makes the rule set from its files by itself."""
    return count_batches(batches, task.counting(loaded(task.files, task.settings))())
