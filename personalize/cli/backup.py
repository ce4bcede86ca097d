"""`personalize backup`: a copy of the store, made while the site is served."""

import asyncio
import time
from pathlib import Path

import click

from personalize.cli.findings import Failed
from personalize.cli.site import Site, name_of_whoever, pass_site
from personalize.cli.tables import counted, paragraph
from personalize.cli.tally import Tally
from personalize.runtime.backups import back_up
from personalize.runtime.clock import SystemClock
from personalize.stores.opening import database_file
from personalize.stores.sqlite_backup import Contents

_MEGABYTE = 1_000_000


@click.command(short_help="Copy the store to a file, and see that the copy is whole.")
@click.argument("target", type=click.Path(path_type=Path))
@click.option("--by", metavar="NAME", help="Who makes it; by default whoever is logged in on this machine.")
@pass_site
def backup(site: Site, target: Path, by: str | None) -> None:
    """Copy the store to the file TARGET, which must not be there yet, and see that the copy is whole.

    Everything that was written before is in it, and the site may go on being served. In a folder TARGET, the file is
    named for the moment. Beside it lies its SHA-256; "personalize restore" asks for it.
    """
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
        raise Failed("only a store in a SQLite file is backed up so: use the means of your database, such as pg_dump.")
    return found


def described(contents: Contents) -> str:
    """What a backup holds, in words."""
    size = f"{max(1, round(contents.size_bytes / _MEGABYTE)):,} MB"
    return f"{counted(contents.events, 'event')} and {counted(contents.profiles, 'profile')} ({size})"


async def _back_up(site: Site, database: Path, target: Path, by: str, tally: Tally) -> Contents:
    def progress(size_bytes: int) -> None:
        tally.reach(round(size_bytes / _MEGABYTE), None)

    async with site.store() as store:
        return await back_up(store, database, target, by=by, clock=SystemClock(), progress=progress)
