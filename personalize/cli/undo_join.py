"""`personalize undo-join`: a browser's past and the login that took it over are two again."""

import asyncio
import os

import click

from personalize.cli.findings import Failed
from personalize.cli.site import Site, pass_site
from personalize.cli.tables import paragraph, terminal_width
from personalize.errors import EventRefused
from personalize.events.event import UNDO, Event, minted_event_id
from personalize.runtime.copies.importing import ImportWriter
from personalize.runtime.correcting import check_undo
from personalize.runtime.page_events import CHANCE_BYTES


@click.command("undo-join")
@click.argument("login", metavar="u:ID")
@click.argument("browser", metavar="v:ID")
@pass_site
def undo_join(site: Site, login: str, browser: str) -> None:
    """Part a browser's past from the login that took it over, within 30 days: as where somebody logged in at the
    computer of another.

    What happened in that browser before is the login's no longer, and both are as if they had never been joined, in
    all that happened since, too.
    """
    asyncio.run(_undo(site, login, browser))


async def _undo(site: Site, login: str, browser: str) -> None:
    at = site.now
    event_id = minted_event_id(at, os.urandom(CHANCE_BYTES))
    undo = Event(event_id, "support", UNDO, login, at, at, {"from": browser}, channel="support")
    async with site.store() as store:
        live = await site.live(store)
        if live is None:
            raise Failed('nothing is published yet. Run "personalize publish" first: it makes the profiles.')
        try:
            await check_undo(store, undo)
        except EventRefused as error:
            raise Failed(f"{error.reason}.") from error
        await ImportWriter(store, site.settings, live=live[1], draft=live[1]).write([undo])
        known, own = await store.profile(login), await store.profile(browser)
    events = [0 if one is None else one.events for one in (known, own)]
    said = f"{login} and {browser} are two again: {events[0]} and {events[1]} events are theirs."
    click.echo(paragraph(said, width=terminal_width()))
