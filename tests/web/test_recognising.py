"""Who is recognised by which cookies, and when ours is set: by what a browser hears, whatever else it sends."""

import asyncio
import random
import string
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route

from personalize.errors import EventRefused
from personalize.runtime.sources import HeaderLogin
from personalize.visitors.consent import Consent, granting
from personalize.visitors.tokens import Tokens
from personalize.web.middleware import PersonalizeMiddleware
from personalize.wrap import wrap
from tests.desk import KEY, desk_settings, published, write_desk, written
from tests.driver import Browser, Reply, running

SLOT = '<div data-slot="hero">Default</div>'
FORM = {"grant": "measure personalize"}
CONSENT = "pz_consent=measure.personalize"
Body = Callable[[PersonalizeMiddleware, "HandMovedClock"], Awaitable[None]]


@dataclass
class HandMovedClock:
    """A clock that moves when it is told to."""

    moment: datetime = datetime(2026, 11, 22, 9, tzinfo=UTC)

    def now(self) -> datetime:
        """The moment it shows."""
        return self.moment


async def home(request: Request) -> Response:
    """A page with a slot, which tells what the site sees of cookies."""
    return HTMLResponse(f"{SLOT}<p>{request.headers.get('cookie', '')}</p>")


def other(response: Response) -> Any:
    """A page that is none."""

    async def endpoint(request: Request) -> Response:
        return response

    return endpoint


def site() -> Starlette:
    """The bare site."""
    svg = "<svg data-slot='hero'></svg>"
    routes = [
        Route("/", home),
        Route("/a.css", other(Response("a{}", media_type="text/css"))),
        Route("/a.svg", other(Response(svg, media_type="image/svg+xml"))),
        Route("/data", other(Response("{}", media_type="application/json"))),
        Route("/moved", other(RedirectResponse("/"))),
        Route("/gone", other(HTMLResponse(SLOT, 410))),
        Route("/plain", other(HTMLResponse("<p>a</p>", headers={"cache-control": "s-maxage=60"}))),
        Route("/text", other(PlainTextResponse(SLOT))),
    ]
    return Starlette(routes=routes)


@pytest.fixture
def with_site(tmp_path: Path) -> Callable[..., None]:
    """Runs a coroutine against the wrapped, started and published site."""

    def run(body: Body, login: Any = None, consent: Any = None, **settings: object) -> None:
        async def all_of_it() -> None:
            write_desk(tmp_path)
            clock = HandMovedClock()
            app = wrap(site(), desk_settings(tmp_path, **settings), clock=clock, login=login, consent=consent)
            async with running(app):
                await published(app)
                await body(app, clock)

        asyncio.run(asyncio.wait_for(all_of_it(), 30))

    return run


async def known(app: PersonalizeMiddleware, **more: Any) -> Browser:
    """A browser that has said yes and has come back with our cookie."""
    browser = Browser(app, **more)
    await browser.post("/_personalize/consent", FORM)
    await browser.get("/")
    return browser


async def sending(app: PersonalizeMiddleware, *cookies: str, path: str = "/", **headers: str) -> Reply:
    """What a client hears that sends these cookie headers, each as it stands."""
    named = [(name.replace("_", "-"), value) for name, value in headers.items()]
    return await Browser(app).get(path, headers=[*(("cookie", one) for one in cookies), *named])


def test_broken_neighbours_do_not_blind_us(with_site: Callable[..., None]) -> None:
    async def body(app: PersonalizeMiddleware, clock: HandMovedClock) -> None:
        ours = (await known(app)).cookies["pz"]
        for cookies in (
            [f'foo={{"a":1}}; pz={ours}; {CONSENT}'],
            [f"bad,name=1; pz={ours}; {CONSENT}"],
            ["a=1", f"pz={ours}", CONSENT],
            [f'; ;;=x;pz="{ours}";{CONSENT};\xff=\xfe'],
            [f"pz=garbage; pz={ours}; {CONSENT}"],
            [f"pz={ours}; pz=garbage; {CONSENT}"],
        ):
            assert (await sending(app, *cookies)).all("set-cookie") == [], cookies

    with_site(body)


