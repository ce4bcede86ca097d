"""The three ways to live with caches, behind real nginx and Varnish, configured as `docs/operators.md` shows."""

from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import permutations
from pathlib import Path
from random import Random

import httpx
import pytest

from tests.desk import write_desk
from tests.driver import CHROME
from tests.served.caches import find_server, nginx, varnish
from tests.served.edges import PAGE
from tests.served.server import served
from tests.trust.trials import SEED, trials

NAVIGATION = {
    "user-agent": CHROME,
    "accept": "text/html,*/*;q=0.8",
    "sec-fetch-site": "none",
    "sec-fetch-mode": "navigate",
    "sec-fetch-dest": "document",
}
FORM = {"sec-fetch-site": "same-origin", "content-type": "application/x-www-form-urlencoded"}
NOBODY = "<p>For everybody</p>"
MIXED = trials(250, 2_500)
TENTS, BUYERS, LETTER = "What goes with a tent", "Thank you", "From the letter"
NGINX = {
    "private": "nginx-private.conf",
    "variants": "nginx-variants.conf",
    "script": "nginx-private.conf",
    "ssi": "nginx-fragments.conf",
    "ssi-alone": "nginx-fragments.conf",
}
VARNISH = {"private": None, "variants": "varnish-variants.vcl", "esi": "varnish-fragments.vcl"}
#: The rules of a site in variants, which may ask what an edge tells.
BY_KIND = """
attributes: {first_name: {type: text}}
slots:
  hero:
    rules:
      - {id: phones, to: {page.device: mobile}, show: things/tent}
      - {id: norwegians, to: {page.language: nb}, show: things/thanks}
"""
PHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 17_0 like Mac OS X) AppleWebKit/605.1.15 Mobile/15E148 Safari/604.1"
EDGES = [("nginx", "private"), ("nginx", "ssi"), ("varnish", "private"), ("varnish", "esi")]
FRAGMENTS = pytest.mark.parametrize(("edge", "host"), [("nginx", "ssi"), ("varnish", "esi")])
VARIANTS = pytest.mark.parametrize(("edge", "host"), [("nginx", "variants"), ("varnish", "variants")])
PRIVATE = pytest.mark.parametrize(("edge", "host"), [("nginx", "private"), ("varnish", "private")])


@dataclass(frozen=True)
class Edges:
    """The addresses of all caches, by server and by the host that they stand in front of."""

    client: httpx.Client
    addresses: Mapping[tuple[str, str], str]


@pytest.fixture(scope="module")
def edges(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Edges]:
    """All caches, running."""
    for name, package in (("nginx", "nginx-light"), ("varnishd", "varnish")):
        if find_server(name) is None:
            pytest.skip(f"{name} is absent: apt-get install {package}")
    folder: Path = tmp_path_factory.mktemp("edges")
    write_desk(folder)
    write_desk(folder / "variants", rules=BY_KIND)
    with ExitStack() as stack:
        app = stack.enter_context(served(folder, app="tests.served.edges:app"))
        varnishes = stack.enter_context(varnish(folder, app, VARNISH))
        nginxes = stack.enter_context(nginx(folder, app, NGINX, without_slots="ssi-alone"))
        client = stack.enter_context(httpx.Client())
        addresses = {("nginx", host): address for host, address in nginxes.items()}
        yield Edges(client, addresses | {("varnish", host): address for host, address in varnishes.items()})


class Visitor:
    """A browser that comes to one host by one cache."""

    def __init__(self, edges: Edges, edge: str, host: str) -> None:
        self._client = edges.client
        self._address = edges.addresses[edge, host]
        self._host = f"{host.partition('-')[0]}.example"
        self.cookies: dict[str, str] = {}

    def get(self, path: str = "/", **headers: str) -> httpx.Response:
        return self._request("GET", path, headers)

    def post(self, path: str, fields: dict[str, str] | None = None) -> httpx.Response:
        return self._request("POST", path, FORM, fields)

    def _request(
        self, method: str, path: str, headers: dict[str, str], fields: dict[str, str] | None = None
    ) -> httpx.Response:
        sent = NAVIGATION | {"host": self._host} | headers
        if self.cookies:
            sent["cookie"] = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        self._client.cookies.clear()  # it keeps them by host, and to it all caches are one
        answer = self._client.request(method, f"{self._address}{path}", headers=sent, data=fields)
        self.cookies |= dict(answer.cookies)
        return answer

    def agrees_and_buys(self, category: str) -> "Visitor":
        assert self.post("/_personalize/consent", {"grant": "measure personalize"}).status_code == 303
        assert self.post(f"/buy/{category}").text.startswith("v:")
        return self


