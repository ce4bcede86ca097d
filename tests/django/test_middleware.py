"""Who is logged in reaches the page view from Django's session, and no page pays for it that doesn't ask."""

import asyncio
import gzip
from collections.abc import Callable, Coroutine, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.core.asgi import get_asgi_application
from django.template import engines
from django.test import AsyncClient, Client

from personalize.web.asgi import Receive, Scope, Send
from personalize.web.html.marks import TOKEN_ATTRIBUTE
from personalize.web.middleware import PersonalizeMiddleware
from personalize.wrap import wrap
from tests.desk import RULES, desk_settings, published, write_desk, written
from tests.django.site import looked_up
from tests.driver import Browser, running

PLACED = """
  placed:
    place: {css: p.here}
    rules:
      - {id: here, to: {profile.tier: gold}, show: things/gold}
"""
SHARED = """
attributes:
  first_name: {type: text}
  tier: {type: choice, choices: [basic, gold]}
events:
  purchase: {properties: {amount: {type: money}}}
slots:
  row: {rules: [{id: always, show: things/season}]}
"""
Body = Callable[[PersonalizeMiddleware, Browser], Coroutine[Any, Any, None]]


@pytest.fixture
def with_site(tmp_path: Path) -> Iterator[Callable[[Body], None]]:
    """Runs a coroutine with the wrapped site, and with a browser whose visitor has said yes and logged in."""
    engine = engines["django"].engine

    def run(body: Body, rules: str = RULES, **more: object) -> None:
        async def all_of_it() -> None:
            write_desk(tmp_path, rules=rules)
            app = wrap(requests_alone, desk_settings(tmp_path, **more))
            app.teach(engine)
            async with running(app):
                await published(app)
                await body(app, await logged_in(app))

        asyncio.run(all_of_it())

    yield run
    delattr(engine, TOKEN_ATTRIBUTE)


async def requests_alone(scope: Scope, receive: Receive, send: Send) -> None:
    """Django without its refusal of the lifespan, which would reach the test when all is over."""
    if scope["type"] == "http":
        await get_asgi_application()(scope, receive, send)


async def logged_in(app: PersonalizeMiddleware) -> Browser:
    """A browser whose visitor has said yes and logged in."""
    sue = Browser(app)
    sue.cookies["pz_consent"] = "measure.personalize"
    await sue.get("/log-in")
    await written(app)
    looked_up.clear()
    return sue


def test_it_may_stand_behind_the_logins(monkeypatch: pytest.MonkeyPatch, with_site: Callable[[Body], None]) -> None:
    ours, sessions, logins = settings.MIDDLEWARE
    monkeypatch.setattr(settings, "MIDDLEWARE", [sessions, logins, ours])

    async def body(app: PersonalizeMiddleware, sue: Browser) -> None:
        assert "Hello Sue" in (await sue.get("/shown")).text
        assert (await sue.get("/who")).text == (await sue.get("/who-async")).text == "7"

    with_site(body)


def test_a_page_of_djangos_own_cache_is_filled_for_who_is_logged_in(
    monkeypatch: pytest.MonkeyPatch, with_site: Callable[[Body], None]
) -> None:
    ours, *logins = settings.MIDDLEWARE
    keeping, fetching = (f"django.middleware.cache.{name}CacheMiddleware" for name in ("Update", "FetchFrom"))
    monkeypatch.setattr(settings, "MIDDLEWARE", [ours, keeping, *logins, fetching])

    async def body(app: PersonalizeMiddleware, sue: Browser) -> None:
        made = [(await browser.get("/numbered")).text for browser in (Browser(app), sue, Browser(app), sue)]
        assert [text.partition(" ")[0] for text in made] == ["1"] * 4, "the view was asked again"
        assert ["Hello Sue" in text for text in made] == [False, True, False, True]

    with_site(body)


def test_a_site_without_logins_has_visitors_all_the_same(
    monkeypatch: pytest.MonkeyPatch, with_site: Callable[[Body], None]
) -> None:
    async def body(app: PersonalizeMiddleware, sue: Browser) -> None:
        monkeypatch.setattr(settings, "MIDDLEWARE", settings.MIDDLEWARE[:1])
        assert (await sue.get("/who")).text == "None"
        assert "Hello" not in (await sue.get("/shown")).text
        assert (await sue.get("/notice")).text == "False"

    with_site(body)


def test_the_login_is_the_users_primary_key(with_site: Callable[[Body], None]) -> None:
    async def body(app: PersonalizeMiddleware, sue: Browser) -> None:
        assert {event.profile_id for event in await written(app)} == {"u:7"}
        assert "Hello Sue" in (await sue.get("/shown")).text
        assert "Hello" not in (await Browser(app).get("/shown")).text

    with_site(body)


