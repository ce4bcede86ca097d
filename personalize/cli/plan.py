"""`personalize plan`: what publishing the files would change, in words, and for whom."""

import asyncio
import json
from pathlib import Path

import click

from personalize.cli.findings import Failed
from personalize.cli.planning import Planned, as_json, as_text
from personalize.cli.site import Checked, Site, pass_site
from personalize.cli.tables import terminal_width
from personalize.cli.tally import Tally
from personalize.decisions.revision import revision
from personalize.runtime.bulk.simulate import simulate
from personalize.runtime.saved_plan import SavedPlan

#: The status of `--detailed-exitcode` where there is something to publish.
_CHANGES = 2


@click.command()
@click.option("--out", metavar="PATH", type=click.Path(dir_okay=False, path_type=Path), help="Keep the plan in a file.")
@click.option("--at", metavar="MOMENT", help="Count whom rules reach at this date or moment, of the past or to come.")
@click.option("--detailed-exitcode", is_flag=True, help="End with 0: no changes, 1: errors, 2: changes.")
@click.option(
    "--format", "shape", type=click.Choice(["text", "json"]), default="text", show_default=True, help="What to print."
)
@pass_site
def plan(site: Site, out: Path | None, at: str | None, detailed_exitcode: bool, shape: str) -> None:
    """Say what publishing the files would change, and for whom. Nothing is changed and nothing is published.

    Rules, slots, segments, items and declarations are compared with what is live, and stored visitors are asked by
    both. With --out the plan is kept: "publish --plan" then publishes exactly that, or says what has changed since.
    """
    checked = site.tried_draft(then="So there is nothing to plan.")
    site.show_warnings(checked)
    planned = asyncio.run(_planned(site, checked, at))
    if out is not None:
        _write(out, planned)
    if shape == "json":
        click.echo(json.dumps(as_json(planned), indent=2))
    else:
        click.echo("\n".join(as_text(planned, site, out=out, width=terminal_width())))
    if detailed_exitcode and planned.edits:
        raise click.exceptions.Exit(_CHANGES)


async def _planned(site: Site, checked: Checked, at: str | None) -> Planned:
    moment = None if at is None else site.moment(at)
    async with site.store() as store:
        found = await site.live(store)
        live, before = (None, None) if found is None else found
        edits = revision(before, checked.rule_set)
        simulation = None
        if edits:
            with Tally("reading the log", "visitors") as tally:
                simulation = await simulate(
                    store,
                    checked.rule_set,
                    site.settings,
                    now=site.now,
                    at=moment,
                    against=before,
                    progress=tally.reach,
                )
        base = live.version if live is not None else None
        return Planned(SavedPlan.of(checked.draft, base), live, edits, simulation, len(checked.warnings))


def _write(path: Path, planned: Planned) -> None:
    try:
        path.write_text(json.dumps({**planned.saved.as_data(), "plan": as_json(planned)}, indent=2) + "\n", "utf-8")
    except OSError as error:
        raise Failed(f"the plan can't be written to {path}: {error.strerror or error}") from error
