"""What is none of our business leaves message for message as the bare site sent it."""

import pytest

from personalize.web.response.response_head import ResponseHead
from tests.web.house import (
    FILLED,
    HTML,
    LETTER,
    SLOT,
    App,
    House,
    Told,
    body,
    page,
    saying,
    scope_of,
    start,
    tell,
)

VALIDATORS = ((b"ETag", b'"a"'), (b"Last-Modified", b"Sun, 22 Nov 2026 00:00:00 GMT"), (b"Accept-Ranges", b"bytes"))
PUBLIC = (b"Cache-Control", b"public, max-age=600")
COOKIES = ((b"Set-Cookie", b"a=1"), (b"X-Between", b"1"), (b"Set-Cookie", b"b=2"))


def bare(house: House, site: App, path: str = f"/?{LETTER}", **request: object) -> Told:
    """What the site answers without us."""
    return house.run(tell(site, scope_of(path, **request)))  # type: ignore[arg-type]


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "OPTIONS", "PROPFIND"])
@pytest.mark.parametrize("status", [200, 404, 503])
def test_a_page_without_slots(house: House, method: str, status: int) -> None:
    site = page(b"<p>caf\xc3\xa9</p>", *VALIDATORS, PUBLIC, *COOKIES, status=status)
    assert house.ask(site, method=method).messages == bare(house, site, method=method).messages


MEDIA_TYPES = """
application/json text/plain text/csv application/xhtml+xml image/svg+xml multipart/mixed;boundary=a text/event-stream
text/htmlish
"""
STATUSES = (204, 205, 206, 301, 302, 303, 304, 307, 308, 400, 401, 403, 404, 410, 416, 422, 500, 502, 503)


@pytest.mark.parametrize("media_type", ["", *MEDIA_TYPES.split()])
def test_a_slot_in_what_is_no_html(house: House, media_type: str) -> None:
    length = (b"content-length", str(len(SLOT)).encode())
    head = {"type": "http.response.start", "status": 200, "headers": [(b"Content-Type", media_type.encode()), length]}
    if not media_type:
        head["headers"] = [length]
    site = saying(head, body(SLOT))
    assert house.ask(site).messages == bare(house, site).messages


@pytest.mark.parametrize(
    "header",
    [
        (b"Content-Disposition", b'attachment; filename="a.html"'),
        (b"Cache-Control", b"public, NO-TRANSFORM"),
        (b"Content-Encoding", b"x-own"),
        (b"X-Accel-Redirect", b"/inside"),
        (b"X-Sendfile", b"/inside"),
    ],
)
def test_a_slot_in_a_page_that_is_not_to_be_changed(house: House, header: tuple[bytes, bytes]) -> None:
    site = page(SLOT, header, *VALIDATORS, PUBLIC)
    assert house.ask(site).messages == bare(house, site).messages


@pytest.mark.parametrize("status", STATUSES)
def test_a_slot_under_a_status_that_is_no_page(house: House, status: int) -> None:
    site = page(SLOT, *VALIDATORS, PUBLIC, status=status)
    assert house.ask(site).messages == bare(house, site).messages


def test_nothing_is_sent_where_the_proxy_sends_a_file(house: House) -> None:
    site = saying(start((b"X-Accel-Redirect", b"/file"), (b"content-length", b"0")), {"type": "http.response.body"})
    assert house.ask(site).messages == bare(house, site).messages


def test_checksums_of_the_old_bytes_go_and_all_else_stays_in_its_order(house: House) -> None:
    names = (b"Content-MD5", b"Digest", b"Content-Digest", b"Repr-Digest", b"Signature", b"signature-input")
    checksums = [(name, b"x") for name in names]
    told = house.ask(page(SLOT, *checksums, *COOKIES, *VALIDATORS, PUBLIC))
    assert told.body == FILLED
    assert told.headers == [
        HTML,
        (b"content-length", str(len(FILLED)).encode()),
        *COOKIES,
        (b"cache-control", b"private, no-store"),
    ]


