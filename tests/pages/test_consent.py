"""The consent form's answer: cookies, the first event, and who is refused."""

import asyncio
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from personalize.runtime.sources import Scope
from personalize.web.middleware import PersonalizeMiddleware
from personalize.wrap import wrap
from tests.desk import desk_settings, published, write_desk, written
from tests.driver import Browser, running

Body = Callable[[PersonalizeMiddleware], Coroutine[Any, Any, None]]
YES = {"grant": "measure personalize", "back": "/plain"}
NO = {"grant": "", "back": "/plain"}


async def home(request: Request) -> Response:
    """A page with a slot and a notice."""
    notice = request.state.page_view.notice
    return HTMLResponse(f'<p>{notice.shown} {dict(notice.fields)}</p><div data-slot="hero">Default</div>')


def login(scope: Scope) -> str | None:
    """The login of a request, by a header."""
    return next((value.decode() for name, value in scope["headers"] if name == b"x-login"), None)


@pytest.fixture
def with_site(tmp_path: Path) -> Callable[[Body], None]:
    """Runs a coroutine against a wrapped, started and published site."""

    def run(body: Body) -> None:
        async def all_of_it() -> None:
            write_desk(tmp_path)
            app = wrap(Starlette(routes=[Route("/", home)]), desk_settings(tmp_path), login=login)
            async with running(app):
                await published(app)
                await body(app)

        asyncio.run(all_of_it())

    return run


async def profiles(app: PersonalizeMiddleware) -> list[str]:
    """The ids of all stored profiles."""
    return [profile.profile_id async for profile in app.personalizer.store.profiles()]


def test_a_yes_sets_both_cookies_and_leads_back(with_site: Callable[[Body], None]) -> None:
    async def body(app: PersonalizeMiddleware) -> None:
        reply = await Browser(app).post("/_personalize/consent", YES)
        assert (reply.status, reply.header("location")) == (303, "/plain")
        assert reply.header("cache-control") == "no-store"
        consent, identifier = reply.all("set-cookie")
        assert consent.startswith("pz_consent=measure.personalize!;")
        assert identifier.startswith("pz=v")
        for cookie in (consent, identifier):
            assert "HttpOnly" in cookie and "SameSite=Lax" in cookie and "Path=/" in cookie

    with_site(body)


def test_over_https_both_cookies_are_bound_to_the_host(with_site: Callable[[Body], None]) -> None:
    async def body(app: PersonalizeMiddleware) -> None:
        browser = Browser(app, scheme="https")
        reply = await browser.post("/_personalize/consent", YES)
        assert sorted(browser.cookies) == ["__Host-pz", "__Host-pz_consent"]
        assert all("Secure" in cookie for cookie in reply.all("set-cookie"))
        assert "False" in (await browser.get("/")).text

    with_site(body)


def test_the_visit_begins_with_consent_and_keeps_what_brought_the_visitor(with_site: Callable[[Body], None]) -> None:
    async def body(app: PersonalizeMiddleware) -> None:
        browser = Browser(app)
        await browser.post(
            "/_personalize/consent",
            {**YES, "landing_path": "/tents", "source": "newsletter", "medium": "email", "campaign": "spring"},
        )
        (event,) = await written(app)
        assert event.type == "consent"
        assert event.properties["granted"] == ["measure", "personalize"]
        (profile_id,) = await profiles(app)
        profile = await app.personalizer.store.profile(profile_id)
        assert profile is not None and profile.visit is not None
        visit = profile.visit
        assert (visit.number, visit.landing_path, visit.source, visit.medium, visit.campaign) == (
            1,
            "/tents",
            "newsletter",
            "email",
            "spring",
        )
        await browser.get("/")
        await written(app)
        after = await app.personalizer.store.profile(profile_id)
        assert after is not None and after.visit is not None
        assert (after.visit.number, after.visit.pages, after.visit.landing_path) == (1, 1, "/tents")

    with_site(body)


def test_a_no_sets_one_cookie_that_is_the_same_for_all_and_writes_nothing(with_site: Callable[[Body], None]) -> None:
    async def body(app: PersonalizeMiddleware) -> None:
        browser = Browser(app)
        await browser.post("/_personalize/consent", NO)
        assert browser.cookies == {"pz_consent": "no!"}
        await browser.get("/")
        assert browser.cookies == {"pz_consent": "no"}
        assert await written(app) == []
        assert await profiles(app) == []

    with_site(body)