def test_two_good_cookies_that_differ_are_nobody(with_site: Callable[..., None]) -> None:
    async def body(app: PersonalizeMiddleware, clock: HandMovedClock) -> None:
        one, two = (await known(app)).cookies["pz"], (await known(app)).cookies["pz"]
        [cookie] = (await sending(app, f"pz={one}; pz={two}; {CONSENT}")).all("set-cookie")
        assert not cookie.startswith((f"pz={one}", f"pz={two}"))

    with_site(body)


def test_the_site_sees_its_own_cookies_alone(with_site: Callable[..., None]) -> None:
    async def body(app: PersonalizeMiddleware, clock: HandMovedClock) -> None:
        browser = await known(app)
        browser.cookies["a"] = "1"
        assert "<p>a=1</p>" in (await browser.get("/")).text

    with_site(body)


def test_the_cookie_is_the_servers_alone_and_on_https_the_hosts(with_site: Callable[..., None]) -> None:
    async def body(app: PersonalizeMiddleware, clock: HandMovedClock) -> None:
        for scheme, begin, end in (("http", "pz=v", ""), ("https", "__Host-pz=v", "; Secure")):
            browser = Browser(app, scheme=scheme)
            reply = await browser.post("/_personalize/consent", FORM, headers=[("x-forwarded-proto", "https")])
            [cookie] = [one for one in reply.all("set-cookie") if "consent" not in one]
            assert cookie.startswith(begin) and cookie.endswith(
                f"; Path=/; Max-Age=34128000; HttpOnly; SameSite=Lax{end}"
            )
            assert len(cookie.partition(";")[0]) < 200

    with_site(body)


def test_a_cookie_signed_by_an_old_key_is_signed_anew_and_by_a_removed_one_is_nobodys(tmp_path: Path) -> None:
    async def all_of_it() -> None:
        write_desk(tmp_path)
        old, new = KEY, f"another {KEY}"
        keys: list[tuple[list[str], str]] = [([old], ""), ([old, new], "renewed"), ([new], "someone else")]
        cookies: list[str] = []
        for secret_keys, _ in keys:
            app = wrap(site(), desk_settings(tmp_path, secret_keys=secret_keys))
            async with running(app):
                await published(app)
                if not cookies:
                    cookies.append((await known(app)).cookies["pz"])
                    continue
                [cookie] = (await sending(app, f"pz={cookies[0]}; {CONSENT}")).all("set-cookie")
                cookies.append(cookie.partition(";")[0].removeprefix("pz="))
        ids = [cookie.partition(".")[0] for cookie in cookies]
        assert ids[0] == ids[1] != ids[2]
        assert cookies[0] != cookies[1]

    asyncio.run(all_of_it())


def test_a_token_made_for_something_else_is_nobodys(with_site: Callable[..., None]) -> None:
    async def body(app: PersonalizeMiddleware, clock: HandMovedClock) -> None:
        ours = (await known(app)).cookies["pz"]
        foreign = Tokens([f"{KEY} of something else"]).sign(ours.partition(".")[0])
        [cookie] = (await sending(app, f"pz={foreign}; {CONSENT}")).all("set-cookie")
        assert ours.partition(".")[0] not in cookie

    with_site(body)


