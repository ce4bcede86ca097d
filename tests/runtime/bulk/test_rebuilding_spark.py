"""Apache Spark, on this machine, makes the profiles that the processes of this machine make; see `make spark`."""

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from personalize.runtime.bulk.rebuilding import Processes
from personalize.runtime.bulk.rebuilding_spark import Spark
from tests.runtime.bulk.test_counting_spark import of_spark, session
from tests.runtime.bulk.test_rebuilding import Exported, exported_profiles, with_log
from tests.stores.samples import at

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

__all__ = ["session"]


@pytest.mark.spark
@pytest.mark.timeout(600)
@of_spark
def test_spark_makes_the_profiles_of_the_store(tmp_path: Path, session: "SparkSession") -> None:
    async def scene(exported: Exported) -> None:
        session.conf.set("spark.sql.files.maxPartitionBytes", 20_000)
        session.conf.set("spark.sql.shuffle.partitions", 3)
        again = await exported.rebuilt(Spark(session))
        assert exported_profiles(again) == exported_profiles(exported.folder)
        assert {path.suffix for path in (again / "profiles").iterdir()} == {".parquet"}
        then = replace(exported, work=replace(exported.work, as_of=at(61)))
        made = [await then.rebuilt(run, name) for run, name in ((Spark(session), "spark"), (Processes(1), "here"))]
        assert exported_profiles(made[0]) == exported_profiles(made[1]) != exported_profiles(again)

    with_log(tmp_path, scene)
