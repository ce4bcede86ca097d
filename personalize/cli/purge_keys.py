"""`personalize purge-keys`: what an edge has to forget after a publish."""

import asyncio

import click

from personalize.cli.findings import Failed
from personalize.cli.live_versions import version_named
from personalize.cli.site import Site, pass_site
from personalize.runtime.purge import changed_keys


@click.command("purge-keys")
@click.option("--since", metavar="VERSION", help="What the edge has pages of; else what was live before.")
@pass_site
def purge_keys(site: Site, since: str | None) -> None:
    """Print the Surrogate-Keys of pages that what is live now has made untrue, one a line, for an edge to purge.

    They are those of pages that the mode "variants" lets caches keep. Where nothing has changed for any page, nothing
    is printed; "personalize" is the key of all pages with slots.
    """
    keys = asyncio.run(_keys(site, since))
    if keys:
        click.echo("\n".join(keys))


async def _keys(site: Site, since: str | None) -> tuple[str, ...]:
    async with site.store() as store:
        lives = await store.versions()
        if not lives:
            raise Failed("nothing has been published yet, so there is nothing to purge.")
        # What an edge has pages of is what was served last, also where that was gone back from.
        before = lives[-2:][0].version if since is None else version_named(since, lives, site)
        return changed_keys(await site.saved(store, before), await site.saved(store, lives[-1].version))
