"""`personalize init`: the files of a new site, with comments that explain them."""

from collections.abc import Iterator
from pathlib import Path

import click

from personalize.cli.findings import Failed
from personalize.cli.schema import FILE_NAME as SCHEMA_FILE
from personalize.cli.schema import write_schema
from personalize.cli.site import Site
from personalize.settings import FILE_NAME as SETTINGS_FILE

STARTER = Path(__file__).parent / "starter"

_NEXT = """\
Three steps from here:

  1. Wrap your site, where it makes its app:

         from personalize import wrap
         app = wrap(app)

  2. Mark a slot in a page of it; what stands inside is shown when no rule fits:

         <section data-slot="home-hero">
           <h1>Welcome to our shop</h1>
         </section>

  3. Make the rules live, and serve:
{there}
         personalize publish
         personalize serve shop.main:app      (your module and app)

Then change {content} and publish again.
"personalize explain --slot home-hero --visitor regular" says why it is shown.\
"""


@click.command()
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path), default=Path())
def init(folder: Path) -> None:
    """Write the files of a new site into FOLDER (else into this one), with comments that explain them.

    Settings, a slot, two segments, two content items and their template, and a schema with which VS Code and others
    complete rules. Nothing is overwritten: where one of the files is there already, it is named, and nothing is
    written.
    """
    written = {folder / path.relative_to(STARTER): path for path in _starter_files()}
    schema = folder / SCHEMA_FILE
    in_the_way = [str(target) for target in (*written, schema) if target.exists()]
    if in_the_way:
        raise Failed("\n  ".join(["nothing was written, since this stands in the way already:", *in_the_way]))
    try:
        for target, source in written.items():
            target.parent.mkdir(parents=True, exist_ok=True)
            with target.open("x", encoding="utf-8") as file:
                file.write(source.read_text(encoding="utf-8"))
            click.echo(f"wrote {target}")
        write_schema(Site(folder / SETTINGS_FILE, {}), schema)
    except OSError as error:
        raise Failed(f"{error.filename} cannot be written: {error.strerror}") from error
    there = f"\n         cd {folder}" if folder != Path() else ""
    click.echo("\n" + _NEXT.format(there=there, content=folder / "content/heroes/welcome-back.md"))


def _starter_files() -> Iterator[Path]:
    return (path for path in sorted(STARTER.rglob("*")) if path.is_file())
