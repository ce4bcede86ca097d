"""`personalize restore`: a backup in the place of the store."""

from pathlib import Path

import click

from personalize.cli.backup import described, the_database
from personalize.cli.erase_again import NOT_PROJECTED
from personalize.cli.site import Site, pass_site
from personalize.cli.tables import counted, paragraph
from personalize.runtime.copies.backups import restore as put_back

_WHO_ELSE = (
    "If visitors were erased since the backup was made, they are in it again. Erase them again before the site starts: "
    'personalize erase-again FOLDER, where FOLDER is the newest that "personalize export --what erased" wrote.'
)


@click.command()
@click.argument("backup", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option(
    "--replace", is_flag=True, help="Also where there is a store, which is kept beside it under another name."
)
@pass_site
def restore(site: Site, backup: Path, replace: bool) -> None:
    """Put BACKUP, a file that "personalize backup" wrote, in the place of the site's store.

    Stop the site first: nobody may have the store open. A backup that is cut or altered is refused, and nothing has
    changed then. Visitors whom the store that it replaces has erased since do not come back.
    """
    restored = put_back(backup, the_database(site), site.settings, at=site.now, replaces=replace)
    click.echo(f"Restored {described(restored.contents)} from {backup}.")
    if restored.aside is not None:
        click.echo(paragraph(f"The store that was there is now {restored.aside}: delete it when all is well."))
    if restored.erased is None:
        click.echo(paragraph(_WHO_ELSE))
    elif restored.erased.ids:
        told = f"Erased again: {counted(restored.erased.ids, 'id')}, erased since the backup was made."
        click.echo(paragraph(told))
        if not restored.erased.is_projected:
            click.echo(paragraph(NOT_PROJECTED))
