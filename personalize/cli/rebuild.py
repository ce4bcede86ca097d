"""`personalize rebuild`: the profiles are made from the log again."""

import asyncio
import time
from datetime import datetime
from functools import partial
from pathlib import Path

import click

from personalize.cli.findings import Failed
from personalize.cli.site import Site, name_of_whoever, pass_site
from personalize.cli.tables import counted, paragraph
from personalize.cli.tally import Tally
from personalize.exports.manifest import read_manifest
from personalize.runtime.bulk.counting_spark import spark_session
from personalize.runtime.bulk.rebuilding import Processes, Rebuilding, rebuild_export
from personalize.runtime.bulk.rebuilding_spark import Spark
from personalize.runtime.clock import SystemClock
from personalize.runtime.offline import is_visitor
from personalize.runtime.publish import projectors_of
from personalize.stores.protocols import Store


@click.command()
@click.option(
    "--over",
    metavar="FOLDER",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help='Make them of the events that "personalize export --format parquet" wrote there, under the rules of the files '
    "on disk. The store stays as it is.",
)
@click.option(
    "--into",
    metavar="FOLDER",
    type=click.Path(path_type=Path),
    help="Where to write the profiles that are made so; it must not be there yet.",
)
@click.option(
    "--at",
    metavar="MOMENT",
    help="Make them as of this date or moment: of what had occurred before it. Only with --over.",
)
@click.option(
    "--processes",
    metavar="N",
    type=click.IntRange(min=1),
    help="How many processes make them; by default one for each processor.",
)
@click.option(
    "--spark",
    metavar="MASTER",
    help="Let Apache Spark make them, on the machines of this master: local[4], spark://host:7077, yarn.",
)
@click.option("--by", metavar="NAME", help="Who copies; by default whoever is logged in on this machine.")
@pass_site
def rebuild(
    site: Site,
    over: Path | None,
    into: Path | None,
    at: str | None,
    processes: int | None,
    spark: str | None,
    by: str | None,
) -> None:
    """Make all profiles from the log again, under the rule set that is live.

    Nothing is lost by it: profiles are what the log says. The site goes on being served meanwhile; what happens
    is written when the rebuilding is done.

    With --over they are made of an exported log instead, elsewhere, and under the rules of the files: so what these
    count of the past can be asked of everybody, by "segments --over" and "simulate --over", before it is published.
    """
    if (over is None) != (into is None):
        raise click.UsageError("--over says what profiles are made of, and --into where to: name both, or none.")
    if over is None or into is None:
        if processes is not None or spark is not None:
            raise click.UsageError("the store is rebuilt by one process: --processes and --spark go with --over.")
        if at is not None:
            raise click.UsageError("the store keeps the profiles of now: --at goes with --over.")
        asyncio.run(_rebuild(site))
    else:
        as_of = None if at is None else site.moment(at)
        asyncio.run(_rebuild_over(site, over, into, as_of, processes, spark, by or name_of_whoever()))


async def _rebuild(site: Site) -> None:
    async with site.store() as store:
        live = await site.live(store)
        if live is None:
            raise Failed(
                'nothing is published yet. Run "personalize publish": it makes the profiles from the log itself.'
            )
        started = time.perf_counter()
        with Tally("reading the log", "profiles counted") as tally:
            events = await store.rebuild(projectors_of(live[1], site.settings))
            while (meanwhile := await site.live(store)) is not None and meanwhile[0].version != live[0].version:
                live = meanwhile
                events = await store.rebuild(projectors_of(live[1], site.settings))
            profiles = await _count(store, tally)
        seconds = time.perf_counter() - started
        click.echo(f"{counted(events, 'event')} made {counted(profiles, 'profile')} in {seconds:.1f} s, ", nl=False)
        click.echo(f"under the rule set {live[0].version}.")


async def _count(store: Store, tally: Tally) -> int:
    count = 0
    async for profile in store.profiles():
        count += is_visitor(profile)
        tally.add(1)
    return count


async def _rebuild_over(
    site: Site, over: Path, into: Path, as_of: datetime | None, processes: int | None, spark: str | None, by: str
) -> None:
    manifest, checked = read_manifest(over), site.checked_draft()
    work = Rebuilding(dict(checked.draft.files), site.settings, as_of)
    started = time.perf_counter()
    async with site.store() as store:
        rebuilding = partial(
            rebuild_export, over, manifest, into, checked.rule_set, work, store=store, by=by, clock=SystemClock()
        )
        with Tally("reading the export", "events read and profiles made") as tally:
            if spark is None:
                made = await rebuilding(run=Processes(processes, tally.add))
            else:
                with spark_session(spark) as session:
                    made = await rebuilding(run=Spark(session))
    seconds = time.perf_counter() - started
    profiles = counted(made.rows("profiles"), "profile")
    click.echo(f"{counted(manifest.rows('events'), 'event')} made {profiles} in {into} in {seconds:.1f} s,")
    then = "" if as_of is None else f", as of {site.written(as_of)}"
    click.echo(f"under the files on disk ({checked.rule_set.version}){then}.")
    click.echo(
        paragraph("It holds personal data: keep it as carefully as the store, and delete it when it has served.")
    )
