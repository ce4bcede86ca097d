"""`personalize rollback`: an earlier version goes live again."""

import asyncio
from collections.abc import Sequence
from typing import NoReturn

import click

from personalize.cli.counting import say_what_is_counted, wait_option
from personalize.cli.findings import Failed
from personalize.cli.live_versions import live_versions, version_named
from personalize.cli.publish import what_changed
from personalize.cli.site import Site, name_of_whoever, pass_site
from personalize.runtime.publish import roll_back, version_before
from personalize.stores.protocols import Live


@click.command()
@click.argument("version", required=False)
@click.option("--by", metavar="NAME", help="Who goes back; else the name you are logged in with.")
@click.option("--list", "list_wanted", is_flag=True, help="Show the versions that have been live, and change nothing.")
@wait_option
@pass_site
def rollback(site: Site, version: str | None, by: str | None, list_wanted: bool, wait: bool) -> None:
    """Make an earlier version live again: VERSION, or the one that was live before the present one.

    The first letters of a version are enough. Going back again goes further back; --list shows the versions that
    have been live. The files on disk stay as they are.
    """
    if list_wanted:
        asyncio.run(_list(site))
    else:
        asyncio.run(_rollback(site, version, by or name_of_whoever(), wait=wait))


async def _list(site: Site) -> None:
    async with site.store() as store:
        lives = await store.versions()
    click.echo("\n".join(live_versions(lives, site)) if lives else "Nothing has been published yet.")


async def _rollback(site: Site, version: str | None, by: str, *, wait: bool) -> None:
    async with site.store() as store:
        lives = await store.versions()
        if not lives:
            raise Failed("nothing has been published yet, so there is nothing to go back to.")
        now = lives[-1]
        target = _target(version, lives, site)
        if target == now.version:
            click.echo(f"Nothing to do: {target} is live already.")
            return
        rule_set = await site.saved(store, target)
        held = (await store.filled()).holding
        await roll_back(store, site.settings, at=site.now, by=by, version=target)
        click.echo(f"{target} is live again.")
        click.echo("\n".join(what_changed(now, site)))
        click.echo("\n".join(_ways_from_here(now.version, await store.versions())))
        click.echo("The files on disk stay as they are: the next publish brings them back.")
        await say_what_is_counted(store, held, rule_set, site, wait=wait)


def _ways_from_here(left: str, lives: Sequence[Live]) -> list[str]:
    """What to do to go further back, or forward again."""
    further = version_before(lives)
    back = (
        "Nothing was live before it" if further is None else f'"personalize rollback" goes further back, to {further}'
    )
    return [f"{back};", f'"personalize rollback {left}" goes forward again.']


def _target(version: str | None, lives: Sequence[Live], site: Site) -> str:
    if version is None:
        return version_before(lives) or _nothing_before(lives)
    return version_named(version, lives, site)


def _nothing_before(lives: Sequence[Live]) -> NoReturn:
    now = lives[-1].version
    later = next((live.version for live in reversed(lives) if live.version != now), None)
    if later is None:
        raise Failed(f"only {now} has been live so far, so there is nothing to go back to.")
    raise Failed(
        f"{now} is the first version that was live, so there is nothing further back.\n"
        f'"personalize rollback {later}" goes forward again; "personalize rollback --list" shows all versions.'
    )
