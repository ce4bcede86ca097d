"""Bulk work over an export, instead of over the store: by processes of this machine, or by Apache Spark."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any, TypeVar

import click

from personalize.cli.site import Site
from personalize.cli.tally import Tally
from personalize.exports.manifest import Manifest, read_manifest
from personalize.exports.parquet import require_parquet
from personalize.rules.ruleset import RuleSet
from personalize.runtime.bulk.counting import count_source
from personalize.runtime.bulk.counting_batches import refuse_lacking
from personalize.runtime.bulk.counting_sources import Drawn, ExportedProfiles, Task
from personalize.runtime.bulk.counting_spark import count_on_spark, spark_session
from personalize.runtime.bulk.drawing import Place, ample_share, last_drawn

C = TypeVar("C", bound=Callable[..., Any])


def over_options(verb: str) -> Callable[[C], C]:
    """The options of a command that asks exported profiles, too; `verb` says what it does to them."""

    def add(command: C) -> C:
        for option in reversed(
            (
                click.option(
                    "--processes",
                    metavar="N",
                    type=click.IntRange(min=1),
                    help=f"How many processes {verb.lower()}; by default one for each 50,000 visitors, up to the "
                    "number of processors.",
                ),
                click.option(
                    "--over",
                    metavar="FOLDER",
                    type=click.Path(exists=True, file_okay=False, path_type=Path),
                    help=f'{verb} the visitors that "personalize export --what profiles" wrote there, instead of those '
                    "of the store.",
                ),
                click.option(
                    "--spark",
                    metavar="MASTER",
                    help=f"Let Apache Spark {verb.lower()} them, on the machines of this master: local[4], "
                    "spark://host:7077, yarn.",
                ),
            )
        ):
            command = option(command)
        return command

    return add


def refuse_spark_alone(over: Path | None, spark: str | None) -> None:
    """Raise `UsageError` where Spark is asked for, and nothing that it could read."""
    if over is None and spark is not None:
        raise click.UsageError("Spark counts what was exported: name its folder with --over.")


def moment_over(site: Site, manifest: Manifest, at: str | None) -> datetime:
    """The moment that exported visitors are asked about: that of `--at`, else that of which their profiles are, else
    now. Raises `UsageError` for an earlier one than they know."""
    if at is None:
        return manifest.as_of or site.now
    moment, known = site.moment(at), manifest.as_of or manifest.begun_at
    if moment < known:
        raise click.UsageError(
            f"the exported profiles tell what had occurred by {site.written(known)}, and can't be asked about an "
            f"earlier moment. Make them of an exported log: personalize rebuild --over LOG --into FOLDER --at {at}"
        )
    return moment


async def draw_export(
    folder: Path, spark: str | None, rule_set: RuleSet, task: Task, sample: int, processes: int | None, tally: Tally
) -> tuple[Place | None, int]:
    """The last place in the draw of so many visitors of an export, None where there are no more; and how many there
    are."""
    simulated = task.simulated
    assert simulated is not None
    first = ample_share(sample, read_manifest(folder).rows("profiles"))
    while True:
        drawing = replace(task, simulated=None, drawn=Drawn(simulated.since, first))
        counted, visitors = await count_export(folder, spark, rule_set, drawing, processes, tally)
        last = last_drawn(counted, sample)
        if last is not None or first == 1:
            return last, visitors
        first = 1.0


async def count_export(
    folder: Path, spark: str | None, rule_set: RuleSet, task: Task, processes: int | None, tally: Tally
) -> tuple[Mapping[str, int], int]:
    """What a task counts over an export, by processes of this machine or by Spark."""
    require_parquet()
    manifest = read_manifest(folder)
    refuse_lacking(manifest, rule_set)
    if spark is not None:
        with spark_session(spark) as session:
            return count_on_spark(session, folder, manifest, rule_set, task)
    source = ExportedProfiles(folder, manifest, rule_set, task)
    return await count_source(source, rule_set, task, processes=processes, progress=tally.add)
