"""The middleware around a small site, with a real store and real rules."""

import asyncio
import gc
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from jinja2 import Environment
from starlette.applications import Starlette
from starlette.authentication import AuthCredentials, AuthenticationBackend, SimpleUser
from starlette.background import BackgroundTask
from starlette.middleware import Middleware
from starlette.middleware.authentication import AuthenticationMiddleware
from starlette.requests import ClientDisconnect, HTTPConnection, Request
from starlette.responses import (
    HTMLResponse,
    JSONResponse,
    PlainTextResponse,
    RedirectResponse,
    Response,
    StreamingResponse,
)
from starlette.routing import Route

from personalize.runtime.page_view import page_view_of
from personalize.stores.protocols import Switch
from personalize.web.middleware import PersonalizeMiddleware
from personalize.wrap import wrap
from tests.desk import desk_settings, published, write_desk, written
from tests.driver import Browser, Reply, running

PAGE = (
    '<!doctype html><title>Shop</title><section class="x" data-slot="hero"><p>Default é</p></section>'
    '<ul data-slot="row"><li>one</li></ul><p>end</p>'
)
PLAIN = "<!doctype html><p>No slot at all, é.</p>"


class ByHeader(AuthenticationBackend):
    """Believes a header, inside the site."""

    async def authenticate(self, conn: HTTPConnection) -> tuple[AuthCredentials, SimpleUser] | None:
        """The login of a request."""
        name = conn.headers.get("x-login")
        return (AuthCredentials(["authenticated"]), SimpleUser(name)) if name else None


async def home(request: Request) -> Response:
    """A page with two slots."""
    return HTMLResponse(PAGE, headers={"ETag": '"abc"', "Cache-Control": "public, max-age=60"})


async def plain(request: Request) -> Response:
    """A page without any."""
    return HTMLResponse(PLAIN, headers={"ETag": '"abc"', "X-Odd": "yes"})


async def season(request: Request) -> Response:
    """A page whose only slot is the same for everybody."""
    return HTMLResponse('<div data-slot="season">Default</div>', headers={"Cache-Control": "public, max-age=60"})


async def unknown(request: Request) -> Response:
    """A page with a slot that no rule file defines."""
    return HTMLResponse('<div data-slot="nobody-knows">Default</div>', headers={"ETag": '"abc"'})


async def streamed(request: Request) -> Response:
    """A page in parts, its slot cut in two."""

    async def parts() -> AsyncIterator[str]:
        yield "<!doctype html><p>first</p>"
        yield "<div data-sl"
        yield 'ot="hero">Default</div><p>last</p>'

    return StreamingResponse(parts(), media_type="text/html")


async def buy(request: Request) -> Response:
    """Buys a tent."""
    request.state.page_view.record("purchase", amount="100", category="tents")
    return RedirectResponse("/", 303)


async def badly(request: Request) -> Response:
    """Records what the schema does not know."""
    recorded = request.state.page_view.record(
        "purchase", amount="a lot", type="a property with the name of a parameter"
    )
    return PlainTextResponse(f"recorded: {recorded}")


async def decided(request: Request) -> Response:
    """Shows a decision itself."""
    decision = await request.state.page_view.slot("hero")
    return JSONResponse({"items": decision.item_ids, "reason": decision.reason})


async def broken(request: Request) -> Response:
    """Fails."""
    raise RuntimeError("the site's own error")


def site() -> Starlette:
    """The bare site."""
    return Starlette(
        routes=[
            Route("/", home),
            Route("/plain", plain),
            Route("/season", season),
            Route("/unknown", unknown),
            Route("/streamed", streamed),
            Route("/buy", buy, methods=["POST"]),
            Route("/badly", badly),
            Route("/decided", decided),
            Route("/broken", broken),
        ],
        middleware=[Middleware(AuthenticationMiddleware, backend=ByHeader())],
    )


Body = Callable[[PersonalizeMiddleware], Coroutine[Any, Any, None]]


