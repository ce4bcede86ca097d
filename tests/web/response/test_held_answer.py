"""What tells nothing of a page's slots (not modified, a range, a head alone) is right from the first visit on."""

import asyncio
from contextvars import ContextVar
from pathlib import Path
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.responses import HTMLResponse
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from tests.web.house import EMPTY, FILLED, GONE, HTML, LETTER, SLOT, App, House, Told, page, scope_of, start, tell

PLAIN = b"<!doctype html><p>nothing here</p>" + b"x" * 300
SLOTTED = b"<!doctype html>" + SLOT + b"y" * 300
BROWSER = "text/html,application/xhtml+xml,*/*;q=0.8"


@pytest.fixture(autouse=True)
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """A busy machine may take longer than a visitor would wait."""
    monkeypatch.setattr("personalize.web.response.asking_again.LONGEST_ASK_SECONDS", 10.0)


@pytest.fixture
def files(tmp_path: Path) -> App:
    """A site of static files."""
    (tmp_path / "index.html").write_bytes(SLOTTED)
    (tmp_path / "plain.html").write_bytes(PLAIN)
    (tmp_path / "logo.png").write_bytes(b"\x89PNG" + SLOT * 20)
    (tmp_path / "bare").write_bytes(SLOT * 20)
    return Starlette(routes=[Mount("/", StaticFiles(directory=tmp_path, html=True))])


def bare(house: House, site: App, path: str, **request: Any) -> Told:
    """What the site answers without us."""
    return house.run(tell(site, scope_of(path, **request)))


def conditions(house: House, site: App, path: str) -> list[list[tuple[str, str]]]:
    """What a browser that holds the site's own copy asks with."""
    told = bare(house, site, path)
    etag, modified = (told.header(name) for name in ("etag", "last-modified"))
    assert etag is not None and modified is not None
    return [
        [("if-none-match", etag.decode())],
        [("If-Modified-Since", modified.decode())],
        [("range", "bytes=0-99")],
        [("Range", "bytes=0-99"), ("If-Range", etag.decode())],
        [("range", "bytes=0-99"), ("if-none-match", etag.decode())],
    ]


@pytest.mark.parametrize("accept", [BROWSER, "*/*", None])
def test_a_page_with_slots_is_never_the_copy_that_a_browser_holds(house: House, files: App, accept: str | None) -> None:
    for headers in conditions(house, files, "/"):
        app = house.wrap(files)
        for _ in range(2):
            told = house.run(tell(app, scope_of(f"/?{LETTER}", headers=headers, accept=accept)))
            assert (told.status, told.error) == (200, None)
            assert told.body == SLOTTED.replace(SLOT, FILLED)
            assert (told.header("etag"), told.header("last-modified"), told.header("accept-ranges")) == (None,) * 3
            assert told.header("cache-control") == b"private, no-store"


@pytest.mark.parametrize("accept", [BROWSER, "*/*", None])
@pytest.mark.parametrize("path", ["/plain.html", "/logo.png", "/bare"])
def test_a_page_without_slots_and_a_file_are_not_modified_and_have_ranges(
    house: House, files: App, path: str, accept: str | None
) -> None:
    for headers in [*conditions(house, files, path), [("range", "bytes=9999-")], [("if-match", '"x"')]]:
        app = house.wrap(files)
        for _ in range(3):
            request = scope_of(path, headers=headers, accept=accept)
            assert house.run(tell(app, request)).messages == house.run(tell(files, request)).messages


def test_after_a_visit_the_site_is_asked_but_once(house: House, files: App) -> None:
    asked: list[str] = []

    async def counting(scope: Any, receive: Any, send: Any) -> None:
        asked.append(scope["path"])
        await files(scope, receive, send)

    app = house.wrap(counting)
    for path in ("/plain.html", "/"):
        [if_none_match, *_] = conditions(house, files, path)
        house.run(tell(app, scope_of(path)))
        house.run(tell(app, scope_of(path, headers=if_none_match)))
    assert asked == ["/plain.html"] * 2 + ["/"] * 2


def test_only_what_may_be_a_page_is_asked_for_again(house: House, files: App) -> None:
    asked: list[str] = []

    async def counting(scope: Any, receive: Any, send: Any) -> None:
        asked.append(scope["path"])
        await files(scope, receive, send)

    [if_none_match, *_] = conditions(house, files, "/bare")
    for headers, accept in (
        ([("sec-fetch-dest", "image")], "image/*,*/*;q=0.8"),
        ([("sec-fetch-dest", "script")], "*/*"),
        ([], "application/json"),
    ):
        asked.clear()
        app = house.wrap(counting)
        house.run(tell(app, scope_of("/bare", headers=[*headers, *if_none_match], accept=accept)))
        assert asked == ["/bare"]


