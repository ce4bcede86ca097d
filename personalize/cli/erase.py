"""`personalize erase`: nothing is kept of a visitor any more."""

import asyncio

import click

from personalize.cli.findings import Failed
from personalize.cli.one_visitor import one_visitor
from personalize.cli.site import Site, name_of_whoever, pass_site
from personalize.cli.tables import counted, paragraph, terminal_width
from personalize.errors import TakenOver
from personalize.runtime.person import Person, person_in
from personalize.runtime.publish import projectors_to_erase
from personalize.stores.erasure import Erasure
from personalize.stores.protocols import Export, Store


@click.command()
@one_visitor
@click.option("--yes", is_flag=True, help="Don't ask whether it is meant.")
@click.option("--by", metavar="NAME", help="Who erases; else the name you are logged in with.")
@pass_site
def erase(site: Site, visitor: str, yes: bool, by: str | None) -> None:
    """Erase all that is kept of a visitor: their profile, their events, and the browsers they have logged in with.

    It holds at once, in every running worker, and can't be undone. What some queue or file still knows of them is
    refused when it comes. A receipt stays, without a word of the visitor. The files of the store give their bytes
    away when "personalize compact" has run.
    """
    try:
        asyncio.run(_erase(site, visitor, asks=not yes, by=by or name_of_whoever()))
    except TakenOver as error:
        raise Failed(f"{error}:\npersonalize erase --visitor {error.into}") from error


async def _erase(site: Site, visitor: str, *, asks: bool, by: str) -> None:
    async with site.store(erases=True) as store:
        person = await person_in(store, visitor)
        if asks:
            click.echo(paragraph(_what_goes(person), width=terminal_width()))
            click.confirm("Erase it all? It can't be undone.", abort=True)
        receipt = await store.erase(
            visitor, at=site.now, by=by, projectors=await projectors_to_erase(store, site.settings)
        )
        copies = await _copies(store, receipt)
    for part in _told(site, receipt, copies):
        click.echo(paragraph(part, width=terminal_width()))
    for copy in copies:
        begun = site.written(copy.begun_at)
        click.echo(paragraph(f"{copy.what}, of {begun}: {copy.where}", first="  ", rest="    ", width=terminal_width()))


def _what_goes(person: Person) -> str:
    if person.profile is None and not person.events:
        return f"Nothing is kept of {person.profile_id}. Erased all the same, what comes late of them is refused."
    browsers = counted(len(person.browsers), "browser")
    of_browsers = f", {browsers} that they have logged in with" if person.browsers else ""
    return f"{person.profile_id}: a profile{of_browsers}, {counted(len(person.events), 'event')}."


def _told(site: Site, receipt: Erasure, copies: tuple[Export, ...]) -> list[str]:
    told = [
        f"Erased {counted(receipt.profiles, 'profile')} and {counted(receipt.events, 'event')}. The receipt is "
        f"{receipt.seal}, of {site.written(receipt.at)}, by {receipt.by}.",
        'The bytes leave the files of the store when "personalize compact" has run.',
    ]
    return [*told, "These copies may hold them still:"] if copies else told


async def _copies(store: Store, receipt: Erasure) -> tuple[Export, ...]:
    return tuple(each for each in await store.exports() if each.export_id in receipt.copies)
