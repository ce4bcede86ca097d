"""`personalize openapi`: the description of the JSON API, for the events and attributes of this site."""

import json
from pathlib import Path

import click

from personalize.api.openapi import description
from personalize.api.operations import OPERATIONS
from personalize.cli.findings import Failed
from personalize.cli.site import Site, pass_site


@click.command()
@click.option("--out", metavar="PATH", type=click.Path(dir_okay=False, path_type=Path), help="Write it to this file.")
@pass_site
def openapi(site: Site, out: Path | None) -> None:
    """Print the description of the JSON API (OpenAPI 3.1), with the events and attributes that the files declare.

    Programs that make clients from it, and documents for people, take it as it is. The API itself tells the same of
    what is live, at openapi.json.
    """
    told = description(OPERATIONS, site.checked_draft().rule_set, site.settings)
    text = json.dumps(told, indent=1, ensure_ascii=False)
    if out is None:
        click.echo(text)
        return
    try:
        out.write_text(text + "\n", encoding="utf-8")
    except OSError as error:
        raise Failed(f"{out} cannot be written: {error.strerror}") from error
    click.echo(f"wrote {out}")