def test_a_head_promises_what_get_keeps(house: House, files: App) -> None:
    for fresh in (True, False):
        app = house.wrap(files)
        if not fresh:
            house.run(tell(app, scope_of("/")))
        told = house.run(tell(app, scope_of(f"/?{LETTER}", method="HEAD")))
        assert (told.status, told.body) == (200, b"")
        assert not {"content-length", "etag", "last-modified"} & {name.decode().lower() for name, _ in told.headers}
        assert told.header("cache-control") == b"private, no-store"
        request = scope_of("/plain.html", method="HEAD")
        assert house.run(tell(app, request)).messages == house.run(tell(files, request)).messages


@pytest.mark.parametrize("data", [SLOTTED, PLAIN])
def test_a_head_that_carries_the_whole_body_of_get(house: House, data: bytes) -> None:
    site = page(data, (b"etag", b'"a"'), (b"cache-control", b"public"))
    told = house.ask(site, method="HEAD", headers=[("cookie", "pz_consent=measure.personalize")])
    if data == PLAIN:
        assert told.messages == bare(house, site, "/", method="HEAD").messages
    else:
        assert told.body == b""
        assert (told.header("content-length"), told.header("etag")) == (None, None)
        assert told.header("cache-control") == b"private, no-store"
        assert told.all("set-cookie") == []


def test_of_a_page_with_slots_no_server_can_work_out_the_sites_own_length(house: House) -> None:
    """granian tells the length of what it is given for HEAD."""
    app = house.wrap(page(SLOTTED))
    for _ in range(2):
        assert house.run(tell(app, scope_of(method="HEAD"))).body == b""


def test_a_head_counts_nothing(house: House, files: App) -> None:
    before = dict(house.personalizer.health.slots.get("hero", {}))
    house.run(tell(house.wrap(files), scope_of(f"/?{LETTER}", method="HEAD")))
    assert dict(house.personalizer.health.slots.get("hero", {})) == before


def test_a_new_rule_set_is_looked_for_afresh(house: House) -> None:
    """A page whose slot is unknown now may have one after the next publishing."""
    data = b'<div data-slot="later">D</div>'
    site = page(data, (b"etag", b'"a"'))
    app = house.wrap(site)
    assert house.run(tell(app, scope_of("/"))).header("etag") == b'"a"'
    rule_set = house.personalizer.rule_set
    assert rule_set is not None
    assert app._site.paths.has_slots("/", rule_set.version) is False
    assert app._site.paths.has_slots("/", "another") is None


def test_a_client_that_has_left_is_not_served_again(house: House) -> None:
    asked: list[str] = []

    async def site(scope: Any, receive: Any, send: Any) -> None:
        asked.append(scope["method"])
        await receive()
        await receive()
        await send({"type": "http.response.start", "status": 304, "headers": []})
        await send({"type": "http.response.body"})

    told = house.run(tell(house.wrap(site), scope_of("/", accept=BROWSER), [EMPTY, GONE]))
    assert asked == ["GET"]
    assert [one["type"] for one in told.messages] == ["http.response.start", "http.response.body"]


def test_a_site_that_fails_when_it_is_asked_again_fails_as_without_us(house: House) -> None:
    async def site(scope: Any, receive: Any, send: Any) -> None:
        if not any(name == b"if-none-match" for name, _ in scope["headers"]):
            raise RuntimeError("the site's own")
        await send({"type": "http.response.start", "status": 304, "headers": []})
        await send({"type": "http.response.body"})

    told = house.ask(site, headers=[("if-none-match", '"a"')])
    assert isinstance(told.error, RuntimeError) or told.status == 304


def test_the_sites_own_routes_answer_head_as_they_do(house: House) -> None:
    app = Starlette(routes=[Route("/", lambda request: HTMLResponse(PLAIN.decode()))])
    request = scope_of("/", method="HEAD")
    assert house.run(tell(house.wrap(app), request)).messages == house.run(tell(app, request)).messages


