"""Stored visitors as they were on their latest visit: what a page view of theirs would tell the rules."""

from collections.abc import Mapping
from contextlib import aclosing
from dataclasses import replace
from datetime import datetime

from personalize.decisions.context import RequestFacts
from personalize.events.event import PAGE_VIEW, JSONValue
from personalize.profiles.profile import Profile
from personalize.rules.ruleset import RuleSet
from personalize.stores.protocols import Store

#: What the log keeps of the request of a page view, and so all that can be asked of it later.
KEPT_FACTS = ("page.path", "page.device", "page.language", "page.country")
#: How far back in one visitor's history a page view is looked for; sites record few events between two pages.
_MOST_EVENTS = 500


def reads_page(rule_set: RuleSet) -> bool:
    """Whether any rule reads what the log keeps of a page view, so that histories have to be looked into."""
    return any(name in rule_set.facts for name in KEPT_FACTS)


def unknown_facts(rule_set: RuleSet) -> tuple[str, ...]:
    """The facts of a request that rules read and the log does not keep: for a stored visitor they are missing."""
    known = (*KEPT_FACTS, "page.bot", "page.channel")
    return tuple(sorted(name for name, fact in rule_set.facts.items() if fact.root == "page" and name not in known))


async def latest_page(store: Store, profile: Profile, since: datetime) -> RequestFacts | None:
    """What the visitor's latest page view since then told of its request, or None where there was none.

    Where nothing was seen under the id itself, it is looked for in the browser that went into it last.
    """
    for profile_id in (profile.profile_id, *profile.joined_from[-1:]):
        async with aclosing(store.history(profile_id)) as history:  # type: ignore[type-var]  # all are generators
            seen = 0
            async for event in history:
                if event.type == PAGE_VIEW and event.occurred_at >= since:
                    return _facts(event.properties)
                seen += 1
                if seen == _MOST_EVENTS:
                    break
    return None


def _facts(properties: Mapping[str, JSONValue]) -> RequestFacts:
    return RequestFacts(
        path=_text(properties, "path"),
        device=_text(properties, "device"),
        language=_text(properties, "language"),
        country=_text(properties, "country"),
    )


def _text(properties: Mapping[str, JSONValue], name: str) -> str | None:
    value = properties.get(name)
    return value if isinstance(value, str) else None


def visiting(profile: Profile, now: datetime) -> Profile:
    """The profile as if its latest visit went on at this moment: the next page view is one of that visit.

    So a rule about the visit (its source, its landing page, being new, having returned) is asked about the visit
    that there was, while the clock and all distances to what happened are those of this moment.
    """
    visit = profile.visit
    if visit is None:
        return profile
    shift = now - visit.last_page_at
    before = visit.previous_seen_at
    moved = replace(
        visit,
        started_at=visit.started_at + shift,
        last_page_at=now,
        pages=max(0, visit.pages - 1),  # the page that is asked for is the last one of them again
        previous_seen_at=None if before is None else before + shift,
    )
    return replace(profile, visit=moved)
