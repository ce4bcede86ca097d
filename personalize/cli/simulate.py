"""`personalize simulate`: what the files would show to the visitors of the last days."""

import asyncio
import json

import click

from personalize.cli.findings import Failed
from personalize.cli.segments import rule_set_for
from personalize.cli.simulation import as_json, as_text
from personalize.cli.site import Site, pass_site
from personalize.cli.tables import terminal_width
from personalize.cli.tally import Tally
from personalize.problems import did_you_mean, quoted
from personalize.runtime.simulate import USUAL_DAYS, USUAL_SAMPLE
from personalize.runtime.simulate import simulate as ask_visitors

#: A hundred years.
_MOST_DAYS = 36_500


@click.command(short_help="Say whom each rule would reach, and who would see something else than now.")
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
@pass_site
def simulate(
    site: Site,
    days: int,
    at: str | None,
    slot_ids: tuple[str, ...],
    sample: int,
    asks_all: bool,
    live: bool,
    shape: str,
) -> None:
    """Say whom each rule would reach, and who would see something else than now.

    The rules of the files on disk are asked about the visitors of the last days, each as if their latest visit went
    on at this moment. Every slot is decided as on the page: the first rule that has something to show wins, and who
    matched a later one is told as lost to it. Nothing is changed and nothing is published.
    """
    asyncio.run(_simulate(site, days, at, slot_ids, None if asks_all else sample, live=live, shape=shape))


async def _simulate(
    site: Site, days: int, at: str | None, slot_ids: tuple[str, ...], sample: int | None, *, live: bool, shape: str
) -> None:
    moment = None if at is None else site.moment(at)
    async with site.store() as store:
        rule_set = await rule_set_for(site, store, live=live)
        for slot_id in slot_ids:
            if slot_id not in rule_set.slots:
                hint = did_you_mean(slot_id, rule_set.slots) or f"slots: {', '.join(rule_set.slots) or 'none'}"
                raise Failed(f"there is no slot {quoted(slot_id)}; {hint}")
        found = None if live else await site.live(store)
        with Tally("reading the log", "visitors") as tally:
            simulation = await ask_visitors(
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
    if shape == "json":
        click.echo(json.dumps(as_json(simulation, rule_set, slot_ids), indent=2))
    else:
        click.echo("\n".join(as_text(simulation, rule_set, slot_ids, site, live=live, width=terminal_width())))
