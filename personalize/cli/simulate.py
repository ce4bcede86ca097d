"""`personalize simulate`: what the files would show to the visitors of the last days."""

import asyncio
import json
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import click
from click.core import ParameterSource

from personalize.cli.findings import Failed
from personalize.cli.over import count_export, draw_export, moment_over, over_options, refuse_spark_alone
from personalize.cli.rules_asked import rules_asked
from personalize.cli.simulation import as_json, as_text
from personalize.cli.site import Site, pass_site
from personalize.cli.tables import terminal_width
from personalize.cli.tally import Tally
from personalize.exports.manifest import read_manifest
from personalize.problems import did_you_mean, quoted
from personalize.rules.ruleset import RuleSet
from personalize.runtime.bulk.counting_batches import refuse_lacking
from personalize.runtime.bulk.counting_sources import Simulated, Task
from personalize.runtime.bulk.simulate import USUAL_DAYS, USUAL_SAMPLE, Simulation, simulation_of
from personalize.runtime.bulk.simulate import simulate as ask_visitors
from personalize.runtime.bulk.simulation_count import SimulationCount

#: A hundred years.
_MOST_DAYS = 36_500


@click.command()
@click.option(
    "--days",
    type=click.IntRange(1, _MOST_DAYS),
    default=USUAL_DAYS,
    show_default=True,
    help="Ask visitors seen in these days.",
)
@click.option("--at", metavar="MOMENT", help="What they would see at this date or moment, of the past or to come.")
@click.option("--slot", "slot_ids", multiple=True, metavar="ID", help="Tell of this slot alone; may be repeated.")
@click.option(
    "--sample", type=click.IntRange(min=1), default=USUAL_SAMPLE, show_default=True, help="Ask at most so many."
)
@click.option("--all", "asks_all", is_flag=True, help="Ask every one of them, however many there are.")
@click.option("--live", is_flag=True, help="Ask the rule set that is live instead of the files.")
@click.option(
    "--format", "shape", type=click.Choice(["text", "json"]), default="text", show_default=True, help="What to print."
)
@over_options("Ask")
@click.pass_context
@pass_site
def simulate(
    site: Site,
    context: click.Context,
    days: int,
    at: str | None,
    slot_ids: tuple[str, ...],
    sample: int,
    asks_all: bool,
    live: bool,
    shape: str,
    over: Path | None,
    spark: str | None,
    processes: int | None,
) -> None:
    """Say whom each rule would reach, and who would see something else than now.

    The rules of the files on disk are asked about the visitors of the last days, each as if their latest visit went
    on at this moment. Every slot is decided as on the page: the first rule that has something to show wins, and who
    matched a later one is told as lost to it. Nothing is changed and nothing is published.

    With --over the visitors of an export are asked, by several processes or by Apache Spark: all of them, where no
    --sample is named.
    """
    refuse_spark_alone(over, spark)
    if over is None:
        if processes is not None:
            raise click.UsageError("several processes ask what was exported: name its folder with --over.")
        asked = _simulate(site, days, at, None if asks_all else sample, slot_ids, live=live)
    else:
        is_named = context.get_parameter_source("sample") is ParameterSource.COMMANDLINE
        most = sample if is_named and not asks_all else None
        asked = _simulate_over(site, days, at, most, slot_ids, over, spark, processes, live=live)
    rule_set, simulation = asyncio.run(asked)
    if shape == "json":
        click.echo(json.dumps(as_json(simulation, rule_set, slot_ids), indent=2))
    else:
        click.echo("\n".join(as_text(simulation, rule_set, slot_ids, site, live=live, width=terminal_width())))


async def _simulate(
    site: Site, days: int, at: str | None, sample: int | None, slot_ids: tuple[str, ...], *, live: bool
) -> tuple[RuleSet, Simulation]:
    moment = None if at is None else site.moment(at)
    async with site.store() as store:
        rule_set, _ = await rules_asked(site, store, live=live)
        _refuse_unknown(slot_ids, rule_set)
        found = None if live else await site.live(store)
        with Tally("reading the log", "visitors") as tally:
            return rule_set, await ask_visitors(
                store,
                rule_set,
                site.settings,
                now=site.now,
                at=moment,
                days=days,
                against=None if found is None else found[1],
                sample=sample,
                progress=tally.reach,
            )


async def _simulate_over(
    site: Site,
    days: int,
    at: str | None,
    sample: int | None,
    slot_ids: tuple[str, ...],
    over: Path,
    spark: str | None,
    processes: int | None,
    *,
    live: bool,
) -> tuple[RuleSet, Simulation]:
    manifest = read_manifest(over)
    moment = moment_over(site, manifest, at)
    since = min(moment, site.now) - timedelta(days=days)
    async with site.store() as store:
        rule_set, files = await rules_asked(site, store, live=live)
        _refuse_unknown(slot_ids, rule_set)
        found = None if live else await site.live(store)
        against = None if found is None else await store.rule_set(found[0].version)
    if found is not None:
        refuse_lacking(manifest, found[1])
    task = Task(dict(files), site.settings, moment, over, Simulated(since, against))
    count = SimulationCount(rule_set, None if found is None else found[1], site.settings, moment=moment, since=since)
    visitors: int | None = None
    with Tally("reading the export", "visitors read and asked") as tally:
        if sample is not None:
            last, visitors = await draw_export(over, spark, rule_set, task, sample, processes, tally)
            task = replace(task, simulated=Simulated(since, against, last))
        count.plus(*await count_export(over, spark, rule_set, task, processes, tally))
    return rule_set, simulation_of(count, moment=moment, since=since, visitors=visitors)


def _refuse_unknown(slot_ids: tuple[str, ...], rule_set: RuleSet) -> None:
    for slot_id in slot_ids:
        if slot_id not in rule_set.slots:
            hint = did_you_mean(slot_id, rule_set.slots) or f"slots: {', '.join(rule_set.slots) or 'none'}"
            raise Failed(f"there is no slot {quoted(slot_id)}; {hint}")
