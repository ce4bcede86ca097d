"""Who asked, as the site is told: believed from trusted servers, made anew otherwise."""

import pytest

from personalize.web.proxy.forwarded import SCOPE_KEY, Forwarded, TrustedPeers, forwarded_of

PROXIES = TrustedPeers(["10.0.0.0/8", "::1"])


def scope(peer: str | None, *headers: tuple[str, str], scheme: str = "http") -> dict[str, object]:
    raw = [(name.encode(), value.encode("latin-1")) for name, value in headers]
    return {"client": (peer, 4711) if peer else None, "scheme": scheme, "headers": raw}


@pytest.mark.parametrize(
    ("peer", "headers", "addresses", "scheme", "host", "visitor"),
    [
        ("203.0.113.7", (), ("203.0.113.7",), "http", None, "203.0.113.7"),
        ("203.0.113.7", (("x-forwarded-for", "8.8.8.8"),), ("203.0.113.7",), "http", None, "203.0.113.7"),
        ("203.0.113.7", (("x-forwarded-proto", "https"),), ("203.0.113.7",), "http", None, "203.0.113.7"),
        (None, (("x-forwarded-for", "8.8.8.8"), ("host", "a")), (), "http", "a", None),
        (
            "10.0.0.1",
            (("x-forwarded-for", "198.51.100.1, 203.0.113.7"), ("X-Forwarded-For", "10.0.0.2"), ("host", "in")),
            ("198.51.100.1", "203.0.113.7", "10.0.0.2", "10.0.0.1"),
            "http",
            "in",
            "203.0.113.7",
        ),
        (
            "::1",
            (("forwarded", 'for="[2001:db8::7]:4711";proto=HTTPS;host="a.example:81", for=10.0.0.2'),),
            ("[2001:db8::7]:4711", "10.0.0.2", "::1"),
            "https",
            "a.example:81",
            "2001:db8::7",
        ),
        ("10.0.0.1", (("x-forwarded-for", "unknown"),), ("unknown", "10.0.0.1"), "http", None, "10.0.0.1"),
        ("10.0.0.1", (("x-forwarded-proto", "gopher"),), ("10.0.0.1",), "http", None, "10.0.0.1"),
        ("10.0.0.1", (("x-forwarded-host", "a b"), ("host", "in")), ("10.0.0.1",), "http", "in", "10.0.0.1"),
        ("::ffff:10.0.0.1", (("x-forwarded-for", "8.8.8.8"),), ("8.8.8.8", "::ffff:10.0.0.1"), "http", None, "8.8.8.8"),
    ],
)
def test_the_way_of_a_request_is_known_as_far_as_trusted_servers_tell_it(
    peer: str | None,
    headers: tuple[tuple[str, str], ...],
    addresses: tuple[str, ...],
    scheme: str,
    host: str | None,
    visitor: str | None,
) -> None:
    way = PROXIES.way_of(scope(peer, *headers))
    assert (way.addresses, way.scheme, way.host) == (addresses, scheme, host)
    assert PROXIES.visitor(way) == visitor


def test_a_way_that_is_made_up_to_be_long_is_cut_at_its_far_end() -> None:
    way = PROXIES.way_of(scope("10.0.0.1", ("x-forwarded-for", ", ".join(["1.1.1.1"] * 500 + ["2.2.2.2"]))))
    assert len(way.addresses) == 20 and way.addresses[-2:] == ("2.2.2.2", "10.0.0.1")


def test_the_site_is_told_in_the_headers_that_frameworks_read_and_in_that_of_the_standard() -> None:
    way = Forwarded(("2001:db8::7", "10.0.0.2"), "https", "shop.example:8443")
    assert way.headers() == [
        (b"x-forwarded-for", b"2001:db8::7, 10.0.0.2"),
        (b"x-forwarded-proto", b"https"),
        (b"x-forwarded-host", b"shop.example:8443"),
        (b"forwarded", b'for="[2001:db8::7]";proto=https;host="shop.example:8443", for=10.0.0.2'),
    ]
    assert Forwarded((), "http", None).headers() == [
        (b"x-forwarded-proto", b"http"),
        (b"forwarded", b"for=unknown;proto=http"),
    ]


def test_no_value_can_break_out_of_its_quotes() -> None:
    way = PROXIES.way_of(scope("10.0.0.1", ("x-forwarded-for", '1.1.1.1";proto=https;x="\\')))
    (told,) = [value for name, value in way.headers() if name == b"forwarded"]
    assert told == b'for="1.1.1.1;proto=https;x=";proto=http, for=10.0.0.1'


CLAIMS = [
    *((b"X-Forwarded-For", b"1"), (b"x-forwarded-port", b"2"), (b"forwarded", b"3"), (b"X-Real-IP", b"4")),
    (b"x-other", b"5"),
    (b"X_Forwarded-For", b"1"),
    (b"x_real_ip", b"4"),
]


@pytest.mark.parametrize(("is_believed", "kept"), [(False, [b"5"]), (True, [b"2", b"4", b"5", b"4"])])
def test_what_nobody_vouches_for_goes_no_further(is_believed: bool, kept: list[bytes]) -> None:
    way = Forwarded(("1.1.1.1",), "http", None, is_believed)
    assert [value for _, value in way.without_claims(CLAIMS)] == kept


def test_without_an_entrance_the_servers_own_word_counts_and_no_header() -> None:
    bare = scope("203.0.113.7", ("x-forwarded-for", "8.8.8.8"), ("host", "a"), scheme="https")
    assert forwarded_of(bare) == Forwarded(("203.0.113.7",), "https", "a")
    known = Forwarded(("1.1.1.1",), "http", None)
    assert forwarded_of({**bare, SCOPE_KEY: known}) is known
