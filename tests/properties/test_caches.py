"""Behind a shared cache that stores all it may, nobody sees what was made for somebody else, whoever came first."""

import re
from collections.abc import Callable, Sequence
from itertools import permutations
from pathlib import Path
from random import Random
from typing import Any

import pytest

from personalize.web.middleware import PersonalizeMiddleware
from tests.desk import written
from tests.driver import CHROME, App, Browser, Reply
from tests.trust.trials import SEED, trials
from tests.web.cached_site import HEADERS, KEY, Body, consenting, run
from tests.web.shared_cache import Headers, SharedCache

PERSONAL = """
attributes: {first_name: {type: text}, tier: {type: choice, choices: [basic, gold]}}
slots:
  hero: {page: home, rules: [{id: gold, to: {profile.tier: gold}, show: things/gold}]}
  season: {page: home, rules: [{id: all, show: things/season}]}
"""
BY_DEVICE = """
slots:
  hero: {rules: [{id: phones, to: {page.device: mobile}, show: things/tent}]}
  season: {rules: [{id: all, show: things/season}]}
"""
PHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 17_0 like Mac OS X) AppleWebKit/605.1.15 Mobile/15E148 Safari/604.1"
PATHS = ("/", "/plain", "/account/x.css", "/decided", "/assets/x.css")
VARIANTS: dict[str, object] = {
    "cache_mode": "variants",
    "cache_inputs": {"page.device": ["mobile", "desktop"]},
    "cache_edge_keys": [KEY],
    "items": {"gold": "title: For gold"},
}
#: How many pages are asked for, in any order.
REQUESTS = trials(1_500, 10_000)
GREETING = re.compile(r"Hello (\w+)\.")


@pytest.fixture
def with_site(tmp_path: Path) -> Callable[..., None]:
    """Runs a coroutine against the site."""

    def started(body: Body, rules: str = PERSONAL, **more: object) -> None:
        run(tmp_path, body, rules, **more)  # type: ignore[arg-type]

    return started


def as_an_edge(headers: Headers) -> Headers:
    """What an edge makes of a request: its own inputs in place of any that the client sent, and its key."""
    agent = b" ".join(value for name, value in headers if name == b"user-agent")
    kept = [pair for pair in headers if not pair[0].lower().startswith(b"x-personalize-")]
    device = b"mobile" if b"Mobile" in agent else b"desktop"
    return [*kept, (b"x-personalize-page-device", device), (b"x-personalize-edge", KEY.encode())]


async def member(cache: App, name: str, *, agent: str = CHROME) -> Browser:
    """Somebody who has said yes, and what they are called."""
    browser = await consenting(cache, headers=[("user-agent", agent)])
    await browser.get("/")
    await browser.post(f"/told?name={name}", {})
    return browser


class Onlookers:
    """Several browsers, of which each may get what is its own alone: its greeting and its cookies."""

    def __init__(self, browsers: dict[str | None, Browser]) -> None:
        self.browsers = browsers
        self._cookies: dict[str, str | None] = {
            browser.cookies.get("pz", ""): name for name, browser in browsers.items()
        }

    async def look(self, name: str | None, path: str, headers: Sequence[tuple[str, str]] = ()) -> Reply:
        """One of them asks for a path."""
        reply = await self.browsers[name].get(path, headers=headers)
        greeted = set(GREETING.findall(reply.text))
        assert greeted <= {name}, f"{name} was greeted as {greeted} at {path}"
        for cookie in reply.all("set-cookie"):
            owner = self._cookies.setdefault(cookie.partition(";")[0].partition("=")[2], name)
            assert owner == name, f"{name} got the cookie of {owner} at {path}"
        return reply


@pytest.mark.parametrize("said", [{}, {"cache-control": "public, s-maxage=600"}, {"x-accel-expires": "600"}])
@pytest.mark.parametrize("settings", [{}, {"cache_revalidate": True}, {"cache_mode": "fragments"}])
def test_in_whatever_order_they_come_nobody_sees_what_is_anothers(
    with_site: Callable[..., None], settings: dict[str, object], said: dict[str, str]
) -> None:
    async def body(app: PersonalizeMiddleware) -> None:
        for order in permutations(("Anna", "Bert", None)):
            HEADERS.clear()
            cache = SharedCache(app, now=lambda: 0.0)
            anna, bert = await member(cache, "Anna"), await member(cache, "Bert")
            await written(app)
            HEADERS.update(said)
            onlookers = Onlookers({"Anna": anna, "Bert": bert, None: Browser(cache)})
            for _ in range(2):
                for path in PATHS:
                    replies = {name: await onlookers.look(name, path) for name in order}
                    if path == "/" and settings.get("cache_mode") != "fragments":
                        assert "Hello Anna." in replies["Anna"].text
                        assert "Hello Bert." in replies["Bert"].text
            assert cache.outcomes["hit"] >= 6

    with_site(body, **settings)