def test_two_hundred_cookies_gone_wrong_are_strangers_and_no_error(with_site: Callable[..., None]) -> None:
    async def body(app: PersonalizeMiddleware, clock: HandMovedClock) -> None:
        chance, ours = random.Random(7), (await known(app)).cookies["pz"]
        signs = string.printable.strip().replace(";", "") + "\xe9\xff"
        for number in range(200):
            broken = list(ours)
            for _ in range(chance.randint(1, 3)):
                at = chance.randrange(len(broken))
                broken[at : at + chance.randint(0, 3)] = chance.choices(signs, k=chance.choice([0, 1, 1, 40, 5_000]))
            text = "".join(broken)
            reply = await sending(app, f"pz={text}; {CONSENT}")
            assert reply.status == 200
            assert len(reply.all("set-cookie")) <= 1, number
        assert app.personalizer.health.failures == {}

    with_site(body)


def test_who_keeps_no_cookie_makes_no_profile(with_site: Callable[..., None]) -> None:
    async def body(app: PersonalizeMiddleware, clock: HandMovedClock) -> None:
        for cookies in ([], [CONSENT]):
            for _ in range(100):
                await sending(app, *cookies)
        assert await written(app) == []
        assert [one async for one in app.personalizer.store.profiles()] == []

    with_site(body)


def test_of_a_page_and_its_parts_asked_for_at_once_one_brings_an_id(with_site: Callable[..., None]) -> None:
    async def body(app: PersonalizeMiddleware, clock: HandMovedClock) -> None:
        kinds = ("document", "iframe", "iframe", "empty", "image", "script")
        replies = await asyncio.gather(*(sending(app, CONSENT, sec_fetch_dest=kind) for kind in kinds))
        assert [len(reply.all("set-cookie")) for reply in replies] == [1, 0, 0, 0, 0, 0]

    with_site(body)


@pytest.mark.parametrize(
    "header", [("sec-purpose", "prefetch;prerender"), ("sec-fetch-dest", "empty"), ("user-agent", "kube-probe/1.29")]
)
def test_an_answer_to_our_form_is_taken_note_of_when_somebody_opens_a_page(
    with_site: Callable[..., None], header: tuple[str, str]
) -> None:
    async def body(app: PersonalizeMiddleware, clock: HandMovedClock) -> None:
        browser = Browser(app)
        await browser.post("/_personalize/consent", FORM)
        assert browser.cookies["pz_consent"].endswith("!")
        assert (await browser.get("/", headers=[header])).all("set-cookie") == []
        assert len((await browser.get("/")).all("set-cookie")) == 1
        assert browser.cookies["pz_consent"] == "measure.personalize"

    with_site(body)


@pytest.mark.parametrize("path", ["/a.css", "/a.svg", "/data", "/moved", "/gone", "/plain", "/text"])
def test_what_is_no_personal_page_sets_no_cookie(with_site: Callable[..., None], path: str) -> None:
    async def body(app: PersonalizeMiddleware, clock: HandMovedClock) -> None:
        assert (await sending(app, CONSENT, path=path)).all("set-cookie") == []

    with_site(body)


def test_the_cookie_lives_on_with_each_day_and_is_set_but_once_a_day(with_site: Callable[..., None]) -> None:
    async def body(app: PersonalizeMiddleware, clock: HandMovedClock) -> None:
        browser = await known(app)
        set_at: list[tuple[int, int]] = []
        for hours in (0, 1, 3, 6, 15, 16, 24, 30, 49):
            clock.moment = datetime(2026, 11, 22, 9, tzinfo=UTC) + timedelta(hours=hours)
            reply = await browser.get("/?utm_source=newsletter")
            await written(app)
            set_at += [(clock.moment.day, clock.moment.hour)] * len(reply.all("set-cookie"))
        assert set_at == [(23, 0), (24, 10)]

    with_site(body)


def test_before_consent_there_is_no_cookie_and_after_a_withdrawal_none_any_more(with_site: Callable[..., None]) -> None:
    async def body(app: PersonalizeMiddleware, clock: HandMovedClock) -> None:
        browser = Browser(app)
        assert (await browser.get("/")).all("set-cookie") == []
        assert await written(app) == []
        await browser.post("/_personalize/consent", FORM)
        assert len((await browser.get("/")).all("set-cookie")) == 1
        await browser.get("/")
        reply = await browser.post("/_personalize/consent", {"grant": ""})
        gone = [*reply.all("set-cookie"), *(await browser.get("/")).all("set-cookie")]
        assert any(cookie.startswith("pz=;") and "Max-Age=0" in cookie for cookie in gone)
        assert "pz" not in browser.cookies

    with_site(body)


