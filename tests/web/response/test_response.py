"""What leaves: which heads are held, what they say, what goes along with a cookie, and what is kept of whom."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest
from jinja2 import Environment
from starlette.applications import Starlette
from starlette.background import BackgroundTask
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, Response, StreamingResponse
from starlette.routing import Mount, Route

from personalize.runtime.sources import Scope
from personalize.web.middleware import PersonalizeMiddleware
from personalize.wrap import wrap
from tests.desk import desk_settings, published, write_desk, written
from tests.driver import Browser, running

SLOT = '<div data-slot="hero">Default</div>'
ANNA = [("x-login", "anna")]
PUBLIC = {"cache-control": "public, max-age=600"}
#: Longer than a page is held to see whether it has slots.
LONG_SECONDS = 0.1
environment = Environment(autoescape=True)
Body = Callable[[PersonalizeMiddleware], Coroutine[Any, Any, None]]


def login(scope: Scope) -> str | None:
    """The login of a request, by a header."""
    return next((value.decode() for name, value in scope["headers"] if name == b"x-login"), None)


async def home(request: Request) -> Response:
    """A page with a slot."""
    return HTMLResponse(SLOT, headers=PUBLIC)


async def with_notice(request: Request) -> Response:
    """A page without a slot that asks for the notice."""
    status = int(request.query_params.get("status", "200"))
    notice = request.state.page_view.notice
    return HTMLResponse(f"{notice.shown} {notice.action} {notice.fields['back']}", status)


async def who(request: Request) -> Response:
    """A page that prints who is looking."""
    return HTMLResponse(str(request.state.page_view.identity.profile_id), headers=PUBLIC)


async def buy(request: Request) -> Response:
    """Buys a tent."""
    amount = request.query_params.get("amount", "100")
    return PlainTextResponse(str(request.state.page_view.record("purchase", amount=amount, category="tents")))


async def buy_later(request: Request) -> Response:
    """Buys a tent when the answer has left."""
    answers: list[bool] = request.app.state.answers

    def later() -> None:
        answers.append(request.state.page_view.record("purchase", amount="100", category="tents"))

    return PlainTextResponse("bought", background=BackgroundTask(later))


async def put(request: Request) -> Response:
    """Tells which version the client means."""
    return PlainTextResponse(request.headers.get("if-match", "none"))


async def missing(request: Request) -> Response:
    """An error page of the site, with a slot tag in its layout."""
    template = environment.from_string("<p>Gone</p>{% slot 'hero' %}Default{% endslot %}")
    return HTMLResponse(template.render(), 404)


async def events(request: Request) -> Response:
    """An event stream whose first event is long in coming."""

    async def parts() -> AsyncIterator[str]:
        await request.app.state.go.wait()
        yield "data: 1\n\n"

    return StreamingResponse(parts(), media_type="text/event-stream")


async def streamed_with_etag(request: Request) -> Response:
    """A page in parts under a validator."""

    async def parts() -> AsyncIterator[str]:
        yield "<p>first</p>"
        await asyncio.sleep(LONG_SECONDS)
        yield '<div data-slot="season">Default</div>'

    return StreamingResponse(parts(), media_type="text/html", headers={"etag": '"1"'})


async def closed_by_an_empty_part(request: Request) -> Response:
    """A page in one part, behind which comes another with nothing in it, as Quart sends all of its pages."""

    async def part() -> AsyncIterator[str]:
        yield SLOT

    headers = {"content-length": str(len(SLOT)), "etag": '"abc"'}
    return StreamingResponse(part(), media_type="text/html", headers=headers)


async def streamed_slot(request: Request) -> Response:
    """Asks for a slot when the head has left."""

    async def parts() -> AsyncIterator[str]:
        yield "<p>first</p>"
        await asyncio.sleep(LONG_SECONDS)
        yield str((await request.state.page_view.slot("hero")).item_ids)

    return StreamingResponse(parts(), media_type="text/html", headers=PUBLIC)


def site() -> Starlette:
    """The bare site."""
    routes = [
        Route("/", home),
        Route("/notice", with_notice),
        Route("/who", who),
        Route("/buy", buy, methods=["POST"]),
        Route("/later", buy_later, methods=["POST"]),
        Route("/put", put, methods=["GET", "PUT"]),
        Route("/missing", missing),
        Route("/events", events),
        Route("/etag", streamed_with_etag),
        Route("/closed", closed_by_an_empty_part),
        Route("/late", streamed_slot),
        Mount("/inside", routes=[Route("/notice", with_notice)]),
    ]
    return Starlette(routes=routes)


@pytest.fixture
def with_site(tmp_path: Path) -> Callable[..., None]:
    """Runs a coroutine against a wrapped, started and published site."""

    def run(body: Body, **settings: object) -> None:
        async def all_of_it() -> None:
            write_desk(tmp_path)
            bare = site()
            bare.state.answers, bare.state.go = [], asyncio.Event()
            app = wrap(bare, desk_settings(tmp_path, **settings), login=login)
            app.teach(environment)
            async with running(app):
                await published(app)
                await body(app)

        asyncio.run(asyncio.wait_for(all_of_it(), 30))

    return run


async def consenting(app: PersonalizeMiddleware, headers: list[tuple[str, str]] | None = None) -> Browser:
    """A browser whose visitor has said yes."""
    browser = Browser(app)
    await browser.post("/_personalize/consent", {"grant": "measure personalize"}, headers=headers or [])
    return browser


def test_the_past_goes_along_with_the_new_cookie_whatever_page_comes_first(with_site: Callable[..., None]) -> None:
    async def body(app: PersonalizeMiddleware) -> None:
        browser = await consenting(app)
        await browser.post("/buy", {})
        await browser.get("/notice", headers=ANNA)
        assert browser.cookies["pz"].startswith("k")
        assert [event.profile_id for event in await written(app) if event.type == "join"] == ["u:anna"]
        assert "What goes with a tent" in (await browser.get("/", headers=ANNA)).text

    with_site(body)


def test_of_a_login_that_has_refused_elsewhere_nothing_is_kept(with_site: Callable[..., None]) -> None:
    async def body(app: PersonalizeMiddleware) -> None:
        refused = app.personalizer.event("consent", "u:anna", {"granted": []})
        await app.personalizer.ingest.record([refused])
        other = await consenting(app)
        await other.get("/")  # the page that the form leads back to, before she logs in
        before = len(await written(app))
        for path in ("/", "/notice", "/who"):
            await other.get(path, headers=ANNA)
        await other.post("/buy", {}, headers=ANNA)
        assert len(await written(app)) == before
        assert other.cookies["pz"].startswith("v")

    with_site(body)


def test_a_login_that_has_refused_gets_no_id_in_another_browser(with_site: Callable[..., None]) -> None:
    async def body(app: PersonalizeMiddleware) -> None:
        refused = app.personalizer.event("consent", "u:anna", {"granted": []})
        await app.personalizer.ingest.record([refused])
        browser = Browser(app)
        browser.cookies["pz_consent"] = "measure.personalize"
        for path in ("/notice", "/"):
            assert (await browser.get(path, headers=ANNA)).all("set-cookie") == []

    with_site(body)


def test_whatever_a_site_reads_of_the_visitor_makes_the_page_private(with_site: Callable[..., None]) -> None:
    async def body(app: PersonalizeMiddleware) -> None:
        reply = await (await consenting(app)).get("/who")
        assert reply.text.startswith("v:")
        assert reply.header("cache-control") == "private, no-store"

    with_site(body)


def test_behind_a_public_head_no_choice_of_the_visitor_is_told(with_site: Callable[..., None]) -> None:
    async def body(app: PersonalizeMiddleware) -> None:
        reply = await Browser(app).get("/late?utm_source=newsletter")
        assert reply.text == "<p>first</p>()"
        assert reply.header("cache-control") == "public, max-age=600"

    with_site(body)


def test_a_stream_whose_head_describes_its_bytes_is_filled_from_the_second_time_on(
    with_site: Callable[..., None],
) -> None:
    async def body(app: PersonalizeMiddleware) -> None:
        first = await Browser(app).get("/etag")
        assert (first.header("etag"), "Default" in first.text) == ('"1"', True)
        second = await Browser(app).get("/etag")
        assert (second.header("etag"), "The season" in second.text) == (None, True)

    with_site(body)


def test_a_page_closed_by_an_empty_part_is_known_to_be_whole(with_site: Callable[..., None]) -> None:
    async def body(app: PersonalizeMiddleware) -> None:
        reply = await Browser(app).get("/closed?utm_source=newsletter")
        assert reply.body == SLOT.replace("Default", "<b>From the letter</b>").encode()
        assert reply.header("content-length") == str(len(reply.body))
        assert reply.header("etag") is None
        assert [message.get("more_body", False) for message in reply.messages[1:]] == [True, False]

    with_site(body)


def test_a_stream_of_events_gets_its_head_at_once(with_site: Callable[..., None]) -> None:
    async def body(app: PersonalizeMiddleware) -> None:
        sent: list[str] = []
        head = asyncio.Event()

        async def send(message: dict[str, Any]) -> None:
            sent.append(message["type"])
            head.set()

        async def receive() -> dict[str, Any]:
            await asyncio.Event().wait()
            raise AssertionError

        scope = Browser(app)._scope("GET", "/events", (), "")
        request = asyncio.create_task(app(scope, receive, send))
        await head.wait()
        assert sent == ["http.response.start"]
        app.app.state.go.set()  # type: ignore[attr-defined]
        await request

    with_site(body)


def test_an_error_page_carries_no_mark_and_no_cookie(with_site: Callable[..., None]) -> None:
    async def body(app: PersonalizeMiddleware) -> None:
        reply = await Browser(app).get("/missing")
        assert (reply.status, reply.text) == (404, "<p>Gone</p>Default")
        assert reply.header("content-length") == str(len(reply.body))
        browser = Browser(app)
        browser.cookies["pz_consent"] = "measure.personalize"
        assert (await browser.get("/notice?status=404")).all("set-cookie") == []

    with_site(body)


def test_a_client_that_means_one_version_is_heard_by_the_site(with_site: Callable[..., None]) -> None:
    async def body(app: PersonalizeMiddleware) -> None:
        app._site.paths.add("/put")
        reply = await Browser(app).request("PUT", "/put", headers=[("if-match", '"v1"')])
        assert reply.text == '"v1"'

    with_site(body)


def test_record_behind_the_response_says_that_it_is_too_late(with_site: Callable[..., None]) -> None:
    async def body(app: PersonalizeMiddleware) -> None:
        browser = await consenting(app)
        await browser.post("/later", {})
        assert app.app.state.answers == [False]  # type: ignore[attr-defined]
        assert "purchase" not in [event.type for event in await written(app)]

    with_site(body)


@pytest.mark.parametrize("settings", [{"off": True}, {"excluded": ["/*"]}, {"excluded": ["/notice", "/buy"]}])
def test_switched_off_the_sites_own_code_still_finds_a_page_view(
    with_site: Callable[..., None], settings: dict[str, object]
) -> None:
    async def body(app: PersonalizeMiddleware) -> None:
        browser = Browser(app)
        assert (await browser.get("/notice")).text == "False /_personalize/consent /notice"
        assert (await browser.post("/buy", {})).text == "True"
        assert await written(app) == []
        assert browser.cookies == {}

    with_site(body, **settings)


def test_a_site_under_a_prefix_leads_back_to_its_own_pages(with_site: Callable[..., None]) -> None:
    async def body(app: PersonalizeMiddleware) -> None:
        under = await Browser(app).request("GET", "/app/notice", root_path="/app")
        assert under.text == "True /app/_personalize/consent /app/notice"
        inside = await Browser(app).get("/inside/notice")
        assert inside.text == "True /_personalize/consent /inside/notice"

    with_site(body)


def test_an_async_login_is_refused_when_the_site_is_wrapped(tmp_path: Path) -> None:
    async def later(scope: Scope) -> str | None:
        return "anna"

    write_desk(tmp_path)
    with pytest.raises(TypeError, match="can't be async"):
        wrap(site(), desk_settings(tmp_path), login=later)  # type: ignore[arg-type]


def test_a_login_that_is_no_text_is_none_and_counted(tmp_path: Path) -> None:
    async def run() -> None:
        write_desk(tmp_path)
        app = wrap(site(), desk_settings(tmp_path), login=lambda scope: object())  # type: ignore[arg-type, return-value]
        async with running(app):
            await published(app)
            browser = await consenting(app)
            assert (await browser.get("/who")).text.startswith("v:")
            assert app.personalizer.health.failures["the login source failed"] > 0

    asyncio.run(run())


def test_a_value_that_was_refused_is_told_to_nobody(
    with_site: Callable[..., None], caplog: pytest.LogCaptureFixture
) -> None:
    async def body(app: PersonalizeMiddleware) -> None:
        browser = Browser(app)
        assert (await browser.post("/buy?amount=4711-secret", {})).text == "False"
        health = (await browser.get("/_personalize/health")).text
        assert "an event of the site was refused" in health and "4711" not in health

    with_site(body)
    assert "an event of the site was refused" in caplog.text and "4711" not in caplog.text
