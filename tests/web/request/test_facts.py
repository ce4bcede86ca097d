"""The facts of a request."""

import pytest

import personalize.web.request.facts as facts_module
from personalize.decisions.context import RequestFacts
from personalize.visitors.sent_headers import SentHeaders
from personalize.web.request.facts import best_language, request_facts


def facts(query: str = "", /, **headers: str) -> RequestFacts:
    pairs = [(name.replace("_", "-").encode(), value.encode("latin-1")) for name, value in headers.items()]
    return request_facts(query.encode(), "/tents/2", SentHeaders(pairs))


def test_a_page_and_where_it_stands() -> None:
    found = facts("size=2&size=3&empty=&x=%C3%A9", host="Shop.Example:8000", referer="https://blog.example/a?b")
    assert (found.path, found.host, found.referrer) == ("/tents/2", "shop.example", "https://blog.example/a?b")
    assert found.query == {"size": ("2", "3"), "empty": ("",), "x": ("é",)}


def test_a_request_that_tells_nothing() -> None:
    found = request_facts(b"", "/", SentHeaders([]))
    assert found == RequestFacts(path="/", device="bot", bot=True)


@pytest.mark.parametrize(
    ("query", "referrer", "expected"),
    [
        ("utm_source=news&utm_medium=email&utm_campaign=may", "https://blog.example/", ("news", "email", "may")),
        ("utm_source=news", "https://blog.example/", ("news", None, None)),
        ("utm_campaign=may", "https://www.blog.example/x", ("blog.example", "referral", "may")),
        ("", "https://www.google.com/", ("google.com", "organic", None)),
        ("", "https://no.search.yahoo.com/", ("no.search.yahoo.com", "organic", None)),
        ("", "https://notgoogle.com/", ("notgoogle.com", "referral", None)),
        ("", "https://shop.example/other", (None, None, None)),
        ("", "https://www.shop.example/other", (None, None, None)),
        ("", "", (None, None, None)),
        ("", "http://[broken", (None, None, None)),
        ("", "about:blank", (None, None, None)),
    ],
)
def test_source_medium_and_campaign(query: str, referrer: str, expected: tuple[str | None, ...]) -> None:
    for host in ("shop.example", "www.shop.example:8443"):
        found = facts(query, host=host, referer=referrer)
        assert (found.source, found.medium, found.campaign) == expected


def test_an_address_is_a_host_too() -> None:
    assert facts(host="[::1]:8000", referer="http://[::1]:8000/").source is None
    assert facts(host="[::1]:8000").host == "::1"


@pytest.mark.parametrize(
    ("header", "language"),
    [
        ("nb-NO,nb;q=0.9,en;q=0.8", "nb"),
        ("en;q=0.8, DA", "da"),
        ("da, en;q=0, *;q=0.1", "da"),
        ("en;q=0, *;q=0.1", None),
        ("fr ; q=0.5 , de;q=0.5", "fr"),
        ("x, 12, e, english-too-long-tag, sv;q=0.1", "sv"),
        ("en;q=1.1, de;q=-1, fr;q=x, no;q=0.3", "no"),
        ("*", None),
        ("", None),
        (",;q=,,;=;" * 900, None),
        ("é", None),
    ],
)
def test_the_language_liked_best(header: str, language: str | None) -> None:
    assert best_language(header.encode()) == language


def test_no_header_that_anybody_may_send_tells_a_country() -> None:
    assert facts(cf_ipcountry="NO", x_forwarded_for="8.8.8.8").country is None


def test_cookies_are_read_however_broken_their_neighbours() -> None:
    pairs = [(b"cookie", b'foo={"a":1}; bad,name=1; a=1; =x; b'), (b"Cookie", b'a=2; c="3"')]
    found = request_facts(b"", "/", SentHeaders(pairs))
    assert (found.cookies["a"], found.cookies["c"]) == ("1", "3")


@pytest.mark.parametrize(
    "headers",
    [
        {"sec_purpose": "prefetch;prerender"},
        {"purpose": "prefetch"},
        {"x_moz": "prefetch"},
        {"x_purpose": "preview"},
        {"x_sec_purpose": "prefetch"},
        {"hx_preloaded": "true"},
    ],
)
def test_a_page_fetched_in_advance_is_told(headers: dict[str, str]) -> None:
    assert facts(**headers).prefetch
    assert not facts(accept="text/html").prefetch


def test_a_query_without_end_is_read_in_part() -> None:
    assert len(facts("&".join(f"p{number}=1" for number in range(5000))).query) <= 100


@pytest.mark.parametrize("header", ["host", "user_agent", "accept_language"])
def test_what_a_client_makes_long_is_remembered_in_part(header: str) -> None:
    begins = f"{header} without end {'x' * 2_000}"
    facts(**{header: begins})
    known = facts_module._client.cache_info().misses
    for number in range(3):
        facts(**{header: f"{begins}{number}"})
    assert facts_module._client.cache_info().misses == known
