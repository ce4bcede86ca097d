"""Forty visitors of a small site, for tests that count."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

from personalize.events.event import CONSENT, JOIN, SET, Event
from personalize.problems import Problems
from personalize.rules.ruleset import RuleSet
from personalize.runtime.bulk.counting_sources import Task
from personalize.runtime.draft import read_draft
from personalize.runtime.publish import checked, projectors_of
from personalize.stores.opening import open_store
from personalize.stores.protocols import Store
from tests.desk import desk_settings, write_desk
from tests.stores.samples import at, event, purchase

SEGMENTS = """
attributes:
  company: {type: text}
organization: {title: Company, by: company}
segments:
  colleagues: {who: {organization.members: {at_least: 3}}}
  gold: {who: {profile.tier: gold}}
  mailed: {who: {profile.letters: true}}
  three: {who: {did: purchase, times: {at_least: 3}}}
  none: {who: {profile.first_name: Nobody}}
"""


def happened() -> list[Event]:
    """Forty visitors: some bought, some refused or allow mail only, and every fifth went into another by a join."""
    events: list[Event] = []
    for number in range(40):
        anonymous, known = f"v:{number:02}", f"u:{number % 7}"
        events += [purchase(anonymous, minutes=number + one) for one in range(number % 4)]
        tier = "gold" if number % 3 else "basic"
        events.append(event(SET, anonymous, {"tier": tier, "letters": number % 2 == 0}, number))
        if number % 2 == 0:
            events.append(event(SET, anonymous, {"company": "Acme" if number % 8 else "Bolt"}, number))
        if number % 4 == 0:
            purposes: list[object] = [[], ["personalize"], ["mail"], ["mail", "personalize"]][number // 4 % 4]
            events.append(event(CONSENT, anonymous, {"granted": purposes}, number))  # type: ignore[dict-item]
        if number % 5 == 0:
            events.append(event(JOIN, known, {"from": anonymous}, number + 10))
    return events


def with_store(
    folder: Path, scene: Callable[[Store, RuleSet, Task], Awaitable[None]], make: Callable[[], Store] | None = None
) -> None:
    """Plays a scene with the store of a site that has forty visitors."""
    write_desk(folder)
    (folder / "rules" / "more.yaml").write_text(SEGMENTS, encoding="utf-8")
    settings = desk_settings(folder)
    draft = read_draft(settings, Problems())
    rule_set = checked(draft, settings)

    async def run() -> None:
        store = open_store(settings.store, settings.root) if make is None else make()
        await store.open()
        try:
            await store.apply(happened(), projectors_of(rule_set, settings))
            await scene(store, rule_set, Task(dict(draft.files), settings, at(100)))
        finally:
            await store.close()

    asyncio.run(run())
