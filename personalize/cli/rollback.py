"""`personalize rollback`: an earlier version goes live again."""

import asyncio
from collections.abc import Sequence

import click

from personalize.cli.findings import Failed
from personalize.cli.publish import loaded_live, what_changed
from personalize.cli.site import Site, name_of_whoever, pass_site
from personalize.cli.tables import table, terminal_width
from personalize.problems import quoted
from personalize.runtime.publish import counts_alike, roll_back
from personalize.stores.protocols import Live


@click.command(short_help="Make an earlier version live again.")
@click.argument("version", required=False)
@click.option("--by", metavar="NAME", help="Who goes back; else the name you are logged in with.")
@pass_site
def rollback(site: Site, version: str | None, by: str | None) -> None:
    """Make an earlier version live again: VERSION, or the one that was live before the present one.

    The first letters of a version are enough. The files on disk stay as they are.
    """
    asyncio.run(_rollback(site, version, by or name_of_whoever()))


async def _rollback(site: Site, version: str | None, by: str) -> None:
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
        alike = counts_alike(await loaded_live(store, site.settings), rule_set)
        await roll_back(store, site.settings, at=site.now, by=by, version=target)
        click.echo(f"{target} is live again.")
        click.echo("\n".join(what_changed(now, site, alike=alike)))
        click.echo("The files on disk stay as they are: the next publish brings them back.")


def _target(version: str | None, lives: Sequence[Live], site: Site) -> str:
    if version is None:
        earlier = [live.version for live in lives if live.version != lives[-1].version]
        if not earlier:
            raise Failed(f"only {lives[-1].version} has been live so far, so there is nothing to go back to.")
        return earlier[-1]
    found = {live.version for live in lives if live.version.startswith(version)}
    if len(found) != 1:
        what = "is the beginning of several versions" if found else "is no version that has been live"
        raise Failed("\n".join([f"{quoted(version)} {what}. These have been:", "", *_known(lives, site)]))
    return found.pop()


def _known(lives: Sequence[Live], site: Site) -> list[str]:
    """Every version, the newest first, with when it last went live."""
    newest = {live.version: live for live in lives}
    rows = [(one.version, site.written(one.at), one.by) for one in sorted(newest.values(), key=_age, reverse=True)]
    marked = [(*row, "live now" if row[0] == lives[-1].version else "") for row in rows]
    header = ("version", "went live", "by", "")
    return list(table(header, marked, wraps=2, numbers=frozenset(), width=terminal_width()))


def _age(live: Live) -> float:
    return live.at.timestamp()