@pytest.mark.parametrize("path", ["/who", "/who-async"])
def test_sync_and_async_views_are_told_who_is_looking(path: str, with_site: Callable[[Body], None]) -> None:
    async def body(app: PersonalizeMiddleware, sue: Browser) -> None:
        assert (await sue.get(path)).text == "7"
        assert (await Browser(app).get(path)).text == "None"

    with_site(body)


def test_an_async_view_decides_for_who_is_logged_in(with_site: Callable[[Body], None]) -> None:
    async def body(app: PersonalizeMiddleware, sue: Browser) -> None:
        assert "things/gold" in (await sue.get("/decided")).text

    with_site(body)


def test_what_a_view_records_is_of_who_is_logged_in_though_it_never_looked(with_site: Callable[[Body], None]) -> None:
    async def body(app: PersonalizeMiddleware, sue: Browser) -> None:
        assert (await sue.get("/buy")).text == "True"
        bought = [event for event in await written(app) if event.type == "purchase"]
        assert [event.profile_id for event in bought] == ["u:7"]

    with_site(body)


def test_a_page_that_asks_nothing_looks_nobody_up_and_varies_by_nothing(with_site: Callable[[Body], None]) -> None:
    async def body(app: PersonalizeMiddleware, sue: Browser) -> None:
        reply = await sue.get("/plain")
        assert looked_up == [] and reply.header("vary") is None and reply.header("cache-control") is None
        stranger = await Browser(app).get("/shown")
        assert looked_up == [] and stranger.header("vary") is None
        assert (await sue.get("/shown")).header("vary") is None
        assert looked_up == ["7"]

    with_site(body)


@pytest.mark.parametrize("path", ["/shouted", "/compressed", "/in-parts"])
def test_slots_that_are_hard_to_see_are_filled_for_who_is_logged_in(path: str, with_site: Callable[..., None]) -> None:
    async def body(app: PersonalizeMiddleware, sue: Browser) -> None:
        await sue.get(path)
        reply = await sue.get(path)
        page = gzip.decompress(reply.body) if reply.header("content-encoding") == "gzip" else reply.body
        assert b"Hello Sue" in page

    with_site(body)


def test_a_slot_that_stands_by_a_selector_is_filled_for_who_is_logged_in(with_site: Callable[..., None]) -> None:
    async def body(app: PersonalizeMiddleware, sue: Browser) -> None:
        assert "Hello Sue" in (await sue.get("/untouched")).text

    with_site(body, RULES + PLACED)


def test_a_page_that_caches_share_looks_nobody_up(with_site: Callable[..., None]) -> None:
    async def body(app: PersonalizeMiddleware, sue: Browser) -> None:
        reply = await sue.get("/shown")
        assert "The season" in reply.text and reply.header("vary") is None
        assert looked_up == []
        assert (await sue.get("/buy")).text == "True" and looked_up == ["7"]

    with_site(body, SHARED, cache_mode="variants")


def test_switched_off_nobody_is_looked_up(with_site: Callable[[Body], None]) -> None:
    async def body(app: PersonalizeMiddleware, sue: Browser) -> None:
        app.personalizer.off = True
        assert "Hello" not in (await sue.get("/shown")).text
        assert looked_up == []

    with_site(body)


def test_a_notice_knows_what_the_login_has_decided(with_site: Callable[[Body], None]) -> None:
    async def body(app: PersonalizeMiddleware, sue: Browser) -> None:
        assert (await sue.get("/notice")).text == "False"
        assert looked_up == ["7"]

    with_site(body)


def test_behind_a_logout_nobody_is_looking(with_site: Callable[[Body], None]) -> None:
    async def body(app: PersonalizeMiddleware, sue: Browser) -> None:
        await sue.get("/log-out")
        assert "Hello" not in (await sue.get("/shown")).text
        assert (await sue.get("/who")).text == "None"

    with_site(body)


def test_without_personalize_around_it_the_site_runs_for_nobody() -> None:
    for client in (Client(), AsyncClient()):
        for path, text in (
            ("/shown", b'<p data-slot="x">x</p>Default'),
            ("/buy", b"False"),
            ("/who", b"None"),
            ("/notice", b"False"),
            ("/decided", b"() {}"),
            ("/log-in", b"ok"),
        ):
            assert replied(client, path) == text


def replied(client: Client | AsyncClient, path: str) -> bytes:
    """What one of Django's own test clients is given."""
    reply = client.get(path)
    return bytes((asyncio.run(reply) if isinstance(client, AsyncClient) else reply).content)
