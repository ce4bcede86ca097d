"""`personalize webhooks`: what other systems have yet to be told, what was given up, and trying that anew."""

import asyncio
from collections import Counter
from collections.abc import Iterator, Mapping

import click

from personalize.cli.findings import Failed
from personalize.cli.site import Site, pass_site
from personalize.errors import NotDelivered
from personalize.events.event import from_micros
from personalize.problems import did_you_mean, quoted
from personalize.profiles.outbox import AGAIN, Message, Outbox
from personalize.runtime.jobs.webhook_message import read_secrets
from personalize.runtime.jobs.webhooks import messages_in, outcome_event
from personalize.runtime.publish import projectors_of
from personalize.stores.protocols import Store
from personalize.webhook_settings import WebhookEndpoint

#: Of how many visitors messages are counted, at most.
MOST_COUNTED = 100_000


@click.command()
@click.option("--again", metavar="NAME", help="Try anew what was given up for this webhook.")
@pass_site
def webhooks(site: Site, again: str | None) -> None:
    """Say for each webhook how many messages wait, and how many were given up.

    A message is given up when it was tried for `webhooks.give_up_after`, or the answer was 410. With --again, the
    workers of the site try what was given up for one webhook anew.
    """
    asyncio.run(_show(site) if again is None else _try_anew(site, again))


async def _show(site: Site) -> None:
    if not site.settings.webhooks.endpoints:
        click.echo("There are no webhooks: the settings have no [webhooks.endpoints.NAME].")
        return
    async with site.store() as store:
        found = [message for _, message in _each(await messages_in(store, MOST_COUNTED))]
    for endpoint in site.settings.webhooks.endpoints:
        _show_one(site, endpoint, [message for message in found if message.hook == endpoint.name])


def _show_one(site: Site, endpoint: WebhookEndpoint, messages: list[Message]) -> None:
    counted = Counter(message.due_at_micros is None for message in messages)
    oldest = min((message.occurred_at_micros for message in messages), default=None)
    since = "" if oldest is None else f", the oldest since {site.written(from_micros(oldest))}"
    click.echo(f"{endpoint.name}  {endpoint.url}")
    click.echo(f"  told of  {', '.join(endpoint.segments)}; of visitors who agreed to {quoted(endpoint.purpose)}")
    click.echo(f"  waiting  {counted[False]}, given up {counted[True]}{since}")
    try:
        read_secrets(site.settings.root / endpoint.secret_file)
    except NotDelivered as error:
        click.echo(f"  nothing can be sent: {error}")
    if counted[True]:
        click.echo(f'  "personalize webhooks --again {endpoint.name}" tries what was given up anew')


async def _try_anew(site: Site, name: str) -> None:
    if site.settings.webhooks.endpoint(name) is None:
        names = [one.name for one in site.settings.webhooks.endpoints]
        hint = did_you_mean(name, names) or f"there are: {', '.join(names) or 'none'}"
        raise Failed(f"there is no webhook {quoted(name)}; {hint}")
    async with site.store() as store:
        count = await _begin_anew(site, store, name)
    click.echo(f"{count} messages for {name} are tried anew by the workers of the site.")


async def _begin_anew(site: Site, store: Store, name: str) -> int:
    events = [
        outcome_event(profile_id, message, AGAIN, site.now)
        for profile_id, message in _each(await messages_in(store, MOST_COUNTED))
        if message.hook == name and message.due_at_micros is None
    ]
    live = await site.live(store)
    await store.apply(events, projectors_of(None if live is None else live[1], site.settings))
    return len(events)


def _each(outboxes: Mapping[str, Outbox]) -> Iterator[tuple[str, Message]]:
    for profile_id, outbox in outboxes.items():
        for message in outbox.messages.values():
            yield profile_id, message
