"""A site behind the proxy, over sockets: its pages are filled, and it is asked what the visitor asked."""

import asyncio
from pathlib import Path

import pytest

from personalize.web.asgi import Message
from personalize.web.proxy.proxy import Proxy
from tests.web.proxied import Visit, answers, over_sockets, proxied, unchunked, with_answer

PAGE = b'<!doctype html><title>Shop</title><div data-slot="season"><p>Default</p></div><p>the end</p>'
HTML = "content-type: text/html"


async def shop(visit: Visit) -> None:
    while True:
        await visit.request()
        await visit.answer(PAGE, HTML)


# --- pages are filled, all else passes


@over_sockets
async def test_a_page_of_another_server_is_filled(tmp_path: Path) -> None:
    async with proxied(tmp_path, shop) as site:
        line, headers, body = await site.get("/")
        assert line == "HTTP/1.1 200 OK"
        assert b"The season" in body and b"the end" in body and b"Default" not in body
        assert f"content-length: {len(body)}\r\n" in headers


@over_sockets
async def test_a_page_in_many_parts_has_its_last_slot_filled_the_first_time(tmp_path: Path) -> None:
    async def slowly(visit: Visit) -> None:
        await visit.request()
        await visit.send(f"HTTP/1.1 200 OK\r\n{HTML}\r\ncontent-length: {len(PAGE) + 9000}\r\n\r\n".encode())
        for _ in range(3):
            await visit.send(b"<p>x</p> " * 334 if _ < 2 else b"<p>x</p> " * 332)
            await asyncio.sleep(0.001)
        await visit.send(PAGE)

    async with proxied(tmp_path, slowly) as site:
        assert b"The season" in (await site.get("/"))[2]


@over_sockets
async def test_a_page_that_is_streamed_arrives_as_it_comes(tmp_path: Path) -> None:
    gate = asyncio.Event()

    async def streaming(visit: Visit) -> None:
        await visit.request()
        await visit.send(f"HTTP/1.1 200 OK\r\n{HTML}\r\ntransfer-encoding: chunked\r\n\r\n".encode())
        await visit.send(b"11\r\n<p>first part</p>\r\n")
        await gate.wait()
        await visit.send(b"12\r\n<p>second part</p>\r\n0\r\n\r\n")

    async with proxied(tmp_path, streaming) as site, site.client() as client:
        await client.send(b"GET / HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n")
        assert b"chunked" in await client.head()
        first = await client.exactly(len(b"11\r\n<p>first part</p>\r\n"))
        gate.set()
        assert unchunked(first + await client.rest()) == b"<p>first part</p><p>second part</p>"


@over_sockets
async def test_a_server_that_is_asked_for_a_page_is_asked_for_one_that_can_be_read(tmp_path: Path) -> None:
    async with proxied(tmp_path, answers) as site:
        await site.get("/", "accept: text/html", "accept-encoding: gzip, dcb")
        await site.get("/a.css", "accept: text/css", "accept-encoding: gzip, dcb")
        page, style = site.asked
        assert (page.one("accept-encoding"), style.one("accept-encoding")) == ("gzip", "gzip, dcb")


@over_sockets
async def test_a_compressed_body_passes_undecoded(tmp_path: Path) -> None:
    squeezed = bytes(range(256)) * 40
    reply = f"HTTP/1.1 200 OK\r\ncontent-type: text/css\r\ncontent-encoding: gzip\r\ncontent-length: {len(squeezed)}"
    async with proxied(tmp_path, with_answer(f"{reply}\r\n\r\n".encode() + squeezed)) as site:
        _, headers, body = await site.get("/a.css", "accept-encoding: gzip")
        assert body == squeezed and "content-encoding: gzip" in headers


# --- what the upstream is asked


