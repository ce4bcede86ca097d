"""The same small site with every framework, each behind a real server: its slots are filled, all else is its own."""

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest
from websockets.sync.client import connect

from tests.driver import CHROME
from tests.served.server import all_served, uvicorn
from tests.served.sites.markup import PARTS, STATIC
from tests.served.test_workers import publish_desk

FRAMEWORKS = ("starlette", "fastapi", "django", "litestar", "quart", "flask", "datasette")
WITH_DECISIONS = tuple(name for name in FRAMEWORKS if name != "flask")
WITH_SOCKETS = ("starlette", "fastapi", "litestar", "quart")
WITH_BACKGROUND_WORK = ("starlette", "fastapi", "litestar", "quart")
CONSENT = {"pz_consent": "measure.personalize"}
PRIVATE = "private, no-store"
HEADERS = {"user-agent": CHROME, "accept": "text/html", "sec-fetch-dest": "document"}
VISITORS = 8
LONGEST_WAIT_SECONDS = 10


@pytest.fixture(scope="module")
def addresses(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """Where each of them is served."""
    folders = {name: tmp_path_factory.mktemp(name) for name in (*FRAMEWORKS, "files")}
    for folder in folders.values():
        publish_desk(folder)
    servers = {name: uvicorn(f"tests.served.sites.{name}:app") for name in FRAMEWORKS}
    servers["files"] = uvicorn("tests.served.sites.files:app", "--lifespan", "off")  # its first request starts it
    with all_served(servers, folders, PERSONALIZE_INGEST_FLUSH_SECONDS="0.01") as found:
        yield found


@pytest.fixture(params=FRAMEWORKS)
def site(request: pytest.FixtureRequest, addresses: dict[str, str]) -> str:
    """The address of one of the sites."""
    return addresses[request.param]


def browser(address: str, **cookies: str) -> httpx.Client:
    """A browser of its own in front of a site."""
    return httpx.Client(base_url=address, headers=HEADERS, cookies=cookies, timeout=20, verify=False)


def log_in(somebody: httpx.Client, name: str) -> None:
    """Send the site's own form; what it tells of the visitor is written a moment later."""
    assert somebody.post("/login", data={"name": name}).is_redirect
    wait_for(somebody, "/", f"Hello {name.title()}")


def wait_for(somebody: httpx.Client, path: str, text: str) -> str:
    """The page, as soon as this stands in it."""
    until = time.monotonic() + LONGEST_WAIT_SECONDS
    while text not in (page := somebody.get(path).text):
        assert time.monotonic() < until, page
        time.sleep(0.01)
    return page


def test_slots_of_both_kinds_are_filled_and_the_rest_is_the_templates(site: str) -> None:
    with browser(site) as somebody:
        page = somebody.get("/?utm_source=newsletter")
    assert page.status_code == 200
    assert page.text.rstrip() == (
        "<!doctype html>\n<title>Shop</title>\n"
        '<div data-slot="hero"><b>From the letter</b></div>\n<ul><li>Nothing yet</li></ul>\n'
        "<p>ab <b>The season</b></p>\n<p>the end</p>"
    )
    assert page.headers["cache-control"] == PRIVATE
    assert int(page.headers["content-length"]) == len(page.content)


def test_a_stranger_sees_the_templates_own(site: str) -> None:
    with browser(site) as somebody:
        text = somebody.get("/").text
    assert '<div data-slot="hero"><p>Default</p></div>\n<ul><li>Nothing yet</li></ul>' in text


def test_many_at_once_see_each_their_own(site: str) -> None:
    def visit(number: int) -> str:
        name = f"ann-{number}"
        with browser(site, **CONSENT) as somebody:
            log_in(somebody, name)
            return "".join(somebody.get("/").text for _ in range(3))

    with ThreadPoolExecutor(VISITORS) as visitors:
        for number, text in enumerate(visitors.map(visit, range(VISITORS))):
            assert text.count("Hello") == text.count(f"Hello Ann-{number}.") == 3


def test_a_form_reaches_the_site_and_what_it_records_is_of_who_is_logged_in(site: str) -> None:
    with browser(site, **CONSENT) as bea:
        log_in(bea, "bea")
        assert '<div data-slot="hero"><p>Default</p></div>' in bea.get("/").text
        assert bea.post("/buy", data={"amount": "12.50"}).is_redirect
        wait_for(bea, "/", '<div data-slot="hero"><b>Thank you</b></div>')
    with browser(site, **CONSENT) as cid:
        log_in(cid, "cid")
        assert '<div data-slot="hero"><p>Default</p></div>' in cid.get("/").text


@pytest.mark.parametrize("name", WITH_DECISIONS)
def test_code_of_the_site_asks_for_a_decision(name: str, addresses: dict[str, str]) -> None:
    with browser(addresses[name]) as somebody:
        decided = somebody.get("/hero?utm_source=newsletter")
        assert decided.json() == ["things/letter"]
        assert decided.headers["cache-control"] == PRIVATE
        assert somebody.get("/hero").json() == []


def test_a_page_in_parts_leaves_in_parts_with_its_slots_filled(site: str) -> None:
    with browser(site) as somebody:
        for _ in range(2):
            page = somebody.get("/streamed?utm_source=newsletter")
            filled = "".join(PARTS).replace("<p>Default</p>", "<b>From the letter</b>")
            if page.headers.get("cache-control") == PRIVATE:
                break
            assert page.text == "".join(PARTS), "personal slots behind a public head"
        assert page.text == filled
        # A site that is quick has ended before we stop waiting for its slots: then the length is known.
        assert page.headers.get("content-length") in (str(len(page.content)), None)


def test_what_is_no_page_leaves_as_the_site_made_it(site: str) -> None:
    with browser(site, **CONSENT) as somebody:
        for _ in range(2):
            data = somebody.get("/data.json")
            assert data.json() == {"html": PARTS[1]}
            assert data.headers.get("content-length") in (str(len(data.content)), None)
            style = somebody.get("/static/site.css")
            assert style.content == (STATIC / "site.css").read_bytes()
            for reply in (data, style):
                assert "cache-control" not in reply.headers or "private" not in reply.headers["cache-control"]
                assert "set-cookie" not in reply.headers
        assert somebody.get("/nowhere").status_code == 404


def test_a_static_page_is_filled_and_promises_nothing_of_the_file(site: str) -> None:
    with browser(site) as somebody:
        somebody.get("/static/about.html")
        page = somebody.get("/static/about.html?utm_source=newsletter")
        assert '<div data-slot="hero"><b>From the letter</b></div>' in page.text
        assert page.headers["cache-control"] == PRIVATE
        assert not {"etag", "last-modified", "accept-ranges"} & set(page.headers)
        head = somebody.head("/static/about.html?utm_source=newsletter")
        assert not {"etag", "last-modified", "content-length"} & set(head.headers) and head.content == b""


@pytest.mark.parametrize("name", WITH_SOCKETS)
def test_sockets_pass(name: str, addresses: dict[str, str]) -> None:
    address = addresses[name].replace("http:", "ws:")
    with connect(f"{address}/echo", proxy=None) as socket:
        socket.send('<div data-slot="hero">')
        assert socket.recv() == '<div data-slot="hero">'


@pytest.mark.parametrize("name", WITH_BACKGROUND_WORK)
def test_work_behind_a_page_is_done(name: str, addresses: dict[str, str]) -> None:
    with browser(addresses[name]) as somebody:
        assert "From the letter" in somebody.get("/work?utm_source=newsletter").text
        wait_for(somebody, "/worked", "done")


def test_djangos_own_cache_makes_a_page_once_for_ten_of_our_cookies(addresses: dict[str, str]) -> None:
    for number in range(10):
        source = "newsletter" if number % 2 else "elsewhere"
        with browser(addresses["django"], **CONSENT) as somebody:
            pages = [somebody.get(f"/kept?utm_source={source}") for _ in range(2)]
            assert "pz" in somebody.cookies
        for page in pages:
            assert page.text.startswith("<p>made 1 times</p>" if number % 2 == 0 else "<p>made 2 times</p>")
            assert ("From the letter" in page.text) is (number % 2 == 1)
            assert page.headers["cache-control"] == PRIVATE
            assert "expires" not in page.headers
            assert page.headers.get_list("vary") == ["Cookie"]


def test_a_site_of_files_alone_is_filled(addresses: dict[str, str]) -> None:
    with browser(addresses["files"]) as somebody:
        assert "<b>From the letter</b>" in somebody.get("/about.html?utm_source=newsletter").text
        style = somebody.get("/site.css")
        assert style.content == (STATIC / "site.css").read_bytes()
        assert somebody.get("/site.css", headers={"if-none-match": style.headers["etag"]}).status_code == 304


def test_a_table_in_thousands_of_parts_passes_whole(addresses: dict[str, str]) -> None:
    query = "with recursive n(i) as (select 1 union all select i + 1 from n where i < 900) select i, 'slot' from n"
    with browser(addresses["datasette"]) as somebody:
        table = somebody.get("/_memory.csv", params={"sql": query})
    assert table.text.split() == ["i,'slot'", *(f"{number},slot" for number in range(1, 901))]
    assert "private" not in table.headers.get("cache-control", "")