def test_a_withdrawal_takes_the_identifier_away_at_once(with_site: Callable[[Body], None]) -> None:
    async def body(app: PersonalizeMiddleware) -> None:
        browser = Browser(app)
        await browser.post("/_personalize/consent", YES)
        identifier = browser.cookies["pz"]
        await browser.post("/_personalize/consent", NO)
        assert browser.cookies == {"pz_consent": "no!"}
        count = len(await written(app))
        await browser.get("/")
        assert len(await written(app)) == count
        kept = Browser(app)
        kept.cookies = {"pz": identifier, "pz_consent": "measure.personalize"}
        assert "Default" in (await kept.get("/")).text

    with_site(body)


def test_purposes_that_the_site_does_not_ask_for_are_left_out(with_site: Callable[[Body], None]) -> None:
    async def body(app: PersonalizeMiddleware) -> None:
        browser = Browser(app)
        await browser.post("/_personalize/consent", {"grant": "measure world-domination"})
        assert browser.cookies["pz_consent"] == "measure!"

    with_site(body)


def test_the_notice_is_shown_until_there_is_an_answer(with_site: Callable[[Body], None]) -> None:
    async def body(app: PersonalizeMiddleware) -> None:
        browser = Browser(app)
        first = (await browser.get("/?utm_source=newsletter&secret=1")).text
        assert "True" in first and "'source': 'newsletter'" in first and "'landing_path': '/'" in first
        assert "secret" not in first
        await browser.post("/_personalize/consent", NO)
        assert "False" in (await browser.get("/")).text

    with_site(body)


def test_the_browsers_privacy_signal_refuses_until_the_visitor_says_otherwise(
    with_site: Callable[[Body], None],
) -> None:
    async def body(app: PersonalizeMiddleware) -> None:
        browser = Browser(app, headers=[("sec-gpc", "1")])
        await browser.get("/")
        assert await written(app) == []
        await browser.post("/_personalize/consent", YES)
        await browser.get("/")
        assert [event.type for event in await written(app)][:2] == ["consent", "page_view"]

    with_site(body)


def test_a_decision_is_kept_with_the_text_it_was_about_and_the_browsers_signal(tmp_path: Path) -> None:
    async def all_of_it() -> None:
        write_desk(tmp_path)
        settings = desk_settings(tmp_path, privacy_consent_text="2026-05")
        app = wrap(Starlette(routes=[Route("/", home)]), settings)
        async with running(app):
            await published(app)
            await Browser(app, headers=[("sec-gpc", "1")]).post("/_personalize/consent", YES)
            (event,) = await written(app)
            kept = {"granted": ["measure", "personalize"], "text": "2026-05", "gpc": True}
            assert (event.type, event.properties) == ("consent", kept)

    asyncio.run(all_of_it())


def test_another_site_cannot_answer_for_the_visitor(with_site: Callable[[Body], None]) -> None:
    async def body(app: PersonalizeMiddleware) -> None:
        browser = Browser(app)
        form = [("content-type", "application/x-www-form-urlencoded")]
        for headers in (
            [("sec-fetch-site", "cross-site")],
            [("sec-fetch-site", "same-site")],
            [("origin", "https://evil.example")],
            [("origin", "null")],
            [],
        ):
            reply = await browser.request(
                "POST", "/_personalize/consent", headers=[*form, *headers], body=b"grant=personalize"
            )
            assert reply.status == 403
        own = await browser.request(
            "POST",
            "/_personalize/consent",
            headers=[*form, ("origin", "http://shop.example")],
            body=b"grant=personalize",
        )
        assert own.status == 303
        assert (await browser.get("/_personalize/consent")).status == 405

    with_site(body)


@pytest.mark.parametrize(
    "back",
    [
        "//evil.example",
        "https://evil.example",
        "https:evil",
        "/\\evil.example",
        "\\\\evil",
        "/a\r\nSet-Cookie: x=1",
        "",
    ],
)
def test_the_way_back_never_leaves_the_site(with_site: Callable[[Body], None], back: str) -> None:
    async def body(app: PersonalizeMiddleware) -> None:
        reply = await Browser(app).post("/_personalize/consent", {**YES, "back": back})
        assert reply.header("location") == "/"

    with_site(body)


