"""One request and its answer, over sockets: what visitors get, whatever either side does."""

import asyncio
import hashlib
import logging
import os
import time
from pathlib import Path
from unittest.mock import ANY

import pytest

from tests.web.proxied import Asked, Proxied, Visit, answers, fronted, over_sockets, proxied, unchunked, with_answer

#: Long enough for a busy machine, short enough to wait for.
SHORT_SECONDS = 0.3


# --- bodies of requests


BODY = os.urandom(5_000_000)


@pytest.mark.parametrize("framing", ["length", "chunks"])
@over_sockets
async def test_five_megabytes_arrive_whole(tmp_path: Path, framing: str) -> None:
    async def digest(visit: Visit) -> None:
        asked = await visit.request()
        await visit.answer(hashlib.sha256(asked.body).hexdigest().encode())

    async with proxied(tmp_path, digest) as site:
        if framing == "length":
            _, _, body = await site.ask(f"PUT / HTTP/1.1\r\ncontent-length: {len(BODY)}", BODY)
        else:
            parts = [BODY[at : at + 70_001] for at in range(0, len(BODY), 70_001)]
            chunks = b"".join(b"%x\r\n%b\r\n" % (len(part), part) for part in parts) + b"0\r\n\r\n"
            _, _, body = await site.ask("POST / HTTP/1.1\r\ntransfer-encoding: chunked", chunks)
        assert body.decode() == hashlib.sha256(BODY).hexdigest()
        assert (site.asked[0].one("content-length") is None) == (framing == "chunks")


@pytest.mark.parametrize(("told", "body"), [("content-length: 0", b""), ("transfer-encoding: chunked", b"0\r\n\r\n")])
@over_sockets
async def test_an_empty_body_has_its_length(tmp_path: Path, told: str, body: bytes) -> None:
    async with proxied(tmp_path, answers) as site:
        await site.ask(f"POST / HTTP/1.1\r\n{told}", body)
        assert site.asked[0].one("content-length") == "0"
        assert site.asked[0].one("transfer-encoding") is None


@over_sockets
async def test_who_waits_to_be_told_to_go_on_is_told_here(tmp_path: Path) -> None:
    async with proxied(tmp_path, answers) as site, site.client() as client:
        await client.send(
            b"POST / HTTP/1.1\r\nhost: a\r\nexpect: 100-continue\r\ncontent-length: 4\r\nconnection: close\r\n\r\n"
        )
        assert await client.head() == b"HTTP/1.1 100 Continue\r\n\r\n"
        await client.send(b"four")
        assert (await client.rest()).endswith(b"ok")
        assert site.asked[0].body == b"four" and site.asked[0].one("expect") is None


@over_sockets
async def test_a_server_that_answers_before_it_has_read_the_body_is_heard(tmp_path: Path) -> None:
    async def refuses(visit: Visit) -> None:
        await visit.head()
        await visit.answer(b"too large", "connection: close", status="413 Content Too Large")

    async with proxied(tmp_path, refuses) as site, site.client() as client:
        await client.send(b"POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 9000000\r\n\r\n")
        for _ in range(40):
            client.writer.write(b"x" * 50_000)
            await asyncio.sleep(0.002)
        head = await client.head()
        assert head.startswith((b"HTTP/1.1 413", b"HTTP/1.1 502"))


@over_sockets
async def test_a_slow_upload_is_waited_for_and_a_silent_one_is_not(tmp_path: Path) -> None:
    async with proxied(tmp_path, answers, idle_seconds=SHORT_SECONDS) as site:
        async with site.client() as slow:
            await slow.send(b"POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 5\r\nconnection: close\r\n\r\n")
            for letter in b"hello":
                await asyncio.sleep(SHORT_SECONDS / 3)
                await slow.send(bytes([letter]))
            assert (await slow.rest()).endswith(b"ok")
        async with site.client() as silent:
            await silent.send(b"POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 5\r\n\r\nhe")
            reply = await silent.rest()
            assert reply.startswith(b"HTTP/1.1 408 ")


# --- what visitors get


@over_sockets
async def test_headers_of_a_response_pass_in_order_and_those_of_its_connection_do_not(tmp_path: Path) -> None:
    reply = (
        b"HTTP/1.1 200 Fine\r\nServer: Other/1.0\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\nSet-Cookie: a=1\r\n"
        b"SET-COOKIE: b=2; Path=/\r\nX-Latin: \xe6\r\nKeep-Alive: timeout=5\r\nUpgrade: h2c\r\nX-Mine: 1\r\n"
        b"Connection: X-Mine, Upgrade\r\nProxy-Authenticate: Basic\r\nContent-Length: 2\r\n\r\nok"
    )
    async with proxied(tmp_path, with_answer(reply)) as site:
        _, headers, _ = await site.get("/")
        assert headers == (
            "server: other/1.0\r\ndate: sun, 06 nov 1994 08:49:37 gmt\r\nset-cookie: a=1\r\n"
            "set-cookie: b=2; path=/\r\nx-latin: \xe6\r\ncontent-length: 2\r\nconnection: close\r\n"
        )


