"""`personalize schema`: the JSON Schema of the site's rule files, for editors that complete."""

import json
from pathlib import Path

import click

from personalize.cli.findings import Failed
from personalize.cli.site import Site, pass_site
from personalize.problems import Problems
from personalize.runtime.draft import schema_of

#: Where `personalize init` puts it, and where the settings of VS Code look for it.
FILE_NAME = "rules.schema.json"


@click.command()
@click.option("--out", metavar="PATH", type=click.Path(dir_okay=False, path_type=Path), help="Write it to this file.")
@pass_site
def schema(site: Site, out: Path | None) -> None:
    """Print the JSON Schema of the rule files, with the site's own facts, events, segments, slots and items.

    An editor that knows it completes names, says what each is, and marks what is misspelt. Print it again when
    attributes or events have come. Files with errors are read as far as they can be.
    """
    if out is None:
        click.echo(_text(site))
        return
    try:
        write_schema(site, out)
    except OSError as error:
        raise Failed(f"{out} cannot be written: {error.strerror}") from error


def write_schema(site: Site, path: Path) -> None:
    """Write the schema of what lies on the disk, and say so. Raises OSError where it can't be written."""
    path.write_text(_text(site) + "\n", encoding="utf-8")
    click.echo(f"wrote {path}")


def _text(site: Site) -> str:
    return json.dumps(schema_of(site.read_draft(Problems()).files, site.settings), indent=1, ensure_ascii=False)