@pytest.fixture
def with_site(tmp_path: Path) -> Callable[[Body], None]:
    """Runs a coroutine against the wrapped, started and published site."""

    def run(body: Body) -> None:
        async def all_of_it() -> None:
            write_desk(tmp_path)
            app = wrap(site(), desk_settings(tmp_path))
            async with running(app):
                await published(app)
                await body(app)

        asyncio.run(all_of_it())

    return run


async def consenting(app: PersonalizeMiddleware, **fields: str) -> Browser:
    """A browser whose visitor has said yes."""
    browser = Browser(app)
    await browser.post("/_personalize/consent", {"grant": "measure personalize", "back": "/", **fields})
    return browser


def test_a_page_without_a_slot_leaves_byte_for_byte_and_header_for_header(with_site: Callable[[Body], None]) -> None:
    async def body(app: PersonalizeMiddleware) -> None:
        for path in ("/plain", "/nowhere", "/badly"):
            bare = await Browser(app.app).get("/plain") if path == "/plain" else None
            wrapped = await Browser(app).get(path)
            if bare is not None:
                assert wrapped.body == bare.body
                assert wrapped.headers == bare.headers

    with_site(body)


def test_a_stranger_sees_the_default_and_gets_no_cookie(with_site: Callable[[Body], None]) -> None:
    async def body(app: PersonalizeMiddleware) -> None:
        reply = await Browser(app).get("/")
        assert reply.text == PAGE
        assert reply.all("set-cookie") == []
        assert await written(app) == []

    with_site(body)


@pytest.mark.parametrize("path", ["/", "/plain", "/nowhere"])
def test_a_page_view_leaves_nothing_for_the_garbage_collector(with_site: Callable[[Body], None], path: str) -> None:
    async def body(app: PersonalizeMiddleware) -> None:
        browser = await consenting(app)
        for _ in range(2):  # the first page brings the cookie, the second one is that of a known visitor
            await browser.get(path)
        gc.collect()
        gc.set_debug(gc.DEBUG_SAVEALL)
        try:
            await browser.get(path)
            gc.collect()
            assert [left for left in gc.garbage if type(left).__module__.startswith("personalize.")] == []
        finally:
            gc.set_debug(0)
            gc.garbage.clear()

    with_site(body)


def test_a_page_whose_slots_depend_on_the_visitor_belongs_in_no_shared_cache(with_site: Callable[[Body], None]) -> None:
    async def body(app: PersonalizeMiddleware) -> None:
        reply = await Browser(app).get("/")
        assert reply.header("cache-control") == "private, no-store"
        assert reply.header("etag") is None
        assert reply.header("content-length") == str(len(reply.body))

    with_site(body)


def test_a_slot_that_is_the_same_for_everybody_keeps_the_sites_cache_headers(with_site: Callable[[Body], None]) -> None:
    async def body(app: PersonalizeMiddleware) -> None:
        reply = await Browser(app).get("/season")
        assert "<b>The season</b>" in reply.text
        assert reply.header("cache-control") == "public, max-age=60"
        assert reply.header("content-length") == str(len(reply.body))

    with_site(body)


def test_a_context_rule_works_without_consent_or_cookie(with_site: Callable[[Body], None]) -> None:
    async def body(app: PersonalizeMiddleware) -> None:
        reply = await Browser(app).get("/?utm_source=newsletter")
        assert '<section class="x" data-slot="hero"><b>From the letter</b>' in reply.text
        assert '<ul data-slot="row"><li>one</li></ul>' in reply.text
        assert reply.all("set-cookie") == []

    with_site(body)


def test_what_a_visitor_buys_changes_what_they_see_next(with_site: Callable[[Body], None]) -> None:
    async def body(app: PersonalizeMiddleware) -> None:
        browser = await consenting(app)
        assert "Default" in (await browser.get("/")).text
        assert (await browser.post("/buy", {})).status == 303
        await written(app)
        assert "What goes with a tent" in (await browser.get("/")).text
        assert "Default" in (await Browser(app).get("/")).text

    with_site(body)


