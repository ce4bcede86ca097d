"""One site under every server that people use, by HTTP/1 and HTTP/2: what each of them does its own way, we bear."""

import hashlib
import json
import os
import socket
import ssl
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
import trustme
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from tests.driver import CHROME
from tests.served.http2 import received
from tests.served.server import Server, all_served, uvicorn
from tests.served.sites.markup import PARTS
from tests.served.test_workers import publish_desk, stored

APP = "tests.served.sites.starlette:app"
FILLED = PARTS[1].replace("<p>Default</p>", "<b>From the letter</b>")
LETTER = "?utm_source=newsletter"
LONGEST_WAIT_SECONDS = 10
BY_HTTP1 = ("uvicorn-h11", "uvicorn-httptools", "granian")
BY_HTTP2 = ("granian-http2", "hypercorn-http2")
NAMES = (*BY_HTTP1, *BY_HTTP2)
#: Where a proxy in front of it puts the site.
PREFIXES = {"uvicorn-h11": "/app"}


@dataclass(frozen=True)
class Served:
    """The site under one server, as a browser sees it."""

    name: str
    address: str
    trust: ssl.SSLContext

    @property
    def has_http2(self) -> bool:
        """Whether the browser speaks HTTP/2 here: behind TLS, or because it knows the server."""
        return self.name in BY_HTTP2

    @property
    def prefix(self) -> str:
        """Where a proxy in front has put the site; it takes this off before it asks."""
        return PREFIXES.get(self.name, "")

    @contextmanager
    def browser(self) -> Iterator[httpx.Client]:
        """A browser of its own."""
        headers = {"user-agent": CHROME, "accept": "text/html", "sec-fetch-dest": "document"}
        with httpx.Client(
            base_url=self.address,
            headers=headers,
            verify=self.trust,
            http1=not self.has_http2,
            http2=self.has_http2,
            timeout=20,
        ) as client:
            yield client

    @property
    def consent(self) -> str:
        """The cookie of who agreed to everything."""
        host = "__Host-" if self.address.startswith("https") else ""
        return f"{host}pz_consent=measure.personalize"


def servers(folder: Path, ca: trustme.CA) -> dict[str, Server]:
    """Each server in each of its ways."""
    certificate = ca.issue_cert("127.0.0.1")
    certificate.private_key_pem.write_to_path(str(folder / "key.pem"))
    certificate.cert_chain_pems[0].write_to_path(str(folder / "certificate.pem"))
    tls = ("--keyfile", str(folder / "key.pem"), "--certfile", str(folder / "certificate.pem"))
    granian = ("granian", APP, "--interface", "asgi", "--port", "{port}", "--log-level", "warning", "--http")
    hypercorn = ("hypercorn", APP, "-b", "127.0.0.1:{port}", "--log-level", "warning", "--keep-alive", "1", *tls)
    return {
        "uvicorn-h11": uvicorn(APP, "--http", "h11", "--root-path", PREFIXES["uvicorn-h11"]),
        "uvicorn-httptools": uvicorn(APP, "--http", "httptools", "--loop", "uvloop"),
        "granian": Server((*granian, "1")),
        "granian-http2": Server((*granian, "2")),
        "hypercorn-http2": Server(hypercorn, scheme="https"),
    }


@pytest.fixture(scope="module")
def addresses(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Served]]:
    """All of them. When they stop, each has to have written what waited in its queue."""
    folders = {name: tmp_path_factory.mktemp(name) for name in NAMES}
    for folder in folders.values():
        publish_desk(folder)
    ca, trust = trustme.CA(), ssl.create_default_context()
    ca.configure_trust(trust)
    all_servers = servers(tmp_path_factory.mktemp("tls"), ca)
    with all_served(all_servers, folders, PERSONALIZE_INGEST_FLUSH_SECONDS="60") as found:
        sites = {name: Served(name, address, trust) for name, address in found.items()}
        yield sites
        for site in sites.values():
            leave_something_in_the_queue(site)
    for name, folder in folders.items():
        profile = stored(folder, "u:zoe")
        assert profile is not None and profile.attributes["first_name"].value == "Zoe", name


def leave_something_in_the_queue(site: Served) -> None:
    with site.browser() as zoe:
        zoe.post("/login", data={"name": "zoe"}, headers={"cookie": site.consent})


@pytest.fixture(params=NAMES)
def site(request: pytest.FixtureRequest, addresses: dict[str, Served]) -> Served:
    """The site under one of them."""
    return addresses[request.param]


def test_a_page_is_filled_and_as_long_as_it_says(site: Served) -> None:
    with site.browser() as somebody:
        page = somebody.get(f"/{LETTER}")
    assert page.http_version == ("HTTP/2" if site.has_http2 else "HTTP/1.1")
    assert '<div data-slot="hero"><b>From the letter</b></div>' in page.text
    assert page.text.rstrip().endswith("<p>the end</p>")
    assert int(page.headers["content-length"]) == len(page.content)
    assert page.headers["cache-control"] == "private, no-store"


def test_a_head_says_nothing_of_a_page_that_depends_on_the_visitor(site: Served) -> None:
    with site.browser() as somebody:
        somebody.get("/static/about.html")
        head = somebody.head("/static/about.html")
    assert head.status_code == 200 and head.content == b""
    assert head.headers["cache-control"] == "private, no-store"
    assert not {"set-cookie", "etag", "last-modified"} & set(head.headers)


