"""`personalize preview`: a link on which the running site shows a page as somebody else would see it."""

import asyncio
from collections.abc import Mapping
from urllib.parse import SplitResult, quote, unquote, urlsplit, urlunsplit

import click

from personalize.cli.findings import Failed
from personalize.cli.rules_asked import rule_set_for, which
from personalize.cli.site import Site, pass_site
from personalize.cli.tables import paragraph, terminal_width
from personalize.problems import did_you_mean, quoted
from personalize.rules.ruleset import RuleSet
from personalize.runtime.keys import secret_keys
from personalize.runtime.preview_links import LINK_LASTS, PARAMETER, Preview, PreviewLinks

#: Where `personalize serve` listens, if nobody says otherwise.
_USUAL_SITE = "http://127.0.0.1:8000"


@click.command()
@click.argument("page", metavar="/PATH")
@click.option("--persona", "persona_id", metavar="ID", help="A persona of the rule files; else a stranger.")
@click.option(
    "--at", metavar="MOMENT", help="As of this date or moment; else that of the persona, or at which it is looked at."
)
@click.option("--live", is_flag=True, help="By the rule set that is live instead of by the files.")
@pass_site
def preview(site: Site, page: str, persona_id: str | None, at: str | None, live: bool) -> None:
    """Print a link that shows a page as a persona would see it, by the files on disk.

    The running site shows it for an hour to whoever has the link: the page with its slots outlined, and a bar that
    says why each of them shows what it shows. Nothing is published and nothing is recorded. Where the site is not at
    http://127.0.0.1:8000, give the whole address of the page instead of its path.
    """
    address = _address(page)
    asyncio.run(_preview(site, address, persona_id, at, live=live))


def _address(page: str) -> SplitResult:
    try:
        address = urlsplit(_USUAL_SITE + page if page.startswith("/") else page)
    except ValueError:
        address = urlsplit("")
    if address.scheme not in ("http", "https") or not address.netloc:
        raise click.BadParameter(
            f"{quoted(page)} is no page: write its path, such as /tents, or its address, such as "
            "https://shop.example/tents.",
            param_hint="/PATH",
        )
    return address


async def _preview(site: Site, address: SplitResult, persona_id: str | None, at: str | None, *, live: bool) -> None:
    moment = None if at is None else site.moment(at)
    path = unquote(address.path or "/")
    if path.startswith(f"{site.settings.prefix}/"):
        raise Failed(f"{quoted(path)} is a page of our own, which shows no slots")
    async with site.store() as store:
        if live:
            rule_set = await rule_set_for(site, store, live=True)
            _refuse_unknown(persona_id, rule_set)
        else:
            checked = site.checked_draft()
            rule_set = checked.rule_set
            _refuse_unknown(persona_id, rule_set)
            await store.save_rule_set(checked.draft.version, checked.draft.files, site.now)
    if moment is None and persona_id is not None:
        moment = rule_set.personas[persona_id].at
    shown = Preview(rule_set.version, path, site.now + LINK_LASTS, persona_id, moment)
    token = PreviewLinks(secret_keys(site.settings)).sign(shown)
    query = "&".join(filter(None, (address.query, f"{PARAMETER}={token}")))
    click.echo(urlunsplit(address._replace(path=quote(path), query=query, fragment="")))
    click.echo("")
    for name, text in _told(site, shown, rule_set, live=live).items():
        click.echo(paragraph(text, first=f"  {name:<9}", rest=" " * 11, width=terminal_width()))


def _refuse_unknown(persona_id: str | None, rule_set: RuleSet) -> None:
    if persona_id is not None and persona_id not in rule_set.personas:
        known = f"personas: {', '.join(rule_set.personas) or 'none'}"
        raise Failed(
            f"there is no persona {quoted(persona_id)}; {did_you_mean(persona_id, rule_set.personas) or known}"
        )


def _told(site: Site, shown: Preview, rule_set: RuleSet, *, live: bool) -> Mapping[str, str]:
    """What the link shows, in words."""
    persona = f'the persona "{rule_set.personas[shown.persona_id].title}"' if shown.persona_id else "a stranger"
    return {
        "as": persona,
        "moment": "that at which it is looked at" if shown.at is None else site.written(shown.at),
        "rules": which(rule_set, live=live),
        "works": f"until {site.written(shown.expires_at)}, for whoever has it",
    }
