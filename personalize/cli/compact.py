"""`personalize compact`: the files of the store hold no byte of what was deleted."""

import asyncio
import time

import click

from personalize.cli.site import Site, pass_site


@click.command(short_help="Free the files of the store from all bytes of what was deleted.")
@pass_site
def compact(site: Site) -> None:
    """Free the files of the store from all bytes of what was deleted.

    What is kept is copied, so it takes as long as a copy, and as much room again. Pages are served meanwhile; what
    happens waits. Run it at a quiet hour, after visitors were erased.
    """
    asyncio.run(_compact(site))


async def _compact(site: Site) -> None:
    async with site.store() as store:
        begun = time.perf_counter()
        await store.compact()
    click.echo(f"Compacted in {time.perf_counter() - begun:.1f} s: no byte is left of what was deleted before.")