@over_sockets
async def test_a_header_that_no_server_would_send_costs_nobody_the_page(tmp_path: Path) -> None:
    reply = b"HTTP/1.1 200 OK\r\nset-cookie: a=\x01\r\nx-a: \x7f\r\nx-b: \xe9\t1\r\ncontent-length: 2\r\n\r\nok"
    async with proxied(tmp_path, with_answer(reply)) as site:
        line, headers, body = await site.get("/")
        assert (line, body) == ("HTTP/1.1 200 OK", b"ok")
        assert "x-b: \xe9\t1\r\n" in headers
        assert "set-cookie" not in headers and "x-a" not in headers


@over_sockets
async def test_a_response_without_a_date_gets_one(tmp_path: Path) -> None:
    async with proxied(tmp_path, answers) as site:
        _, headers, _ = await site.get("/")
        assert headers.count("\r\ndate: ") == 1


@pytest.mark.parametrize(
    ("reply", "line", "kept"),
    [
        (b"204 No Content\r\ncontent-length: 5", "204 No Content", ""),
        (b'304 Not Modified\r\netag: "x"\r\ncontent-length: 99', "304 Not Modified", 'etag: "x"\r\n'),
        (b"302 Found\r\nlocation: /b\r\ncontent-length: 0", "302 Found", "location: /b\r\ncontent-length: 0\r\n"),
    ],
)
@over_sockets
async def test_responses_without_a_body_have_none(tmp_path: Path, reply: bytes, line: str, kept: str) -> None:
    async with proxied(tmp_path, with_answer(b"HTTP/1.1 " + reply + b"\r\n\r\n")) as site:
        said, headers, body = await site.get("/")
        assert (said, body) == (f"HTTP/1.1 {line}", b"")
        assert headers.startswith(kept + "date: ")


@over_sockets
async def test_the_head_of_a_page_keeps_its_length_and_has_no_body(tmp_path: Path) -> None:
    reply = b"HTTP/1.1 200 OK\r\ncontent-type: text/css\r\ncontent-length: 1234\r\n\r\n"
    async with proxied(tmp_path, with_answer(reply)) as site:
        _, headers, body = await site.ask("HEAD /a.css HTTP/1.1")
        assert "content-length: 1234\r\n" in headers and body == b""


