"""A site lives on as without us: its errors, its cancellations, what it reads of the client, its context and mounts."""

import asyncio
import contextvars
from contextlib import suppress
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from jinja2 import Environment
from starlette.applications import Starlette
from starlette.background import BackgroundTask
from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, Response
from starlette.routing import Mount, Route

from personalize.runtime.page_view import page_view_of
from personalize.web.middleware import PersonalizeMiddleware
from personalize.wrap import wrap
from tests.desk import desk_settings
from tests.web.house import (
    EMPTY,
    FILLED,
    GONE,
    LETTER,
    SEASON_SLOT,
    SLOT,
    App,
    House,
    body,
    open_house,
    page,
    saying,
    scope_of,
    start,
    tell,
)

IMAGE = {"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"image/png")]}
HEARD = contextvars.ContextVar("HEARD", default="nobody")


class PlantedError(Exception):
    """The site's own."""


def failing(*messages: Any) -> App:
    """A site that says this, and then raises."""

    async def site(scope: Any, receive: Any, send: Any) -> None:
        for message in messages:
            await send({**message})
        raise PlantedError

    return site


@pytest.mark.parametrize(
    "messages",
    [
        [],
        [start()],
        [start(), body(b"<p>a</p>", more=True)],
        [start((b"content-length", b"99")), body(b"<p>a</p><div data-sl", more=True)],
        [start(), body(b"<p>a</p>", more=True), body(b"<div data-slot=hero>not closed", more=True)],
        [start(), body(b"<p>a</p>")],
        [start(status=206)],
        [start(status=206), body(b"<p>a</p><div", more=True)],
    ],
)
def test_an_error_of_the_site_cuts_the_page_where_it_was_cut(house: House, messages: list[Any]) -> None:
    site = failing(*messages)
    app, bare = house.wrap(site), house.run(tell(site, scope_of("/")))
    for headers in ([("range", "bytes=0-9")], [], []):
        told = house.run(tell(app, scope_of("/", headers=headers)))
        assert isinstance(told.error, PlantedError)
        assert [one for one in told.messages if "body" not in one["type"]] == bare.messages[:1]
        assert told.body == bare.body
        assert [one.get("more_body", False) for one in told.messages[-1:]] == [
            one.get("more_body", False) for one in bare.messages[-1:]
        ]


@pytest.mark.parametrize("messages", [[], [start()], [start(), body(b"<p>a</p><div", more=True)]])
def test_a_site_that_ends_without_an_end_ends_so(house: House, messages: list[Any]) -> None:
    told = house.ask(saying(*messages))
    assert told.error is None
    assert told.body == b"".join(one.get("body", b"") for one in messages)
    assert [one["type"] for one in told.messages] == [one["type"] for one in messages]


@pytest.mark.parametrize(
    "before",
    [
        [start()],
        [IMAGE, body(SLOT[:9], more=True)],
        [IMAGE, body(SLOT)],
        [start(), body(b"<p>a</p><div data-slot=hero>D", more=True)],
        [start(), body(b"<p>a</p>", more=True), body(SLOT[:9], more=True)],
        [start(), body(b"<p>a</p>")],
    ],
)
def test_a_second_head_is_the_servers_to_judge(house: House, before: list[Any]) -> None:
    messages = [*before, start(status=500), body(b"<p>It has failed", more=True), body(b"")]
    app, bare = house.wrap(saying(*messages)), house.run(tell(saying(*messages), scope_of("/")))
    for _ in range(2):
        told = house.run(tell(app, scope_of("/")))
        assert [one for one in told.messages if "body" not in one["type"]] == [messages[0], start(status=500)]
        assert told.body == bare.body


@pytest.mark.parametrize("parts", [[SLOT], [SEASON_SLOT], [b"<p>", SLOT], [b"<p>", SEASON_SLOT], [b"<p>", b"none"]])
def test_a_part_behind_the_end_is_the_servers_to_judge(house: House, parts: list[bytes]) -> None:
    *before, last = parts
    told = house.ask(saying(start(), *(body(one, more=True) for one in before), body(last), body(b"beyond", more=True)))
    assert told.error is None
    assert told.messages[-1] == body(b"beyond", more=True)


@pytest.mark.parametrize("slot", [SLOT, SEASON_SLOT, b"none"])
@pytest.mark.parametrize("more", [True, False])
def test_a_site_that_goes_on_when_the_client_has_left_is_told_so_each_time(
    house: House, slot: bytes, more: bool
) -> None:
    async def site(scope: Any, receive: Any, send: Any) -> None:
        await send(start())
        for message in (body(b"<p>", more=True), body(slot, more=more), body(b"<p>", more=True), body(b"<p>")):
            with suppress(OSError):
                await send(message)

    async def receive() -> Any:
        return GONE

    async def gone(message: Any) -> None:
        tried.append(message)
        raise OSError("the client has left")

    tried: list[Any] = []
    house.run(house.wrap(site)(scope_of(f"/?{LETTER}"), receive, gone))
    assert tried


def test_an_error_behind_the_page_changes_nothing_of_it(house: House) -> None:
    told = house.ask(failing(start(), body(SLOT)))
    assert isinstance(told.error, PlantedError)
    assert (told.body, len(told.messages)) == (FILLED, 2)


def test_our_own_failure_is_the_sites_own_page(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    rule_set = house.personalizer.rule_set
    assert rule_set is not None
    monkeypatch.setitem(rule_set.pages, "hero", "what is no page")  # type: ignore[arg-type]
    for messages in ([body(b"<p>" + SLOT)], [body(b"<p>", more=True), body(SLOT)]):
        told = house.ask(saying(start(), *messages))
        assert (told.status, told.body, told.error) == (200, b"<p>" + SLOT, None)


def test_a_cancelled_request_is_cancelled_in_the_site(house: House) -> None:
    async def run() -> list[str]:
        heard: list[str] = []
        waits = asyncio.Event()

        async def site(scope: Any, receive: Any, send: Any) -> None:
            await send(start())
            await send(body(b"<p>a</p>", more=True))
            try:
                waits.set()
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                heard.append("cancelled")
                raise
            finally:
                heard.append("cleaned up")

        request = asyncio.create_task(house.wrap(site)(scope_of("/"), nothing, into([])))  # type: ignore[arg-type]
        before = asyncio.all_tasks()
        await waits.wait()
        request.cancel()
        with pytest.raises(asyncio.CancelledError):
            await request
        assert asyncio.all_tasks() <= before
        return heard

    assert house.run(run()) == ["cancelled", "cleaned up"]


async def nothing() -> Any:
    """A client that says nothing more."""
    await asyncio.Event().wait()


def into(messages: list[Any]) -> Any:
    """A server that keeps what it is told."""

    async def send(message: Any) -> None:
        messages.append(message)

    return send


@pytest.mark.parametrize("after", [0, 1, 2, 3])
def test_a_server_that_says_that_the_client_has_left_is_heard_by_the_site(house: House, after: int) -> None:
    async def run() -> tuple[list[str], int]:
        heard: list[str] = []
        sent: list[Any] = []

        async def send(message: Any) -> None:
            if len(sent) >= after:
                raise OSError("gone")
            sent.append(message)

        async def site(scope: Any, receive: Any, send: Any) -> None:
            try:
                await send(start())
                for _ in range(4):
                    await send(body(SLOT, more=True))
                    await asyncio.sleep(0.03)
                await send(body(b""))
            except OSError:
                heard.append("gone")
                raise

        with pytest.raises(OSError, match="gone"):
            await house.wrap(site)(scope_of("/"), nothing, send)  # type: ignore[arg-type]
        return heard, house.personalizer.ingest.waiting

    assert house.run(run()) == (["gone"], 0)


def test_what_the_client_says_is_the_sites_alone_to_read(house: House) -> None:
    async def site(scope: Any, receive: Any, send: Any) -> None:
        heard = [await receive() for _ in range(3)]
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send(body(repr(heard).encode()))

    said = [{**EMPTY, "body": b"a", "more_body": True}, {**EMPTY, "body": b"b"}, GONE]
    scope = scope_of("/", method="POST")
    assert house.run(tell(house.wrap(site), scope, said)).body == repr(said).encode()


def test_who_looks_is_asked_before_the_response_is_over(house: House, caplog: pytest.LogCaptureFixture) -> None:
    seen: list[Any] = []

    async def site(scope: Any, receive: Any, send: Any) -> None:
        seen.append(page_view_of(scope))
        await saying(IMAGE, body(b""))(scope, receive, send)

    house.run(tell(house.wrap(site), scope_of("/", user=SimpleNamespace(is_authenticated=True, identity="7"))))
    assert seen[0].identity.user_id is None
    assert [record.message for record in caplog.records if "was first asked for behind its response" in record.message]


def test_work_behind_the_page_does_not_hold_it_back(house: House) -> None:
    async def run() -> None:
        worked, sent = asyncio.Event(), []

        async def home(request: Request) -> Response:
            return HTMLResponse(SLOT, background=BackgroundTask(worked.wait))

        app = house.wrap(Starlette(routes=[Route("/", home)]))
        request = asyncio.create_task(app(scope_of(f"/?{LETTER}"), nothing, into(sent)))  # type: ignore[arg-type]
        while len(sent) < 2:
            await asyncio.sleep(0)
        assert sent[-1]["body"] == FILLED
        worked.set()
        await request

    house.run(run())


def test_what_a_server_has_set_in_its_context_is_seen_by_sync_and_async_code(house: House) -> None:
    def in_a_thread(request: Request) -> Response:
        return PlainTextResponse(HEARD.get())

    async def on_the_loop(request: Request) -> Response:
        return PlainTextResponse(HEARD.get())

    app = house.wrap(Starlette(routes=[Route("/thread", in_a_thread), Route("/loop", on_the_loop)]))

    async def run() -> None:
        HEARD.set("somebody")
        for path in ("/thread", "/loop"):
            assert (await tell(app, scope_of(path))).body == b"somebody"

    house.run(run())


def test_fifty_at_once_see_each_their_own(house: House) -> None:
    def in_a_thread(request: Request) -> Response:
        return HTMLResponse(f"{SLOT.decode()}<p>{request.url.query} {request.state.page_view.notice.fields['source']}")

    async def on_the_loop(request: Request) -> Response:
        await asyncio.sleep(0.001)
        return in_a_thread(request)

    app = house.wrap(Starlette(routes=[Route("/thread", in_a_thread), Route("/loop", on_the_loop)]))

    async def ask(number: int) -> None:
        source = "newsletter" if number % 2 else f"source{number}"
        path = ("/thread", "/loop")[number // 2 % 2]
        told = await tell(app, scope_of(f"{path}?utm_source={source}"))
        shown = FILLED if number % 2 else SLOT
        assert told.body == shown + f"<p>utm_source={source} {source}".encode()

    async def run() -> None:
        await asyncio.gather(*(ask(number) for number in range(50)))

    house.run(run())


# Where it stands --------------------------------------------------------------------------------------------


def test_wrapped_twice_is_wrapped_once(house: House) -> None:
    site = page(SLOT, (b"cache-control", b"public"))
    twice = PersonalizeMiddleware(house.wrap(site), house.personalizer)
    for headers in ([], [("if-none-match", '"a"')]):
        scope = scope_of(f"/?{LETTER}", headers=headers)
        assert house.run(tell(twice, scope)).messages == house.run(tell(house.wrap(site), scope)).messages


def test_inside_of_another_installation_slot_tags_leave_no_marks(
    house: House, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """A part of a site that has a desk of its own: the two have other keys, and so other marks."""
    environment = Environment(autoescape=True)

    async def site(scope: Any, receive: Any, send: Any) -> None:
        text = environment.from_string('{% slot "hero" %}ours{% endslot %}').render().encode()
        await page(text + SLOT)(scope, receive, send)

    inner = wrap(site, desk_settings(tmp_path, secret_keys=["of the other installation, and long enough"]))
    inner.teach(environment)
    for _ in range(2):
        assert house.ask(inner).body == b"ours" + FILLED
    said = "another installation, with other keys, is wrapped around this one: it alone fills slots"
    assert caplog.messages.count(said) == 1


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_site_may_own_addresses_under_our_prefix(house: House, method: str) -> None:
    site = page(b"the site's own")
    for path in ("/_personalize/theirs", "/_personalize", "/_personalizer"):
        told = house.ask(site, path, method=method)
        assert (told.status, told.body) == (200, b"the site's own"), path


def test_under_a_prefix_of_the_server_ours_and_the_sites_addresses_work(house: House) -> None:
    async def home(request: Request) -> Response:
        return HTMLResponse(SLOT.decode() + request.state.page_view.notice.action)

    app = house.wrap(Starlette(routes=[Route("/", home), Mount("/mk", routes=[Route("/", home)])]))
    for path in ("/app/", "/app/mk/"):
        told = house.run(tell(app, scope_of(f"{path}?{LETTER}", root_path="/app")))
        assert told.body == FILLED + b"/app/_personalize/consent"
    health = house.run(tell(app, scope_of("/app/_personalize/health", root_path="/app")))
    assert health.status == 200


def test_inside_of_compression_parts_leave_as_they_come(house: House) -> None:
    async def run() -> None:
        go, sent = asyncio.Event(), []

        async def site(scope: Any, receive: Any, send: Any) -> None:
            await send(start())
            await send(body(b"<p>a</p>" + SLOT, more=True))
            await go.wait()
            await send(body(b"<p>b</p>"))

        app = GZipMiddleware(house.wrap(site))
        scope = scope_of(f"/?{LETTER}", headers=[("accept-encoding", "gzip")])
        request = asyncio.create_task(app(scope, nothing, into(sent)))  # type: ignore[arg-type]
        while len(sent) < 2:
            await asyncio.sleep(0.001)
        go.set()
        await request
        assert sent[0]["headers"] and (b"content-encoding", b"gzip") in sent[0]["headers"]

    house.run(run())


def test_as_a_middleware_of_starlette_it_fills(house: House) -> None:
    async def home(request: Request) -> Response:
        return HTMLResponse(SLOT.decode())

    app = Starlette(
        routes=[Route("/", home)],
        middleware=[Middleware(GZipMiddleware), Middleware(PersonalizeMiddleware, house.personalizer)],
    )
    assert house.run(tell(app, scope_of(f"/?{LETTER}"))).body == FILLED


@pytest.mark.parametrize("path", ["/inside/a", "/inside/thread"])
def test_pages_that_leave_untouched_have_slot_tags_without_marks(tmp_path: Path, path: str) -> None:
    environment = Environment(autoescape=True)
    template = environment.from_string("")

    def page_of(request: Request) -> Response:
        return HTMLResponse(template.render())

    async def on_the_loop(request: Request) -> Response:
        return page_of(request)

    app = Starlette(routes=[Route("/", page_of), Route("/inside/a", on_the_loop), Route("/inside/thread", page_of)])
    with open_house(tmp_path, excluded=["/inside/*"]) as house:
        wrapped = house.wrap(app)
        wrapped.teach(environment)
        template = environment.from_string("<p>a</p>{% slot 'hero' %}D{% endslot %}{{ slot('row', 'none') }}")
        assert house.run(tell(wrapped, scope_of(path))).body == b"<p>a</p>Dnone"
        assert house.run(tell(wrapped, scope_of(f"/?{LETTER}"))).body == b"<p>a</p><b>From the letter</b>none"
