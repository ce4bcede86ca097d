"""`personalize token`: who may use the API, and for what."""

import asyncio
import os
from collections.abc import Iterator, Sequence
from datetime import datetime

import click

from personalize.cli.findings import Failed
from personalize.cli.site import Site, pass_site
from personalize.cli.tables import counted, table, terminal_width
from personalize.durations import parse_duration
from personalize.problems import quoted
from personalize.runtime.access import (
    LONGEST_TOKEN_NAME,
    RESERVED_NAMES,
    SCOPE_WORDS,
    TOKEN_BYTES,
    AccessScope,
    digest_of,
    minted_token,
)
from personalize.stores.protocols import AccessToken

_SCOPES = "".join(f"\n\n  {scope:<15} {words}" for scope, words in SCOPE_WORDS.items())
#: So much of a token's hash names it among others of the same name.
_ID_LETTERS = 8


@click.group()
def token() -> None:
    """Make, list and revoke tokens of the API."""


@token.command(
    help="Make a token for NAME, such as till or newsletter, and print it, this once. Only its hash is kept.\n\n"
    "NAME is the sender of all events that come with the token. Several tokens may share one: hand out the next,"
    " then revoke the last.\n\n\b\nScopes:" + _SCOPES.replace("\n\n", "\n")
)
@click.argument("name")
@click.option(
    "--scope",
    "scopes",
    multiple=True,
    required=True,
    type=click.Choice([str(scope) for scope in AccessScope]),
    help="What it is for; may be repeated.",
)
@click.option("--expires", metavar="WHEN", help="A date or moment, or a duration such as '90 days'. Otherwise never.")
@pass_site
def create(site: Site, /, name: str, scopes: tuple[str, ...], expires: str | None) -> None:
    """Make a token and print it."""
    named = name.strip()
    if named in RESERVED_NAMES:
        raise click.BadParameter(f"{quoted(named)} is the sender of what the site itself records.", param_hint="NAME")
    if not named or len(named) > LONGEST_TOKEN_NAME or not named.isprintable():
        allowed = f"up to {LONGEST_TOKEN_NAME} letters that can be seen, such as till"
        raise click.BadParameter(f"{quoted(name)} is no name for a token: {allowed}.", param_hint="NAME")
    now = site.now
    until = None if expires is None else _moment(site, expires, now)
    if until is not None and until <= now:
        raise click.BadParameter(f"{quoted(str(expires))} has passed already.", param_hint="--expires")
    made = minted_token(os.urandom(TOKEN_BYTES))
    asyncio.run(_keep(site, [AccessToken(digest_of(made), named, frozenset(scopes), now, until)]))
    click.echo(f"A token for {named}, good for {', '.join(sorted(scopes))}{_until(site, until)}:", err=True)
    click.echo(made)
    click.echo("It is shown this once; only its hash is kept.", err=True)


def _moment(site: Site, written: str, now: datetime) -> datetime:
    try:
        return now + parse_duration(written)
    except (ValueError, OverflowError):
        pass
    try:
        return site.moment(written)
    except click.BadParameter as error:
        allowed = "write a date (2027-01-31), a moment (2027-01-31T18:30), or a duration (90 days)"
        raise click.BadParameter(f"{quoted(written)} says no moment: {allowed}.", param_hint="--expires") from error


def _until(site: Site, until: datetime | None) -> str:
    return "" if until is None else f", until {site.written(until)}"


@token.command("list")
@pass_site
def list_(site: Site) -> None:
    """Show all tokens that can be used: never themselves, but whose they are and what for."""
    kept = [one for one in asyncio.run(_tokens(site)) if one.revoked_at is None]
    if not kept:
        click.echo("There are no tokens; personalize token create makes one.")
        return
    header = ("id", "name", "scopes", "made", "expires", "last used")
    for line in table(header, list(_rows(site, kept)), wraps=2, numbers=frozenset(), width=terminal_width()):
        click.echo(line)


def _rows(site: Site, kept: Sequence[AccessToken]) -> Iterator[tuple[str, ...]]:
    for one in kept:
        expires = "never" if one.expires_at is None else _day(site, one.expires_at)
        if one.expires_at is not None and one.expires_at <= site.now:
            expires = "expired"
        used = "never" if one.used_at is None else _day(site, one.used_at)
        scopes = ", ".join(sorted(one.scopes))
        yield one.digest[:_ID_LETTERS], one.name, scopes, _day(site, one.created_at), expires, used


def _day(site: Site, moment: datetime) -> str:
    return site.written(moment).partition(" ")[0]


@token.command()
@click.argument("name")
@pass_site
def revoke(site: Site, /, name: str) -> None:
    """Revoke every token of NAME, or the one with this id. Every worker refuses it within two seconds."""
    kept = [one for one in asyncio.run(_tokens(site)) if one.revoked_at is None]
    found = [one for one in kept if name in (one.name, one.digest[:_ID_LETTERS])]
    if not found:
        raise Failed(f"there is no token {quoted(name)}; personalize token list shows those there are.")
    revoked = [AccessToken(one.digest, one.name, one.scopes, one.created_at, revoked_at=site.now) for one in found]
    asyncio.run(_keep(site, revoked))
    click.echo(f"Revoked {counted(len(found), 'token')} of {found[0].name}: refused everywhere within two seconds.")


async def _tokens(site: Site) -> Sequence[AccessToken]:
    async with site.store() as store:
        return await store.tokens()


async def _keep(site: Site, tokens: Sequence[AccessToken]) -> None:
    async with site.store() as store:
        for one in tokens:
            await store.keep_token(one)