def test_an_answer_that_is_too_long_is_refused_kindly(with_site: Callable[[Body], None]) -> None:
    async def body(app: PersonalizeMiddleware) -> None:
        reply = await Browser(app).post("/_personalize/consent", {"grant": "x" * 20_000})
        assert reply.status == 413

    with_site(body)


def login_inside(site: Starlette) -> Starlette:
    """The same site with its login where only the site can see it, as a session is."""

    async def with_session(scope: Scope, receive: Any, send: Any) -> None:
        if scope["type"] == "http":
            scope["session"] = {"user_id": login(scope)}
        await site(scope, receive, send)

    return with_session  # type: ignore[return-value]


def session_login(scope: Scope) -> str | None:
    """Who the session says is logged in."""
    user_id: str | None = scope.get("session", {}).get("user_id")
    return user_id


def test_a_login_inside_the_site_is_told_the_decision_by_the_next_page(tmp_path: Path) -> None:
    async def run() -> None:
        write_desk(tmp_path)
        site = login_inside(Starlette(routes=[Route("/", home)]))
        app = wrap(site, desk_settings(tmp_path), login=session_login)
        anna = [("x-login", "anna")]
        async with running(app):
            await published(app)
            yes, no = Browser(app), Browser(app)
            await yes.post("/_personalize/consent", YES, headers=anna)
            await yes.get("/", headers=anna)
            await written(app)
            await app.personalizer.record("purchase", "u:anna", {"amount": 1, "category": "tents"})
            assert "What goes with a tent" in (await yes.get("/", headers=anna)).text
            await no.post("/_personalize/consent", NO, headers=anna)
            await no.get("/", headers=anna)
            await written(app)
            # She has refused in one browser: the other one, where she had said yes, holds still too.
            stored = await app.personalizer.store.profile("u:anna")
            assert stored is not None and stored.consent.refused
            count = len(await written(app))
            assert "Default" in (await yes.get("/", headers=anna)).text
            assert len(await written(app)) == count
            # And she may change her mind again.
            await no.post("/_personalize/consent", YES, headers=anna)
            await no.get("/", headers=anna)
            await written(app)
            # What she had refused is gone, and counts anew from now on.
            assert "Default" in (await yes.get("/", headers=anna)).text
            await app.personalizer.record("purchase", "u:anna", {"amount": 1, "category": "tents"})
            assert "What goes with a tent" in (await yes.get("/", headers=anna)).text

    asyncio.run(run())


def test_a_refusal_leaves_nothing_of_a_browser(with_site: Callable[[Body], None]) -> None:
    async def body(app: PersonalizeMiddleware) -> None:
        browser, store = Browser(app), app.personalizer.store
        await browser.post("/_personalize/consent", YES)
        await browser.get("/")
        await written(app)
        (profile_id,) = await profiles(app)
        await browser.get("/")  # still in the queue when she refuses
        reply = await browser.post("/_personalize/consent", NO)
        assert any(cookie.startswith("pz=;") and "Max-Age=0" in cookie for cookie in reply.all("set-cookie"))
        assert await profiles(app) == [] and await written(app) == []
        assert await store.erased_at(profile_id) is not None
        (receipt,) = await store.erasures()
        assert (receipt.profiles, receipt.by) == (1, "the visitor, by refusing")
        await browser.get("/")
        assert await written(app) == [] and "pz" not in browser.cookies

    with_site(body)


@pytest.mark.parametrize("headers", [[], [("x-login", "anna")]], ids=["a browser", "a login"])
def test_who_is_no_longer_measured_is_personalized_for_all_the_same(
    with_site: Callable[[Body], None], headers: list[tuple[str, str]]
) -> None:
    async def body(app: PersonalizeMiddleware) -> None:
        browser, personalizer = Browser(app, headers=headers), app.personalizer
        await browser.post("/_personalize/consent", YES)
        profile_id = next(iter({event.profile_id for event in await written(app)}))
        await personalizer.record("purchase", profile_id, {"amount": 1})
        await personalizer.ingest.record([personalizer.event("impression", profile_id, {"slots": []})])
        await browser.post("/_personalize/consent", {"grant": "personalize"})
        assert [event.type for event in await written(app)] == ["consent", "purchase", "consent"]
        profile = await personalizer.store.profile(profile_id)
        assert profile is not None and set(profile.totals) == {"purchase"}

    with_site(body)