def test_a_purchase_without_consent_is_not_kept(with_site: Callable[[Body], None]) -> None:
    async def body(app: PersonalizeMiddleware) -> None:
        await Browser(app).post("/buy", {})
        assert await written(app) == []

    with_site(body)


def test_an_event_that_the_schema_does_not_know_is_refused_and_the_page_served(
    with_site: Callable[[Body], None],
) -> None:
    async def body(app: PersonalizeMiddleware) -> None:
        browser = await consenting(app)
        assert (await browser.get("/badly")).text == "recorded: False"
        assert app.personalizer.health.failures["an event of the site was refused"] == 1

    with_site(body)


def test_login_inside_the_site_is_seen_and_the_anonymous_past_joins_once(with_site: Callable[[Body], None]) -> None:
    async def body(app: PersonalizeMiddleware) -> None:
        browser = await consenting(app)
        before = browser.cookies["pz"]
        await browser.post("/buy", {})
        login = [("x-login", "anna")]
        await browser.get("/", headers=login)
        assert browser.cookies["pz"] != before
        await written(app)
        assert "What goes with a tent" in (await browser.get("/", headers=login)).text
        await browser.get("/", headers=login)
        joins = [event for event in await written(app) if event.type == "join"]
        assert [event.profile_id for event in joins] == ["u:anna"]

    with_site(body)


def test_after_logout_a_fresh_cookie_and_nothing_of_the_account(with_site: Callable[[Body], None]) -> None:
    async def body(app: PersonalizeMiddleware) -> None:
        browser = await consenting(app)
        login = [("x-login", "anna")]
        await browser.get("/", headers=login)
        await browser.post("/buy", {}, headers=login)
        await written(app)
        assert "What goes with a tent" in (await browser.get("/", headers=login)).text
        at_login = browser.cookies["pz"]
        assert "Default" in (await browser.get("/")).text
        assert browser.cookies["pz"] != at_login
        await browser.get("/", headers=[("x-login", "bert")])
        await written(app)
        bert = await app.personalizer.store.profile("u:bert")
        assert bert is not None and "purchase" not in bert.totals

    with_site(body)


def test_two_slots_of_a_page_never_show_the_same_item(with_site: Callable[[Body], None]) -> None:
    async def body(app: PersonalizeMiddleware) -> None:
        browser = await consenting(app)
        login = [("x-login", "anna")]
        await app.personalizer.record("purchase", "u:anna", {"amount": 5, "category": "socks"})
        await app.personalizer.ingest.record(
            [app.personalizer.event("set", "u:anna", {"tier": "gold", "first_name": "Anna <b>"})]
        )
        text = (await browser.get("/", headers=login)).text
        assert text.count("Thank you") == 1
        assert "For gold" in text
        assert "Hello Anna &lt;b&gt;." in text

    with_site(body)


def test_an_unknown_slot_keeps_its_markup_and_is_told_once(
    with_site: Callable[[Body], None], caplog: pytest.LogCaptureFixture
) -> None:
    async def body(app: PersonalizeMiddleware) -> None:
        for _ in range(3):
            reply = await Browser(app).get("/unknown")
            assert reply.text == '<div data-slot="nobody-knows">Default</div>'
            assert reply.header("etag") == '"abc"'
        assert app.personalizer.health.slots["nobody-knows"]["unknown_slot"] == 3

    with_site(body)
    assert [record.message for record in caplog.records if "nobody-knows" in record.message] == [
        "the page has a slot 'nobody-knows' that no rule file defines"
    ]


def test_a_streamed_page_is_filled_like_any_other(with_site: Callable[[Body], None]) -> None:
    async def body(app: PersonalizeMiddleware) -> None:
        for _ in range(2):
            reply = await Browser(app).get("/streamed?utm_source=newsletter")
            assert "From the letter" in reply.text and reply.text.endswith("<p>last</p>")
            assert reply.header("cache-control") == "private, no-store"

    with_site(body)


