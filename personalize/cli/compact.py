"""`personalize compact`: the files of the store hold no byte of what was deleted."""

import asyncio
import time

import click

from personalize.cli.site import Site, pass_site
from personalize.cli.tables import paragraph, terminal_width


@click.command()
@click.option("--if-due", is_flag=True, help="Only where somebody was erased since the last time: for a timer.")
@pass_site
def compact(site: Site, if_due: bool) -> None:
    """Free the files of the store from all bytes of what was deleted.

    What is kept is copied, so it takes as long as a copy, and as much room again. Pages are served meanwhile; what
    happens waits. Run it at a quiet hour, after visitors were erased.
    """
    asyncio.run(_compact(site, if_due=if_due))


async def _compact(site: Site, *, if_due: bool) -> None:
    async with site.store() as store:
        since = await store.compaction_due_since()
        if if_due and since is None:
            click.echo("Nothing is due: nobody was erased since the last time.")
            return
        begun = time.perf_counter()
        await store.compact(at=site.now)
    waited = "" if since is None else f" It was due since {site.written(since)}."
    said = f"Compacted in {time.perf_counter() - begun:.1f} s: no byte is left of what was deleted before.{waited}"
    click.echo(paragraph(said, width=terminal_width()))
