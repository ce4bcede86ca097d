"""`personalize explain`: what a slot shows to a visitor, and why."""

import asyncio
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

import click

from personalize.cli.explanation import STORED_VISITORS, Asked, as_json, as_text
from personalize.cli.findings import Failed
from personalize.cli.rules_asked import rule_set_for, which
from personalize.cli.site import Site, pass_site
from personalize.cli.tables import counted, terminal_width
from personalize.cli.tally import Tally
from personalize.decisions.context import Context, RequestFacts
from personalize.decisions.explain import explain as reasons_for
from personalize.events.event import WEB
from personalize.problems import did_you_mean, quoted
from personalize.profiles.profile import Profile
from personalize.rules.facts import DEVICES
from personalize.rules.pending import pending_facts
from personalize.rules.ruleset import RuleSet
from personalize.runtime.offline import organization_of, persona_context, store_for, visitor_context
from personalize.stores.protocols import Filled, Store


@click.command()
@click.option("--slot", required=True, metavar="ID", help="The slot, as the rule files call it.")
@click.option(
    "--visitor",
    "--persona",
    required=True,
    metavar="WHO",
    help="u:ID for somebody who is logged in, v:ID for a browser, or a persona of the rule files.",
)
@click.option(
    "--at",
    metavar="MOMENT",
    help="As of this date or moment: only what happened before it is known. Else that of the persona, or now.",
)
@click.option("--live", is_flag=True, help="Ask the rule set that is live instead of the files.")
@click.option("--path", metavar="/PATH", help="The page that is asked for.")
@click.option("--query", multiple=True, metavar="NAME=VALUE", help="A parameter of its address; may be repeated.")
@click.option("--referrer", metavar="URL", help="The page they come from.")
@click.option("--source", metavar="TEXT", help="The source of the visit, such as newsletter.")
@click.option("--medium", metavar="TEXT", help="The medium of the visit, such as email.")
@click.option("--campaign", metavar="TEXT", help="The campaign of the visit.")
@click.option("--language", metavar="TAG", help="The language of the browser, such as nb.")
@click.option("--device", type=click.Choice(DEVICES), help="The kind of device.")
@click.option("--channel", metavar="WORD", default=WEB, show_default=True, help="Where it is shown, such as mail.")
@click.option("--country", metavar="CODE", help="The country, such as NO.")
@click.option(
    "--format", "shape", type=click.Choice(["text", "json"]), default="text", show_default=True, help="What to print."
)
@pass_site
def explain(
    site: Site,
    /,
    slot: str,
    visitor: str,
    at: str | None,
    live: bool,
    query: tuple[str, ...],
    shape: str,
    **request: str | None,
) -> None:
    """Say what a slot shows to a visitor, and why: each rule with yes or no, and the values that were seen.

    It asks the same rules in the same way as the site does. What the options don't say about the request (its
    page, language, device and so on) counts as missing.
    """
    facts = RequestFacts(query=_query(query), **request)  # type: ignore[arg-type]  # the options are named for them
    asyncio.run(_explain(site, _Question(slot, visitor, at, live, facts), shape=shape))


@dataclass(frozen=True, slots=True)
class _Question:
    slot_id: str
    visitor: str
    at: str | None
    live: bool
    facts: RequestFacts


def _query(pairs: Iterable[str]) -> Mapping[str, tuple[str, ...]]:
    found: dict[str, tuple[str, ...]] = {}
    for pair in pairs:
        name, equals, value = pair.partition("=")
        if not (name and equals):
            raise click.BadParameter(
                f"{quoted(pair)} is not a name and a value: write color=red.", param_hint="--query"
            )
        found[name] = (*found.get(name, ()), value)
    return found


async def _explain(site: Site, question: _Question, *, shape: str) -> None:
    now = site.moment(question.at)
    async with site.store() as store:
        rule_set = await rule_set_for(site, store, live=question.live)
        _refuse_unknown(question, rule_set)
        now = _here_at(question, rule_set) or now
        context, profile, told = await _context(site, store, rule_set, question, now)
        waiting = _waiting(await store.filled(), rule_set, site) if question.live and question.at is None else ""
    asked = Asked(
        visitor=question.visitor,
        is_stored=profile is not None,
        told=told,
        moment=site.written(now),
        rules=which(rule_set, live=question.live) + waiting,
        context=context,
        rule_set=rule_set,
    )
    explanation = reasons_for(question.slot_id, context, rule_set)
    if shape == "json":
        click.echo(json.dumps(as_json(explanation, asked), indent=2, default=datetime.isoformat))
    else:
        click.echo("\n".join(as_text(explanation, asked, width=terminal_width())))


def _refuse_unknown(question: _Question, rule_set: RuleSet) -> None:
    if question.slot_id not in rule_set.slots:
        hint = did_you_mean(question.slot_id, rule_set.slots) or f"slots: {', '.join(rule_set.slots) or 'none'}"
        raise Failed(f"there is no slot {quoted(question.slot_id)}; {hint}")
    if not question.visitor.startswith(STORED_VISITORS) and question.visitor not in rule_set.personas:
        known = f"personas: {', '.join(rule_set.personas)}; " if rule_set.personas else ""
        hint = did_you_mean(question.visitor, rule_set.personas) or f"{known}a stored visitor is written u:ID or v:ID"
        raise Failed(f"there is no persona {quoted(question.visitor)}; {hint}")


def _here_at(question: _Question, rule_set: RuleSet) -> datetime | None:
    """The moment at which the persona is here, unless another one is asked about."""
    persona = rule_set.personas.get(question.visitor)
    return None if persona is None or question.at is not None else persona.at


async def _context(
    site: Site, store: Store, rule_set: RuleSet, question: _Question, now: datetime
) -> tuple[Context, Profile | None, str]:
    """The context of the page view that is asked about, the visitor's stored profile, and a sentence on them."""
    if not question.visitor.startswith(STORED_VISITORS):
        persona = rule_set.personas[question.visitor]
        context = persona_context(persona, rule_set, site.settings, now=now, facts=question.facts)
        return context, None, f'the persona "{persona.title}"'
    pending: frozenset[str] = frozenset()
    if question.live and question.at is None:
        # What the site shows at this moment, also while it still counts.
        pending = pending_facts(rule_set, (await store.filled()).holding)
        asked = store
    else:
        with Tally("reading the log", "visitors read"):
            asked = await store_for(store, rule_set, site.settings, at=now if question.at is not None else None)
    profile = await asked.profile(question.visitor)
    belongs = await organization_of(profile, asked, rule_set)
    context = visitor_context(
        question.visitor,
        profile,
        rule_set,
        site.settings,
        now=now,
        facts=question.facts,
        pending=pending,
        organization=belongs,
    )
    return context, profile, _told_of(profile, site)


def _waiting(filled: Filled, rule_set: RuleSet, site: Site) -> str:
    """That rules of the live rule set wait for the log to be counted, since when, and how far it is."""
    if filled.filling is None or not pending_facts(rule_set, filled.holding):
        return ""
    since, share = site.written(filled.filling.since), filled.filling.projected / max(1, filled.events)
    return f"; some of its rules are pending since {since}, {share:.0%} of the log is counted"


def _told_of(profile: Profile | None, site: Site) -> str:
    if profile is None:
        return "nothing is stored of them, so they are taken for a stranger"
    if profile.joined is not None:
        return f"this browser logged in and went into {profile.joined.into} at {site.written(profile.joined.at)}"
    seen = f", last seen {site.written(profile.last_seen_at)}" if profile.last_seen_at is not None else ""
    return f"{counted(profile.events, 'event')} stored{seen}"
