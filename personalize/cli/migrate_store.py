"""`personalize migrate-store`: everything that one store keeps is moved to another."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import click

from personalize.cli.findings import Failed
from personalize.cli.site import Site, pass_site
from personalize.cli.tables import counted, paragraph
from personalize.cli.tally import Tally
from personalize.runtime.copies.migrating import Migrated, Step, migrate
from personalize.runtime.keys import secret_keys
from personalize.stores.opening import database_file, open_store
from personalize.stores.protocols import Store


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
    _refuse_missing(site, source)
    started = time.perf_counter()
    with Tally("reading both stores", "events copied") as tally:
        migrated = asyncio.run(_migrate(site, source, target, tally))
    seconds = time.perf_counter() - started
    _tell(migrated, seconds)


def _refuse_missing(site: Site, url: str) -> None:
    """A file that is not there would be made, and be empty."""
    file = database_file(url, site.settings.root)
    if file is not None and not file.exists():
        raise Failed(f"there is no store to move from: {file} is missing.")


async def _migrate(site: Site, source: str, target: str, tally: Tally) -> Migrated:
    def progress(step: Step, done: int, total: int | None) -> None:
        tally.reach(done, total, step)

    async with _opened(site, source) as one, _opened(site, target) as other:
        return await migrate(one, other, site.settings, progress=progress)


@asynccontextmanager
async def _opened(site: Site, url: str) -> AsyncIterator[Store]:
    store = open_store(url, site.settings.root, secret_keys(site.settings))
    await store.open()
    try:
        yield store
    finally:
        await store.close()


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
