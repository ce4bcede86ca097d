"""`personalize backup`: a copy of the store, made while the site is served."""

import asyncio
import time
from pathlib import Path

import click

from personalize.cli.findings import Failed
from personalize.cli.site import Site, name_of_whoever, pass_site
from personalize.cli.tables import counted, paragraph
from personalize.cli.tally import Tally
from personalize.runtime.clock import SystemClock
from personalize.runtime.copies.backups import back_up, note_backup
from personalize.stores.opening import database_file
from personalize.stores.sqlite.backup import Contents

_MEGABYTE = 1_000_000


@click.command()
@click.argument("target", type=click.Path(path_type=Path), required=False)
@click.option(
    "--elsewhere",
    metavar="PLACE",
    help="Copy nothing, but note that a backup was made by other means, such as pg_dump, and where it is.",
)
@click.option("--by", metavar="NAME", help="Who makes it; by default whoever is logged in on this machine.")
@pass_site
def backup(site: Site, target: Path | None, elsewhere: str | None, by: str | None) -> None:
    """Copy the store to the file TARGET, which must not be there yet, and see that the copy is whole.

    Everything that was written before is in it, and the site may go on being served. In a folder TARGET, the file is
    named for the moment. Beside it lies its SHA-256; "personalize restore" asks for it.

    With --elsewhere it is only noted that your own means have made one just now: erasures name it from then on.
    """
    if (target is None) == (elsewhere is None):
        raise click.UsageError("name the file to copy the store to, or with --elsewhere where a backup is already.")
    if elsewhere is not None:
        asyncio.run(_note(site, elsewhere, by or name_of_whoever()))
        click.echo(
            paragraph(f"Noted: a backup at {elsewhere}. An erasure will name it among those that hold the visitor.")
        )
        return
    assert target is not None
    database = the_database(site)
    if target.is_dir():
        target /= f"personalize-{site.now:%Y%m%dT%H%M%SZ}.db"
    started = time.perf_counter()
    with Tally("copying the store", "MB copied") as tally:
        contents = asyncio.run(_back_up(site, database, target, by or name_of_whoever(), tally))
    seconds = time.perf_counter() - started
    click.echo(f"Backed up {described(contents)} to {target} in {seconds:.1f} s.")
    click.echo(paragraph("It was read back and is whole. It holds personal data: keep it as carefully as the store."))


def the_database(site: Site) -> Path:
    """The file in which the site's store lies. Raises `Failed` for a store of another kind."""
    found = database_file(site.settings.store, site.settings.root)
    if found is None:
        raise Failed(
            "only a store in a SQLite file is backed up and restored so. PostgreSQL has means of its own: pg_dump and "
            "pg_restore. Note afterwards where the backup is, so that an erasure can name it: personalize backup "
            "--elsewhere PLACE"
        )
    return found


def described(contents: Contents) -> str:
    """What a backup holds, in words."""
    size = f"{max(1, round(contents.size_bytes / _MEGABYTE)):,} MB"
    return f"{counted(contents.events, 'event')} and {counted(contents.profiles, 'profile')} ({size})"


async def _note(site: Site, place: str, by: str) -> None:
    async with site.store() as store:
        await note_backup(store, place, by=by, clock=SystemClock())


async def _back_up(site: Site, database: Path, target: Path, by: str, tally: Tally) -> Contents:
    def progress(size_bytes: int) -> None:
        tally.reach(round(size_bytes / _MEGABYTE), None)

    async with site.store() as store:
        return await back_up(store, database, target, by=by, clock=SystemClock(), progress=progress)