def visitors(edges: Edges, edge: str, host: str) -> dict[str, Visitor]:
    """Three visitors, by what their pages have to show."""
    return {
        TENTS: Visitor(edges, edge, host).agrees_and_buys("tents"),
        BUYERS: Visitor(edges, edge, host).agrees_and_buys("hats"),
        NOBODY: Visitor(edges, edge, host),
    }


@pytest.mark.parametrize(("edge", "host"), EDGES)
def test_nobody_ever_sees_what_is_somebody_elses_in_whatever_order_they_come(
    edges: Edges, edge: str, host: str
) -> None:
    everybody = visitors(edges, edge, host)
    ids = {shown: one.cookies.get("pz") for shown, one in everybody.items()}
    assert None not in (ids[TENTS], ids[BUYERS]) and ids[NOBODY] is None
    for order in permutations(everybody):
        for shown in order * 2:
            answer = everybody[shown].get("/")
            assert answer.status_code == 200
            assert [one for one in (TENTS, BUYERS, NOBODY) if one in answer.text] == [shown]
            assert answer.text.endswith("<p>the end</p></html>")
            assert not [
                value for name, value in ids.items() if value and name != shown and value in str(answer.headers)
            ]
    assert {shown: one.cookies.get("pz") for shown, one in everybody.items()} == ids


@pytest.mark.long
@pytest.mark.trust(tries=MIXED)
@pytest.mark.parametrize(("edge", "host"), EDGES)
def test_of_thousands_of_visits_in_any_order_none_shows_what_is_somebody_elses(
    edges: Edges, edge: str, host: str
) -> None:
    """Some say that they are not to be followed, some follow a preview link, some come from a letter."""
    everybody, dice = visitors(edges, edge, host), Random(SEED)
    kinds: list[tuple[str, dict[str, str]]] = [
        *[("/", {})] * 4,
        ("/", {"sec-gpc": "1"}),
        ("/?utm_source=mail", {}),
        ("/?pz_preview=forged", {}),
        ("/account", {}),
        ("/plain", {}),
    ]
    for _ in range(MIXED):
        shown, (path, headers) = dice.choice(list(everybody)), dice.choice(kinds)
        answer = everybody[shown].get(path, **headers)
        seen = {one for one in (TENTS, BUYERS, NOBODY) if one in answer.text}
        assert seen <= {shown, NOBODY}, (shown, path, headers)
        assert path != "/" or seen == {shown}, (shown, headers)


@PRIVATE
def test_a_personalised_page_is_kept_by_no_cache_and_any_other_by_all(edges: Edges, edge: str, host: str) -> None:
    everybody = visitors(edges, edge, host)
    before = made(edges, edge, host, "home")
    for one in [*everybody.values()] * 3:
        assert one.get("/").headers["cache-control"] == "private, no-store"
    assert made(edges, edge, host, "home") == before + 9
    before = made(edges, edge, host, "plain")
    for _ in range(5):
        assert everybody[NOBODY].get("/plain").text == NOBODY
    assert made(edges, edge, host, "plain") <= before + 1


@VARIANTS
def test_in_variants_each_kind_of_visitor_sees_its_own_and_nine_pages_of_ten_come_from_the_cache(
    edges: Edges, edge: str, host: str
) -> None:
    forged = {"X-Personalize-Edge": "guess", "X-Personalize-Page-Language": "nb"}
    kinds: dict[str, dict[str, str]] = {
        TENTS: {"user-agent": PHONE, "accept-language": "en"},
        BUYERS: {"accept-language": "nb-NO, en;q=0.5"},
        NOBODY: {"accept-language": "fr"},
    }
    everybody = {shown: Visitor(edges, edge, host) for shown in kinds}
    for shown in (TENTS, BUYERS):
        everybody[shown].post("/_personalize/consent", {"grant": "measure personalize"})
    ids = {shown: dict(one.cookies) for shown, one in everybody.items()}
    before, asked = made(edges, edge, host, "home"), 0
    for order in permutations(everybody):
        for shown in order * 2:
            answer = everybody[shown].get("/", **kinds[shown])
            assert [one for one in (TENTS, BUYERS, NOBODY) if one in answer.text] == [shown]
            assert answer.headers["cache-control"] == "public, s-maxage=60, max-age=0"
            assert "set-cookie" not in answer.headers
            asked += 1
    assert {shown: one.cookies for shown, one in everybody.items()} == ids
    assert made(edges, edge, host, "home") - before < asked / 10
    assert NOBODY in everybody[NOBODY].get("/", **kinds[NOBODY], **forged).text