@pytest.mark.parametrize(("method", "headers"), [("HEAD", []), ("GET", [("if-none-match", '"a"')])])
@pytest.mark.parametrize("has_slots", [False, True])
def test_a_page_that_never_ends_is_not_waited_for(
    house: House, method: str, headers: list[tuple[str, str]], has_slots: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is only looked at is ended when all is known; a page that leaves in place of an answer may go on."""
    monkeypatch.setattr("personalize.web.response.asking_again.LONGEST_ASK_SECONDS", 0.2)
    cleaned_up: list[str] = []

    async def site(scope: Any, receive: Any, send: Any) -> None:
        if scope["method"] == "HEAD" or any(name == b"if-none-match" for name, _ in scope["headers"]):
            status = 200 if scope["method"] == "HEAD" else 304
            await send({"type": "http.response.start", "status": status, "headers": [HTML, (b"etag", b'"a"')]})
            await send({"type": "http.response.body"})
            return
        await send({"type": "http.response.start", "status": 200, "headers": [HTML]})
        try:
            for _ in range(25 if has_slots else 10_000):
                await send({"type": "http.response.body", "body": SLOT if has_slots else b"<p>", "more_body": True})
                await asyncio.sleep(0.01)
            await send({"type": "http.response.body"})
        finally:
            cleaned_up.append(scope["method"])

    async def timed() -> tuple[Told, float]:
        loop = asyncio.get_running_loop()
        began = loop.time()
        told = await tell(house.wrap(site), scope_of("/", method=method, headers=headers))
        return told, loop.time() - began

    told, seconds = house.run(timed())
    assert (told.error, cleaned_up, seconds < 1) == (None, ["GET"], True)
    if method == "GET":
        assert (told.status, told.body) == ((200, SLOT * 25) if has_slots else (304, b""))
    else:
        assert (told.header("etag") is None) is has_slots


@pytest.mark.parametrize(("method", "headers"), [("HEAD", []), ("GET", [("if-none-match", '"a"')])])
@pytest.mark.parametrize("data", [SLOTTED, PLAIN])
def test_what_a_site_does_behind_its_answer_is_not_waited_for(
    house: House, method: str, headers: list[tuple[str, str]], data: bytes
) -> None:
    """Background work goes on as it would without us, also where it ends with the connection."""
    told, answered, asking, background = Told(), asyncio.Event(), [EMPTY], []

    async def site(scope: Any, receive: Any, send: Any) -> None:
        await receive()
        is_page = scope["method"] == "GET" and not any(name == b"if-none-match" for name, _ in scope["headers"])
        status = 200 if is_page or method == "HEAD" else 304
        await send({"type": "http.response.start", "status": status, "headers": [HTML]})
        await send({"type": "http.response.body", "body": data if is_page else b""})
        background.append(await receive())

    async def receive() -> Any:
        if asking:
            return asking.pop()
        await answered.wait()
        return GONE

    async def send(message: Any) -> None:
        told.messages.append(message)
        if message["type"] == "http.response.body" and not message.get("more_body", False):
            answered.set()

    house.run(asyncio.wait_for(house.wrap(site)(scope_of(method=method, headers=headers), receive, send), 10))
    assert background == [GONE, GONE]
    if method == "HEAD":
        assert (told.header("cache-control") == b"private, no-store") is (data == SLOTTED)
    else:
        assert told.status == (200 if data == SLOTTED else 304)


@pytest.mark.parametrize("fails", [False, True])
def test_of_the_first_request_nothing_is_left_for_the_second(house: House, fails: bool) -> None:
    """A site that keeps a session of its database for each request must not use one that it has closed."""
    session: ContextVar[str | None] = ContextVar("session", default=None)
    left: list[tuple[str | None, object]] = []

    async def site(scope: Any, receive: Any, send: Any) -> None:
        left.append((session.get(), scope["state"].get("session")))
        session.set("closed")
        scope["state"]["session"] = "closed"
        if any(name == b"if-none-match" for name, _ in scope["headers"]):
            await send({"type": "http.response.start", "status": 304, "headers": []})
            await send({"type": "http.response.body"})
            if fails:
                await asyncio.sleep(0.1)  # beside it the page is asked for, and leaves
                raise RuntimeError("the site's own")
        else:
            await send(start())
            await send({"type": "http.response.body", "body": SLOTTED})

    told = house.ask(site, headers=[("if-none-match", '"a"')])
    assert left == [(None, None), (None, None)]
    assert told.body == SLOTTED.replace(SLOT, FILLED)
    assert isinstance(told.error, RuntimeError) is fails


def test_a_request_that_is_given_up_takes_along_what_was_asked_beside_it(house: House) -> None:
    ended: list[str] = []

    async def site(scope: Any, receive: Any, send: Any) -> None:
        is_first = any(name == b"if-none-match" for name, _ in scope["headers"])
        try:
            if is_first:
                await send({"type": "http.response.start", "status": 304, "headers": []})
                await send({"type": "http.response.body"})
            await asyncio.Event().wait()
        finally:
            ended.append("first" if is_first else "second")

    async def given_up() -> None:
        request = asyncio.create_task(tell(house.wrap(site), scope_of(headers=[("if-none-match", '"a"')])))
        await asyncio.sleep(0.2)
        request.cancel()
        await asyncio.wait({request})

    house.run(given_up())
    assert ended == ["first", "second"]
