"""`personalize rebuild`: the profiles are made from the log again."""

import asyncio
import time

import click

from personalize.cli.findings import Failed
from personalize.cli.site import Site, pass_site
from personalize.cli.tables import counted
from personalize.cli.tally import Tally
from personalize.runtime.offline import is_visitor
from personalize.runtime.publish import projectors_of
from personalize.stores.protocols import Store


@click.command(short_help="Make all profiles from the log again.")
@pass_site
def rebuild(site: Site) -> None:
    """Make all profiles from the log again, under the rule set that is live.

    Nothing is lost by it: profiles are what the log says. The site goes on being served meanwhile; what happens
    is written when the rebuilding is done.
    """
    asyncio.run(_rebuild(site))


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