@pytest.mark.parametrize(
    ("method", "reply"),
    [
        ("GET", b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"),
        ("GET", b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n"),
        ("GET", b'HTTP/1.1 304 Not Modified\r\netag: "x"\r\n\r\n'),
        ("DELETE", b"HTTP/1.1 204 No Content\r\n\r\n"),
        ("HEAD", b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n"),
    ],
)
@pytest.mark.parametrize("more", [b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nother", b"</html>"])
@over_sockets
async def test_what_comes_behind_an_answer_is_never_the_answer_to_another_visitor(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, method: str, reply: bytes, more: bytes
) -> None:
    """A length that was counted in characters, or a body behind a HEAD, leaves bytes in the connection."""

    async def says_more(visit: Visit) -> None:
        while True:
            asked = await visit.request()
            if asked.line.startswith("POST"):
                await visit.answer()
            else:
                await visit.send(reply + more)

    async with proxied(tmp_path, says_more) as site:
        for _ in range(2):
            line, _, _ = await site.ask(f"{method} /?private=1 HTTP/1.1")
            assert line.split()[1] == reply.split()[1].decode()
            assert await site.ask("POST /buy HTTP/1.1\r\ncontent-length: 4", b"once") == (
                "HTTP/1.1 200 OK",
                ANY,
                b"ok",
            )
    assert f"{method} /: the upstream sent more than its answer; the rest was left out" in caplog.messages


@over_sockets
async def test_hints_in_advance_are_passed_over_and_the_answer_follows(tmp_path: Path) -> None:
    early = b"HTTP/1.1 103 Early Hints\r\nlink: </a.css>\r\n\r\n"
    async with proxied(tmp_path, with_answer(early + b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok")) as site:
        line, _, body = await site.get("/")
        assert (line, body) == ("HTTP/1.1 200 OK", b"ok")


@pytest.mark.parametrize(
    ("body", "headers"),
    [
        (b"5\r\nhello\r\n1;x=y\r\n!\r\n0\r\nx-trailer: 1\r\n\r\n", b"transfer-encoding: chunked"),
        (b"5\r\nhello\r\n1\r\n!\r\n0\r\n\r\n", b"content-length: 3\r\ntransfer-encoding: chunked"),
        (b"hello!", b"x-length: by the end of the connection"),
    ],
)
@over_sockets
async def test_a_body_arrives_whole_however_its_end_is_told(tmp_path: Path, body: bytes, headers: bytes) -> None:
    async with proxied(tmp_path, with_answer(b"HTTP/1.1 200 OK\r\n" + headers + b"\r\n\r\n" + body)) as site:
        _, told, found = await site.get("/")
        assert found == b"hello!"
        assert told.count("transfer-encoding") == 1 and "content-length" not in told


@pytest.mark.parametrize(
    ("location", "seen"),
    [
        ("http://127.0.0.1:{port}/login?a=b#c", "http://shop.example/login?a=b#c"),
        ("http://127.0.0.1:{port}", "http://shop.example/"),
        ("http://127.0.0.1:{port}//evil.example", "http://shop.example//evil.example"),
        ("http://127.0.0.1:{port}?a", "http://shop.example/?a"),
        ("http://127.0.0.1:{port}.evil.example/", "http://127.0.0.1:{port}.evil.example/"),
        ("http://127.0.0.1:1/", "http://127.0.0.1:1/"),
        ("https://127.0.0.1:{port}/", "https://127.0.0.1:{port}/"),
        ("https://elsewhere.example/a", "https://elsewhere.example/a"),
        ("/a%2Fb", "/a%2Fb"),
        ("//other.example/", "//other.example/"),
        ("a b", "a b"),
    ],
)
@over_sockets
async def test_redirects_are_passed_and_never_lead_to_the_upstreams_own_address(
    tmp_path: Path, location: str, seen: str
) -> None:
    async def redirects(visit: Visit) -> None:
        await visit.request()
        port = visit.writer.get_extra_info("sockname")[1]
        await visit.answer(b"", f"location: {location.format(port=port)}", status="302 Found")

    async with proxied(tmp_path, redirects) as site:
        line, headers, _ = await site.get("/")
        assert line == "HTTP/1.1 302 Found"
        assert f"location: {seen.format(port=site.upstream_port).lower()}\r\n" in headers


@over_sockets
async def test_cookies_of_one_visitor_are_never_sent_for_another(tmp_path: Path) -> None:
    async def sets_cookies(visit: Visit) -> None:
        while True:
            await visit.request()
            await visit.answer(b"ok", "set-cookie: session=secret; path=/")

    async with proxied(tmp_path, sets_cookies) as site:
        _, headers, _ = await site.get("/")
        assert "set-cookie: session=secret" in headers
        await site.get("/", "cookie: mine=1")
        await site.get("/")
        assert [asked.one("cookie") for asked in site.asked] == [None, "mine=1", None]


@over_sockets
async def test_the_environments_proxies_are_not_asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")

    async with proxied(tmp_path, answers) as site:
        assert (await site.get("/"))[0] == "HTTP/1.1 200 OK"


# --- an upstream that misbehaves


GARBAGE = {
    "no HTTP": b"SSH-2.0-OpenSSH_9.2\r\n",
    "an endless head": b"HTTP/1.1 200 OK\r\n" + b"x: y\r\n" * 100_000,
    "nothing": b"",
    "half a head": b"HTTP/1.1 200 OK\r\ncontent-type: text/html\r\n",
    "a broken header": b"HTTP/1.1 200 OK\r\nbad header\r\n\r\n",
    "a status without a meaning": b"HTTP/1.1 999 What\r\ncontent-length: 0\r\n\r\n",
    "another protocol": b"HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n",
    "two lengths": b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\ncontent-length: 3\r\n\r\nok",
}


@pytest.mark.parametrize("reply", GARBAGE.values(), ids=GARBAGE.keys())
@over_sockets
async def test_what_is_no_answer_becomes_a_small_page_that_tells_nothing(
    tmp_path: Path, reply: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING, "personalize")

    async with proxied(tmp_path, with_answer(reply)) as site:
        line, headers, body = await site.get("/a/b?token=secret")
        assert line == "HTTP/1.1 502 Bad Gateway"
        assert "cache-control: no-store\r\n" in headers
        assert body == b"The site could not be reached. Please try again in a moment.\n"
        assert [record.getMessage().partition(": ")[0] for record in caplog.records] == ["GET /a/b"]
        assert "secret" not in caplog.text and str(site.upstream_port) not in caplog.text


@over_sockets
async def test_an_upstream_that_is_not_there_is_said_to_be_so(tmp_path: Path) -> None:
    async with proxied(tmp_path, answers) as site, fronted(tmp_path, 1, (), {}) as port:
        line, _, _ = await Proxied(1, port).get("/")
        assert line == "HTTP/1.1 502 Bad Gateway"
        assert (await site.get("/"))[0] == "HTTP/1.1 200 OK"


@pytest.mark.parametrize("trickles", [False, True])
@over_sockets
async def test_an_upstream_that_is_silent_is_given_up(tmp_path: Path, trickles: bool) -> None:
    async def silent(visit: Visit) -> None:
        await visit.request()
        await visit.send(b"HTTP/1.1 200 OK\r\n" if trickles else b"")
        for _ in range(100):
            await visit.send(b"x: y\r\n" if trickles else b"")
            await asyncio.sleep(SHORT_SECONDS / 5)

    async with proxied(tmp_path, silent, idle_seconds=SHORT_SECONDS) as site:
        asked_at = time.monotonic()
        line, headers, body = await site.get("/")
        assert line == "HTTP/1.1 504 Gateway Timeout" and "no-store" in headers
        assert body == b"The site took too long to answer. Please try again in a moment.\n"
        assert time.monotonic() - asked_at < 20 * SHORT_SECONDS


@pytest.mark.parametrize("kind", ["text/html", "text/css"])
@pytest.mark.parametrize("framing", ["length", "chunks"])
@pytest.mark.parametrize("fault", ["closes", "is silent", "talks nonsense"])
@over_sockets
async def test_an_answer_that_breaks_off_is_cut_and_never_ended(
    tmp_path: Path, kind: str, framing: str, fault: str
) -> None:
    async def breaks_off(visit: Visit) -> None:
        await visit.request()
        length = "content-length: 99" if framing == "length" else "transfer-encoding: chunked"
        await visit.send(f"HTTP/1.1 200 OK\r\ncontent-type: {kind}\r\n{length}\r\n\r\n".encode())
        await visit.send(b"<p>half</p>" if framing == "length" else b"b\r\n<p>half</p>\r\n")
        if fault == "is silent":
            await visit.is_left()
        elif fault == "talks nonsense" and framing == "chunks":
            await visit.send(b"nonsense\r\n")

    async with proxied(tmp_path, breaks_off, idle_seconds=SHORT_SECONDS) as site, site.client() as client:
        await client.send(b"GET / HTTP/1.1\r\nhost: a\r\n\r\n")
        reply = await client.rest()
        assert b"<p>half</p>" in reply
        assert not reply.endswith(b"0\r\n\r\n")
        assert b"chunked" in reply or b"content-length: 99" in reply


@over_sockets
async def test_a_restarted_upstream_costs_no_visitor_an_error(tmp_path: Path) -> None:
    async def once(visit: Visit) -> None:
        """Keeps the connection until the second request comes, and is gone then."""
        await visit.request()
        await visit.answer()
        if visit.asked[-1].line.startswith("GET /first"):
            await visit.head()

    async with proxied(tmp_path, once) as site:
        assert (await site.get("/first"))[0] == "HTTP/1.1 200 OK"
        assert (await site.get("/second"))[0] == "HTTP/1.1 200 OK"
        assert [asked.line.split()[1] for asked in site.asked] == ["/first", "/second", "/second"]


@over_sockets
async def test_what_may_have_been_done_is_not_done_twice(tmp_path: Path) -> None:
    async def once(visit: Visit) -> None:
        await visit.request()
        await visit.answer()
        await visit.request()

    async with proxied(tmp_path, once) as site:
        await site.get("/first")
        line, _, _ = await site.ask("POST /buy HTTP/1.1\r\ncontent-length: 4", b"once")
        assert line == "HTTP/1.1 502 Bad Gateway"
        assert [asked.line.split()[1] for asked in site.asked] == ["/first", "/buy"]


@over_sockets
async def test_a_server_that_fails_on_a_new_connection_is_not_asked_again(tmp_path: Path) -> None:
    async with proxied(tmp_path, with_answer(b"")) as site:
        await site.get("/")
        assert len(site.asked) == 1


# --- many visitors, slow ones, and those who leave


@over_sockets
async def test_connections_are_kept_and_never_more_than_allowed(tmp_path: Path) -> None:
    busy = {"now": 0, "most": 0}

    async def counting(visit: Visit) -> None:
        while True:
            await visit.request()
            busy["now"] += 1
            busy["most"] = max(busy["most"], busy["now"])
            await asyncio.sleep(0.01)
            busy["now"] -= 1
            await visit.answer()

    async with proxied(tmp_path, counting, connections=3) as site:
        replies = await asyncio.gather(*(site.get(f"/{number}") for number in range(30)))
        assert {line for line, _, _ in replies} == {"HTTP/1.1 200 OK"}
        assert (busy["most"], site.accepted) == (3, 3)


@over_sockets
async def test_who_waits_too_long_for_a_connection_is_told_so(tmp_path: Path) -> None:
    gate = asyncio.Event()

    async def held(visit: Visit) -> None:
        while True:
            await visit.request()
            await gate.wait()
            await visit.answer()

    async with proxied(tmp_path, held, connections=1, connect_seconds=SHORT_SECONDS) as site:
        first = asyncio.create_task(site.get("/first"))
        await asyncio.sleep(0.05)
        line, _, body = await site.get("/second")
        assert line == "HTTP/1.1 503 Service Unavailable"
        assert body == b"The site has too much to do. Please try again in a moment.\n"
        gate.set()
        assert (await first)[0] == "HTTP/1.1 200 OK"


@pytest.mark.parametrize("moment", ["before the head", "in the body", "while sending"])
@over_sockets
async def test_a_visitor_who_leaves_ends_the_request_there_and_frees_its_connection(
    tmp_path: Path, moment: str, caplog: pytest.LogCaptureFixture
) -> None:
    left: list[float] = []

    async def endless(visit: Visit) -> None:
        asked = await visit.head()
        if asked.line.startswith("GET /last"):
            await visit.answer()
            return
        if moment == "in the body":
            await visit.send(b"HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\ncontent-length: 9\r\n\r\nx")
        await visit.is_left()
        left.append(time.monotonic())

    async with proxied(tmp_path, endless, connections=2, connect_seconds=2) as site:
        for number in range(6):
            async with site.client() as client:
                if moment == "while sending":
                    await client.send(b"POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 9\r\n\r\nx")
                else:
                    await client.send(b"GET / HTTP/1.1\r\nhost: a\r\n\r\n")
                while len(site.asked) <= number:
                    await asyncio.sleep(0.005)
                if moment == "in the body":
                    await client.head()
                left_at = time.monotonic()
                client.leave()
                while len(left) <= number:
                    await asyncio.sleep(0.005)
                assert left[-1] - left_at < 1
        assert (await site.get("/last"))[0] == "HTTP/1.1 200 OK"
        assert caplog.records == []


@over_sockets
async def test_a_slow_reader_slows_the_upstream_down_and_nothing_piles_up(tmp_path: Path) -> None:
    sent = {"bytes": 0}
    block = b"x" * 65_536

    async def large(visit: Visit) -> None:
        await visit.request()
        await visit.send(b"HTTP/1.1 200 OK\r\ncontent-type: text/html\r\ncontent-length: 200000000\r\n\r\n")
        while sent["bytes"] < 200_000_000:
            await visit.send(block)
            sent["bytes"] += len(block)

    async with proxied(tmp_path, large) as site, site.client() as client:
        await client.send(b"GET / HTTP/1.1\r\nhost: a\r\n\r\n")
        await client.exactly(1_000_000)
        await asyncio.sleep(0.2)
        read_so_far = sent["bytes"]
        await asyncio.sleep(0.2)
        assert sent["bytes"] == read_so_far < 25_000_000


@over_sockets
async def test_a_visitor_who_reads_nothing_any_more_is_given_up(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    gone = asyncio.Event()

    async def large(visit: Visit) -> None:
        await visit.request()
        await visit.send(b"HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\ncontent-length: 200000000\r\n\r\n")
        try:
            while True:
                await visit.send(b"x" * 65_536)
        finally:
            gone.set()

    async with proxied(tmp_path, large, idle_seconds=SHORT_SECONDS) as site, site.client() as client:
        await client.send(b"GET / HTTP/1.1\r\nhost: a\r\n\r\n")
        async with asyncio.timeout(10):
            await gone.wait()
        assert "the visitor was silent for 0.3 seconds; the answer was cut off" in caplog.text


def test_what_a_test_reads_of_a_request_is_what_was_sent() -> None:
    asked = Asked("GET / HTTP/1.1", [("A", "1"), ("b", "2"), ("a", "3")])
    assert (asked.all("a"), asked.one("b"), asked.one("c")) == (["1", "3"], "2", None)
    assert unchunked(b"2\r\nok\r\n0\r\n\r\n") == b"ok"
    with pytest.raises(AssertionError, match="cut"):
        unchunked(b"2\r\nok\r\n")
