"""A small site with an editors' desk in a temporary folder, for tests that need the whole house."""

import asyncio
from pathlib import Path

from personalize.events.event import Event
from personalize.problems import Problems
from personalize.runtime.draft import read_draft
from personalize.runtime.publish import publish
from personalize.settings import Settings, load_settings
from personalize.web.middleware import PersonalizeMiddleware

KEY = "a key for tests alone that is long enough and not weak 7Q9x"

RULES = """
attributes:
  first_name: {type: text}
  tier: {type: choice, choices: [basic, gold]}
  letters: {type: bool, purpose: mail}
events:
  purchase:
    title: Bought something
    properties:
      amount: {type: money}
      category: {type: text}
    value: amount
segments:
  buyers: {who: {purchase.count: {at_least: 1}}}
  tent-people:
    who:
      did: purchase
      where: {category: tents}
slots:
  hero:
    page: home
    rules:
      - {id: tents, to: {segment: tent-people}, show: things/tent}
      - {id: buyers, to: {segment: buyers}, show: things/thanks}
      - {id: letter, to: {visit.source: newsletter}, show: things/letter}
  row:
    page: home
    holds: 2
    rules:
      - {id: gold, to: {profile.tier: gold}, show: [things/thanks, things/gold]}
  season:
    rules:
      - {id: always, show: things/season}
"""

COLLECTIONS = "collections: {things: {kind: thing, template: thing.html, fields: {}}}"
TEMPLATE = "<b>{{ item.title }}</b>{{ item.body }}"
ITEMS = {
    "tent": "What goes with a tent",
    "thanks": "Thank you",
    "letter": "From the letter",
    "gold": "For gold",
    "season": "The season",
}


def write_desk(folder: Path, *, rules: str = RULES, items: dict[str, str] | None = None) -> None:
    """Write rules, content and templates into the folder."""
    (folder / "rules").mkdir(parents=True, exist_ok=True)
    (folder / "rules" / "all.yaml").write_text(rules, encoding="utf-8")
    things = folder / "content" / "things"
    things.mkdir(parents=True, exist_ok=True)
    (folder / "content" / "collections.yaml").write_text(COLLECTIONS, encoding="utf-8")
    (folder / "content_templates").mkdir(exist_ok=True)
    (folder / "content_templates" / "thing.html").write_text(TEMPLATE, encoding="utf-8")
    for name, title in (ITEMS if items is None else items).items():
        text = f"---\ntitle: {title}\n---\nHello {{{{ visitor.first_name | you }}}}.\n" if name == "gold" else None
        (things / f"{name}.md").write_text(text or f"---\ntitle: {title}\n---\n", encoding="utf-8")


def desk_settings(folder: Path, **more: object) -> Settings:
    """Settings of the site in the folder."""
    usual = {"root": folder, "secret_keys": [KEY], "store": "sqlite:store.db", "ingest_flush_seconds": 0.002}
    return load_settings(None, {}, **{**usual, **more})


async def published(app: PersonalizeMiddleware) -> None:
    """Publish the desk of a wrapped site, and serve it at once."""
    personalizer = app.personalizer
    draft = read_draft(personalizer.settings, Problems())
    await publish(personalizer.store, draft, personalizer.settings, at=personalizer.clock.now(), by="a test")
    await personalizer.refresh()


async def all_written(app: PersonalizeMiddleware) -> None:
    """Wait until everything that was queued has been written."""
    while app.personalizer.ingest.waiting:
        await asyncio.sleep(0.005)


async def written(app: PersonalizeMiddleware) -> list[Event]:
    """The log, once everything that was queued has been written."""
    await all_written(app)
    return [event async for event in app.personalizer.store.log()]