def test_a_page_in_parts_that_was_stored_before_its_slots_were_known_is_for_all(with_site: Callable[..., None]) -> None:
    async def body(app: PersonalizeMiddleware) -> None:
        cache = SharedCache(app, now=lambda: 0.0)
        anna = await member(cache, "Anna")
        await written(app)
        HEADERS["cache-control"] = "public, s-maxage=600"
        onlookers = Onlookers({"Anna": anna, None: Browser(cache)})
        for name in ("Anna", None, "Anna"):
            assert "Hello" not in (await onlookers.look(name, "/parts")).text
        assert (cache.outcomes["hit"], cache.variants("/parts")) == (2, 1)

    with_site(body)


def test_in_variants_each_sees_their_own_whoever_came_first(with_site: Callable[..., None]) -> None:
    async def body(app: PersonalizeMiddleware) -> None:
        for order in permutations(("Anna", "Bert", None)):
            cache = SharedCache(app, now=lambda: 0.0, told=as_an_edge)
            onlookers = Onlookers(
                {
                    "Anna": await consenting(cache, headers=[("user-agent", PHONE)]),
                    "Bert": await consenting(cache),
                    None: Browser(cache, headers=[("x-personalize-page-device", "mobile")]),
                }
            )
            for _ in range(2):
                for name in order:
                    page = await onlookers.look(name, "/")
                    assert ("What goes with a tent" in page.text) is (name == "Anna")
                    assert "The season" in page.text
                    assert page.all("set-cookie") == []
            assert cache.variants("/") == 2

    with_site(body, BY_DEVICE, **VARIANTS)


def test_nine_of_ten_pages_in_variants_come_from_the_cache(with_site: Callable[..., None]) -> None:
    async def body(app: PersonalizeMiddleware) -> None:
        cache, chance = SharedCache(app, now=lambda: 0.0, told=as_an_edge), Random(36)
        for number in range(300):
            browser = Browser(cache, headers=[("user-agent", chance.choice([PHONE, CHROME])), ("x-n", str(number))])
            browser.cookies["session"] = str(number)
            await browser.get(chance.choice(["/", "/a", "/b", "/plain"]))
        assert cache.hit_ratio > 0.95

    with_site(body, BY_DEVICE, **VARIANTS)


@pytest.mark.trust(tries=REQUESTS)
def test_thousands_of_mixed_requests_show_nobody_what_is_anothers(with_site: Callable[..., None]) -> None:
    mix(with_site, REQUESTS, lambda app: app)


@pytest.mark.trust
@pytest.mark.planted
def test_a_site_that_calls_every_page_public_is_found_out(with_site: Callable[..., None]) -> None:
    def careless(app: App) -> App:
        async def public(scope: Any, receive: Any, send: Any) -> None:
            async def told(message: Any) -> None:
                if message["type"] == "http.response.start":
                    kept = [pair for pair in message["headers"] if pair[0] not in (b"cache-control", b"vary")]
                    message = {**message, "headers": [*kept, (b"cache-control", b"public, s-maxage=600")]}
                await send(message)

            await app(scope, receive, told)

        return public

    with pytest.raises(AssertionError, match="was greeted as"):
        mix(with_site, 300, careless)


def mix(with_site: Callable[..., None], requests: int, outside: Callable[[App], App]) -> None:
    """Ask for so many pages by one cache, as visitors of all kinds do, in any order."""

    async def body(app: PersonalizeMiddleware) -> None:
        cache, chance = SharedCache(outside(app), now=lambda: 0.0), Random(SEED)
        names: list[str | None] = [f"V{number}" for number in range(20)]
        browsers: dict[str | None, Browser] = {name: await member(cache, str(name)) for name in names}
        await written(app)
        onlookers = Onlookers({**browsers, None: Browser(cache)})
        kinds: list[list[tuple[str, str]]] = [
            [],
            [("sec-gpc", "1")],
            [("sec-purpose", "prefetch")],
            [("if-none-match", "*")],
            [("range", "bytes=0-99")],
            [("accept", "*/*"), ("sec-fetch-dest", "empty")],
            [("user-agent", "Googlebot/2.1")],
        ]
        said = [{}, {"cache-control": "public, s-maxage=600"}, {"surrogate-control": "max-age=60"}, {"vary": "Cookie"}]
        for _ in range(requests):
            HEADERS.clear()
            HEADERS.update(chance.choice(said))
            path = chance.choice(["/", "/plain", "/a", "/account/x.css", "/decided", "/?utm_source=newsletter"])
            await onlookers.look(chance.choice([*names, None]), path, chance.choice(kinds))
        assert cache.outcomes["hit"] > requests / 8

    with_site(body)