def test_a_decision_shown_by_the_site_itself_makes_the_response_private(with_site: Callable[[Body], None]) -> None:
    async def body(app: PersonalizeMiddleware) -> None:
        reply = await Browser(app).get("/decided?utm_source=newsletter")
        assert reply.text == '{"items":["things/letter"],"reason":"rule"}'
        assert reply.header("cache-control") == "private, no-store"
        assert reply.header("content-length") == str(len(reply.body))

    with_site(body)


def test_the_sites_own_error_passes_as_it_is(with_site: Callable[[Body], None]) -> None:
    async def body(app: PersonalizeMiddleware) -> None:
        with pytest.raises(RuntimeError, match="the site's own error"):
            await Browser(app).get("/broken")

    with_site(body)


def test_a_robot_a_prefetch_and_a_head_are_served_and_never_counted(with_site: Callable[[Body], None]) -> None:
    async def body(app: PersonalizeMiddleware) -> None:
        browser = await consenting(app)
        count = len(await written(app))
        await browser.get("/", headers=[("user-agent", "Googlebot/2.1 (+http://www.google.com/bot.html)")])
        await browser.get("/", headers=[("sec-purpose", "prefetch;prerender")])
        await browser.request("HEAD", "/")
        assert len(await written(app)) == count

    with_site(body)


def test_a_robot_sees_the_same_page_however_often_it_comes(with_site: Callable[[Body], None]) -> None:
    async def body(app: PersonalizeMiddleware) -> None:
        robot = Browser(app, headers=[("user-agent", "Googlebot/2.1 (+http://www.google.com/bot.html)")])
        pages = {(await robot.get("/?utm_source=newsletter")).body for _ in range(10)}
        assert len(pages) == 1
        assert b"From the letter" in pages.pop()
        assert not robot.cookies

    with_site(body)


def test_a_page_view_is_counted_when_the_last_byte_has_left(with_site: Callable[[Body], None]) -> None:
    async def body(app: PersonalizeMiddleware) -> None:
        browser = await consenting(app, source="newsletter")
        await browser.get("/?utm_source=newsletter&utm_campaign=spring&email=a@b.c")
        events = {event.type: event for event in await written(app)}
        assert dict(events["page_view"].properties) == {
            "path": "/",
            "source": "newsletter",
            "campaign": "spring",
            "device": "desktop",
        }
        assert dict(events["impression"].properties) == {
            "slots": [{"slot": "hero", "items": ["things/letter"], "rule": "letter"}]
        }

    with_site(body)


@pytest.mark.parametrize("ends", [True, False])
@pytest.mark.parametrize("error", [None, RuntimeError, asyncio.CancelledError])
@pytest.mark.parametrize("sends", [0, 1, 2])
def test_what_the_site_has_told_is_kept_though_its_response_breaks_off(
    tmp_path: Path, ends: bool, error: type[BaseException] | None, sends: int
) -> None:
    async def buying(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":
            return
        page_view_of(scope).record("purchase", amount="100", category="tents")
        head = {"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/html")]}
        for message in [head, {"type": "http.response.body", "body": b"<p>", "more_body": not ends}][:sends]:
            await send(message)
        if error is not None:
            raise error

    async def all_of_it() -> None:
        write_desk(tmp_path)
        app = wrap(buying, desk_settings(tmp_path))
        async with running(app):
            await published(app)
            browser = await consenting(app)
            with suppress(RuntimeError, asyncio.CancelledError):
                await browser.get("/")
            assert [event.type for event in await written(app)].count("purchase") == 1

    asyncio.run(asyncio.wait_for(all_of_it(), 20))


def test_what_the_site_has_told_is_kept_though_the_client_left_at_the_last_part(
    with_site: Callable[[Body], None],
) -> None:
    async def body(app: PersonalizeMiddleware) -> None:
        browser = await consenting(app)

        async def left(message: Any) -> None:
            raise OSError("the client has left")

        async def receive() -> Any:
            return {"type": "http.disconnect"}

        scope = browser._scope("POST", "/buy", [], "")
        with suppress(OSError, ClientDisconnect):
            await app(scope, receive, left)
        assert [event.type for event in await written(app)].count("purchase") == 1

    with_site(body)