def test_a_browser_that_was_erased_is_a_stranger_with_a_fresh_id(with_site: Callable[..., None]) -> None:
    async def body(app: PersonalizeMiddleware, clock: HandMovedClock) -> None:
        browser = await known(app)
        old_id, store = visitor_of(browser), app.personalizer.store
        clock.moment += timedelta(minutes=1)
        # One page is still in the queue, one is asked for behind the erasure.
        await browser.get("/")
        await app.personalizer.erase(old_id, by="ann")
        assert await store.profile(old_id) is None
        with pytest.raises(EventRefused, match="E310: the visitor was erased"):
            await app.personalizer.record("purchase", old_id, {"amount": "1"})
        reply = await browser.get("/")
        assert [one.partition("=")[0] for one in reply.all("set-cookie")] == ["pz"]
        fresh_id = visitor_of(browser)
        assert fresh_id != old_id
        await browser.get("/")
        assert {event.profile_id for event in await written(app)} == {fresh_id}
        assert await store.profile(fresh_id) is not None
        assert app.personalizer.health.failures == {}

    with_site(body)


def test_an_erased_browser_that_asks_for_a_part_of_a_page_is_nobody(with_site: Callable[..., None]) -> None:
    async def body(app: PersonalizeMiddleware, clock: HandMovedClock) -> None:
        browser = await known(app)
        await app.personalizer.erase(visitor_of(browser), by="ann")
        reply = await browser.get("/", headers=[("sec-fetch-dest", "iframe")])
        assert reply.all("set-cookie") == []
        assert await written(app) == []

    with_site(body)


def test_a_login_that_was_erased_is_asked_anew(with_site: Callable[..., None]) -> None:
    async def body(app: PersonalizeMiddleware, clock: HandMovedClock) -> None:
        browser = await known(app, headers=[("x-user", "7")])
        store, erased_at = app.personalizer.store, clock.moment + timedelta(minutes=1)
        await written(app)
        assert await store.profile("u:7") is not None
        clock.moment = erased_at
        await app.personalizer.erase("u:7", by="ann")
        clock.moment += timedelta(minutes=1)
        reply = await browser.get("/")
        assert [one.partition("=")[0] for one in reply.all("set-cookie")] == ["pz_consent"]
        assert "pz_consent" not in browser.cookies
        await browser.get("/")
        assert await written(app) == []
        await browser.post("/_personalize/consent", FORM)
        await browser.get("/")
        assert [(event.profile_id, event.occurred_at > erased_at) for event in await written(app)] == [
            ("u:7", True)
        ] * 2
        assert (await browser.get("/")).all("set-cookie") == []

    with_site(body, login=HeaderLogin("x-user"))


def test_a_login_that_was_erased_is_believed_where_the_site_asks_for_consent(with_site: Callable[..., None]) -> None:
    class Banner:
        def read(self, scope: Any) -> Consent:
            return granting(["measure", "personalize"])

    async def body(app: PersonalizeMiddleware, clock: HandMovedClock) -> None:
        browser = await known(app, headers=[("x-user", "7")])
        await app.personalizer.erase("u:7", by="ann")
        clock.moment += timedelta(minutes=1)
        await browser.get("/")
        assert {event.profile_id for event in await written(app)} == {"u:7"}

    with_site(body, login=HeaderLogin("x-user"), consent=Banner())


def visitor_of(browser: Browser) -> str:
    """The profile id of the browser's cookie."""
    return "v:" + browser.cookies["pz"].partition(".")[0]
