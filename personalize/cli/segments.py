"""`personalize segments`: how many visitors each segment has."""

import asyncio
import json
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path

import click

from personalize.cli.over import count_export, moment_over, over_options, refuse_spark_alone
from personalize.cli.rules_asked import rules_asked, which
from personalize.cli.site import Site, pass_site
from personalize.cli.tables import counted, table, terminal_width
from personalize.cli.tally import Tally
from personalize.exports.manifest import read_manifest
from personalize.rules.ruleset import RuleSet
from personalize.runtime.bulk.counting import count_with_processes
from personalize.runtime.bulk.counting_sources import Task
from personalize.runtime.offline import store_for


@click.command()
@click.option("--at", metavar="MOMENT", help="Count as of this date or moment: only what happened before it.")
@click.option("--live", is_flag=True, help="Count by the rule set that is live instead of by the files.")
@click.option(
    "--format", "shape", type=click.Choice(["text", "json"]), default="text", show_default=True, help="What to print."
)
@over_options("Count")
@pass_site
def segments(
    site: Site, at: str | None, live: bool, shape: str, processes: int | None, over: Path | None, spark: str | None
) -> None:
    """Count the visitors in each segment, now or at a moment of the past.

    Counts by the files as they are on disk, so you can see a segment's size before you publish it. With --at
    1997-10-01 only what had happened before that day counts.
    """
    refuse_spark_alone(over, spark)
    asyncio.run(_segments(site, at, over, spark, live=live, shape=shape, processes=processes))


async def _segments(
    site: Site,
    at: str | None,
    over: Path | None,
    spark: str | None,
    *,
    live: bool,
    shape: str,
    processes: int | None,
) -> None:
    now = site.moment(at) if over is None else moment_over(site, read_manifest(over), at)
    async with site.store() as store:
        rule_set, files = await rules_asked(site, store, live=live)
        task = Task(dict(files), site.settings, now, over)
        with Tally("reading the log", "visitors counted") as tally:
            if over is not None:
                counts, total = await count_export(over, spark, rule_set, task, processes, tally)
            else:
                past = await store_for(store, rule_set, site.settings, at=now if at is not None else None)
                counts, total = await count_with_processes(
                    past, rule_set, task, processes=processes, progress=tally.add
                )
    if shape == "json":
        click.echo(_as_json(rule_set, counts, total, now))
    else:
        _print(site, rule_set, counts, total, now, live=live)


def _print(site: Site, rule_set: RuleSet, counts: Mapping[str, int], total: int, now: datetime, *, live: bool) -> None:
    click.echo(f"Segments at {site.written(now)}, by {which(rule_set, live=live)}\n")
    header = ("segment", "title", "visitors", "share")
    rows = [
        (
            segment.segment_id,
            segment.title,
            f"{counts[segment.segment_id]:,}",
            _share(counts[segment.segment_id], total),
        )
        for segment in rule_set.segments.values()
    ]
    for line in table(header, rows, wraps=1, numbers=frozenset({2, 3}), width=terminal_width()):
        click.echo(line)
    click.echo(f"\nOut of {counted(total, 'visitor')}." if total else "\nNo visitor was known at that moment.")


def _share(count: int, total: int) -> str:
    return f"{100 * count / total:.1f}%" if total else "-"


def _as_json(rule_set: RuleSet, counts: Mapping[str, int], total: int, now: datetime) -> str:
    found = [
        {"segment": one.segment_id, "title": one.title, "visitors": counts[one.segment_id]}
        for one in rule_set.segments.values()
    ]
    return json.dumps(
        {"at": now.isoformat(), "version": rule_set.version, "visitors": total, "segments": found}, indent=2
    )