def test_background_work_of_the_site_does_not_hold_the_page_view_back(tmp_path: Path) -> None:
    async def all_of_it() -> None:
        write_desk(tmp_path)
        release = asyncio.Event()

        async def home_with_work(request: Request) -> Response:
            return HTMLResponse(PAGE, background=BackgroundTask(release.wait))

        app = wrap(Starlette(routes=[Route("/", home_with_work)]), desk_settings(tmp_path))
        async with running(app):
            await published(app)
            browser = Browser(app)
            await browser.post("/_personalize/consent", {"grant": "measure personalize"})
            request = asyncio.create_task(browser.get("/"))
            while not [event for event in await written(app) if event.type == "page_view"]:
                await asyncio.sleep(0)
            release.set()
            await request

    asyncio.run(asyncio.wait_for(all_of_it(), 20))


def test_wrapping_twice_counts_and_fills_once(tmp_path: Path) -> None:
    async def all_of_it() -> None:
        write_desk(tmp_path)
        inner = wrap(site(), desk_settings(tmp_path))
        app = PersonalizeMiddleware(inner, inner.personalizer)
        async with running(app):
            await published(app)
            reply = await Browser(app).get("/?utm_source=newsletter")
            assert reply.text.count("From the letter") == 1
            assert app.personalizer.health.slots["hero"]["filled"] == 1

    asyncio.run(all_of_it())


def test_switched_off_the_site_is_as_bare(tmp_path: Path) -> None:
    async def all_of_it() -> None:
        write_desk(tmp_path)
        app = wrap(site(), desk_settings(tmp_path, off=True))
        async with running(app):
            await published(app)
            wrapped = await Browser(app).get("/?utm_source=newsletter")
            bare = await Browser(site()).get("/?utm_source=newsletter")
            assert wrapped.messages == bare.messages

    asyncio.run(all_of_it())


def test_switched_off_while_it_runs_the_site_is_as_bare_and_then_filled_again(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async def all_of_it() -> None:
        write_desk(tmp_path)
        app = wrap(site(), desk_settings(tmp_path))
        async with running(app):
            await published(app)
            store, now = app.personalizer.store, app.personalizer.clock.now()
            bare = await Browser(site()).get("/?utm_source=newsletter")
            for off in (True, False):
                await store.set_switch(Switch(off=off, at=now, by="ann"))
                await app.personalizer.refresh()
                wrapped = await Browser(app).get("/?utm_source=newsletter")
                assert (wrapped.messages == bare.messages) is off
            assert "From the letter" in wrapped.text

    asyncio.run(all_of_it())
    said = [record.getMessage() for record in caplog.records if "switched" in record.getMessage()]
    assert said == ["personalizing is switched off", "personalizing is switched on again"]


def test_slot_tags_in_templates_are_marks_that_the_middleware_fills_and_removes(tmp_path: Path) -> None:
    environment = Environment(autoescape=True)

    async def tagged(request: Request) -> Response:
        template = environment.from_string(
            "<p>a</p>{% slot 'hero' %}<i>Default</i>{% endslot %}<p>{{ slot('row', 'none') }}</p>"
        )
        return HTMLResponse(template.render())

    async def all_of_it() -> None:
        write_desk(tmp_path)
        app = wrap(Starlette(routes=[Route("/", tagged)]), desk_settings(tmp_path))
        app.teach(environment)
        async with running(app):
            await published(app)
            assert (await Browser(app).get("/")).text == "<p>a</p><i>Default</i><p>none</p>"
            filled: Reply = await Browser(app).get("/?utm_source=newsletter")
            assert filled.text == "<p>a</p><b>From the letter</b><p>none</p>"

    asyncio.run(all_of_it())
