"""`personalize switch`: every page as the site made it, at once and everywhere, and back again."""

import asyncio

import click

from personalize.cli.site import Site, name_of_whoever, pass_site
from personalize.stores.protocols import Switch


@click.command()
@click.argument("state", type=click.Choice(["off", "on"]), required=False)
@click.option("--by", metavar="NAME", help="Who decides so; else the name you are logged in with.")
@pass_site
def switch(site: Site, state: str | None, by: str | None) -> None:
    """Leave every page as the site made it (off), or personalize again (on).

    Every running worker follows within two seconds; nothing has to be restarted, and what is published stays live.
    Without a word, say how it is. Where the store itself is in trouble, start the site with PERSONALIZE_OFF=1.
    """
    asyncio.run(_show(site) if state is None else _switch(site, off=state == "off", by=by or name_of_whoever()))


async def _show(site: Site) -> None:
    async with site.store() as store:
        last = await store.switch()
    state = "on" if last is None or not last.off else "off"
    since = "" if last is None else f", since {site.written(last.at)} by {last.by}"
    click.echo(f"Personalizing is switched {state}{since}.")
    if site.settings.off:
        click.echo("These settings have it off as well: `off = true`, or PERSONALIZE_OFF.")


async def _switch(site: Site, *, off: bool, by: str) -> None:
    async with site.store() as store:
        last = await store.switch()
        if off is (last is not None and last.off):
            click.echo(f"Nothing to do: personalizing is switched {'off' if off else 'on'} already.")
            return
        await store.set_switch(Switch(off=off, at=site.now, by=by))
    if off:
        click.echo("Switched off: within two seconds every page leaves as the site made it.")
        click.echo('"personalize switch on" personalizes again.')
    else:
        click.echo("Switched on: within two seconds slots are filled again.")
    if site.settings.off and not off:
        click.echo("But these settings keep it off: `off = true`, or PERSONALIZE_OFF.")