TARGETS = [
    *("/", "/a%2Fb", "/a%2fb", "//a//b", "/a;b=1;c", "/%C3%A9", "/%00", "/a/../b", "/./", "/a%3Fb"),
    *("/a?b=c", "/a?b=%20+c&&d", "/a??", "/a?b=c/../d", "/a?[x]=|", "/'\"<>", "/~!$&'()*+,=:@", "/%zz"),
]


@over_sockets
async def test_every_target_arrives_byte_for_byte(tmp_path: Path) -> None:
    async with proxied(tmp_path, answers) as site:
        for target in TARGETS:
            await site.get(target)
        assert [asked.line for asked in site.asked] == [f"GET {target} HTTP/1.1" for target in TARGETS]
        # The server that we run in says nothing of a lone question mark.
        await site.get("/a?")
        assert site.asked[-1].line == "GET /a HTTP/1.1"


async def driven(proxy: Proxy, path: str, query: bytes = b"") -> list[Message]:
    """What the proxy says to a server that keeps no raw path, and has no more to say once it has the whole answer."""
    scope = {"type": "http", "method": "GET", "path": path, "query_string": query, "headers": []}
    heard = asyncio.Queue[Message]()
    heard.put_nowait({"type": "http.request"})
    said: list[Message] = []

    async def send(message: Message) -> None:
        if not message.get("more_body", True):
            heard.put_nowait({"type": "http.disconnect"})
            await asyncio.sleep(0.01)
        said.append(message)

    await proxy(scope, heard.get, send)
    return said


async def ended(proxy: Proxy) -> None:
    """Let a proxy know that all is over."""
    heard = asyncio.Queue[Message]()
    said: list[str] = []

    async def send(message: Message) -> None:
        said.append(message["type"])

    for word in ("startup", "shutdown"):
        heard.put_nowait({"type": f"lifespan.{word}"})
    await proxy({"type": "lifespan"}, heard.get, send)
    assert said == ["lifespan.startup.complete", "lifespan.shutdown.complete"]


@over_sockets
async def test_a_server_that_keeps_no_raw_path_has_it_encoded_anew(tmp_path: Path) -> None:
    async with proxied(tmp_path, answers) as site:
        proxy = Proxy(f"http://127.0.0.1:{site.upstream_port}")
        said = await driven(proxy, "/a b/\xe9?;c", b"d=e")
        assert site.asked[0].line == "GET /a%20b/%C3%A9%3F;c?d=e HTTP/1.1"
        assert (said[0]["status"], said[1]["body"]) == (200, b"ok")
        await ended(proxy)


@over_sockets
async def test_an_answer_that_was_wholly_sent_was_not_left(tmp_path: Path) -> None:
    async with proxied(tmp_path, answers) as site:
        proxy = Proxy(f"http://127.0.0.1:{site.upstream_port}")
        for number in range(3):
            assert not (await driven(proxy, f"/{number}"))[-1]["more_body"]
        assert site.accepted == 1
        await ended(proxy)


@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE", "PROPFIND"])
@over_sockets
async def test_methods_arrive_as_they_are(tmp_path: Path, method: str) -> None:
    async with proxied(tmp_path, answers) as site:
        line, _, _ = await site.ask(f"{method} /a HTTP/1.1")
        assert line == "HTTP/1.1 200 OK"
        assert site.asked[0].line == f"{method} /a HTTP/1.1"
        assert site.asked[0].one("transfer-encoding") is None


@over_sockets
async def test_options_of_the_whole_server_are_asked_for(tmp_path: Path) -> None:
    async with proxied(tmp_path, answers) as site:
        await site.ask("OPTIONS * HTTP/1.1")
        assert site.asked[0].line == "OPTIONS * HTTP/1.1"


@over_sockets
async def test_what_shows_a_request_to_others_or_opens_a_tunnel_is_refused(tmp_path: Path) -> None:
    async with proxied(tmp_path, answers) as site:
        line, _, _ = await site.ask("TRACE / HTTP/1.1")
        assert line == "HTTP/1.1 501 Not Implemented"
        assert site.asked == []


