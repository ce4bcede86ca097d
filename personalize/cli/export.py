"""`personalize export`: everything that is stored, as files."""

import asyncio
import time
from pathlib import Path

import click

from personalize.cli.site import Site, name_of_whoever, pass_site
from personalize.cli.tables import counted, paragraph
from personalize.cli.tally import Tally
from personalize.exports.event_files import EXPORT_FORMATS, ExportFormat
from personalize.exports.manifest import Content, Manifest
from personalize.runtime.clock import SystemClock
from personalize.runtime.copies.exporting import WHATS, What, export_store

_PERSONAL = "It holds personal data: keep it as carefully as the store, and delete it when it has served."
_NOBODYS = "It holds seals and receipts, and nothing of a person: keep the newest one, apart from the store."


@click.command()
@click.argument("folder", type=click.Path(path_type=Path))
@click.option(
    "--format",
    "format_",
    type=click.Choice(EXPORT_FORMATS),
    default="jsonl",
    show_default=True,
    help="How events are written; profiles are always Parquet.",
)
@click.option(
    "--what",
    type=click.Choice(WHATS),
    default="log",
    show_default=True,
    help="The log with its rule sets, of which everything is made; the profiles, for bulk work; all of it; or who was "
    'erased, for "personalize erase-again".',
)
@click.option("--by", metavar="NAME", help="Who exports; by default whoever is logged in on this machine.")
@pass_site
def export(site: Site, folder: Path, format_: ExportFormat, what: What, by: str | None) -> None:
    """Write everything that is stored to files in FOLDER, which must not be there yet.

    "personalize import FOLDER" makes the same events and profiles of it, here or elsewhere. The site may go on being
    served. That there is such a copy is noted in the store, for the day on which somebody wants to be forgotten.
    """
    started = time.perf_counter()
    with Tally("reading the log", "events") as tally:
        manifest = asyncio.run(_export(site, folder, format_, what, by or name_of_whoever(), tally))
    seconds = time.perf_counter() - started
    click.echo(f"Exported {_contents(manifest)} to {folder} in {seconds:.1f} s.")
    click.echo(paragraph(_NOBODYS if what == "erased" else _PERSONAL))


async def _export(site: Site, folder: Path, format_: ExportFormat, what: What, by: str, tally: Tally) -> Manifest:
    def progress(content: Content, done: int, total: int | None) -> None:
        tally.reach(done, total, content)

    async with site.store() as store:
        live = None if what == "log" else await site.live(store)
        return await export_store(
            store,
            folder,
            format_=format_,
            what=what,
            by=by,
            clock=SystemClock(),
            rule_set=None if live is None else live[1],
            progress=progress,
        )


def _contents(manifest: Manifest) -> str:
    """What was exported, in words."""
    if not manifest.of("events") and manifest.of("erased"):
        return counted(manifest.rows("erased"), "erased id")
    parts = [
        counted(manifest.rows(content), content.removesuffix("s"))
        for content in ("events", "rule sets", "profiles")
        if manifest.of(content)
    ]
    return " and ".join((", ".join(parts[:-1]), parts[-1])) if len(parts) > 1 else "".join(parts)
