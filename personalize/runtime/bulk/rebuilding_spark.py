"""Making profiles again of exported events by Apache Spark, on one machine or many; see `counting_spark`."""

import asyncio
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from personalize.exports.parquet import rows_in
from personalize.exports.parquet_events import event_schema
from personalize.exports.profile_files import FOLDER
from personalize.profiles.organization import Organization
from personalize.rules.ruleset import RuleSet
from personalize.runtime.bulk.counting_sources import loaded
from personalize.runtime.bulk.rebuilding import Rebuilding
from personalize.runtime.bulk.rebuilding_batches import Groups, organizations_in, rebuild_batches, with_organizations

if TYPE_CHECKING:
    import pyarrow as pa
    from pyspark.sql import SparkSession
    from pyspark.sql.types import StructType

_GROUP = "group"
_PROFILES = "profile_id string, profile binary, organization binary, latest_page binary"


class Spark:
    """Spark reads the files, brings together the events of each group, and maps `rebuild_batches` over the groups
    (`applyInArrow`). What Spark raises is not caught."""

    def __init__(self, session: "SparkSession") -> None:
        self._session = session

    async def __call__(
        self, paths: Sequence[Path], groups: Groups, rule_set: RuleSet, work: Rebuilding, folder: Path
    ) -> Sequence[tuple[str, int]]:
        """Make the profiles, write them, and add what they belong to, for which all have to be known."""
        return await asyncio.to_thread(self._run, paths, groups, rule_set, work, folder)

    def _run(
        self, paths: Sequence[Path], groups: Groups, rule_set: RuleSet, work: Rebuilding, folder: Path
    ) -> Sequence[tuple[str, int]]:
        parts, made = folder / f"{FOLDER}.made", folder / FOLDER
        events = self._session.read.parquet(*(str(path.absolute()) for path in paths)).select(*event_schema().names)
        grouped = events.mapInArrow(partial(_with_group, groups), _and_group(events.schema))
        profiles = grouped.groupBy(_GROUP).applyInArrow(_rebuilding(work), _PROFILES)
        profiles.write.parquet(str(parts.absolute()))
        written = self._session.read.parquet(str(parts.absolute()))
        found = organizations_in(written.filter("profile_id LIKE 'o:%'").toArrow().to_batches())
        written.mapInArrow(partial(_with_organizations, work, found), _PROFILES).write.parquet(str(made.absolute()))
        shutil.rmtree(parts)
        # Beside the files it leaves sums of them, and word that it is done.
        for path in made.iterdir():
            if path.suffix != ".parquet":
                path.unlink()
        return [(f"{FOLDER}/{path.name}", rows_in(path)) for path in sorted(made.iterdir())]


def _and_group(columns: "StructType") -> "StructType":
    from pyspark.sql.types import IntegerType, StructField, StructType  # noqa: PLC0415 - an extra

    return StructType([*columns.fields, StructField(_GROUP, IntegerType())])


def _with_group(groups: Groups, batches: "Iterator[pa.RecordBatch]") -> "Iterator[pa.RecordBatch]":
    import pyarrow as pa  # noqa: PLC0415 - an extra

    for batch in batches:
        numbers = [groups.group_of(profile_id) for profile_id in batch.column("profile_id").to_pylist()]
        yield batch.append_column(_GROUP, pa.array(numbers, pa.int32()))


def _rebuilding(work: Rebuilding) -> "Callable[[pa.Table], pa.Table]":
    # It looks at a function's types, and takes no partial one.
    settings, as_of = work.settings, work.as_of
    return lambda events: rebuild_batches(events.to_batches(), loaded(work.files, settings), settings, as_of)


def _with_organizations(
    work: Rebuilding, organizations: Mapping[str, Organization], batches: "Iterator[pa.RecordBatch]"
) -> "Iterator[pa.RecordBatch]":
    for table in with_organizations(batches, loaded(work.files, work.settings), organizations):
        yield from table.to_batches()
