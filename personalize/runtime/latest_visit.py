"""Stored visitors as they were on their latest visit: what a page view of theirs would tell the rules."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import TypeAlias

from personalize.decisions.context import RequestFacts
from personalize.events.event import PAGE_VIEW, Event, JSONValue, to_micros
from personalize.profiles.profile import Profile
from personalize.rules.ruleset import RuleSet
from personalize.stores.protocols import Store

#: What the log keeps of the request of a page view, and so all that can be asked of it later.
KEPT_FACTS = ("page.path", "page.device", "page.language", "page.country")
_KEPT = tuple(name.removeprefix("page.") for name in KEPT_FACTS)
_AT = "at"
#: These facts by their names, and when it was.
KeptPage: TypeAlias = Mapping[str, JSONValue]
#: How far back in one visitor's history a page view is looked for; sites record few events between two pages.
_MOST_EVENTS = 500


def reads_page(rule_set: RuleSet) -> bool:
    """Whether any rule reads what the log keeps of a page view, so that histories have to be looked into."""
    return any(name in rule_set.facts for name in KEPT_FACTS)


def unknown_facts(rule_set: RuleSet) -> tuple[str, ...]:
    """The facts of a request that rules read and the log does not keep: for a stored visitor they are missing."""
    known = (*KEPT_FACTS, "page.bot", "page.channel")
    return tuple(sorted(name for name, fact in rule_set.facts.items() if fact.root == "page" and name not in known))


async def latest_pages(store: Store, profiles: Sequence[Profile]) -> Sequence[KeptPage | None]:
    """What the latest page view of each visitor told of its request, with the microseconds since 1970 at which it was;
    None where there was none. The store is asked once about all.

    A page that was seen in the browser which went into a profile last counts as any other of it.
    """
    ids = {each.profile_id: (each.profile_id, *each.joined_from[-1:]) for each in profiles if each.last_seen_at}
    asked = sorted({one for its in ids.values() for one in its})
    latest = await store.latest(PAGE_VIEW, asked, entries=_MOST_EVENTS) if asked else {}
    return [_latest_of(latest[one] for one in ids.get(each.profile_id, ()) if one in latest) for each in profiles]


def page_since(kept: KeptPage | None, since: datetime) -> RequestFacts | None:
    """What `latest_pages` found of a visitor, where it was since then."""
    is_late = kept is not None and isinstance(at := kept[_AT], int) and at >= to_micros(since)
    return _facts(kept) if kept is not None and is_late else None


def _latest_of(views: Iterable[Event]) -> KeptPage | None:
    found = max(views, key=lambda view: view.occurred_at, default=None)
    if found is None:
        return None
    told = {name: value for name in _KEPT if (value := _text(found.properties, name)) is not None}
    return {_AT: to_micros(found.occurred_at), **told}


def _facts(told: Mapping[str, JSONValue]) -> RequestFacts:
    path, device, language, country = (_text(told, name) for name in _KEPT)
    return RequestFacts(path=path, device=device, language=language, country=country)


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