@over_sockets
async def test_headers_of_the_connection_end_here_and_all_others_arrive_in_order(tmp_path: Path) -> None:
    async with proxied(tmp_path, answers) as site:
        await site.ask(
            "GET / HTTP/1.1\r\nhost: shop.example:81\r\nX-One: 1\r\nx-two: 2\r\nX-ONE: again\r\n"
            "keep-alive: timeout=5\r\nproxy-connection: keep-alive\r\nte: trailers\r\nx-secret: 1\r\n"
            "proxy: http://evil\r\nproxy-authorization: Basic x\r\nx-empty:\r\nx-latin: \xe6\xf8\r\n"
            "connection: x-secret, host, x-forwarded-for, content-length"
        )
        asked = site.asked[0]
        names = [name for name, _ in asked.headers]
        for gone in ("connection", "keep-alive", "proxy-connection", "te", "x-secret", "proxy"):
            assert gone not in names
        assert "proxy-authorization" not in names
        assert asked.all("x-one") == ["1", "again"]
        assert asked.one("host") == "shop.example:81"
        assert asked.one("x-forwarded-for") == "127.0.0.1"
        assert asked.one("x-latin") == "\xe6\xf8"
        assert asked.one("via") == "1.1 personalize"
        assert names.index("x-one") < names.index("x-two")


@over_sockets
async def test_another_host_can_be_asked_for(tmp_path: Path) -> None:
    async with proxied(tmp_path, answers, host="inner.example") as site:
        await site.get("/")
        assert site.asked[0].one("host") == "inner.example"
        assert site.asked[0].one("x-forwarded-host") == "shop.example"


@over_sockets
async def test_a_client_of_http_1_0_without_a_host_is_served(tmp_path: Path) -> None:
    async with proxied(tmp_path, answers) as site, site.client() as client:
        await client.send(b"GET / HTTP/1.0\r\n\r\n")
        assert (await client.rest()).endswith(b"ok")
        assert site.asked[0].one("host") == f"127.0.0.1:{site.upstream_port}"


@pytest.mark.parametrize(
    ("trusted", "seen"),
    [
        ((), {"x-forwarded-for": "127.0.0.1", "x-forwarded-proto": "http", "x-forwarded-host": "shop.example"}),
        (
            ("127.0.0.1",),
            {
                "x-forwarded-for": "203.0.113.7, 127.0.0.1",
                "x-forwarded-proto": "https",
                "x-forwarded-host": "outer.example",
            },
        ),
    ],
)
@over_sockets
async def test_who_the_visitor_is_said_to_be_is_believed_from_trusted_servers_alone(
    tmp_path: Path, trusted: tuple[str, ...], seen: dict[str, str]
) -> None:
    async with proxied(tmp_path, answers, trusted=trusted) as site:
        await site.get(
            "/",
            "X-Forwarded-For: 203.0.113.7",
            "x-forwarded-proto: https",
            "x-forwarded-host: outer.example",
            "x-real-ip: 203.0.113.7",
        )
        asked = site.asked[0]
        assert {name: asked.one(name) for name in seen} == seen
        assert asked.one("x-real-ip") == ("203.0.113.7" if trusted else None)
        assert ("203.0.113.7" in (asked.one("forwarded") or "")) == bool(trusted)


@over_sockets
async def test_websockets_are_refused_in_words(tmp_path: Path) -> None:
    handshake = (
        b"GET /socket HTTP/1.1\r\nhost: a\r\nconnection: upgrade\r\nupgrade: websocket\r\n"
        b"sec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
    )
    async with proxied(tmp_path, answers) as site, site.client() as client:
        await client.send(handshake)
        reply = await client.rest()
        assert reply.startswith(b"HTTP/1.1 501 Not Implemented\r\n")
        assert reply.endswith(b"\r\n\r\nWebSockets are not passed on by this proxy.\n")
        assert site.asked == []