@FRAGMENTS
def test_pages_come_from_the_cache_more_than_nine_times_in_ten_and_their_slots_never_do(
    edges: Edges, edge: str, host: str
) -> None:
    everybody = visitors(edges, edge, host)
    before, asked = made(edges, edge, host, "home"), 0
    for number in range(10):
        for shown, one in everybody.items():
            answer = one.get(f"/?utm_source=mail{number}")
            assert shown in answer.text
            assert answer.headers["cache-control"] == "public, max-age=600"
            assert "set-cookie" not in answer.headers
            asked += 1
    assert made(edges, edge, host, "home") - before < asked / 10


@FRAGMENTS
def test_the_query_of_a_page_that_is_cached_once_reaches_its_slots(edges: Edges, edge: str, host: str) -> None:
    reader = Visitor(edges, edge, host)
    for _ in range(2):
        assert LETTER in reader.get("/?utm_source=newsletter&x=1").text
        assert LETTER not in reader.get("/?utm_source=elsewhere").text
        assert NOBODY in reader.get("/").text


@FRAGMENTS
def test_a_preview_link_is_answered_by_the_site_and_kept_by_no_cache(edges: Edges, edge: str, host: str) -> None:
    visitor = Visitor(edges, edge, host)
    assert visitor.get("/").status_code == 200
    for _ in range(2):
        assert visitor.get("/?pz_preview=forged").status_code == 403
    assert visitor.get("/").text == PAGE


@FRAGMENTS
def test_a_page_by_an_edge_is_the_sites_own_outside_of_its_slots(edges: Edges, edge: str, host: str) -> None:
    page = Visitor(edges, edge, host).get("/").text
    assert page == PAGE


@FRAGMENTS
def test_a_slot_asked_for_by_nobodys_page_does_not_break_it(edges: Edges, edge: str, host: str) -> None:
    visitor = Visitor(edges, edge, host)
    assert visitor.get("/_personalize/slot/hero?p=//evil").status_code == 200
    assert visitor.get("/_personalize/slot/none?p=/").text == ""


@FRAGMENTS
def test_a_page_that_the_site_keeps_from_caches_is_filled_for_its_visitor(edges: Edges, edge: str, host: str) -> None:
    everybody = visitors(edges, edge, host)
    for shown, one in [*everybody.items()] * 2:
        answer = one.get("/account")
        assert [one for one in (TENTS, BUYERS, NOBODY) if one in answer.text] == [shown]
        assert answer.headers["cache-control"] == "private, no-store"


def test_nginx_shows_the_pages_own_where_nobody_answers_for_its_slots(edges: Edges) -> None:
    assert Visitor(edges, "nginx", "ssi-alone").get("/?utm_source=newsletter").text == PAGE


def test_with_the_script_the_page_comes_from_the_cache_and_its_slots_from_the_site(edges: Edges) -> None:
    everybody = visitors(edges, "nginx", "script")
    before = made(edges, "nginx", "script", "home")
    for shown, one in [*everybody.items()] * 4:
        page = one.get("/")
        assert NOBODY in page.text and "set-cookie" not in page.headers
        slots = one.get(
            "/_personalize/slots?p=/&s=hero", **{"sec-fetch-site": "same-origin", "sec-fetch-dest": "empty"}
        )
        assert slots.headers["x-cache"] != "HIT"
        assert (shown in slots.text) == (shown != NOBODY)
    assert made(edges, "nginx", "script", "home") - before <= 1


def made(edges: Edges, edge: str, host: str, page: str) -> int:
    """How often the site behind this cache has made the page."""
    return int(Visitor(edges, edge, host).get(f"/made/{page}").text)
