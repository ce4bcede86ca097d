"""`personalize download`: everything that is kept of one visitor, to be given to them."""

import asyncio
from pathlib import Path

import click

from personalize.cli.findings import Failed
from personalize.cli.one_visitor import one_visitor
from personalize.cli.rules_asked import rule_set_for
from personalize.cli.site import Site, pass_site
from personalize.cli.tables import counted
from personalize.errors import TakenOver
from personalize.problems import quoted
from personalize.runtime.download import as_html, as_json, download_of
from personalize.runtime.person import person_in


@click.command()
@one_visitor
@click.option(
    "--format",
    "shape",
    type=click.Choice(["json", "html"]),
    default="json",
    show_default=True,
    help="For programs, or a page to read.",
)
@click.option("--output", type=click.Path(path_type=Path), metavar="FILE", help="Write it to a new file instead.")
@click.option("--live", is_flag=True, help="In the words of the rule set that is live instead of the files'.")
@pass_site
def download(site: Site, visitor: str, shape: str, output: Path | None, live: bool) -> None:
    """Write down all that is kept of one visitor, for themselves: profile, events, what they agreed to, segments.

    The browsers that somebody has logged in with are in it. It holds personal data: give it to nobody else.
    """
    if output is not None and output.exists():
        raise Failed(f"{quoted(str(output))} is there already: name another file, or delete that one.")
    try:
        text, events = asyncio.run(_download(site, visitor, shape, live=live))
    except TakenOver as error:
        raise Failed(f"{error}:\npersonalize download --visitor {error.into}") from error
    if output is None:
        click.echo(text)
        return
    output.touch(mode=0o600, exist_ok=False)
    output.write_text(text, encoding="utf-8")
    click.echo(f"All that is kept of {visitor}, with {counted(events, 'event')}, is in {output}.")


async def _download(site: Site, visitor: str, shape: str, *, live: bool) -> tuple[str, int]:
    async with site.store() as store:
        rule_set = await rule_set_for(site, store, live=live)
        person = await person_in(store, visitor)
    if person.profile is None and not person.events:
        raise Failed(f"nothing is kept of {quoted(visitor)}.")
    made = download_of(person, rule_set, site.settings, now=site.now)
    return as_html(made) if shape == "html" else as_json(made), len(person.events)