def test_of_a_login_goes_what_is_withdrawn_and_the_rest_stays(with_site: Callable[[Body], None]) -> None:
    async def body(app: PersonalizeMiddleware) -> None:
        browser, personalizer = Browser(app, headers=[("x-login", "anna")]), app.personalizer
        await browser.post("/_personalize/consent", {**YES, "landing_path": "/secret"})
        await browser.get("/")
        profile_id = next(iter({event.profile_id for event in await written(app)}))
        await personalizer.record("purchase", profile_id, {"amount": 1, "category": "tents"})
        told = personalizer.event("set", profile_id, {"tier": "gold", "letters": True})
        await personalizer.ingest.record([told, personalizer.event("impression", profile_id, {"slots": []})])
        await browser.post("/_personalize/consent", {"grant": "measure"})
        left = [(event.type, dict(event.properties)) for event in await written(app)]
        assert left == [
            ("consent", {"granted": ["measure", "personalize"]}),
            ("set", {"letters": True}),  # its purpose is the letter, which nobody asked about here
            ("consent", {"granted": ["measure"]}),
        ]
        profile = await personalizer.store.profile(profile_id)
        assert profile is not None and profile.consent.granted == {"measure"}
        assert (set(profile.attributes), set(profile.totals)) == ({"letters"}, set())
        live = [one async for one in personalizer.store.profiles()]
        await personalizer.store.rebuild(personalizer.projectors)
        assert [one async for one in personalizer.store.profiles()] == live

    with_site(body)


def test_a_login_that_refuses_keeps_the_refusal_and_what_its_browsers_brought_goes(
    with_site: Callable[[Body], None],
) -> None:
    async def body(app: PersonalizeMiddleware) -> None:
        browser = Browser(app)
        await browser.post("/_personalize/consent", YES)
        await browser.get("/")
        await browser.get("/", headers=[("x-login", "anna")])
        await browser.get("/", headers=[("x-login", "anna")])
        before = await written(app)
        assert {event.profile_id[:2] for event in before} == {"u:", "v:"} and "join" in {event.type for event in before}
        await browser.post("/_personalize/consent", NO, headers=[("x-login", "anna")])
        assert {event.type for event in await written(app)} == {"consent", "join"}
        stored = await app.personalizer.store.profile("u:anna")
        assert stored is not None and stored.consent.refused and not stored.totals
        assert stored.visit is not None and stored.visit.pages == 0  # when they had said yes is known

    with_site(body)


def test_measuring_alone_keeps_nothing_at_all(with_site: Callable[[Body], None]) -> None:
    async def body(app: PersonalizeMiddleware) -> None:
        browser = Browser(app)
        await browser.post("/_personalize/consent", {"grant": "measure", "landing_path": "/secret", "source": "x"})
        assert await written(app) == [] and browser.cookies == {"pz_consent": "measure!"}

    with_site(body)


def test_two_ticked_boxes_are_two_purposes(with_site: Callable[[Body], None]) -> None:
    async def body(app: PersonalizeMiddleware) -> None:
        browser = Browser(app)
        await browser.request(
            "POST",
            "/_personalize/consent",
            headers=[("sec-fetch-site", "same-origin")],
            body=b"grant=personalize&grant=measure",
        )
        assert browser.cookies["pz_consent"] == "measure.personalize!"

    with_site(body)


def test_health_tells_figures_and_names_nobody(with_site: Callable[[Body], None]) -> None:
    async def body(app: PersonalizeMiddleware) -> None:
        browser = Browser(app)
        await browser.post("/_personalize/consent", {**YES, "source": "newsletter"})
        await browser.get("/")
        await written(app)
        reply = await browser.get("/_personalize/health")
        assert reply.status == 200
        assert '"hero":{"filled":1}' in reply.text and '"pending":null' in reply.text
        assert browser.cookies["pz"].partition(".")[0] not in reply.text

    with_site(body)


@pytest.mark.parametrize("answer", [YES, NO])
def test_a_login_or_consent_source_that_raises_does_not_stop_the_answer(tmp_path: Path, answer: dict[str, str]) -> None:
    def raises(scope: Scope) -> str | None:
        raise RuntimeError("the login database is gone")

    async def run() -> None:
        write_desk(tmp_path)
        app = wrap(Starlette(routes=[Route("/", home)]), desk_settings(tmp_path), login=raises)
        async with running(app):
            await published(app)
            reply = await Browser(app).post("/_personalize/consent", answer)
            assert reply.status == 303
            assert app.personalizer.health.failures["the login source failed"] == 1

    asyncio.run(run())