MESSAGES_AROUND = (
    {"type": "http.response.early_hint", "links": [b"</a.css>; rel=preload"]},
    {"type": "http.response.push", "path": "/a.css", "headers": []},
    {"type": "http.response.debug", "info": {"template": object()}},
    {"type": "x.nobody.knows", "any": [1]},
)


def test_messages_that_are_no_head_and_no_body_pass_at_once_in_their_order(house: House) -> None:
    trailers = {"type": "http.response.trailers", "headers": [(b"x-sum", b"1")], "more_trailers": False}
    parts = (body(SLOT, more=True), body(b"<p>e"), trailers)
    site = saying(MESSAGES_AROUND[0], {**start(), "trailers": True}, *MESSAGES_AROUND[1:], *parts)
    told = house.ask(site)
    assert [one["type"] for one in told.messages if not one["type"].startswith("http.response.body")] == [
        "http.response.early_hint",
        "http.response.push",
        "http.response.debug",
        "x.nobody.knows",
        "http.response.start",
        "http.response.trailers",
    ]
    assert told.head["trailers"] is True
    assert told.messages[-1] == trailers
    assert told.body == FILLED + b"<p>e"


@pytest.mark.parametrize("more", [{"text": "hi"}, {"bytes": b"hi"}])
def test_a_socket(house: House, more: dict[str, object]) -> None:
    accept = {"type": "websocket.accept", "headers": [(b"X-A", b"1")]}
    messages = (accept, {"type": "websocket.send", **more}, {"type": "websocket.close"})
    site = saying(*messages)
    scope = scope_of(type="websocket", subprotocols=[])
    heard: list[object] = []

    async def noting(seen: object, receive: object, send: object) -> None:
        heard.append(seen)
        await site(seen, receive, send)  # type: ignore[arg-type]

    wrapped = house.run(tell(house.wrap(noting), scope))
    assert wrapped.messages == list(messages)
    assert heard == [scope]


def test_a_socket_that_is_refused_by_a_page(house: House) -> None:
    site = saying(
        {"type": "websocket.http.response.start", "status": 403, "headers": [HTML]},
        {"type": "websocket.http.response.body", "body": SLOT, "more_body": False},
    )
    scope = scope_of(type="websocket", subprotocols=[], extensions={"websocket.http.response": {}})
    assert house.run(tell(house.wrap(site), scope)).messages == house.run(tell(site, scope)).messages


def test_the_head_of_a_response_that_has_no_headers_at_all(house: House) -> None:
    site = saying({"type": "http.response.start", "status": 204}, {"type": "http.response.body"})
    assert house.ask(site).messages == bare(house, site).messages
    assert ResponseHead({}).headers == []


def test_what_other_sites_fetch_is_what_everybody_sees(house: House) -> None:
    site = page(b"<p>a</p>" + SLOT, PUBLIC)
    headers = [("sec-fetch-site", "cross-site"), ("sec-fetch-mode", "cors"), ("origin", "https://evil.example")]
    told = house.ask(site, headers=headers)
    assert told.body == b"<p>a</p>" + SLOT
    assert not [name for name, _ in told.headers if name.startswith(b"access-control")]
    assert told.header("cache-control") == b"private, no-store"


@pytest.mark.parametrize("path", ["/account/x.css", "/account;x.css", "/account%2fx.css", "/x.js", "/robots.txt"])
def test_what_an_address_looks_like_makes_no_page_public(house: House, path: str) -> None:
    told = house.ask(page(SLOT, PUBLIC), f"{path}?{LETTER}", headers=[("cookie", "pz_consent=measure.personalize")])
    assert told.header("cache-control") == b"private, no-store"
    assert told.body == FILLED


@pytest.mark.parametrize("path", ["/sw.js"])
def test_a_service_worker(house: House, path: str) -> None:
    head = {
        "type": "http.response.start",
        "status": 200,
        "headers": [(b"content-type", b"text/javascript"), *VALIDATORS],
    }
    site = saying(head, body(b"// " + SLOT))
    request = {"headers": [("service-worker", "script"), ("cookie", "pz_consent=measure.personalize")]}
    assert house.ask(site, path, **request).messages == bare(house, site, path, **request).messages
