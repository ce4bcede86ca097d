"""Several workers of a real server on one SQLite file."""

import asyncio
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx

from personalize.events.event import Event
from personalize.problems import Problems
from personalize.profiles.profile import Profile
from personalize.runtime.clock import SystemClock
from personalize.runtime.draft import read_draft
from personalize.runtime.publish import publish
from personalize.stores.opening import open_store
from tests.desk import KEY, RULES, desk_settings, write_desk
from tests.driver import CHROME
from tests.served.server import served

SETTINGS = f'store = "sqlite:store.db"\nsecret_keys = ["{KEY}"]\n'
EVENTS = 300


def publish_desk(folder: Path, **more: str) -> str:
    """Publish the folder's desk as `personalize publish` does; the version."""

    async def run() -> str:
        settings = desk_settings(folder)
        store = open_store(settings.store, settings.root)
        await store.open()
        draft = read_draft(settings, Problems())
        rule_set = await publish(store, draft, settings, at=SystemClock().now(), by="a test")
        await store.close()
        return rule_set.version

    write_desk(folder, **more)
    (folder / "personalize.toml").write_text(SETTINGS, encoding="utf-8")
    return asyncio.run(run())


def stored(folder: Path, profile_id: str) -> Profile | None:
    """A profile as it lies in the store."""

    async def run() -> Profile | None:
        settings = desk_settings(folder)
        store = open_store(settings.store, settings.root)
        await store.open()
        profile = await store.profile(profile_id)
        await store.close()
        return profile

    return asyncio.run(run())


def logged(folder: Path) -> list[Event]:
    """All events of the store."""

    async def run() -> list[Event]:
        settings = desk_settings(folder)
        store = open_store(settings.store, settings.root)
        await store.open()
        events = [event async for event in store.log()]
        await store.close()
        return events

    return asyncio.run(run())


def test_two_workers_add_up_one_profile_without_losing_or_doubling(tmp_path: Path) -> None:
    publish_desk(tmp_path)
    with served(tmp_path, workers=2) as address:

        def buy(number: int) -> str:
            # Every purchase is sent twice, as a client does that got no answer.
            for _ in range(2):
                reply = httpx.post(f"{address}/buy", params={"number": number}, timeout=30)
                assert reply.status_code == 200
            return reply.text

        with ThreadPoolExecutor(8) as clients:
            workers = set(clients.map(buy, range(1, EVENTS + 1)))
    profile = stored(tmp_path, "u:anna")
    assert profile is not None
    assert profile.totals["purchase"].count == EVENTS
    assert profile.totals["purchase"].sum == 100 * EVENTS * (EVENTS + 1) // 2
    assert len(workers) == 2


def test_a_server_that_is_told_to_stop_writes_what_it_has_queued(tmp_path: Path) -> None:
    publish_desk(tmp_path)
    with served(tmp_path, PERSONALIZE_INGEST_FLUSH_SECONDS="60") as address:
        answer = httpx.post(
            f"{address}/_personalize/consent",
            data={"grant": "measure personalize"},
            headers={"sec-fetch-site": "same-origin", "x-login": "anna"},
        )
        headers = {"x-login": "anna", "accept": "text/html", "user-agent": CHROME}
        with httpx.Client(headers=headers, cookies=answer.cookies) as browser:
            for _ in range(20):
                assert browser.get(address).status_code == 200
    assert [event.type for event in logged(tmp_path)].count("page_view") == 20


def test_every_worker_serves_what_was_published_within_two_seconds(tmp_path: Path) -> None:
    letter = "to: {visit.source: newsletter}, show: things/letter"
    publish_desk(tmp_path, rules=RULES.replace(letter, "show: things/season"))
    with served(tmp_path, workers=2) as address:
        assert all("The season" in httpx.get(address).text for _ in range(8))
        publish_desk(tmp_path, rules=RULES.replace(letter, "show: things/letter"))
        published_at = time.monotonic()
        while time.monotonic() < published_at + 2:
            time.sleep(0.05)
        assert all("From the letter" in httpx.get(address).text for _ in range(20))


def test_a_restart_with_broken_files_serves_the_last_live_version(tmp_path: Path) -> None:
    publish_desk(tmp_path)
    (tmp_path / "rules" / "all.yaml").write_text("slots: {hero: [", encoding="utf-8")
    with served(tmp_path) as address:
        assert "From the letter" in httpx.get(f"{address}/?utm_source=newsletter").text


def test_with_nothing_published_every_slot_keeps_the_sites_own_markup(tmp_path: Path) -> None:
    write_desk(tmp_path)
    (tmp_path / "personalize.toml").write_text(SETTINGS, encoding="utf-8")
    with served(tmp_path) as address:
        reply = httpx.get(f"{address}/?utm_source=newsletter")
        assert reply.status_code == 200
        assert '<div data-slot="hero"><p>Default</p></div><p>the end</p>' in reply.text
        assert httpx.get(f"{address}/_personalize/health").json()["version"] is None
