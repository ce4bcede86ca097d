"""`personalize migrate-store`: everything that one store keeps is moved to another."""

import asyncio
import time

import click

from personalize.cli.findings import Failed
from personalize.cli.site import Site, pass_site
from personalize.cli.tables import counted, paragraph
from personalize.cli.tally import Tally
from personalize.runtime.copies.migrating import Migrated, Step, migrate


@click.command("migrate-store")
@click.argument("source", metavar="FROM")
@click.argument("target", metavar="TO")
@pass_site
def migrate_store(site: Site, source: str, target: str) -> None:
    """Copy everything that the store FROM keeps to the store TO, and see that it is the same.

    Both are written as the setting "store" is. TO is empty, or was begun by this command: what broke off goes on, and
    what has happened since is added. FROM stays as it is. While the site writes to FROM, run it once; then stop the
    site, run it again, which takes a moment, and start the site with TO.
    """
    if source == target:
        raise Failed("FROM and TO are the same store.")
    started = time.perf_counter()
    with Tally("reading both stores", "events copied") as tally:
        migrated = asyncio.run(_migrate(site, source, target, tally))
    seconds = time.perf_counter() - started
    _tell(migrated, seconds)


async def _migrate(site: Site, source: str, target: str, tally: Tally) -> Migrated:
    def progress(step: Step, done: int, total: int | None) -> None:
        tally.reach(done, total, step)

    async with site.other_store(source) as one, site.other_store(target, is_there=False) as other:
        return await migrate(one, other, site.settings, progress=progress)


def _tell(migrated: Migrated, seconds: float) -> None:
    added = migrated.events - migrated.before
    click.echo(
        f"Copied {counted(added, 'event')} in {seconds:.1f} s; {counted(migrated.before, 'event')} had been there."
    )
    click.echo(
        f"Both stores have the same log: {counted(migrated.events, 'event')}, SHA-256 {migrated.log_sha256[:16]}…"
    )
    profiles = counted(migrated.profiles, "profile")
    if migrated.profiles_sha256 is not None:
        click.echo(f"Both have the same profiles: {profiles}, SHA-256 {migrated.profiles_sha256[:16]}…")
    else:
        uncompared = f"{profiles} were made of the log and not compared: one of the stores is still counting what the"
        click.echo(paragraph(f"{uncompared} rules need. Run this again when it is done."))
    click.echo(paragraph('Stop the site, run this once more, and start it with the new store in the setting "store".'))
