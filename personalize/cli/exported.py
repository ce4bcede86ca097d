"""Importing a folder that `personalize export` wrote."""

import asyncio
from pathlib import Path

import click
from click.core import ParameterSource

from personalize.cli.erase_again import after_erasing_again
from personalize.cli.findings import Failed
from personalize.cli.site import Site
from personalize.cli.tables import counted, paragraph
from personalize.cli.tally import Tally
from personalize.errors import StoreError
from personalize.exports.manifest import Manifest, read_manifest
from personalize.runtime.copies.erased import ErasedAgain
from personalize.runtime.copies.importing import Imported, ImportWriter
from personalize.runtime.copies.reimporting import (
    check_export,
    import_export,
    keep_erased,
    keep_floors,
    restore_rule_sets,
)
from personalize.stores.protocols import Store


def refuse_mapping(context: click.Context) -> None:
    """Raise `UsageError` where something was said of the rows: those of an export are known."""
    said = [
        parameter.opts[0]
        for parameter in context.command.params
        if isinstance(parameter, click.Option)
        and parameter.name is not None
        and context.get_parameter_source(parameter.name) is ParameterSource.COMMANDLINE
    ]
    if said:
        raise click.UsageError(f"an export says itself what its rows are: leave out {', '.join(said)}.")


def import_folder(site: Site, folder: Path) -> None:
    """Take an export in, and say what came of it."""
    manifest = read_manifest(folder)
    with Tally("reading what was exported", "events imported") as tally:
        check_export(folder, manifest)
        done, was_empty, again = asyncio.run(_import(site, folder, manifest, tally))
    told = f"{counted(done.rows, 'event')}: {done.new:,} new, {done.known:,} known already"
    click.echo(f"{told}, {done.refused:,} refused" if done.refused else told)
    if done.refused:
        reason = "Refused is what tells of visitors who were erased here, or whose id says something else here."
        click.echo(paragraph(reason))
    if erased := manifest.rows("erased"):
        keys = "as long as secret_keys holds the keys of the site that was exported"
        click.echo(paragraph(f"{counted(erased, 'erased id')}: what tells of them is refused here, too, {keys}."))
    if again.ids:
        click.echo(paragraph(f"Erased here, too: {counted(again.ids, 'id')} of them."))
        for part in after_erasing_again(again):
            click.echo(paragraph(part))
    lives = manifest.rows("lives")
    if was_empty:
        click.echo(f"{counted(manifest.rows('rule sets'), 'rule set')}: what was live there is live here.")
    elif lives:
        click.echo(
            paragraph("The rule sets are kept, and what was live here stays live: this store has a history of its own.")
        )


async def _import(site: Site, folder: Path, manifest: Manifest, tally: Tally) -> tuple[Imported, bool, ErasedAgain]:
    async with site.store(erases=manifest.rows("erased") > 0) as store:
        restored = await restore_rule_sets(store, folder, manifest, site.settings)
        again = await keep_erased(store, folder, manifest, site.settings)
        total = manifest.rows("events")
        try:
            done = await import_export(
                folder,
                manifest,
                (await _writer(site, store)).write,
                progress=lambda events: tally.reach(events, total),
            )
        except StoreError as error:
            raise Failed(
                f"{error}. What was written stays; import the same folder again, and only the rest is added."
            ) from error
        await keep_floors(store, folder, manifest)
        return done, restored, again


async def _writer(site: Site, store: Store) -> ImportWriter:
    live = await site.live(store)
    rule_set = live[1] if live is not None else site.checked_draft().rule_set
    return ImportWriter(store, site.settings, live=None if live is None else rule_set, draft=rule_set)
