"""Workers of a real server that keep everything in one database, as several machines do."""

import asyncio
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx

from personalize.problems import Problems
from personalize.profiles.profile import Profile
from personalize.runtime.clock import SystemClock
from personalize.runtime.draft import read_draft
from personalize.runtime.publish import publish
from personalize.stores.opening import open_store
from tests.desk import KEY, RULES, desk_settings, write_desk
from tests.served.server import all_served, uvicorn

EVENTS = 60
LETTER = "to: {visit.source: newsletter}, show: things/letter"


def published_desk(folder: Path, url: str, rules: str) -> None:
    """Publish the folder's desk to a database, and let whoever serves the folder keep everything there."""

    async def run() -> None:
        settings = desk_settings(folder, store=url)
        store = open_store(settings.store, settings.root)
        await store.open()
        await publish(store, read_draft(settings, Problems()), settings, at=SystemClock().now(), by="a test")
        await store.close()

    write_desk(folder, rules=rules)
    (folder / "personalize.toml").write_text(f'store = "{url}"\nsecret_keys = ["{KEY}"]\n', encoding="utf-8")
    asyncio.run(run())


def stored(folder: Path, url: str, profile_id: str) -> Profile | None:
    """A profile as it lies in the database."""

    async def run() -> Profile | None:
        store = open_store(url, folder)
        await store.open()
        profile = await store.profile(profile_id)
        await store.close()
        return profile

    return asyncio.run(run())


def test_machines_with_two_workers_each_count_one_visitor_right_and_follow_what_is_live(
    tmp_path: Path, postgres_url: Callable[[], str]
) -> None:
    url = postgres_url()
    published_desk(tmp_path, url, RULES.replace(LETTER, "show: things/season"))
    machines = {name: uvicorn("tests.served.shop:app", "--workers", "2") for name in ("one", "two")}
    with all_served(machines, dict.fromkeys(machines, tmp_path)) as addresses:

        def buy(number: int) -> str:
            # Every purchase is sent to both, as a client does that got no answer.
            for address in addresses.values():
                reply = httpx.post(f"{address}/buy", params={"number": number}, timeout=30)
                assert reply.status_code == 200
            return reply.text

        with ThreadPoolExecutor(6) as clients:
            list(clients.map(buy, range(1, EVENTS + 1)))
        assert all("The season" in httpx.get(address).text for address in addresses.values())
        published_desk(tmp_path, url, RULES.replace(LETTER, "show: things/letter"))
        time.sleep(2)
        for address in addresses.values():
            assert all("From the letter" in httpx.get(address).text for _ in range(6))
    profile = stored(tmp_path, url, "u:anna")
    assert profile is not None
    assert profile.totals["purchase"].count == EVENTS
    assert profile.totals["purchase"].sum == 100 * EVENTS * (EVENTS + 1) // 2
