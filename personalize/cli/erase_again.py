"""`personalize erase-again`: nobody comes back with a backup."""

import asyncio
from pathlib import Path

import click

from personalize.cli.findings import Failed
from personalize.cli.site import Site, pass_site
from personalize.cli.tables import counted, paragraph, terminal_width
from personalize.exports.manifest import check_files, read_manifest
from personalize.runtime.copies.erased import Erased, ErasedAgain, erased_in, erased_in_export
from personalize.runtime.copies.erased import erase_again as erase_in

#: What is told where the live rules of a store don't load.
NOT_PROJECTED = (
    "The rules that are live in it don't load here, so who shared a browser with them was not counted anew: publish, "
    'then run "personalize rebuild".'
)


@click.command("erase-again")
@click.argument("source", metavar="SOURCE")
@pass_site
def erase_again(site: Site, source: str) -> None:
    """Erase in the site's store whom another copy of it has erased: after a backup was restored.

    SOURCE is that copy: an address, as the setting "store" is written, or the folder of an export; "personalize export
    --what erased" writes nothing but what is needed here. Whom it names goes from the log, the profiles and all that
    is made of them, who stays is counted anew, and what still comes of them is refused. Run it before the site starts,
    with the keys that the site had.
    """
    folder = Path(source)
    erased = _of_export(folder) if folder.is_dir() else asyncio.run(_of_store(site, source))
    again = asyncio.run(_erase_again(site, erased))
    for part in (*_told(source, len(erased.sealed), again.ids), *after_erasing_again(again)):
        click.echo(paragraph(part, width=terminal_width()))


def _told(source: str, sealed: int, ids: int) -> list[str]:
    if ids:
        return [f"Erased again: {counted(ids, 'id')} of the {sealed:,} that {source} has erased."]
    told = f"Nobody is to be erased again: none of the {counted(sealed, 'id')} that {source} has erased is here."
    return [told, "Seals tell nothing without the secret_keys that the site had."] if sealed else [told]


def after_erasing_again(again: ErasedAgain) -> list[str]:
    """What is left to do."""
    if not again.ids:
        return []
    compaction = 'The bytes leave the files of the store when "personalize compact" has run.'
    return [compaction] if again.is_projected else [compaction, NOT_PROJECTED]


async def _erase_again(site: Site, erased: Erased) -> ErasedAgain:
    async with site.store(erases=bool(erased.sealed)) as store:
        return await erase_in(store, erased, site.settings)


def _of_export(folder: Path) -> Erased:
    manifest = read_manifest(folder)
    check_files(folder, [file for file in manifest.files if file.content in ("erased", "receipts")])
    return erased_in_export(folder, manifest)


async def _of_store(site: Site, url: str) -> Erased:
    if url == site.settings.store:
        raise Failed("SOURCE is the site's own store: name the other one, or the folder of an export.")
    if ":" not in url:
        raise Failed(f"there is no folder {url}: name that of an export, or the address of a store, as sqlite:old.db.")
    async with site.other_store(url) as other:
        return await erased_in(other)
