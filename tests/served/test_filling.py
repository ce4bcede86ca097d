"""A publishing that asks for something new of a long log: pages are served throughout, and nobody is counted wrong."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx

from personalize.events.event import PAGE_VIEW, Event, JSONValue
from personalize.runtime.publish import COUNTED_AT_ONCE, live_rule_set, projectors_of
from personalize.settings import Settings
from personalize.stores.opening import open_store
from personalize.stores.protocols import Store
from tests.desk import desk_settings
from tests.served.server import served
from tests.served.test_workers import publish_desk

EVENTS = 20_000
LONGEST_SECONDS = 60
CONSENT = {"cookie": "pz_consent=measure.personalize"}
ANNA, BERT = {**CONSENT, "x-login": "anna"}, {**CONSENT, "x-login": "bert"}

BEFORE = """
attributes: {first_name: {type: text}}
events:
  purchase: {properties: {amount: {type: money}, category: {type: text}}, value: amount}
slots:
  hero:
    rules:
      - {id: buyers, to: {purchase.count: {at_least: 1}}, show: things/thanks}
"""
#: With a rule that nobody may see who has bought two tents, whatever is counted so far.
AFTER = BEFORE.replace(
    "    rules:\n",
    """    rules:
      - id: hardly-a-tent
        to: {not: {did: purchase, where: {category: tents}, times: {at_least: 2}}}
        show: things/season
""",
)


def in_store(folder: Path, work: Callable[[Store, Settings], Awaitable[None]]) -> None:
    """Do something with the store of the folder's site, in a process that does not serve it."""

    async def run() -> None:
        settings = desk_settings(folder)
        store = open_store(settings.store, settings.root)
        await store.open()
        await work(store, settings)
        await store.close()

    asyncio.run(run())


async def record_a_history(store: Store, settings: Settings) -> None:
    """Of Anna's two tents the first stands at the beginning of the log and the second at its end."""
    tent, socks = {"amount": 100, "category": "tents"}, {"amount": 100, "category": "socks"}
    pages = [event(number, PAGE_VIEW, f"u:{number % 3000}", {"path": "/"}) for number in range(EVENTS)]
    bought = [event(EVENTS + number, "purchase", "u:anna", tent) for number in range(2)]
    log = [bought[0], *pages, bought[1], event(EVENTS + 2, "purchase", "u:bert", socks)]
    projectors = projectors_of(await live_rule_set(store, settings), settings)
    for first in range(0, len(log), 5_000):
        await store.apply(log[first : first + 5_000], projectors)


def event(number: int, type_: str, profile_id: str, properties: Mapping[str, JSONValue]) -> Event:
    at = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(minutes=number)
    return Event(f"e{number}", "test", type_, profile_id, at, at, properties)


async def is_as_rebuilt(store: Store, settings: Settings) -> None:
    projectors = projectors_of(await live_rule_set(store, settings), settings)
    profiles = [profile async for profile in store.profiles()]
    await store.rebuild(projectors)
    assert [profile async for profile in store.profiles()] == profiles


def test_pages_are_served_while_a_long_log_is_counted_and_are_exact_when_it_is_done(tmp_path: Path) -> None:
    assert EVENTS > COUNTED_AT_ONCE
    publish_desk(tmp_path, rules=BEFORE)
    in_store(tmp_path, record_a_history)
    with served(tmp_path, workers=2) as address, httpx.Client(timeout=30) as client:
        version = publish_desk(tmp_path, rules=AFTER)
        give_up_at = time.monotonic() + LONGEST_SECONDS
        seen_pending, number = False, 0
        while not seen_pending or "Thank you" in client.get(address, headers=BERT).text:
            assert "Thank you" in client.get(address, headers=ANNA).text, "she was counted for less than she has done"
            assert client.post(f"{address}/buy", params={"number": (number := number + 1)}).status_code == 200
            health = httpx.get(f"{address}/_personalize/health").json()
            if health["version"] == version and health["pending"] is not None:
                assert health["pending"]["rules"] == 1 and health["pending"]["events"] > EVENTS
                seen_pending = True
            assert time.monotonic() < give_up_at
        assert "The season" in client.get(address, headers=BERT).text
        assert "Thank you" in client.get(address, headers=ANNA).text
    in_store(tmp_path, is_as_rebuilt)