def test_cookies_in_several_headers_are_all_read_and_ours_hidden_from_the_site(site: Served) -> None:
    cookies = [("cookie", "a=1"), ("cookie", site.consent), ("cookie", "b=2")]
    with site.browser() as somebody:
        seen = somebody.get("/bare/seen", headers=[*somebody.headers.items(), *cookies]).json()
    assert seen["consent"] == ["measure", "personalize"]
    assert "; ".join(seen["cookies"]).replace(" ", "").split(";") == ["a=1", "b=2"]
    assert seen["version"].startswith("2") == site.has_http2


@pytest.mark.parametrize("site", BY_HTTP2, indirect=True)
def test_visitors_whose_requests_share_a_connection_are_told_apart(site: Served) -> None:
    with site.browser() as shared, ThreadPoolExecutor(8) as visitors:

        def visit(number: int) -> tuple[list[str], list[str]]:
            cookies = f"number={number}; {site.consent}" if number % 2 else f"number={number}"
            seen = shared.get("/bare/seen", headers={"cookie": cookies}).json()
            return seen["cookies"], seen["consent"]

        for number, (cookies, consent) in enumerate(visitors.map(visit, range(40))):
            assert cookies == [f"number={number}"]
            assert consent == (["measure", "personalize"] if number % 2 else [])


def test_a_file_that_the_server_would_send_itself_is_filled_all_the_same(site: Served) -> None:
    with site.browser() as somebody:
        knows = somebody.get("/bare/seen", headers={"accept": "*/*", "sec-fetch-dest": "image"}).json()["knows"]
        assert ("http.response.pathsend" in knows) == site.name.startswith("granian")
        somebody.get("/static/about.html")
        page = somebody.get(f"/static/about.html{LETTER}")
        assert '<div data-slot="hero"><b>From the letter</b></div>' in page.text
        style = somebody.get("/static/site.css")
        assert style.text.startswith("p {") and "etag" in style.headers


@pytest.mark.parametrize("site", BY_HTTP2, indirect=True)
def test_hints_come_before_a_page_and_trailers_behind_it(site: Served) -> None:
    trust = site.trust if site.address.startswith("https") else None
    found = received(site.address, f"/bare/hinted{LETTER}", trust)
    if site.name != "granian-http2":  # which knows neither
        assert [kind for kind, _ in found] == ["hint", "head", "trailers", "body"]
        assert {":status": "103", "link": "</static/site.css>; rel=preload"}.items() <= dict(found[0][1]).items()
        assert found[2][1] == {"server-timing": "all;dur=1"}
    assert found[-1] == ("body", FILLED)


def test_what_is_sent_reaches_the_site(site: Served) -> None:
    sent = os.urandom(5_000_000)
    with site.browser() as somebody:
        assert somebody.post("/bare/digest", content=sent).text == hashlib.sha256(sent).hexdigest()


def test_the_first_part_leaves_before_the_site_has_the_second(site: Served) -> None:
    with site.browser() as reader, site.browser() as other, reader.stream("GET", f"/bare/paused{LETTER}") as page:
        parts = page.iter_bytes()
        assert next(parts).decode() == PARTS[0]
        other.get("/bare/go-on")
        assert b"".join(parts).decode() in (PARTS[1] + PARTS[4], FILLED + PARTS[4])


def test_the_site_hears_of_a_reader_who_leaves(site: Served) -> None:
    with site.browser() as somebody:
        before = len(json.loads(somebody.get("/bare/notes").text))
        with site.browser() as reader, reader.stream("GET", "/bare/endless") as page:
            next(page.iter_bytes())
        until = time.monotonic() + LONGEST_WAIT_SECONDS
        while len(json.loads(somebody.get("/bare/notes").text)) == before:
            assert time.monotonic() < until, "nobody told the site"
            time.sleep(0.02)


def test_an_error_of_the_site_stays_its_own(site: Served) -> None:
    with site.browser() as somebody:
        failed = somebody.get("/bare/fails-before")
        assert failed.status_code == 500 and "cache-control" not in failed.headers
    with site.browser() as somebody, pytest.raises(httpx.RemoteProtocolError):
        somebody.get("/bare/fails-midway")


@pytest.mark.parametrize("site", BY_HTTP1, indirect=True)
def test_sockets_pass_and_so_does_a_refusal_with_a_page(site: Served) -> None:
    address = site.address.replace("http", "ws", 1)
    with connect(f"{address}/echo", proxy=None) as socket_:
        socket_.send("hello")
        assert socket_.recv() == "hello"
    with pytest.raises(InvalidStatus) as refused, connect(f"{address}/bare/socket", proxy=None):
        pass
    assert refused.value.response.status_code == 403
    assert refused.value.response.body == PARTS[1].encode()


@pytest.mark.parametrize("site", BY_HTTP1, indirect=True)
def test_a_client_of_http_1_0_gets_a_whole_page(site: Served) -> None:
    host, port = site.address.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=20) as plain:
        plain.sendall(f"GET /{LETTER} HTTP/1.0\r\nhost: shop.example\r\n\r\n".encode())
        answer = b""
        while part := plain.recv(65_536):
            answer += part
    head, _, page = answer.partition(b"\r\n\r\n")
    assert b"From the letter" in page and page.rstrip().endswith(b"<p>the end</p>")
    assert b"chunked" not in head.lower()


def test_our_own_pages_stand_under_the_prefix_of_the_site(site: Served) -> None:
    with site.browser() as somebody:
        health = somebody.get("/_personalize/health")
        assert health.status_code == 200 and health.json()["version"]
        given = {"grant": "measure personalize", "back": f"{site.prefix}/"}
        form = somebody.post("/_personalize/consent", data=given, headers={"sec-fetch-site": "same-origin"})
        assert form.is_redirect and form.headers["location"] == f"{site.prefix}/"
        assert site.consent in form.headers["set-cookie"]
